// With the parser of the terminal in the page: what programs ask in a replay is answered by nobody.

import headless from "@xterm/headless";
import { beforeEach, describe, expect, test } from "vitest";

import { silence } from "../src/shell/silence.ts";

let terminal: headless.Terminal;
let sent: string[];

beforeEach(() => {
  terminal = new headless.Terminal({ allowProposedApi: true });
  const isMute = silence(terminal as never);
  sent = [];
  terminal.onData((data) => isMute() || sent.push(data));
});

function shown(text: string): Promise<void> {
  return new Promise((done) => terminal.write(text, done));
}

const QUERIES = [
  "\x1b[c", "\x1b[0c", "\x1b[>c", "\x1b[=c",
  "\x1b[5n", "\x1b[6n", "\x1b[?6n", "\x1b[?996n",
  "\x1b[4$p", "\x1b[?2026$p", "\x1b[>q", "\x1b[?u", "\x1b[18t", "\x1b[14t",
  "\x1bP$qm\x1b\\", "\x1bP+q544e\x1b\\",
  "\x1b]10;?\x07", "\x1b]11;?\x1b\\", "\x1b]12;?\x07", "\x1b]4;1;?\x07", "\x1b]10;?;?\x07",
  "\x1b]52;c;?\x07",
];

describe("a silenced terminal", () => {
  test.each(QUERIES)("does not answer %j", async (query) => {
    await shown(`before${query}after`);
    expect(sent).toEqual([]);
    expect(terminal.buffer.active.getLine(0)?.translateToString(true)).toBe("beforeafter");
  });

  test("does not answer either once it was reset", async () => {
    await shown("\x18\x1bc\x1b[c\x1b[6n");
    expect(sent).toEqual([]);
  });

  test("still sends what somebody types", async () => {
    await shown("\x1b[c");
    terminal.input("ls\r");
    expect(sent).toEqual(["ls\r"]);
  });

  test("still does what is no query", async () => {
    await shown("\x1b[?1004h\x1b[?2004h\x1b[3;4H");
    expect(terminal.modes).toMatchObject({ sendFocusMode: true, bracketedPasteMode: true });
    expect([terminal.buffer.active.cursorX, terminal.buffer.active.cursorY]).toEqual([3, 2]);
  });
});
