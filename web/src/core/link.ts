// The connection of this tab to the host: its phases, and why it is not there. Pure: the shell
// tells what happened, and does what the phase asks for.

/** connecting: a person waits for it. open. lost: it comes back by itself. superseded: it does not.
 * refused: the host wants a code first. */
export type Phase = "connecting" | "open" | "lost" | "superseded" | "refused";

export type Reason = "idle" | "superseded" | "lost";

export interface Link {
  phase: Phase;
  /** Why it is not open. The first that says more than "lost" stays until it is. */
  reason: Reason | null;
  /** Tries since it was last open. */
  attempt: number;
  /** What starts the host again, once the host said that it ends. */
  command: string;
  /** What the host said when it refused. */
  detail: string;
}

export type LinkEvent =
  | { type: "opened" }
  | { type: "closed" }
  | { type: "tried" }
  | { type: "noticed"; kind: string; command: string }
  | { type: "superseded" }
  | { type: "refused"; code: string; what: string }
  | { type: "reconnect" };

export const START: Link = {
  phase: "connecting",
  reason: null,
  attempt: 0,
  command: "",
  detail: "",
};

const WORDS: Record<Reason, string> = {
  idle: "Host timed out after inactivity.",
  superseded: "Connection superseded by another tab.",
  lost: "Lost connection to the host.",
};

/** Return the link after an event. This is the only function that changes one. */
export function nextLink(link: Link, event: LinkEvent): Link {
  switch (event.type) {
    case "opened":
      return { ...START, phase: "open" };
    case "noticed":
      return noticed(link, event.kind, event.command);
    case "superseded":
      return ended(link, "superseded");
    case "refused":
      return refused(link, event.code, event.what);
    case "closed":
      return isFinal(link) ? link : { ...link, phase: "lost", reason: specific(link, "lost") };
    case "tried":
      return { ...link, attempt: link.attempt + 1 };
    case "reconnect":
      return reconnecting(link);
  }
}

function noticed(link: Link, kind: string, command: string): Link {
  const reason: Reason = kind === "idle-timeout" ? "idle" : "lost";
  if (isFinal(link)) {
    return link;
  }
  // Not open from here on, although the socket still is: what is typed now would not arrive.
  return { ...link, phase: "lost", reason: specific(link, reason), command };
}

function refused(link: Link, code: string, what: string): Link {
  if (code === "SUPERSEDED") {
    return ended(link, "superseded");
  }
  if (code === "AUTH_FAILED") {
    return { ...link, phase: "refused", reason: null, detail: what };
  }
  return { ...link, phase: "lost", reason: specific(link, "lost"), detail: what };
}

function ended(link: Link, reason: Reason): Link {
  const first = specific(link, reason);
  return { ...link, phase: first === "superseded" ? "superseded" : "lost", reason: first };
}

function reconnecting(link: Link): Link {
  // Who takes a seat back is not superseded any more: should that fail, it is for another reason.
  const reason = link.reason === "superseded" ? "lost" : link.reason;
  return { ...link, phase: "connecting", attempt: 0, detail: "", reason };
}

function specific(link: Link, reason: Reason): Reason {
  return link.reason && link.reason !== "lost" ? link.reason : reason;
}

function isFinal(link: Link): boolean {
  return link.phase === "superseded" || link.phase === "refused";
}

/** Return why there is no connection, in words; nothing while it is only being made. */
export function reasonText(link: Link): string {
  return link.phase === "open" || !link.reason ? "" : WORDS[link.reason];
}

/** Return whether to try again without being asked. */
export function comesBack(link: Link): boolean {
  return link.phase === "lost";
}
