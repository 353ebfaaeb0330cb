"""Writes a snapshot as bytes for a fresh terminal: the picture a viewer is sent first.

The order is what makes it right: names, then scrollback and screen as one flow of lines, the
alternate screen on top of it, what was saved, modes, and the cursor last. What painting itself
needs - wrapping at the margin, the whole screen, printing in place - is taken away at the end.
"""

from collections.abc import Iterator

from holdfast.reader import modes
from holdfast.reader.cursor import forget_pen, place_cursor, save_cursor
from holdfast.reader.history import Lines, PageCache
from holdfast.reader.model import Picture
from holdfast.reader.screen_state import ALTERNATE, PRIMARY
from holdfast.reader.snapshot_format import Snapshot
from holdfast.reader.styles import has_background


def paint(snapshot: Snapshot, scrollback: int | None, cache: PageCache) -> Picture:
    """Return the picture of a snapshot, with so many lines of scrollback; None means all."""
    terminal = snapshot.terminal
    primary = Lines(snapshot.screens[PRIMARY], terminal.rows)
    lines = primary.history if scrollback is None else min(scrollback, primary.history)
    data = _encoded(modes.write_names(terminal))
    data += primary.paint(lines, cache)
    data += _encoded(modes.write_keys(snapshot.screens[PRIMARY].state))
    shown = primary
    if terminal.active_screen == ALTERNATE:
        shown = Lines(snapshot.screens[ALTERNATE], terminal.rows)
        data += _encoded(_enter_alternate(snapshot, primary))
        data += shown.paint(0, cache)
    data += _encoded(_finish(snapshot, shown))
    return Picture(terminal.cols, terminal.rows, lines, data + snapshot.continuation)


def _encoded(parts: Iterator[str]) -> bytes:
    return "".join(parts).encode("utf-8", "replace")


def _enter_alternate(snapshot: Snapshot, primary: Lines) -> Iterator[str]:
    """Leave the primary screen as the program left it, and go to the alternate one."""
    terminal, state = snapshot.terminal, snapshot.screens[PRIMARY].state
    yield from save_cursor(terminal, primary, state)
    if "?1049" in terminal.modes and state.saved is not None:
        # It saves the cursor once more: so that is where it must stand, and with its pen.
        yield f"\x1b8{modes.set_mode('?1049', to=True)}"
        yield from forget_pen(state.saved)
        if has_background(state.saved.pen):
            yield "\x1b[2J"  # the screen was cleared with that pen
    else:
        yield f"\x1b[{state.y + 1};{state.x + 1}H"
        yield modes.set_mode("?47" if "?47" in terminal.modes else "?1047", to=True)
    yield "\x1b[H"
    yield from modes.write_keys(snapshot.screens[ALTERNATE].state)


def _finish(snapshot: Snapshot, shown: Lines) -> Iterator[str]:
    """Write all that is not a cell, and put the cursor where it belongs."""
    terminal, state = snapshot.terminal, snapshot.active.state
    yield from save_cursor(terminal, shown, state)
    yield from modes.write_modes(terminal)
    yield from modes.write_shape(terminal, state)
    for name in ("?7", "?6", "?2026"):  # in this order: ?6 moves the cursor, ?2026 hides the rest
        if (name in terminal.modes) != (name in terminal.default_modes):
            yield modes.set_mode(name, to=name in terminal.modes)
    yield from place_cursor(terminal, shown, state)
    if "4" in terminal.modes:
        yield modes.set_mode("4", to=True)
