// What a person does and what the host says, carried to those whom it concerns. Here the parts of
// the page meet; the rules are in core/.

import { isWorthTelling, type Sign } from "../core/activity.ts";
import type { Model } from "../core/model.ts";
import { Pieces } from "../core/pieces.ts";
import { seatOf, tokenKey } from "../core/route.ts";
import type { Session } from "../core/sessions.ts";
import { isReport, refusal } from "../core/typing.ts";
import { Connection } from "./connection.ts";
import { login } from "./login.ts";
import { Looking } from "./looking.ts";
import { Refusal } from "./socket.ts";
import { chosen, clientId, token } from "./storage.ts";
import type { Store } from "./store.ts";
import { isVisible, onPerson } from "./wakeups.ts";

const PROTOCOL = 1;
const HINT_MS = 5_000; // to read a line

/** What is done to one session by its id, and answered with it. */
export type Deed = "takeover" | "restore";

export class Page {
  readonly looking: Looking;
  readonly #connection: Connection;
  readonly #key: string;
  readonly #pieces = new Pieces(
    async (session, data) => (await this.#ask("input", { session, data })) !== null,
  );
  #told = 0;
  #hint: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly base: URL,
    readonly store: Store,
  ) {
    this.#key = tokenKey(store.model.route);
    this.#connection = new Connection(base, {
      model: () => store.model,
      happened: (happening) => store.happened(happening),
      heard: (event, payload) => this.#heard(event, payload),
      opened: () => void this.looking.look(),
      auth: () => ({
        protocol: PROTOCOL,
        token: token.get(this.#key),
        client_id: clientId(),
        seat: seatOf(store.model.route),
      }),
    });
    this.looking = new Looking({
      socket: this.#connection.socket,
      model: () => store.model,
      hint: (text) => this.hint(text),
      gap: (gap) => store.happened({ type: "gap", gap }),
    });
    onPerson(() => this.#sign("person"));
    addEventListener("storage", ({ key }) => key === this.#key && this.#loggedInElsewhere());
  }

  /** Begin: with a code if the address had one, with the token that is kept otherwise. */
  async start(code: string): Promise<void> {
    if (code) {
      await this.logIn(code);
    } else if (token.get(this.#key)) {
      this.#connection.connect();
    } else {
      this.store.happened({ type: "refused", code: "AUTH_FAILED", what: "" });
    }
  }

  /** Buy a token with a code, and connect. */
  async logIn(code: string): Promise<void> {
    try {
      token.set(this.#key, await login(this.base, code));
    } catch (error) {
      this.store.happened({ type: "login failed", text: (error as Error).message });
      if (!token.get(this.#key)) {
        this.store.happened({ type: "refused", code: "AUTH_FAILED", what: "" });
        return;
      }
    }
    this.reconnect();
  }

  /** Connect because a person asked for it: at once, and on the seat that another tab may have. */
  reconnect(): void {
    this.store.happened({ type: "reconnect" });
    this.#connection.connect();
  }

  choose(id: string): void {
    if (id !== this.model.chosen) {
      this.store.happened({ type: "chose", id });
      this.#chosen();
    }
    this.looking.screen?.focus();
  }

  /** Send what somebody typed, now or never. */
  typed(data: string, bytes: ArrayBuffer): void {
    const why = this.refusal();
    if (!why) {
      void this.#pieces.type(this.model.chosen, bytes);
    } else if (!isReport(data)) {
      this.hint(why);
    }
  }

  /** Return why nothing may be typed now; empty when it may. */
  refusal(): string {
    const { link, daemon, scope, sessions, chosen: id } = this.model;
    return refusal(link, daemon, scope, sessions.get(id));
  }

  /** Whether a program may put text into the clipboard: one that we own, of which we see it now. */
  mayCopy(): boolean {
    return this.refusal() === "" && this.looking.isLive;
  }

  async create(argv: string[], name: string): Promise<void> {
    const size = this.looking.screen?.fitting() ?? { cols: 80, rows: 24 };
    const session = await this.#ask<Session>("create", { argv, name, cwd: "", ...size });
    if (session) {
      this.store.happened({ type: "heard", event: "session", payload: session });
      this.choose(session.id);
    }
  }

  rename(session: string, name: string): void {
    void this.#ask("rename", { session, name });
  }

  kill(session: string): void {
    void this.#ask("kill", { session, now: false });
  }

  act(deed: Deed, session: string): void {
    void this.#ask(deed, { session });
  }

  hint(text: string): void {
    clearTimeout(this.#hint);
    this.store.happened({ type: "hinted", text });
    this.#hint = setTimeout(() => this.store.happened({ type: "hinted", text: "" }), HINT_MS);
  }

  private get model(): Model {
    return this.store.model;
  }

  async #ask<Answer>(event: string, payload: object): Promise<Answer | null> {
    try {
      return await this.#connection.socket.ask<Answer>(event, payload);
    } catch (error) {
      if (!(error instanceof Refusal)) {
        throw error;
      }
      this.hint(error.message);
      return null;
    }
  }

  #heard(event: string, payload: unknown): void {
    if (event === "output") {
      this.#sign("output");
    }
    const before = this.model;
    this.store.happened({ type: "heard", event, payload });
    this.looking.heard(event, payload as Record<string, unknown>);
    this.looking.dropGone(this.model.sessions);
    if (this.model.chosen !== before.chosen) {
      this.#chosen();
    } else if (event === "session") {
      this.#changed(before);
    } else if (event === "daemon" && this.model.daemon === "online") {
      this.looking.retry();
    }
  }

  #chosen(): void {
    chosen.set(this.model.chosen);
    void this.looking.look();
  }

  #changed(before: Model): void {
    const id = this.model.chosen;
    const [was, is] = [before.sessions.get(id), this.model.sessions.get(id)];
    if (was === is) {
      return;
    }
    if (!was || (was.ended && !is?.ended)) {
      void this.looking.look(); // only now is it known, or it runs again
    }
    this.looking.fit();
  }

  #sign(sign: Sign): void {
    const now = Date.now();
    const isOpen = this.model.link.phase === "open";
    if (isOpen && isWorthTelling(sign, now, this.#told, isVisible())) {
      this.#told = now;
      this.#connection.socket.tell("__activity__", {});
    }
  }

  #loggedInElsewhere(): void {
    if (this.model.link.phase === "refused" && token.get(this.#key)) {
      this.reconnect();
    }
  }
}
