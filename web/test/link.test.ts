import { describe, expect, test } from "vitest";

import { comesBack, nextLink, reasonText, START, type Link, type LinkEvent } from "../src/core/link.ts";

const opened: LinkEvent = { type: "opened" };
const closed: LinkEvent = { type: "closed" };
const idle: LinkEvent = { type: "noticed", kind: "idle-timeout", command: "hold host" };
const shutdown: LinkEvent = { type: "noticed", kind: "shutdown", command: "hold host" };
const superseded: LinkEvent = { type: "superseded" };
const reconnect: LinkEvent = { type: "reconnect" };

function after(...events: LinkEvent[]): Link {
  return events.reduce(nextLink, START);
}

describe("the reason", () => {
  test.each([
    ["nothing while the page connects first", [], ""],
    ["nothing while it is open", [opened], ""],
    ["the host that timed out", [opened, idle, closed], "Host timed out after inactivity."],
    ["the other tab", [opened, superseded, closed], "Connection superseded by another tab."],
    ["the connection", [opened, closed], "Lost connection to the host."],
    ["a host that was stopped", [opened, shutdown, closed], "Lost connection to the host."],
    ["a host that was never there", [closed], "Lost connection to the host."],
  ] as [string, LinkEvent[], string][])("is %s", (_, events, text) => {
    expect(reasonText(after(...events))).toBe(text);
  });

  test.each([
    ["idle, then cut off", [opened, idle, closed, closed], "idle"],
    ["idle, then superseded", [opened, idle, superseded], "idle"],
    ["superseded, then idle", [opened, superseded, idle, closed], "superseded"],
    ["cut off, then superseded", [opened, closed, superseded], "superseded"],
    ["a stop, then superseded", [opened, shutdown, superseded], "superseded"],
  ] as [string, LinkEvent[], string][])("that is specific wins: %s", (_, events, reason) => {
    expect(after(...events).reason).toBe(reason);
  });

  test("is forgotten once it is open again", () => {
    expect(after(opened, idle, closed, opened)).toEqual({ ...START, phase: "open" });
  });

  test("stays in sight while somebody reconnects", () => {
    expect(reasonText(after(opened, idle, closed, reconnect))).toBe("Host timed out after inactivity.");
  });

  test("of a seat that is taken back in vain is the lost connection", () => {
    expect(after(opened, superseded, reconnect, closed).reason).toBe("lost");
  });
});

describe("coming back", () => {
  test.each([
    ["after the connection was lost", [opened, closed], true],
    ["after an idle exit", [opened, idle, closed], true],
    ["when the host is not there at first", [closed], true],
    ["not to a seat that another tab has", [opened, superseded, closed], false],
    ["not without a token", [{ type: "refused", code: "AUTH_FAILED", what: "" }, closed], false],
    ["after a refusal that passes", [{ type: "refused", code: "LIMIT_REACHED", what: "" }], true],
    ["not while it is connecting", [opened, closed, reconnect], false],
  ] as [string, LinkEvent[], boolean][])("by itself: %s is %s", (_, events, expected) => {
    expect(comesBack(after(...events))).toBe(expected);
  });

  test("a refused connection may be refused for the other tab", () => {
    const link = after({ type: "refused", code: "SUPERSEDED", what: "" });
    expect(link.phase).toBe("superseded");
  });

  test("a notice closes for typing before the socket is closed", () => {
    expect(after(opened, idle).phase).toBe("lost");
  });

  test("the command that starts the host is kept until it is back", () => {
    expect(after(opened, idle, closed, { type: "tried" }, closed).command).toBe("hold host");
  });

  test("tries are counted from the last success", () => {
    expect(after(closed, { type: "tried" }, closed, { type: "tried" }).attempt).toBe(2);
    expect(after(closed, { type: "tried" }, opened).attempt).toBe(0);
  });
});
