// The order of what one attachment brings: from answers and events, which may overtake each other,
// to what the terminal is to do, each byte once and none left out silently.

import { missingText, type Gap } from "./gaps.ts";
import { NOTHING, Tail, type Held } from "./tail.ts";

/** What the terminal is to do next. `end` is the offset behind it. */
export type Step =
  | { type: "write"; bytes: Uint8Array; end: number }
  | { type: "replace"; bytes: Uint8Array; end: number; epoch: string }
  | { type: "mark"; gap: Gap; end: number };

export interface Attached {
  outcome: string;
  offset: number;
  epoch: string;
  snapshot: Uint8Array;
  gap: Gap | null;
}

/** A hole in what was sent: nothing was told of it, so the view has to be asked for anew. */
export class Hole extends Error {}

export class View {
  /** The offset behind the last byte that was handed to the terminal. */
  next: number | null;
  /** What the terminal has parsed; one for all views of a session that follow each other. */
  readonly #parsed: { tail: Tail | null };
  /** What came before the answer, which it must follow. */
  #early: (() => Step[])[] | null = [];

  /** Look at a session with a terminal that is empty, or go on with the one of `before`. */
  constructor(
    readonly number: number,
    readonly session: string,
    before: View | null = null,
  ) {
    this.#parsed = before?.session === session ? before.#parsed : { tail: null };
    this.next = this.#parsed.tail ? before!.next : null;
  }

  /** Return what to say about the terminal when attaching. */
  held(): Held {
    return this.#parsed.tail?.held() ?? NOTHING;
  }

  /** Take the answer to `attach`, and whatever came before it. */
  attached(answer: Attached): Step[] {
    const early = this.#early ?? [];
    this.#early = null;
    const steps: Step[] = answer.gap ? this.gap(answer.gap) : [];
    if (answer.outcome === "snapshot") {
      steps.push(...this.snapshot(answer.offset, answer.snapshot, answer.epoch));
    } else if (!this.#parsed.tail) {
      this.#parsed.tail = new Tail(answer.epoch, answer.offset);
      this.next = answer.offset;
    }
    return [...steps, ...early.flatMap((late) => late())];
  }

  /** Take bytes of the log: what of them is new is written. Raises `Hole` when some are missing. */
  output(offset: number, data: Uint8Array): Step[] {
    if (this.#early) {
      this.#early.push(() => this.output(offset, data));
      return [];
    }
    const next = this.next ?? offset;
    if (offset > next) {
      throw new Hole(missingText(offset - next, "nobody said why"));
    }
    const bytes = data.subarray(next - offset);
    if (bytes.length === 0) {
      return [];
    }
    this.next = next + bytes.length;
    return [{ type: "write", bytes, end: this.next }];
  }

  /** Take a picture instead of everything before. */
  snapshot(offset: number, bytes: Uint8Array, epoch: string): Step[] {
    if (this.#early) {
      this.#early.push(() => this.snapshot(offset, bytes, epoch));
      return [];
    }
    this.next = offset;
    return [{ type: "replace", bytes, end: offset, epoch }];
  }

  /** Take word of bytes that do not come; told twice, it counts once. */
  gap(gap: Gap): Step[] {
    if (this.#early) {
      this.#early.push(() => this.gap(gap));
      return [];
    }
    if (this.next !== null && gap.end <= this.next) {
      return [];
    }
    this.next = gap.end;
    return [{ type: "mark", gap, end: gap.end }];
  }

  /** The offset behind what the terminal has parsed; nothing until the host has answered. */
  get position(): number | null {
    return this.#early ? null : (this.#parsed.tail?.offset ?? null);
  }

  /** Note that the terminal has parsed a step. */
  parsed(step: Step): void {
    const { tail } = this.#parsed;
    if (step.type === "replace") {
      this.#parsed.tail = new Tail(step.epoch, step.end);
    } else if (step.type === "mark") {
      tail?.skip(step.end);
    } else {
      tail?.append(step.bytes);
    }
  }
}
