// The one file that knows xterm.js: bytes in, keys out, a size. It knows no session and no host.

import { ClipboardAddon } from "@xterm/addon-clipboard";
import { FitAddon } from "@xterm/addon-fit";
import { UnicodeGraphemesAddon } from "@xterm/addon-unicode-graphemes";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal, type ITheme } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";

import { silence } from "./silence.ts";

/** What a snapshot is asked for, and what a terminal keeps: enough to read what a build said. */
export const SCROLLBACK_LINES = 10_000;

/** Ends whatever sequence was begun, then resets everything: what follows is read from scratch. */
const FROM_SCRATCH = "\x18\x1bc";

const LIGHT: ITheme = {
  background: "#fdfdfc",
  foreground: "#1f2328",
  cursor: "#1f2328",
  selectionBackground: "#b6d4fb",
  brightBlack: "#57606a",
  white: "#6e7781",
  brightWhite: "#424a53",
  yellow: "#7d5700",
  green: "#116329",
  brightYellow: "#633c01",
  brightGreen: "#1a7f37",
};
const DARK: ITheme = {
  background: "#14161a",
  foreground: "#e2e4e8",
  cursor: "#e2e4e8",
  selectionBackground: "#2f4f7d",
};

export interface Size {
  cols: number;
  rows: number;
}

export interface Hands {
  /** Somebody typed, or the mouse or the focus is reported. */
  typed(data: string, bytes: ArrayBuffer): void;
  /** What is around the terminal has another size. */
  resized(): void;
  /** Somebody wants out of the terminal, by the keyboard. */
  left(): void;
  /** Whether the program may put text into the clipboard now. */
  mayCopy(): boolean;
}

export class Screen {
  readonly #terminal: Terminal;
  readonly #fit = new FitAddon();
  readonly #watcher: ResizeObserver;
  readonly #dark = matchMedia("(prefers-color-scheme: dark)");
  /** Whether Tab goes to the program; else it leaves the terminal, as it does everywhere. */
  takesTab = true;

  /** Whether the line of the cursor is kept in sight: until somebody scrolls it out. */
  #follows = true;
  #frame = 0;

  constructor(
    private readonly element: HTMLElement,
    private readonly hands: Hands,
  ) {
    this.#terminal = new Terminal({
      allowProposedApi: true, // the graphemes addon asks for it
      scrollback: SCROLLBACK_LINES,
      fontFamily: "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace",
      fontSize: 14,
      minimumContrastRatio: 4.5,
      theme: this.#dark.matches ? DARK : LIGHT,
    });
    this.#load();
    const isMute = silence(this.#terminal);
    this.#terminal.onData((data) => isMute() || hands.typed(data, new TextEncoder().encode(data).buffer));
    // Reports of old mice are bytes and no text.
    this.#terminal.onBinary((data) => hands.typed(data, Uint8Array.from(data, (c) => c.charCodeAt(0)).buffer));
    this.#terminal.attachCustomKeyEventHandler((event) => {
      if (isWayOut(event)) {
        event.preventDefault();
        if (event.type === "keydown") {
          hands.left();
        }
        return false;
      }
      return event.key !== "Tab" || this.takesTab;
    });
    this.#dark.addEventListener("change", this.#paint);
    this.#watcher = new ResizeObserver(() => {
      hands.resized();
      this.#followSoon();
    });
    this.#watcher.observe(element);
    this.#terminal.onCursorMove(() => this.#followSoon());
    this.#terminal.onResize(() => this.#followSoon());
    element.addEventListener("scroll", this.#scrolled);
  }

  #load(): void {
    this.#terminal.loadAddon(this.#fit);
    this.#terminal.loadAddon(new UnicodeGraphemesAddon());
    this.#terminal.loadAddon(new WebLinksAddon());
    // Programs may put text there; what is there is nobody's business but the person's.
    this.#terminal.loadAddon(
      new ClipboardAddon(undefined, {
        readText: () => "",
        writeText: async (_, text) => {
          if (this.hands.mayCopy()) {
            await navigator.clipboard?.writeText(text).catch(() => undefined);
          }
        },
      }),
    );
    this.#terminal.open(this.element);
    if (hasRealGraphics()) {
      void import("@xterm/addon-webgl").then(({ WebglAddon }) => {
        const webgl = new WebglAddon();
        webgl.onContextLoss(() => webgl.dispose());
        this.#terminal.loadAddon(webgl);
      });
    }
  }

  /** Show bytes; `parsed` is called once they are. */
  write(bytes: Uint8Array | string, parsed?: () => void): void {
    this.#terminal.write(bytes, parsed);
  }

  /** Show bytes instead of everything before, also of what is not parsed yet. */
  replace(bytes: Uint8Array, parsed?: () => void): void {
    this.#terminal.write(FROM_SCRATCH);
    this.#terminal.write(bytes, parsed);
  }

  get size(): Size {
    return { cols: this.#terminal.cols, rows: this.#terminal.rows };
  }

  set size({ cols, rows }: Size) {
    if (cols > 0 && rows > 0 && (cols !== this.#terminal.cols || rows !== this.#terminal.rows)) {
      this.#terminal.resize(cols, rows);
    }
  }

  /** Return the size that fills what is around it; nothing while that is not shown. */
  fitting(): Size | null {
    const fit = this.#fit.proposeDimensions();
    return fit && fit.cols > 0 && fit.rows > 0 ? { cols: fit.cols, rows: fit.rows } : null;
  }

  focus(): void {
    this.#terminal.focus();
  }

  /** Return all lines there are, those scrolled away first, as text. */
  text(): string {
    const buffer = this.#terminal.buffer.active;
    const lines: string[] = [];
    for (let row = 0; row < buffer.length; row += 1) {
      const line = buffer.getLine(row);
      const text = line?.translateToString(true) ?? "";
      if (line?.isWrapped && lines.length) {
        lines[lines.length - 1] += text;
      } else {
        lines.push(text);
      }
    }
    return lines.join("\n");
  }

  // A terminal of somebody else's size may be higher than what is around it, and what is typed
  // there is to be seen all the same.
  #followSoon(): void {
    // Once a frame: it asks where things are, and a flood moves the cursor all the time.
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#follow();
    });
  }

  #follow(): void {
    const line = this.#cursorLine();
    if (this.#follows && line) {
      const { scrollTop, clientHeight } = this.element;
      this.element.scrollTop = Math.min(Math.max(scrollTop, line.bottom - clientHeight), line.top);
    }
  }

  readonly #scrolled = (): void => {
    const line = this.#cursorLine();
    const { scrollTop, clientHeight } = this.element;
    this.#follows = !line || (line.top >= scrollTop - 1 && line.bottom <= scrollTop + clientHeight + 1);
  };

  /** Where the line of the cursor is in what is around; nothing while it is scrolled away. */
  #cursorLine(): { top: number; bottom: number } | null {
    const { cursorY, viewportY, baseY } = this.#terminal.buffer.active;
    const lines = this.element.querySelector(".xterm-screen");
    if (!lines || viewportY !== baseY) {
      return null;
    }
    const from = lines.getBoundingClientRect();
    const height = from.height / this.#terminal.rows;
    const top = from.top - this.element.getBoundingClientRect().top + this.element.scrollTop + cursorY * height;
    return { top, bottom: top + height };
  }

  dispose(): void {
    cancelAnimationFrame(this.#frame);
    this.#watcher.disconnect();
    this.element.removeEventListener("scroll", this.#scrolled);
    this.#dark.removeEventListener("change", this.#paint);
    this.#terminal.dispose();
  }

  readonly #paint = (): void => {
    this.#terminal.options.theme = this.#dark.matches ? DARK : LIGHT;
  };
}

// Tab is the program's, so there has to be another way out; no program is known that wants this one.
function isWayOut({ ctrlKey, shiftKey, code }: KeyboardEvent): boolean {
  return ctrlKey && shiftKey && code === "Space";
}

// Drawn by the processor, WebGL is four to six times slower than plain elements.
function hasRealGraphics(): boolean {
  const context = document.createElement("canvas").getContext("webgl2");
  const info = context?.getExtension("WEBGL_debug_renderer_info");
  const name = info ? String(context?.getParameter(info.UNMASKED_RENDERER_WEBGL)) : "";
  context?.getExtension("WEBGL_lose_context")?.loseContext();
  return name !== "" && !/swiftshader|llvmpipe|software|basic render/i.test(name);
}
