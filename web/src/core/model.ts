// Everything the page shows, and the one function that changes it. The rest of the page either
// draws this, or tells it what happened.

import { type Gap } from "./gaps.ts";
import { nextLink, START, type Link, type LinkEvent } from "./link.ts";
import type { Route } from "./route.ts";
import { choose, withoutSession, withSession, type Scope, type Session, type Sessions } from "./sessions.ts";

export interface Model {
  route: Route;
  link: Link;
  /** Whether the host has told everything it knows since the page was loaded. */
  isKnown: boolean;
  scope: Scope;
  /** The state of the host's own connection, in the words of the library. */
  daemon: string;
  host: string;
  /** What starts the host again. */
  command: string;
  sessions: Sessions;
  chosen: string;
  /** Bytes that the terminal was not shown, all together, and why the last of them. */
  missing: { bytes: number; reason: string } | null;
  /** How far the terminal is behind: live, behind or far. */
  lag: string;
  /** Said to the person once, and taken away again. */
  hint: string;
  /** What was wrong with the last code. */
  loginError: string;
}

export type Happening =
  | LinkEvent
  | { type: "heard"; event: string; payload: unknown }
  | { type: "chose"; id: string }
  | { type: "gap"; gap: Gap | null }
  | { type: "hinted"; text: string }
  | { type: "login failed"; text: string };

export function begin(route: Route, chosen: string): Model {
  return {
    route,
    link: START,
    isKnown: false,
    scope: route.kind === "share" ? "share" : "full",
    daemon: "online",
    host: "",
    command: "",
    sessions: new Map(),
    chosen: "id" in route ? route.id : chosen,
    missing: null,
    lag: "live",
    hint: "",
    loginError: "",
  };
}

export function next(model: Model, happening: Happening): Model {
  switch (happening.type) {
    case "heard":
      return heard(model, happening.event, happening.payload);
    case "chose":
      return { ...model, chosen: happening.id, missing: null, lag: "live", hint: "" };
    case "gap":
      return { ...model, missing: missing(model, happening.gap) };
    case "hinted":
      return { ...model, hint: happening.text };
    case "login failed":
      return { ...model, loginError: happening.text };
    case "opened":
      return { ...model, link: nextLink(model.link, happening), hint: "", loginError: "" };
    default:
      return { ...model, link: nextLink(model.link, happening) };
  }
}

interface Started {
  scope: Scope;
  host: { version: string };
}

function heard(model: Model, event: string, payload: unknown): Model {
  switch (event) {
    case "started": {
      const { scope, host } = payload as Started;
      return { ...model, scope, host: host.version };
    }
    case "init":
      return { ...model, command: (payload as { command: string }).command };
    case "welcome":
      return laidOut(model, [], "");
    case "layout": {
      const { sessions, chosen } = payload as { sessions: string[]; chosen: string };
      return laidOut(model, sessions, chosen);
    }
    case "daemon":
      return { ...model, daemon: (payload as { state: string }).state };
    case "session":
      return known(model, payload as Session);
    case "gone":
      return forgotten(model, (payload as { id: string }).id);
    case "lag":
      return { ...model, lag: (payload as { level: string }).level };
    default:
      return model; // a newer host says more; what it says besides is no fault
  }
}

function missing({ missing: before }: Model, gap: Gap | null): Model["missing"] {
  return gap && { bytes: (before?.bytes ?? 0) + gap.end - gap.start, reason: gap.reason };
}

function laidOut(model: Model, ids: string[], wish: string): Model {
  const sessions = new Map([...model.sessions].filter(([id]) => ids.includes(id)));
  const stays = "id" in model.route || ids.includes(model.chosen);
  return { ...model, isKnown: true, sessions, chosen: stays ? model.chosen : wish };
}

function known(model: Model, session: Session): Model {
  return { ...model, sessions: withSession(model.sessions, session) };
}

function forgotten(model: Model, id: string): Model {
  const sessions = withoutSession(model.sessions, id);
  const stays = "id" in model.route || model.chosen !== id;
  return { ...model, sessions, chosen: stays ? model.chosen : choose(sessions) };
}
