"""Puts the cursor, and what was saved of it, where the program left it.

The cursor gets there by printing the character before it once more: that also restores a
pending wrap, what REP would repeat, and what a combining character that comes next joins.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.reader import modes
from holdfast.reader.cells import PROTECT, UNPROTECT, cell_style, cell_text, link_sequence
from holdfast.reader.history import Lines
from holdfast.reader.pages import TAIL
from holdfast.reader.screen_state import Charsets, Link, SavedCursor, ScreenState
from holdfast.reader.styles import RESET, sgr
from holdfast.reader.terminal_state import TerminalState

FRESH_CHARSETS = Charsets((0, 0, 0, 0), 0, 2, None)
PLAIN_CHARSETS = "\x1b(B\x1b)B\x1b*B\x1b+B\x0f"


@dataclass(frozen=True)
class Pen:
    """What the next character would be printed with."""

    style: str = RESET
    link: Link | None = None
    protected: bool = False


def change_pen(old: Pen, new: Pen) -> Iterator[str]:
    if new.style != old.style:
        yield new.style
    if new.link != old.link:
        yield link_sequence(new.link)
    if new.protected != old.protected:
        yield PROTECT if new.protected else UNPROTECT


def save_cursor(terminal: TerminalState, lines: Lines, state: ScreenState) -> Iterator[str]:
    """Have the terminal save a cursor as the program once did, and take the plain pen again."""
    saved = state.saved
    if saved is None:
        return
    top = 0
    if saved.origin:
        top, bottom, *_ = terminal.region
        yield f"\x1b[{top + 1};{bottom + 1}r{modes.set_mode('?6', to=True)}"
    pen = Pen()
    if saved.pending_wrap:
        again = print_again(lines, saved.y, saved.x, top)
        yield again.sequence
        pen = again.pen
    else:
        yield _move(saved.y - top, saved.x)
    yield from change_pen(pen, Pen(sgr(saved.pen), None, saved.protected))
    yield modes.write_charsets(saved.charsets)
    yield "\x1b7"
    yield from forget_pen(saved)
    if saved.origin:
        yield "\x1b[r"


def forget_pen(saved: SavedCursor) -> Iterator[str]:
    """Take the plain pen again after one was saved or restored."""
    yield from change_pen(Pen(sgr(saved.pen), None, saved.protected), Pen())
    if saved.charsets != FRESH_CHARSETS:
        yield PLAIN_CHARSETS
    if saved.origin:
        yield modes.set_mode("?6", to=False)


def place_cursor(terminal: TerminalState, lines: Lines, state: ScreenState) -> Iterator[str]:
    """Put the cursor where it was, with its pen and charsets; nothing may move it afterwards."""
    top = terminal.region[0] if "?6" in terminal.modes else 0
    pen = Pen()
    before = state.x if state.pending_wrap else state.x - 1
    again = print_again(lines, state.y, before, top) if before >= 0 else None
    if again is not None and (state.pending_wrap or _is_last(again.text, terminal.previous)):
        yield again.sequence
        pen = again.pen
    else:
        yield _move(state.y - top, state.x)
    yield from change_pen(pen, Pen(sgr(state.pen), state.link, state.protected))
    yield modes.write_charsets(state.charsets)


@dataclass(frozen=True)
class Again:
    """A character as it is printed once more: the pen is left as it was printed with."""

    sequence: str
    text: str  # the character, or nothing if the cell was empty
    pen: Pen


def print_again(lines: Lines, row: int, col: int, top: int) -> Again:
    """Return what prints the character that covers a cell once more, from the plain pen."""
    found = lines.cell(row, col)
    if found is not None and found[2].span == TAIL:
        col -= 1
        found = lines.cell(row, col)
    if found is None:
        return Again(_move(row - top, col) + " ", "", Pen())
    page, at, cell = found
    text = cell_text(page, at, col, cell)
    pen = Pen(cell_style(page, cell), page.links.get(cell.link), cell.protected)
    sequence = "".join((_move(row - top, col), *change_pen(Pen(), pen), text or " "))
    return Again(sequence, text, pen)


def _is_last(text: str, previous: int | None) -> bool:
    """Whether a character was the last one printed; of a cluster some code points do not count."""
    return previous is not None and chr(previous) in text


def _move(row: int, col: int) -> str:
    return f"\x1b[{max(row, 0) + 1};{col + 1}H"
