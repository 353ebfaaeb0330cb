import { render } from "preact";

import { begin } from "./core/model.ts";
import { hashOf, readPlace } from "./core/route.ts";
import { Page } from "./shell/page.ts";
import { chosen } from "./shell/storage.ts";
import { Store } from "./shell/store.ts";
import { App } from "./ui/app.tsx";
import "./ui/style.css";

const { route, code } = readPlace(location.hash);
// A code must not stay where it is seen, bookmarked or shared: this comes before anything else.
history.replaceState(null, "", hashOf(route));
// Another address is another seat, which is a tab's from its beginning.
addEventListener("hashchange", () => location.reload());

const base = new URL("./", location.href);
base.hash = "";
const page = new Page(base, new Store(begin(route, chosen.get())));
render(<App page={page} />, document.getElementById("page")!);
void page.start(code);

/** What is in the terminal, for whoever asks in the console. */
Object.assign(globalThis, { holdfast: { text: () => page.looking.screen?.text() ?? "" } });
