import { useEffect, useRef, useState } from "preact/hooks";

import { missingText } from "../core/gaps.ts";
import type { Model } from "../core/model.ts";
import { ending, label, type Session } from "../core/sessions.ts";
import type { Page } from "../shell/page.ts";
import { Dialog } from "./dialog.tsx";

/** One terminal, and what can be done with its session. */
export function TerminalPane({ page, model }: { page: Page; model: Model }) {
  const session = model.sessions.get(model.chosen);
  const title = useRef<HTMLHeadingElement>(null);
  return (
    <main class="pane">
      <div class="tools">
        <h2 ref={title} tabIndex={-1}>{session ? label(session) : "Holdfast"}</h2>
        {model.route.kind === "session" && <a href="#/">All sessions</a>}
        {session && model.scope === "full" && <Tools page={page} model={model} session={session} />}
      </div>
      {model.missing && (
        <div class="gap">
          <span>{missingText(model.missing.bytes, model.missing.reason)}</span>
          <button
            type="button"
            disabled={model.link.phase !== "open"}
            aria-label="Load everything from the log"
            onClick={() => void page.looking.look("log")}
          >
            Load
          </button>
        </div>
      )}
      <TerminalPlace page={page} model={model} leave={() => title.current?.focus()} />
      {!session && <Nothing model={model} />}
      <output role="status" aria-live="polite" class={model.hint ? "hint shown" : "hint"}>
        {model.hint}
      </output>
    </main>
  );
}

interface PlaceFacts {
  page: Page;
  model: Model;
  leave: () => void;
}

function TerminalPlace({ page, model, leave }: PlaceFacts) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current!;
    page.looking.appear(element, {
      typed: (data, bytes) => page.typed(data, bytes),
      resized: () => page.looking.fit(),
      left: leave,
      mayCopy: () => page.mayCopy(),
    });
    page.looking.screen?.focus();
    return () => page.looking.disappear();
  }, [page]);
  useEffect(() => {
    if (page.looking.screen) {
      page.looking.screen.takesTab = page.refusal() === "";
    }
  }, [page, model]);
  const isOurs = model.sessions.get(model.chosen)?.owner === "me";
  return (
    <div
      ref={place}
      role="group"
      aria-label="Terminal"
      aria-describedby="way-out"
      aria-disabled={model.link.phase === "superseded"}
      class={isOurs ? "screen ours" : "screen"}
    />
  );
}

function Nothing({ model }: { model: Model }) {
  if (!model.isKnown) {
    return null;
  }
  return <p class="nothing">{nothingText(model)}</p>;
}

function nothingText({ route, daemon, scope }: Model): string {
  if (daemon !== "online") {
    return "The host has no daemon. Once one runs again, as after “hold ls”, this page shows it.";
  }
  if ("id" in route) {
    return `There is no session ${route.id} here.`;
  }
  return scope === "full" ? "No session is running. “New” starts one." : "No session is running.";
}

interface ToolFacts {
  page: Page;
  model: Model;
  session: Session;
}

function Tools({ page, model, session }: ToolFacts) {
  const [asking, setAsking] = useState<"rename" | "kill" | "restore" | null>(null);
  const isFree = model.link.phase === "open" && model.daemon === "online";
  const canChange = isFree && session.owner !== "other";
  const close = (): void => setAsking(null);
  return (
    <div class="buttons">
      {session.owner === "other" && !session.ended && (
        <button
          type="button"
          class="primary"
          disabled={!isFree}
          onClick={() => page.act("takeover", session.id)}
        >
          Take over
        </button>
      )}
      <button type="button" disabled={!canChange} onClick={() => setAsking("rename")}>
        Rename
      </button>
      {!session.ended && (
        <button type="button" disabled={!canChange} onClick={() => setAsking("kill")}>
          Kill
        </button>
      )}
      {session.ended && (
        <>
          <span class="note">{ending(session)}</span>
          <button type="button" disabled={!isFree} onClick={() => setAsking("restore")}>
            Run again
          </button>
        </>
      )}
      {asking === "rename" && <Rename page={page} session={session} close={close} />}
      {asking === "kill" && <Kill page={page} session={session} close={close} />}
      {asking === "restore" && <RunAgain page={page} session={session} close={close} />}
    </div>
  );
}

interface Asked {
  page: Page;
  session: Session;
  close: () => void;
}

function Kill({ page, session, close }: Asked) {
  const kill = (): void => {
    page.kill(session.id);
    page.looking.screen?.focus(); // the button that was pressed is about to go
  };
  return (
    <Dialog title={`Kill ${label(session)}?`} action="Kill" isDangerous close={close} act={kill}>
      <p>
        Its program is ended: <code>{session.argv.join(" ")}</code>. What it printed is kept.
      </p>
    </Dialog>
  );
}

// Once more it might deploy, delete or pay.
function RunAgain({ page, session, close }: Asked) {
  const restore = (): void => {
    page.act("restore", session.id);
    page.looking.screen?.focus();
  };
  return (
    <Dialog title={`Run ${label(session)} again?`} action="Run again" close={close} act={restore}>
      <p>
        This is started once more, where it was: <code>{session.argv.join(" ")}</code>
      </p>
    </Dialog>
  );
}

function Rename({ page, session, close }: Asked) {
  const [name, setName] = useState(session.name);
  return (
    <Dialog
      title={`Rename ${label(session)}`}
      action="Rename"
      close={close}
      act={() => page.rename(session.id, name.trim())}
    >
      <label for="name">Name</label>
      <input
        id="name"
        value={name}
        maxLength={4096}
        placeholder="none"
        onInput={(event) => setName(event.currentTarget.value)}
      />
    </Dialog>
  );
}
