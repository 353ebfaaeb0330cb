// Queries of programs are answered by the daemon's reader, once: a terminal in a page sees them again
// with every replay, and must not answer any.

import type { Terminal } from "@xterm/xterm";

type Silenced = Pick<Terminal, "parser">;

const NEVER_SHOWN = [
  { final: "c" }, // device attributes: primary, secondary, tertiary
  { prefix: ">", final: "c" },
  { prefix: "=", final: "c" },
  { final: "n" }, // device status
  { prefix: "?", final: "n" },
  { intermediates: "$", final: "p" }, // is a mode set?
  { prefix: "?", intermediates: "$", final: "p" },
  { prefix: ">", final: "q" }, // name and version
  { prefix: "?", final: "u" }, // keyboard mode
  { final: "t" }, // sizes and titles of the window
];

const COLOURS = [4, 5, 10, 11, 12, 13, 14, 17, 19];
const CLIPBOARD = 52;
const FOCUS_MODE = 1004;

/** Have a terminal answer nothing; return whether what it sends at this moment is no person's. */
export function silence(terminal: Silenced): () => boolean {
  const { parser } = terminal;
  const swallow = (): boolean => true;
  for (const query of NEVER_SHOWN) {
    parser.registerCsiHandler(query, swallow);
  }
  parser.registerDcsHandler({ intermediates: "$", final: "q" }, swallow);
  parser.registerDcsHandler({ intermediates: "+", final: "q" }, swallow);
  for (const number of [...COLOURS, CLIPBOARD]) {
    // The same sequence sets; with a question mark in place of the value it asks.
    parser.registerOscHandler(number, (data) => data.split(";").includes("?"));
  }
  return muteFocus(terminal);
}

// A terminal that is told to report its focus does so at once. In a replay, the program that
// wanted to know may long be gone, and a shell would take it for typed text.
function muteFocus({ parser }: Silenced): () => boolean {
  let isMute = false;
  parser.registerCsiHandler({ prefix: "?", final: "h" }, (params) => {
    if (params.includes(FOCUS_MODE)) {
      isMute = true;
      queueMicrotask(() => {
        isMute = false;
      });
    }
    return false; // the mode itself is set as ever
  });
  return () => isMute;
}
