import { describe, expect, test } from "vitest";

import { Hole, View, type Attached, type Step } from "../src/core/view.ts";

const EPOCH = "0a1b2c3d";
const PICTURE = text("a picture");

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function answer(change: Partial<Attached> = {}): Attached {
  return { outcome: "snapshot", offset: 100, epoch: EPOCH, snapshot: PICTURE, gap: null, ...change };
}

/** Return a view whose terminal has parsed everything up to 105. */
function looking(): View {
  const view = new View(1, "s1");
  const steps = [...view.attached(answer()), ...view.output(100, text("hello"))];
  steps.forEach((step) => view.parsed(step));
  return view;
}

function written(steps: Step[]): string[] {
  return steps.map((step) => ("bytes" in step ? new TextDecoder().decode(step.bytes) : step.type));
}

describe("a view", () => {
  test("begins with a picture and goes on from there", () => {
    const view = new View(1, "s1");
    expect(view.held().since).toBeNull();
    const steps = [...view.attached(answer()), ...view.output(100, text("next"))];
    expect(steps.map((step) => [step.type, step.end])).toEqual([["replace", 100], ["write", 104]]);
  });

  test("has what came before the answer follow it", () => {
    const view = new View(1, "s1");
    expect(view.output(100, text("early"))).toEqual([]);
    expect(view.position).toBeNull();
    expect(written(view.attached(answer()))).toEqual(["a picture", "early"]);
  });

  test.each([
    [100, "hello more", [" more"]],
    [103, "lo", []],
    [105, " more", [" more"]],
  ])("writes each byte once: from %i", (offset, data, expected) => {
    expect(written(looking().output(offset, text(data)))).toEqual(expected);
  });

  test("does not go on over a hole that nobody told of", () => {
    expect(() => looking().output(106, text("x"))).toThrow(Hole);
  });

  test("goes on behind a gap, told once or twice", () => {
    const view = looking();
    const gap = { start: 105, end: 500, reason: "skipped" };
    expect(view.gap(gap)).toEqual([{ type: "mark", gap, end: 500 }]);
    expect(view.gap(gap)).toEqual([]);
    expect(written(view.output(500, text("on")))).toEqual(["on"]);
  });

  test("acknowledges what is parsed and not what has come", () => {
    const view = looking();
    const [step] = view.output(105, text("more"));
    expect(view.position).toBe(105);
    view.parsed(step!);
    expect(view.position).toBe(109);
  });
});

describe("coming back", () => {
  test("goes on where the terminal has parsed, and what was still to be parsed comes once", () => {
    const before = looking();
    const [late] = before.output(105, text("late"));
    const view = new View(2, "s1", before);
    expect(view.held()).toMatchObject({ since: 105, length: 5 });
    view.attached(answer({ outcome: "exact", offset: 105, snapshot: text("") }));
    before.parsed(late!);
    expect(written(view.output(105, text("late and new")))).toEqual([" and new"]);
    expect(view.position).toBe(109);
  });

  test("to another session begins with nothing", () => {
    expect(new View(2, "s2", looking()).held().since).toBeNull();
  });

  test("to what is not kept any more has a gap, then a picture", () => {
    const view = new View(2, "s1", looking());
    const gap = { start: 105, end: 900, reason: "pruned" };
    const steps = view.attached(answer({ offset: 950, gap }));
    expect(steps.map((step) => step.type)).toEqual(["mark", "replace"]);
    steps.forEach((step) => view.parsed(step));
    expect(view.held()).toMatchObject({ since: 950, length: 0 });
  });
});
