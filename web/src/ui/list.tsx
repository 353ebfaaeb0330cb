import { useState } from "preact/hooks";

import type { Model } from "../core/model.ts";
import { ending, label, type Session } from "../core/sessions.ts";
import { words } from "../core/typing.ts";
import type { Page } from "../shell/page.ts";
import { Dialog } from "./dialog.tsx";

/** The sessions of the workspace. */
export function SessionList({ page, model }: { page: Page; model: Model }) {
  const [isAsking, setAsking] = useState(false);
  const isFree = model.link.phase === "open" && model.daemon === "online";
  const canChange = isFree && model.scope === "full";
  return (
    <nav class="list" aria-label="Sessions">
      <div class="head">
        <h1>Sessions</h1>
        <button type="button" disabled={!canChange} onClick={() => setAsking(true)}>
          New
        </button>
      </div>
      <ul>
        {[...model.sessions.values()].map((session) => (
          <Item
            key={session.id}
            session={session}
            isChosen={session.id === model.chosen}
            choose={() => page.choose(session.id)}
          />
        ))}
      </ul>
      {isAsking && <NewSession page={page} close={() => setAsking(false)} />}
    </nav>
  );
}

interface ItemFacts {
  session: Session;
  isChosen: boolean;
  choose: () => void;
}

function Item({ session, isChosen, choose }: ItemFacts) {
  const name = label(session);
  return (
    <li class={session.ended ? "ended" : ""}>
      <button type="button" class="item" aria-current={isChosen ? "true" : undefined} onClick={choose}>
        <span class="name">{name}</span>
        <span class="note">{ending(session) || session.title || session.argv.join(" ")}</span>
      </button>
      <a href={`#/s/${session.id}`} target="_blank" rel="noopener" aria-label={`${name} in its own tab`}>
        ↗
      </a>
    </li>
  );
}

function NewSession({ page, close }: { page: Page; close: () => void }) {
  const [command, setCommand] = useState("");
  const [name, setName] = useState("");
  return (
    <Dialog
      title="New session"
      action="Start"
      close={close}
      act={() => void page.create(words(command), name.trim())}
    >
      <label for="command">Command</label>
      <input
        id="command"
        value={command}
        placeholder="your shell"
        spellcheck={false}
        autocapitalize="off"
        onInput={(event) => setCommand(event.currentTarget.value)}
      />
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
