// The page's own line to `hold dev`: shows what has changed, and what is wrong.
// It stands before every script of the page, keeps nothing global and needs no other file.
(() => {
  "use strict";
  const me = document.currentScript;
  if (!me) return; // put into the page by a script: it has one already
  if (window.top !== window && sameOriginTop()) return; // a frame of a page that does all this
  const token = me.dataset.token;
  let state = Number(me.dataset.state);
  const KEPT = "holdfast:kept", AGAIN = "holdfast:again"; // in sessionStorage
  const FIRST_PAUSE = 100, LONGEST_PAUSE = 2000; // ms between two attempts to connect
  const ANOTHER_START = 4001; // close code: this page is from before
  const SWAPPED_STYLES = /\.css$/i;
  let socket = null, pause = FIRST_PAUSE, timer = 0, leaving = false;
  const unsaid = [];

  function sameOriginTop() {
    try { return Boolean(window.top.location.origin); } catch { return false; }
  }

  // -- the line

  function connect() {
    clearTimeout(timer);
    if (leaving || (socket && socket.readyState <= 1)) return;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const line = (socket = new WebSocket(`${scheme}//${location.host}/__holdfast__/socket`));
    line.onopen = () => {
      line.send(JSON.stringify({ kind: "hello", token, state }));
      for (const said of unsaid.splice(0)) line.send(said);
    };
    line.onmessage = (event) => hear(JSON.parse(event.data));
    line.onclose = (event) => {
      if (socket !== line || leaving) return;
      if (event.code === ANOTHER_START && mayLoadAgain()) return reload();
      overlay.setAway(true);
      timer = setTimeout(connect, pause * (0.75 + Math.random() / 2));
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    };
  }

  // A page from before another start loads once; if that was no cure it waits a while.
  function mayLoadAgain() {
    const last = Number(sessionStorage.getItem(AGAIN) || 0);
    if (Date.now() - last < 3000) return false;
    sessionStorage.setItem(AGAIN, String(Date.now()));
    return true;
  }

  function hear(said) {
    if (leaving) return;
    if (said.kind === "hello") { pause = FIRST_PAUSE; overlay.setAway(false); overlay.setProblem(null); }
    else if (said.kind === "changed") change(said);
    else if (said.kind === "problem") overlay.setProblem(said);
    else if (said.kind === "fine") overlay.setProblem(null);
  }

  function say(kind, facts) {
    const said = JSON.stringify({ kind, ...facts });
    if (socket && socket.readyState === 1) socket.send(said);
    else if (unsaid.length < 20) unsaid.push(said); // what fails while the page is loaded
  }

  function change(said) {
    if (said.state <= state && !said.reloads) return;
    if (said.reloads) return reload();
    state = said.state;
    for (const path of said.paths) {
      const swapped = SWAPPED_STYLES.test(path) ? swapStyle(path) : swapImage(path);
      if (!swapped && wasLoaded(path)) return reload();
    }
  }

  // -- swapping

  function pathOf(url, base) {
    try {
      const found = new URL(url, base || document.baseURI);
      return found.origin === location.origin ? decodeURIComponent(found.pathname) : null;
    } catch { return null; }
  }

  function renewed(url, base) {
    const found = new URL(url, base || document.baseURI);
    found.searchParams.set("holdfast", String(state));
    return found.href;
  }

  function wasLoaded(path) {
    return performance.getEntriesByType("resource").some((each) => pathOf(each.name) === path);
  }

  const replaced = new WeakSet(); // links whose successor is being loaded

  function swapStyle(path) {
    const links = [...document.querySelectorAll("link[rel~=stylesheet][href]")]
      .filter((link) => !replaced.has(link) && pathOf(link.href) !== null);
    const own = links.filter((link) => pathOf(link.href) === path);
    if (!own.length && !wasLoaded(path)) return true; // not on this page
    // What is imported shows through those that import it.
    const chosen = own.length ? own : links;
    for (const link of chosen) swapLink(link);
    return chosen.length > 0;
  }

  function swapLink(link) {
    const next = link.cloneNode();
    next.href = renewed(link.href);
    replaced.add(link);
    // The old one stays until the new one is there: nothing is ever unstyled.
    next.addEventListener("load", () => {
      link.remove();
      overlay.mended(pathOf(next.href));
    });
    next.addEventListener("error", () => link.remove());
    link.after(next);
  }

  function swapImage(path) {
    let found = false;
    const swap = (element, name) => {
      if (pathOf(element[name]) !== path) return;
      found = true;
      element.addEventListener("load", () => overlay.mended(path), { once: true });
      element[name] = renewed(element[name]);
    };
    for (const each of document.querySelectorAll("img[src],input[type=image]")) swap(each, "src");
    for (const each of document.querySelectorAll("link[rel~=icon]")) swap(each, "href");
    for (const each of document.querySelectorAll("video[poster]")) swap(each, "poster");
    for (const each of document.querySelectorAll("img[srcset],source[srcset]")) {
      const next = each.srcset.replace(/[^\s,]+(?=[\s,]|$)/g, (url) =>
        pathOf(url) === path ? renewed(url) : url);
      if (next !== each.srcset) { found = true; each.srcset = next; }
    }
    for (const each of document.querySelectorAll("[style]")) found = swapUrls(each.style, path) || found;
    for (const sheet of document.styleSheets) found = swapRules(sheet, path) || found;
    return found;
  }

  function swapRules(holder, path) {
    let found = false, rules = [];
    try { rules = holder.cssRules || []; } catch { /* a sheet from elsewhere */ }
    for (const rule of rules) {
      const base = rule.parentStyleSheet && rule.parentStyleSheet.href;
      if (rule.style) found = swapUrls(rule.style, path, base) || found;
      if (rule.styleSheet) found = swapRules(rule.styleSheet, path) || found;
      if (rule.cssRules) found = swapRules(rule, path) || found;
    }
    return found;
  }

  const PICTURES = ["background-image", "border-image-source", "list-style-image", "mask-image", "content", "cursor"];

  function swapUrls(style, path, base) {
    let found = false;
    for (const name of PICTURES) {
      const before = style.getPropertyValue(name);
      if (!before.includes("url(")) continue;
      const next = before.replace(/url\(\s*(["']?)(.*?)\1\s*\)/g, (all, _, url) =>
        pathOf(url, base) === path ? `url("${renewed(url, base)}")` : all);
      if (next !== before) { found = true; style.setProperty(name, next, style.getPropertyPriority(name)); }
    }
    return found;
  }

  // -- loading anew, with what a person has done to the page

  const scrolled = new Set(), edited = new Set();
  addEventListener("scroll", (event) => scrolled.add(event.target), { capture: true, passive: true });
  for (const kind of ["input", "change"])
    addEventListener(kind, (event) => edited.add(event.target), { capture: true, passive: true });

  function reload() {
    if (leaving) return;
    leaving = true;
    try { sessionStorage.setItem(KEPT, JSON.stringify(kept())); } catch { /* full, or forbidden */ }
    location.reload();
  }

  // An element by what is likely to be the same in the next document.
  function placeOf(element) {
    const steps = [];
    for (let each = element; each && each.nodeType === 1; each = each.parentElement) {
      if (each.id) { steps.unshift(`#${CSS.escape(each.id)}`); break; }
      const twins = each.parentElement ? [...each.parentElement.children].filter((one) => one.localName === each.localName) : [];
      steps.unshift(`${CSS.escape(each.localName)}:nth-of-type(${Math.max(twins.indexOf(each), 0) + 1})`);
    }
    return steps.join(">");
  }

  function kept() {
    const fields = [...edited]
      .filter((each) => each.isConnected && each.matches("input,textarea,select") && !["password", "file", "hidden"].includes(each.type))
      .map((each) => ({ place: placeOf(each), ...valueOf(each) }));
    const scrolls = [...scrolled]
      .filter((each) => each !== document && each.isConnected)
      .map((each) => ({ place: placeOf(each), x: each.scrollLeft, y: each.scrollTop }));
    const focus = document.activeElement;
    const has = focus && focus !== document.body && focus !== document.documentElement;
    return {
      url: location.href, x: scrollX, y: scrollY, fields, scrolls,
      focus: has ? { place: placeOf(focus), ...selectionOf(focus) } : null,
    };
  }

  function valueOf(field) {
    if (field.type === "checkbox" || field.type === "radio") return { checked: field.checked };
    if (field.multiple && field.options) return { chosen: [...field.options].map((each) => each.selected) };
    return { value: field.value };
  }

  function selectionOf(field) {
    try { return { from: field.selectionStart, to: field.selectionEnd }; } catch { return {}; }
  }

  function restore() {
    let saved = null;
    try { saved = JSON.parse(sessionStorage.getItem(KEPT)); sessionStorage.removeItem(KEPT); } catch { /* nothing */ }
    if (!saved || saved.url !== location.href) return;
    if (history.scrollRestoration === "auto") history.scrollRestoration = "manual";
    const jobs = [
      ...saved.fields.map((each) => () => withElement(each.place, (field) => setField(field, each))),
      ...saved.scrolls.map((each) => () => withElement(each.place, (box) => {
        box.scrollTo({ left: each.x, top: each.y, behavior: "instant" });
        return Math.abs(box.scrollTop - each.y) < 2;
      })),
      () => {
        scrollTo({ left: saved.x, top: saved.y, behavior: "instant" });
        return Math.abs(scrollY - saved.y) < 2;
      },
    ];
    if (saved.focus) jobs.push(() => withElement(saved.focus.place, (element) => {
      element.focus({ preventScroll: true });
      try { element.setSelectionRange(saved.focus.from, saved.focus.to); } catch { /* it has none */ }
      return document.activeElement === element;
    }));
    tryFor(jobs, performance.now() + 2000);
  }

  // Pages build themselves, and pictures push things about: what fails is tried again for a while.
  function tryFor(jobs, giveUp) {
    const left = jobs.filter((job) => !job());
    const isOver = !left.length || performance.now() > giveUp || touched;
    if (isOver) { history.scrollRestoration = "auto"; return; }
    setTimeout(() => tryFor(left, giveUp), 30);
  }

  let touched = false; // by a person, who has the last word
  for (const kind of ["wheel", "keydown", "pointerdown", "touchstart"])
    addEventListener(kind, () => { touched = true; }, { capture: true, passive: true, once: true });

  function withElement(place, act) {
    let found = null;
    try { found = document.querySelector(place); } catch { return true; }
    return found ? act(found) : false;
  }

  function setField(field, saved) {
    if ("checked" in saved) field.checked = saved.checked;
    else if (saved.chosen) [...field.options].forEach((each, index) => { each.selected = Boolean(saved.chosen[index]); });
    else field.value = saved.value;
    edited.add(field);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    return true;
  }

  // -- what is wrong

  const overlay = (() => {
    const faults = new Map(); // text by what it is about
    let problem = null, away = false, timer = 0, host = null, root = null, dismissed = false;
    const STYLE = `
      :host { all: initial; position: fixed; inset: 0; z-index: 2147483647; pointer-events: none; }
      section { pointer-events: auto; position: fixed; left: 50%; bottom: 5vh; transform: translateX(-50%);
        box-sizing: border-box; width: min(56em, 94vw); max-height: 80vh; overflow: auto; padding: 1em 1.25em;
        font: 14px/1.45 system-ui, sans-serif; color: #f4f4f5; background: #1b1c20;
        border-top: 4px solid #f2635f; border-radius: 6px; box-shadow: 0 8px 40px #0009; }
      h2 { font-size: 1.1em; margin: 0 2em .5em 0; }
      pre { font: 13px/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; }
      button { font: inherit; color: inherit; background: #3a3c44; border: 1px solid #6b6d76; border-radius: 4px;
        padding: .3em .9em; margin-top: .9em; cursor: pointer; }
      button:focus-visible { outline: 2px solid #8ab4ff; }
      .close { position: absolute; top: .5em; right: .6em; margin: 0; padding: .1em .5em; }
      output { position: fixed; right: 1em; bottom: 1em; padding: .3em .8em; border-radius: 1em;
        font: 13px system-ui, sans-serif; color: #f4f4f5; background: #1b1c20; }`;

    function make(name, text) {
      const element = document.createElement(name);
      if (text) element.textContent = text;
      return element;
    }

    function draw() {
      const shows = (problem || faults.size) && !dismissed;
      if (!shows && !away) { if (host) host.remove(); host = null; return; }
      if (!host) {
        host = document.createElement("holdfast-overlay");
        root = host.attachShadow({ mode: "open" });
        const sheet = new CSSStyleSheet(); // allowed under every policy of the page
        sheet.replaceSync(STYLE);
        root.adoptedStyleSheets = [sheet];
      }
      if (!host.isConnected) document.documentElement.append(host);
      root.replaceChildren();
      if (shows) root.append(panel());
      if (away) root.append(make("output", "hold dev is not there; waiting for it"));
    }

    function panel() {
      const section = make("section");
      section.setAttribute("role", "alert");
      section.append(make("h2", problem ? problem.title : "Something is wrong in this page"));
      section.append(make("pre", problem ? problem.text : [...faults.values()].join("\n\n")));
      const close = make("button", "×");
      close.className = "close";
      close.setAttribute("aria-label", "Close");
      close.onclick = () => overlay.dismiss();
      section.append(close);
      if (problem && problem.can_restart) {
        const again = make("button", "Restart");
        again.onclick = () => { again.disabled = true; again.textContent = "Restarting…"; say("restart"); };
        section.append(again);
      }
      return section;
    }

    return {
      setProblem(next) { problem = next; dismissed = false; draw(); },
      setAway(is) {
        // Most absences are too short to be worth a word.
        if (is && !timer) timer = setTimeout(() => { away = true; draw(); }, 1500);
        if (is) return;
        clearTimeout(timer);
        timer = 0;
        away = false;
        draw();
      },
      fault(about, text) {
        if (faults.size >= 20) return;
        faults.set(about, text);
        dismissed = false;
        say("trouble", { text });
        draw();
      },
      dismiss() { dismissed = true; draw(); },
      mended(path) { if (faults.delete(`load ${path}`)) draw(); },
    };
  })();

  addEventListener("error", (event) => {
    const at = event.target;
    if (at && at !== window && at.nodeType === 1) {
      const url = at.src || at.href;
      const path = url && pathOf(url);
      if (path) overlay.fault(`load ${path}`, `${path} could not be loaded`);
      else if (url) say("trouble", { text: `${url} could not be loaded` });
      return;
    }
    if (!event.message || event.message.startsWith("ResizeObserver loop")) return;
    const where = event.filename ? `\n  ${pathOf(event.filename) || event.filename}:${event.lineno}:${event.colno}` : "";
    overlay.fault(event.message + where, event.message + where);
  }, true);

  addEventListener("unhandledrejection", (event) => {
    const why = event.reason;
    const text = `Unhandled rejection: ${(why && (why.stack || why.message)) || String(why)}`;
    overlay.fault(text, text);
  });

  addEventListener("keydown", (event) => { if (event.key === "Escape") overlay.dismiss(); });

  // -- begin

  if (document.readyState === "loading") addEventListener("DOMContentLoaded", restore, { once: true });
  else restore();
  for (const kind of ["online", "pageshow"]) addEventListener(kind, connect);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) connect(); });
  connect();
})();
