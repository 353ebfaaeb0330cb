// The one file that knows socket.io. It moves events and knows no rule: when to connect is said to
// it, and what is not sent now is never sent.

import { io, type Socket } from "socket.io-client";
import * as parser from "socket.io-msgpack-parser";

export interface Failure {
  code: string;
  what: string;
  fix: string;
}

/** What the other end tells: its events by name, and these two of the connection itself. */
export interface Ears {
  opened(): void;
  /** Not there any more, or not come about; with a failure, the host itself has refused. */
  closed(failure: Failure | null): void;
  heard(event: string, payload: unknown): void;
}

/** Longer than anything the host does takes; an answer behind it is of no use to anybody. */
const ANSWER_MS = 30_000;
const CONNECT_MS = 10_000;

export class Refusal extends Error {
  constructor(readonly failure: Failure) {
    super(`${failure.what}. ${failure.fix}`);
  }
}

const CUT_OFF: Failure = {
  code: "CUT_OFF",
  what: "The host did not answer",
  fix: "Whether it was done will show once it is back.",
};

export class HostSocket {
  readonly #socket: Socket;

  constructor(base: URL, auth: () => Record<string, unknown>, ears: Ears) {
    this.#socket = io(base.origin, {
      path: new URL("socket.io/", base).pathname,
      parser,
      transports: ["websocket"],
      reconnection: false, // when, is decided in core/link.ts and core/backoff.ts
      autoConnect: false,
      timeout: CONNECT_MS,
      auth: (done) => done(auth()),
    });
    this.#socket.on("connect", () => ears.opened());
    this.#socket.on("disconnect", () => {
      this.#forget();
      ears.closed(null);
    });
    this.#socket.on("connect_error", (error: Error & { data?: unknown }) => {
      this.#forget();
      ears.closed(isFailure(error.data) ? error.data : null);
    });
    this.#socket.onAny((event: string, payload: unknown) => ears.heard(event, payload));
  }

  get isConnected(): boolean {
    return this.#socket.connected;
  }

  /** Begin to connect; one that is being made is left alone. */
  connect(): void {
    this.#forget();
    this.#socket.connect();
  }

  /** Have a connection noticed that died while this machine slept. It sends nothing. */
  probe(): void {
    const engine = this.#socket.io.engine as { _hasPingExpired?: () => boolean } | undefined;
    engine?._hasPingExpired?.();
  }

  /** Send an event without an answer; return whether it was sent. */
  tell(event: string, payload: object): boolean {
    if (!this.#socket.connected) {
      return false;
    }
    this.#socket.emit(event, payload);
    return true;
  }

  /** Send an event and return its answer; fails with `Refusal`. */
  async ask<Answer>(event: string, payload: object): Promise<Answer> {
    if (!this.#socket.connected) {
      throw new Refusal(CUT_OFF);
    }
    let answer: { ok?: Answer; error?: Failure };
    try {
      answer = await this.#socket.timeout(ANSWER_MS).emitWithAck(event, payload);
    } catch {
      throw new Refusal(CUT_OFF);
    }
    if (answer.error) {
      throw new Refusal(answer.error);
    }
    return answer.ok as Answer;
  }

  // The library keeps what is sent while it is not connected, and delivers it blindly later.
  #forget(): void {
    this.#socket.sendBuffer = [];
  }
}

function isFailure(data: unknown): data is Failure {
  return typeof data === "object" && data !== null && "code" in data && "what" in data;
}

/** Return bytes as the library hands them over: it makes them buffers. */
export function bytesOf(value: unknown): Uint8Array {
  if (value instanceof ArrayBuffer) {
    return new Uint8Array(value);
  }
  return value instanceof Uint8Array ? value : new Uint8Array(0);
}
