// Compares terminals. One job a line on stdin: a recording as events, and pictures with how many
// events they stand for. One line of differences for each on stdout.
//
// A picture is right if a fresh terminal that is given it, and then the rest, cannot be told from
// the one that saw everything - both at the picture and at the end.

'use strict';
const readline = require('node:readline');
const { Terminal } = require('@xterm/headless');

// With Node's Buffer the addon reads its table wrongly and takes every emoji for narrow;
// without, it goes the way it goes in browsers.
const { Buffer } = globalThis;
delete globalThis.Buffer;
const { UnicodeGraphemesAddon } = require('@xterm/addon-unicode-graphemes');
globalThis.Buffer = Buffer;

const SCROLLBACK = 20000;
const FLAGS = ['Bold', 'Italic', 'Dim', 'Blink', 'Inverse', 'Invisible', 'Strikethrough', 'Overline'];

function open([cols, rows]) {
  const terminal = new Terminal({ cols, rows, scrollback: SCROLLBACK, allowProposedApi: true });
  terminal.loadAddon(new UnicodeGraphemesAddon());
  return terminal;
}

const written = (terminal, data) => new Promise((done) => terminal.write(data, done));

async function apply(terminal, event) {
  if (typeof event === 'string') await written(terminal, Buffer.from(event, 'base64'));
  else terminal.resize(...event);
}

// Indexed colours have two spellings below 16, which look the same.
function color(mode, value) {
  if (mode === 0) return '-';
  return mode === 0x3000000 ? `#${value.toString(16)}` : `${value}`;
}

// Of an indexed colour only the lowest byte counts; what is above may be left from another one.
function packed(value) {
  if (value === 0x3ffffff) return '-'; // what resetting the colour of underlines leaves
  const mode = value & 0x3000000;
  return color(mode, mode === 0x3000000 ? value & 0xffffff : value & 0xff);
}

function link(core, id) {
  const data = id ? core._oscLinkService.getLinkData(id) : undefined;
  return data ? `${data.id ?? ''}|${data.uri}` : '';
}

// How a cell looks. What cannot be seen of a blank one does not count.
function look(core, cell, blank) {
  const fg = color(cell.getFgColorMode(), cell.getFgColor());
  const bg = color(cell.getBgColorMode(), cell.getBgColor());
  const url = link(core, cell.extended?.urlId);
  const under = cell.isUnderline() ? `u${cell.extended.underlineStyle}:${packed(cell.extended.underlineColor)}` : '';
  if (blank && !url) {
    const lines = under || cell.isStrikethrough() || cell.isOverline();
    if (!lines) return cell.isInverse() ? `inv ${fg} ${bg}` : bg;
  }
  const flags = FLAGS.filter((name) => cell[`is${name}`]()).join(',');
  return `${fg} ${bg} ${flags} ${under} ${url}`;
}

function lines(terminal, buffer) {
  const out = { text: [], cells: [], wraps: [] };
  const core = terminal._core;
  let cell;
  for (let y = 0; y < buffer.length; y++) {
    const line = buffer.getLine(y);
    const text = [];
    const looks = [];
    for (let x = 0; x < line.length && x < terminal.cols; x++) {
      cell = line.getCell(x, cell);
      const chars = cell.getChars();
      const blank = chars === '' || chars === ' ';
      if (cell.getWidth() === 0) continue;
      text.push(blank ? ' ' : chars);
      looks.push(look(core, cell, blank) + (cell.getWidth() === 2 ? ' w' : ''));
    }
    out.text.push(text.join('').trimEnd());
    out.cells.push(looks.join(';').replace(/(-;)*-$/, ''));
    out.wraps.push(line.isWrapped);
  }
  return out;
}

function pen(core, { fg, bg, extended }) {
  const attributes = [fg >>> 26, (bg >>> 26) & 0x7];
  const line = [extended?.underlineStyle, packed(extended?.underlineColor ?? 0)];
  return [packed(fg), packed(bg), attributes, line, link(core, extended?.urlId)];
}

function saved(core, buffer) {
  return [buffer.savedX, buffer.savedY, pen(core, buffer.savedCurAttrData), charsetName(buffer.savedCharset)];
}

const charsetName = (charset) => (charset ? Object.keys(charset).length : 0);

function state(terminal) {
  const core = terminal._core;
  const active = terminal.buffer.active;
  const inner = core.buffer;
  const shown = lines(terminal, active);
  const out = {
    screen: active.type,
    size: [terminal.cols, terminal.rows],
    text: shown.text,
    cells: shown.cells,
    wraps: shown.wraps,
    scrollback: active.baseY,
    cursor: [active.cursorX, active.cursorY],
    pen: pen(core, core._inputHandler._curAttrData),
    modes: { ...core.coreService.decPrivateModes, ...core.coreService.modes, hidden: core.coreService.isCursorHidden },
    mouse: [core.coreMouseService.activeProtocol, core.coreMouseService.activeEncoding],
    region: [inner.scrollTop, inner.scrollBottom],
    tabs: Object.keys(inner.tabs).map(Number).filter((col) => inner.tabs[col] && col < terminal.cols),
    charsets: [core._charsetService.glevel, [0, 1, 2, 3].map((slot) => charsetName(core._charsetService._charsets[slot]))],
    saved: saved(core, inner),
    title: core._inputHandler._windowTitle,
  };
  if (active.type === 'alternate') {
    const beneath = lines(terminal, terminal.buffer.normal);
    out.beneath = [beneath.text, beneath.cells, beneath.wraps];
    out.beneath_saved = saved(core, core.buffers.normal);
  }
  return out;
}

// Where two values part, shortly: the first line that differs says enough.
function part(expected, seen) {
  if (Array.isArray(expected) && Array.isArray(seen)) {
    const at = expected.findIndex((value, index) => JSON.stringify(value) !== JSON.stringify(seen[index]));
    if (at >= 0) return `${at}: ${part(expected[at], seen[at])}`;
    return `length ${expected.length}, got ${seen.length}`;
  }
  if (typeof expected === 'string' && typeof seen === 'string' && expected.includes(';')) {
    return part(expected.split(';'), seen.split(';'));
  }
  return `${JSON.stringify(expected)?.slice(0, 300)}, got ${JSON.stringify(seen)?.slice(0, 300)}`;
}

function differences(expected, seen) {
  const out = {};
  for (const name of new Set([...Object.keys(expected), ...Object.keys(seen)])) {
    if (JSON.stringify(expected[name]) !== JSON.stringify(seen[name])) {
      out[name] = part(expected[name], seen[name]);
    }
  }
  return out;
}

async function compare({ size, events, pictures }) {
  const watched = open(size);
  const states = new Map();
  for (let done = 0; done <= events.length; done++) {
    if (pictures.some((picture) => picture.after === done)) states.set(done, state(watched));
    if (done < events.length) await apply(watched, events[done]);
  }
  const last = state(watched);
  watched.dispose();
  const found = [];
  for (const { after, size, data } of pictures) {
    const fresh = open(size);
    await written(fresh, Buffer.from(data, 'base64'));
    const at = differences(states.get(after), state(fresh));
    for (const event of events.slice(after)) await apply(fresh, event);
    found.push({ at, end: differences(last, state(fresh)) });
    fresh.dispose();
  }
  return found;
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await compare(JSON.parse(line)))}\n`);
  }
})();
