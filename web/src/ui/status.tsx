import { reasonText } from "../core/link.ts";
import type { Model } from "../core/model.ts";
import type { Session } from "../core/sessions.ts";

/** Where things stand, in one line. */
export function StatusBar({ model }: { model: Model }) {
  const session = model.sessions.get(model.chosen);
  return (
    <footer class="status">
      <Badge model={model} />
      {session && model.link.phase === "open" && <span>{owner(session)}</span>}
      {session && (
        <span aria-label={`${session.cols} columns, ${session.rows} rows`} role="img">
          {session.cols}×{session.rows}
        </span>
      )}
      {model.lag !== "live" && <span>behind</span>}
      {model.scope !== "full" && <span>read-only</span>}
      {session && (
        <span id="way-out" class="way-out">
          Ctrl+Shift+Space leaves the terminal
        </span>
      )}
      <span class="version">{model.host && `holdfast ${model.host}`}</span>
    </footer>
  );
}

function Badge({ model }: { model: Model }) {
  const { text, kind } = badge(model);
  return (
    <output role="status" aria-live="polite" class={`badge ${kind}`} title={reasonText(model.link)}>
      {text}
    </output>
  );
}

function badge({ link, daemon }: Model): { text: string; kind: string } {
  if (link.phase !== "open") {
    const isFirst = link.phase === "connecting" && !link.reason;
    return isFirst ? { text: "Connecting…", kind: "waiting" } : { text: "Disconnected", kind: "off" };
  }
  return daemon === "online"
    ? { text: "Connected", kind: "on" }
    : { text: "Waiting for the daemon", kind: "waiting" };
}

function owner(session: Session): string {
  if (session.ended) {
    return "ended";
  }
  const words = { me: "yours", none: "nobody’s", other: `owned by ${session.owner_label}` };
  return words[session.owner];
}
