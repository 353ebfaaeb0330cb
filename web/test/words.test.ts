import { describe, expect, test } from "vitest";

import { EVERY_MS, isWorthTelling } from "../src/core/activity.ts";
import { waitMs } from "../src/core/backoff.ts";
import { gapLine, missingText } from "../src/core/gaps.ts";
import { codeIn, hashOf, readPlace, seatOf, tokenKey } from "../src/core/route.ts";
import { words } from "../src/core/typing.ts";

describe("the wait before a try", () => {
  test("doubles, from a quarter of a second to eight seconds", () => {
    const waits = [0, 1, 2, 6, 50, 5000].map((attempt) => waitMs(attempt, 1));
    expect(waits).toEqual([250, 500, 1000, 8_000, 8_000, 8_000]);
  });

  test("is spread over half of itself", () => {
    expect([waitMs(3, 0), waitMs(3, 0.5)]).toEqual([1000, 1500]);
  });
});

describe("activity", () => {
  test.each([
    ["person", EVERY_MS, true, true],
    ["person", EVERY_MS, false, true],
    ["person", EVERY_MS - 1, true, false],
    ["output", EVERY_MS, true, true],
    ["output", EVERY_MS, false, false],
    ["output", 0, true, false],
  ] as ["person" | "output", number, boolean, boolean][])(
    "%s, %i ms later, visible %s: %s",
    (sign, later, isVisible, expected) => {
      expect(isWorthTelling(sign, 1_000_000 + later, 1_000_000, isVisible)).toBe(expected);
    },
  );
});

describe("a gap", () => {
  test("says how much and why", () => {
    expect(missingText(1_234_567, "pruned")).toBe(
      "1,234,567 bytes are not shown: they are older than what is kept",
    );
    expect(missingText(1, "new")).toBe("1 byte is not shown: new");
  });

  test("is marked on a line of its own", () => {
    expect(gapLine({ start: 0, end: 2, reason: "lost" })).toMatch(/^\x1b\[0m\r\n.* 2 bytes .*\r\n$/);
  });
});

describe("an address", () => {
  test.each([
    ["", "#/", "/", "holdfast.token", ""],
    ["#/?code=abc-1", "#/", "/", "holdfast.token", "abc-1"],
    ["#/s/k3f9", "#/s/k3f9", "s/k3f9", "holdfast.token", ""],
    ["#/share/k3f9?code=x", "#/share/k3f9", "", "holdfast.share.k3f9", "x"],
    ["#/s/../etc", "#/", "/", "holdfast.token", ""],
    ["#/s/a b", "#/", "/", "holdfast.token", ""],
  ])("%s is %s on the seat '%s'", (hash, shown, seat, key, code) => {
    const place = readPlace(hash);
    expect([hashOf(place.route), seatOf(place.route), tokenKey(place.route), place.code]).toEqual([
      shown,
      seat,
      key,
      code,
    ]);
  });
});

describe("a command", () => {
  test.each([
    ["", []],
    ["  vim  notes.txt ", ["vim", "notes.txt"]],
    [`sh -c "echo 'hi' \\"you\\""`, ["sh", "-c", `echo 'hi' "you"`]],
    [`a\\ b 'c d'e ""`, ["a b", "c de", ""]],
  ])("%s has its words", (line, expected) => {
    expect(words(line)).toEqual(expected);
  });
});

describe("a code that is pasted", () => {
  test.each([
    [" xpch-5bd2-e79j\n", "xpch-5bd2-e79j"],
    ["http://127.0.0.1:7717/#/?code=xpch-5bd2-e79j", "xpch-5bd2-e79j"],
    ["http://127.0.0.1:7717/x/#/s/abc?code=xpch-5bd2-e79j ", "xpch-5bd2-e79j"],
    ["#/?code=", "#/?code="],
    ["", ""],
  ])("%j is %j", (text, code) => {
    expect(codeIn(text)).toBe(code);
  });
});
