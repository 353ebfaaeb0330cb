// @ts-expect-error - the types of Node would be there for this line alone
import { crc32 as zlib } from "node:zlib";
import { describe, expect, test } from "vitest";

import { crc32 } from "../src/core/crc32.ts";
import { Tail, TAIL_LIMIT } from "../src/core/tail.ts";

const EPOCH = "0a1b2c3d";

function bytes(length: number, seed = 1): Uint8Array {
  let value = seed;
  return Uint8Array.from({ length }, () => (value = (value * 48271) % 2147483647) & 0xff);
}

describe("the checksum", () => {
  test.each([0, 1, 255, 70_000])("of %i bytes is zlib's", (length) => {
    expect(crc32(bytes(length))).toBe(zlib(bytes(length)));
  });

  test("goes on from one that was made before", () => {
    const all = bytes(1000);
    expect(crc32(all.subarray(300), crc32(all.subarray(0, 300)))).toBe(zlib(all));
  });
});

describe("a tail", () => {
  test("of nothing proves nothing, and goes on at its offset", () => {
    expect(new Tail(EPOCH, 42).held()).toEqual({ since: 42, epoch: EPOCH, length: 0, crc: 0 });
  });

  test.each([1, 100, 4096, 65_536, 100_000])("is the same in chunks of %i bytes", (size) => {
    const all = bytes(200_000);
    const tail = new Tail(EPOCH, 7);
    for (let start = 0; start < all.length; start += size) {
      tail.append(all.subarray(start, start + size));
    }
    const newest = all.subarray(all.length - TAIL_LIMIT);
    const crc = zlib(newest);
    expect(tail.held()).toEqual({ since: 200_007, epoch: EPOCH, length: TAIL_LIMIT, crc });
  });

  test("behind a gap proves what came after it", () => {
    const tail = new Tail(EPOCH, 0);
    tail.append(bytes(100));
    tail.skip(5000);
    tail.append(bytes(10, 3));
    expect(tail.held()).toEqual({ since: 5010, epoch: EPOCH, length: 10, crc: zlib(bytes(10, 3)) });
  });
});
