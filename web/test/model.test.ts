import { describe, expect, test } from "vitest";

import { begin, next, type Happening, type Model } from "../src/core/model.ts";
import { choose, ending, heading, label, type Session } from "../src/core/sessions.ts";
import { isReport, refusal } from "../src/core/typing.ts";

function session(id: string, change: Partial<Session> = {}): Session {
  const ended = { ended: null, exit_code: null, signal: null };
  const place = { cwd: "/", cols: 80, rows: 24, argv: ["/bin/zsh"] };
  const owner = { owner: "me" as const, owner_label: "" };
  return { id, name: "", state: "running", title: "", created: 1, ...ended, ...place, ...owner, ...change };
}

function told(event: string, payload: unknown): Happening {
  return { type: "heard", event, payload };
}

function after(...happenings: Happening[]): Model {
  return happenings.reduce(next, begin({ kind: "workspace" }, ""));
}

const WORKING: Happening[] = [
  { type: "opened" },
  told("layout", { sessions: ["a", "b"], chosen: "a" }),
  told("session", session("b", { created: 2 })),
  told("session", session("a")),
];

describe("the model", () => {
  test("has the sessions that were told of, oldest first, and shows the chosen one", () => {
    const model = after(...WORKING);
    expect([...model.sessions.keys()]).toEqual(["a", "b"]);
    expect(model.chosen).toBe("a");
  });

  test("says nothing more of one session once another is looked at", () => {
    const model = after(...WORKING, { type: "hinted", text: "This session has ended." });
    expect(model.hint).not.toBe("");
    expect(next(model, { type: "chose", id: "b" }).hint).toBe("");
  });

  test("has what lives before what has ended, of which the newest comes first", () => {
    const ended = [3, 4].map((at) => told("session", session(`e${at}`, { created: at, ended: 9 })));
    const model = after(...WORKING, ...ended, told("session", session("c", { created: 5 })));
    expect([...model.sessions.keys()]).toEqual(["a", "b", "c", "e4", "e3"]);
    expect(choose(model.sessions)).toBe("c");
    const over = new Map([...model.sessions].filter(([, { ended }]) => ended));
    expect(choose(over)).toBe("e4");
  });

  test("keeps what the person has chosen when the host begins anew", () => {
    const model = after(...WORKING, { type: "chose", id: "b" }, ...WORKING);
    expect(model.chosen).toBe("b");
  });

  test("shows another session once the chosen one is gone", () => {
    expect(after(...WORKING, told("gone", { id: "a" })).chosen).toBe("b");
  });

  test("forgets what a new layout does not have", () => {
    const model = after(...WORKING, told("layout", { sessions: ["b"], chosen: "b" }));
    expect([...model.sessions.keys()]).toEqual(["b"]);
    expect(model.chosen).toBe("b");
  });

  test("stays with the session of its address, also when that is gone", () => {
    const first = begin({ kind: "session", id: "x" }, "b");
    const model = [...WORKING, told("gone", { id: "x" })].reduce(next, first);
    expect(model.chosen).toBe("x");
  });

  test("adds up what is not shown, until something else is", () => {
    const gap = (start: number, end: number): Happening => {
      return { type: "gap", gap: { start, end, reason: "skipped" } };
    };
    const model = after(...WORKING, gap(10, 20), gap(50, 55));
    expect(model.missing).toEqual({ bytes: 15, reason: "skipped" });
    expect(next(model, { type: "chose", id: "b" }).missing).toBeNull();
    expect(next(model, { type: "gap", gap: null }).missing).toBeNull();
  });

  test("takes no offence at what a newer host says", () => {
    expect(after(...WORKING, told("weather", { rain: 1 })).chosen).toBe("a");
  });
});

describe("typing", () => {
  const open = after(...WORKING).link;
  const lost = after(...WORKING, { type: "closed" }).link;
  const other = session("a", { owner: "other", owner_label: "hold attach" });

  test.each([
    ["goes to a session of ours", open, "online", "full", session("a"), ""],
    ["goes to one of nobody", open, "online", "full", session("a", { owner: "none" }), ""],
    ["not without the host", lost, "online", "full", session("a"), "Not connected"],
    ["not without the daemon", open, "lost", "full", session("a"), "lost its daemon"],
    ["not through a link", open, "online", "share", session("a"), "looking only"],
    ["not into nothing", open, "online", "full", undefined, "no session"],
    ["not into the past", open, "online", "full", session("a", { ended: 5 }), "has ended"],
    ["not into another's", open, "online", "full", other, "hold attach owns"],
  ] as const)("%s", (_, link, daemon, scope, shown, expected) => {
    const why = refusal(link, daemon, scope, shown);
    expect(expected ? why : why === "").toEqual(expected ? expect.stringContaining(expected) : true);
  });

  test.each(["\x1b[I", "\x1b[O", "\x1b[<35;10;5M", "\x1b[M !!"])("%j is a report", (data) => {
    expect(isReport(data)).toBe(true);
  });

  test.each(["a", "\x1b[A", "\x1bOA", "\x1b[Ix"])("%j is typed", (data) => {
    expect(isReport(data)).toBe(false);
  });
});

describe("a session", () => {
  test("is called by its name, or by its program", () => {
    expect([label(session("a", { name: "web" })), label(session("a"))]).toEqual(["web", "zsh"]);
  });

  test("gives a window its title, and its own name", () => {
    const titled = session("a", { name: "web", title: "vim notes" });
    expect([titled, session("a", { title: "zsh" }), undefined].map(heading)).toEqual([
      "vim notes - web",
      "zsh",
      "Holdfast",
    ]);
  });

  test("says how it ended", () => {
    expect(ending(session("a"))).toBe("");
    expect(ending(session("a", { ended: 5, exit_code: 3 }))).toBe("ended (3)");
    expect(ending(session("a", { ended: 5, signal: 9 }))).toBe("ended by signal 9");
  });
});
