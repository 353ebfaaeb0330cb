// What is typed, in messages: a key goes at once; a paste goes piece by piece, each when the one
// before was taken, and what is typed meanwhile goes behind it.

export const PIECE = 65_536; // bytes of input in a message; the host takes twice that

/** Sends one message of input; true once it was taken. */
export type Send = (session: string, data: ArrayBuffer) => Promise<boolean>;

export class Pieces {
  #waiting: { session: string; data: ArrayBuffer }[] = [];
  #isPasting = false;

  constructor(private readonly send: Send) {}

  /** Type into a session. */
  async type(session: string, bytes: ArrayBuffer): Promise<void> {
    if (!this.#isPasting && bytes.byteLength <= PIECE) {
      await this.send(session, bytes);
      return;
    }
    for (let start = 0; start < bytes.byteLength; start += PIECE) {
      this.#waiting.push({ session, data: bytes.slice(start, start + PIECE) });
    }
    if (!this.#isPasting) {
      await this.#paste();
    }
  }

  async #paste(): Promise<void> {
    this.#isPasting = true;
    try {
      for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
        if (!(await this.send(next.session, next.data))) {
          this.#waiting = []; // the rest would be typed with a hole before it
        }
      }
    } finally {
      this.#waiting = [];
      this.#isPasting = false;
    }
  }
}
