// What may be typed, and what is said instead.

import type { Link } from "./link.ts";
import type { Scope, Session } from "./sessions.ts";

/** Return why nothing may be typed into a session now; empty when it may. */
export function refusal(
  link: Link,
  daemon: string,
  scope: Scope,
  session: Session | undefined,
): string {
  if (link.phase !== "open") {
    return "Not connected: nothing was sent.";
  }
  if (daemon !== "online") {
    return "The host has lost its daemon: nothing was sent.";
  }
  if (scope !== "full") {
    return "This link is for looking only.";
  }
  if (!session) {
    return "There is no session to type into.";
  }
  if (session.ended) {
    return "This session has ended.";
  }
  if (session.owner === "other") {
    return `${session.owner_label || "Somebody else"} owns this session. Take it over to type.`;
  }
  return "";
}

// What a terminal says of a mouse that moves and a window that gets focus. Nobody typed that, and
// nobody needs to be told that it went nowhere.
const REPORT = /^\x1b\[(?:[IO]$|M|<\d+;\d+;\d+[Mm]$)/;

/** Return whether what a terminal sends is a report, and not what somebody typed. */
export function isReport(data: string): boolean {
  return REPORT.test(data);
}

/** Return a command as its words: quotes hold together, a backslash takes the next letter as it is. */
export function words(line: string): string[] {
  const found = line.match(/(?:\\.|"(?:\\.|[^"])*"|'[^']*'|[^\s"'\\])+/g) ?? [];
  return found.map((word) =>
    word.replace(/\\(.)|"((?:\\.|[^"])*)"|'([^']*)'/g, (_, letter, double, single) =>
      letter ?? single ?? String(double).replace(/\\(.)/g, "$1"),
    ),
  );
}
