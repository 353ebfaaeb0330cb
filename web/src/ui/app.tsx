import { useEffect, useLayoutEffect, useState } from "preact/hooks";

import type { Model } from "../core/model.ts";
import { heading } from "../core/sessions.ts";
import type { Page } from "../shell/page.ts";
import { Banner } from "./banner.tsx";
import { Login } from "./login.tsx";
import { SessionList } from "./list.tsx";
import { StatusBar } from "./status.tsx";
import { TerminalPane } from "./pane.tsx";

export function App({ page }: { page: Page }) {
  const [model, setModel] = useState<Model>(page.store.model);
  useLayoutEffect(() => {
    setModel(page.store.model); // something may have happened since it was first drawn
    return page.store.watch(setModel);
  }, [page]);
  const called = heading(model.sessions.get(model.chosen));
  useEffect(() => {
    document.title = called; // of the tab, and of a window
  }, [called]);
  const { link, route } = model;
  if (link.phase === "refused") {
    return <Login page={page} model={model} />;
  }
  return (
    <div class={`page ${link.phase}`}>
      <Banner page={page} model={model} />
      <div class="middle">
        {route.kind === "workspace" && <SessionList page={page} model={model} />}
        <TerminalPane page={page} model={model} />
      </div>
      <StatusBar model={model} />
    </div>
  );
}
