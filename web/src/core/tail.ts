// What a terminal holds, as far as it has to be proved: an offset and the newest bytes before it.

import { crc32 } from "./crc32.ts";

/** The protocol compares no more than this. */
export const TAIL_LIMIT = 65_536;

/** What an `attach` says about the terminal that is there. */
export interface Held {
  since: number | null;
  /** Which of the logs this session has had; a text that means nothing here. */
  epoch: string;
  length: number;
  crc: number;
}

/** What an `attach` says for a terminal that has nothing. */
export const NOTHING: Held = { since: null, epoch: "", length: 0, crc: 0 };

export class Tail {
  // Twice the limit, so that old bytes are moved out once in a while and not with every new one.
  readonly #kept = new Uint8Array(2 * TAIL_LIMIT);
  #length = 0;

  /** Start at an offset of a log, with none of the bytes before it. */
  constructor(
    private readonly epoch: string,
    public offset: number,
  ) {}

  /** Take bytes that the terminal has parsed; they follow what it had. */
  append(bytes: Uint8Array): void {
    this.offset += bytes.length;
    const newest = bytes.subarray(Math.max(0, bytes.length - TAIL_LIMIT));
    if (this.#length + newest.length > this.#kept.length) {
      this.#kept.copyWithin(0, this.#length - TAIL_LIMIT, this.#length);
      this.#length = TAIL_LIMIT;
    }
    this.#kept.set(newest, this.#length);
    this.#length += newest.length;
  }

  /** Go on behind a gap: what was before is of no use as a proof. */
  skip(offset: number): void {
    this.#length = 0;
    this.offset = offset;
  }

  /** Return what an `attach` says to go on exactly here. */
  held(): Held {
    const length = Math.min(this.#length, TAIL_LIMIT);
    const crc = crc32(this.#kept.subarray(this.#length - length, this.#length));
    return { since: this.offset, epoch: this.epoch, length, crc };
  }
}
