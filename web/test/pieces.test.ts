import { expect, test } from "vitest";

import { PIECE, Pieces } from "../src/core/pieces.ts";

/** A host that takes a message when it is told to. */
function host(): { sent: number[]; take: (isTaken?: boolean) => Promise<void>; pieces: Pieces } {
  const sent: number[] = [];
  const answers: ((isTaken: boolean) => void)[] = [];
  const pieces = new Pieces((_, data) => {
    sent.push(data.byteLength);
    return new Promise((resolve) => answers.push(resolve));
  });
  const take = async (isTaken = true): Promise<void> => {
    answers.shift()!(isTaken);
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { sent, take, pieces };
}

test("keys do not wait for each other", () => {
  const { sent, pieces } = host();
  void pieces.type("a", new ArrayBuffer(1));
  void pieces.type("a", new ArrayBuffer(2));
  expect(sent).toEqual([1, 2]);
});

test("a paste goes piece by piece, and a key behind it", async () => {
  const { sent, take, pieces } = host();
  void pieces.type("a", new ArrayBuffer(PIECE + 5));
  void pieces.type("a", new ArrayBuffer(1));
  expect(sent).toEqual([PIECE]);
  await take();
  expect(sent).toEqual([PIECE, 5]);
  await take();
  expect(sent).toEqual([PIECE, 5, 1]);
});

test("what follows a piece that was not taken is not sent", async () => {
  const { sent, take, pieces } = host();
  void pieces.type("a", new ArrayBuffer(3 * PIECE));
  await take(false);
  expect(sent).toEqual([PIECE]);
  void pieces.type("a", new ArrayBuffer(1));
  expect(sent).toEqual([PIECE, 1]);
});
