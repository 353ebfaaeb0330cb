// The sessions that the host has told of.

export type Scope = "full" | "read" | "share";

export interface Session {
  id: string;
  name: string;
  state: string;
  title: string;
  argv: string[];
  cwd: string;
  cols: number;
  rows: number;
  owner: "me" | "other" | "none";
  owner_label: string;
  created: number;
  ended: number | null;
  exit_code: number | null;
  signal: number | null;
}

export type Sessions = ReadonlyMap<string, Session>;

/** Return the sessions with one added or changed: what lives, oldest first, then what has ended,
 * newest first. */
export function withSession(sessions: Sessions, session: Session): Sessions {
  const all = [...sessions.values()].filter((one) => one.id !== session.id);
  all.push(session);
  all.sort((a, b) => a.created - b.created || (a.id < b.id ? -1 : 1));
  const living = all.filter((one) => !one.ended);
  const ended = all.filter((one) => one.ended).reverse();
  return new Map([...living, ...ended].map((one) => [one.id, one]));
}

/** Return the sessions without one. */
export function withoutSession(sessions: Sessions, id: string): Sessions {
  return new Map([...sessions].filter(([other]) => other !== id));
}

/** Return what to call a session: its name, or else what runs in it. */
export function label(session: Session): string {
  return session.name || (session.argv[0] ?? "").split("/").pop() || session.id;
}

/** Return what a window that shows a session is called: as its program says, and which it is. */
export function heading(session: Session | undefined): string {
  if (!session) {
    return "Holdfast";
  }
  const name = label(session);
  return session.title && session.title !== name ? `${session.title} - ${name}` : name;
}

/** Return how a session ended, in words; empty while it lives. */
export function ending(session: Session): string {
  if (!session.ended) {
    return "";
  }
  return session.signal ? `ended by signal ${session.signal}` : `ended (${session.exit_code ?? "?"})`;
}

/** Return which session to show: the wish if it is there, else the newest that lives, else any. */
export function choose(sessions: Sessions, ...wishes: string[]): string {
  const all = [...sessions.values()];
  const living = all.filter((one) => !one.ended);
  const wish = wishes.find((id) => sessions.has(id));
  return wish ?? living.at(-1)?.id ?? all[0]?.id ?? "";
}
