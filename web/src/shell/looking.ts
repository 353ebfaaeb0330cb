// One terminal and the session in it: attaches, goes on where it was, acknowledges what is parsed.

import { gapLine, type Gap } from "../core/gaps.ts";
import type { Model } from "../core/model.ts";
import type { Sessions } from "../core/sessions.ts";
import { Hole, View, type Attached, type Step } from "../core/view.ts";
import { NOTHING, type Held } from "../core/tail.ts";
import { Screen, SCROLLBACK_LINES, type Hands, type Size } from "./screen.ts";
import { bytesOf, Refusal, type HostSocket } from "./socket.ts";

export interface Needs {
  socket: HostSocket;
  model(): Model;
  hint(text: string): void;
  gap(gap: Gap | null): void;
}

/** Where a look begins: where the terminal is, with a new picture, or at the beginning of the log. */
type From = "here" | "picture" | "log";

type Answer = Omit<Attached, "snapshot"> & { snapshot: unknown; end: number };

export class Looking {
  #screen: Screen | null = null;
  #view: View | null = null;
  #number = 0;
  #asked: Size | null = null;
  #isDue = false;
  /** What was printed before this offset, it was before we looked. */
  #liveFrom = Infinity;
  /** Whether the last wish to look was not granted. */
  #isRefused = false;

  constructor(private readonly needs: Needs) {}

  /** Show in an element; what is typed there goes to `hands`. */
  appear(element: HTMLElement, hands: Hands): void {
    this.#screen = new Screen(element, hands);
    void this.look();
  }

  /** Show nothing any more. */
  disappear(): void {
    this.#screen?.dispose();
    this.#screen = null;
    this.#view = null;
  }

  get screen(): Screen | null {
    return this.#screen;
  }

  /** Show nothing of a session that is gone: what was forgotten is not to be read here either. */
  dropGone(sessions: Sessions): void {
    if (this.#view && !sessions.has(this.#view.session)) {
      this.needs.socket.tell("detach", { view: this.#view.number });
      this.#view = null;
      this.#screen?.replace(new Uint8Array(0));
      this.needs.gap(null);
    }
  }

  /** Whether what is being parsed is printed now, and no replay of what was. */
  get isLive(): boolean {
    return (this.#view?.position ?? -1) >= this.#liveFrom;
  }

  /** Look at the chosen session, from where the terminal is unless it says otherwise. */
  async look(from: From = "here"): Promise<void> {
    const { socket } = this.needs;
    const { chosen, sessions } = this.needs.model();
    // Of a session that is not known yet, the size is not either: what is told of it leads here again.
    if (!this.#screen || !sessions.has(chosen) || !socket.isConnected) {
      return;
    }
    const before = this.#view;
    this.#number += 1;
    this.#isRefused = false;
    this.#liveFrom = Infinity;
    const view = new View(this.#number, chosen, from === "here" ? before : null);
    this.#view = view;
    if (before) {
      socket.tell("detach", { view: before.number }); // of an older connection it does no harm
    }
    const held = from === "log" ? { ...NOTHING, since: 0 } : view.held();
    if (!held.since) {
      this.#screen.replace(new Uint8Array(0)); // another session's picture is not this one's
      this.needs.gap(null);
    }
    try {
      const answer = await this.#ask(view, held, before?.session === chosen);
      if (view === this.#view) {
        this.#liveFrom = answer.end;
        this.#show(view, view.attached(attached(answer)));
        this.fit();
        if (answer.outcome === "gone") {
          this.needs.hint("What this session printed is not kept any more.");
        }
      }
    } catch (error) {
      this.#failed(view, error);
    }
  }

  /** Look again if the host could not let us when we asked. */
  retry(): void {
    if (this.#isRefused) {
      void this.look();
    }
  }

  #ask(view: View, held: Held, isAgain: boolean): Promise<Answer> {
    // A session that nobody owns gets this size, and we own it, before its picture is made.
    // Coming back it stays as it was: what is around it now may only be making room for a warning.
    const size = (isAgain ? this.#screen?.size : this.#screen?.fitting()) ?? { cols: 80, rows: 24 };
    this.#asked = size;
    const asked = { view: view.number, session: view.session, scrollback: SCROLLBACK_LINES };
    return this.needs.socket.ask<Answer>("attach", { ...asked, ...held, ...size });
  }

  #failed(view: View, error: unknown): void {
    if (view !== this.#view) {
      return;
    }
    if (error instanceof Hole) {
      void this.look("picture"); // the terminal has lost the thread
    } else if (error instanceof Refusal) {
      this.#isRefused = true;
      this.needs.hint(error.message);
    } else {
      throw error;
    }
  }

  /** Take what the host sends for a view; what is for an older one is late. */
  heard(event: string, payload: Record<string, unknown>): void {
    const view = this.#view;
    if (!view || payload["view"] !== view.number) {
      return;
    }
    const offset = Number(payload["offset"]);
    try {
      if (event === "output") {
        this.#show(view, view.output(offset, bytesOf(payload["data"])));
      } else if (event === "snapshot") {
        const epoch = String(payload["epoch"]);
        this.#show(view, view.snapshot(offset, bytesOf(payload["data"]), epoch));
      } else if (event === "gap") {
        this.#show(view, view.gap(payload as unknown as Gap));
      }
    } catch (error) {
      this.#failed(view, error);
    }
  }

  #show(view: View, steps: Step[]): void {
    for (const step of steps) {
      const parsed = (): void => this.#parsed(view, step);
      if (step.type === "write") {
        this.#screen?.write(step.bytes, parsed);
      } else if (step.type === "replace") {
        this.#size();
        this.#screen?.replace(step.bytes, parsed);
      } else {
        this.needs.gap(step.gap);
        this.#screen?.write(gapLine(step.gap), parsed);
      }
    }
    if (steps.length === 0) {
      this.#acknowledge(); // it was here already, which its sender does not know
    }
  }

  #parsed(view: View, step: Step): void {
    view.parsed(step);
    this.#acknowledge();
  }

  // Once for everything that was parsed in one go. Also what an older view of the same session had
  // still to parse counts for the present one.
  #acknowledge(): void {
    if (this.#isDue) {
      return;
    }
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      const offset = this.#view?.position ?? null;
      if (offset !== null && this.needs.model().link.phase === "open") {
        this.needs.socket.tell("ack", { view: this.#view!.number, offset });
      }
    });
  }

  /** Give the session the size of this terminal if it is ours, else the terminal the session's. */
  fit(): void {
    const { sessions, chosen, link } = this.needs.model();
    const session = sessions.get(chosen);
    if (!session || !this.#screen || link.phase !== "open") {
      return;
    }
    const fitting = this.#screen.fitting();
    const isOurs = session.owner === "me" && !session.ended;
    this.#screen.size = (isOurs && fitting) || session;
    if (isOurs && fitting && !isSame(fitting, session)) {
      this.#resize(chosen, fitting);
    } else {
      this.#asked = null;
    }
  }

  #resize(session: string, size: Size): void {
    if (!this.#asked || !isSame(size, this.#asked)) {
      this.#asked = size;
      void this.needs.socket.ask("resize", { session, ...size }).catch(() => undefined);
    }
  }

  // A picture is of the size that the session has; only then it may become another.
  #size(): void {
    const session = this.needs.model().sessions.get(this.needs.model().chosen);
    if (session && this.#screen) {
      this.#screen.size = session;
    }
  }
}

function isSame(a: Size, b: Size): boolean {
  return a.cols === b.cols && a.rows === b.rows;
}

function attached(answer: Answer): Attached {
  return { ...answer, snapshot: bytesOf(answer.snapshot) };
}
