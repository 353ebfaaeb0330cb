// Keeps this tab connected as core/link.ts says: it opens, waits and opens again.

import { waitMs } from "../core/backoff.ts";
import { comesBack } from "../core/link.ts";
import type { Happening, Model } from "../core/model.ts";
import { HostSocket, type Failure } from "./socket.ts";
import { isVisible, onWakeup } from "./wakeups.ts";

export interface Wires {
  model(): Model;
  happened(happening: Happening): void;
  /** Events of the host that are not of the connection itself. */
  heard(event: string, payload: unknown): void;
  /** The connection is there: the host waits for what this tab wants. */
  opened(): void;
  auth(): Record<string, unknown>;
}

export class Connection {
  readonly socket: HostSocket;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    base: URL,
    private readonly wires: Wires,
  ) {
    this.socket = new HostSocket(base, wires.auth, {
      opened: () => this.#opened(),
      closed: (failure) => this.#closed(failure),
      heard: (event, payload) => this.#heard(event, payload),
    });
    onWakeup(() => this.#retry());
  }

  /** Connect now, because somebody asked for it. */
  connect(): void {
    clearTimeout(this.#timer);
    this.socket.connect();
  }

  #opened(): void {
    clearTimeout(this.#timer);
    this.wires.happened({ type: "opened" });
    this.socket.tell("ready", {});
    this.wires.opened();
  }

  #closed(failure: Failure | null): void {
    const { happened, model } = this.wires;
    happened(failure ? { type: "refused", ...failure } : { type: "closed" });
    clearTimeout(this.#timer);
    if (comesBack(model().link)) {
      const wait = waitMs(model().link.attempt, Math.random());
      this.#timer = setTimeout(() => this.#retry(), wait);
    }
  }

  #retry(): void {
    if (comesBack(this.wires.model().link) && !this.socket.isConnected) {
      this.wires.happened({ type: "tried" });
      this.connect();
    } else if (this.socket.isConnected && isVisible()) {
      this.socket.probe();
    }
  }

  #heard(event: string, payload: unknown): void {
    if (event === "superseded") {
      this.wires.happened({ type: "superseded" }); // the host closes; we have no more to say
    } else if (event === "notice") {
      const { kind, command } = payload as { kind: string; command: string };
      this.wires.happened({ type: "noticed", kind, command });
    } else {
      this.wires.heard(event, payload);
    }
  }
}
