"""A small list of sessions to choose from, with a look at each one's screen."""

import os
import select
import signal
import time
from collections.abc import Sequence

from holdfast.cli.exits import Exit, one_line
from holdfast.cli.picking import NEW, NOTHING, Choosing, Frame
from holdfast.client.plain import Client
from holdfast.errors import HoldfastError
from holdfast.protocol.messages import GetScreen, List, SessionInfo
from holdfast.terminal.attach import Local
from holdfast.terminal.outer import Outer, write_all
from holdfast.terminal.rawmode import ToldToLeave, leaving_signals, raw, signals_as_bytes
from holdfast.terminal.size import size_of

__all__ = ["NEW", "NOTHING", "pick"]

REFRESH = 1.0  # seconds between looks at what the sessions show
ESCAPE_WITHIN = 0.05  # seconds in which the rest of a key follows its Escape
SMALLEST = (80, 24)  # of a terminal that does not say
ENTER, LEAVE = b"\x1b[?1049h\x1b[?25l", b"\x1b[?25h\x1b[?1049l"
CHOSEN, PLAIN = "\x1b[7m", "\x1b[m"
PREVIEW_LIMIT = 200  # lines; no terminal shows more


def pick(client: Client, sessions: Sequence[SessionInfo], local: Local, outer: Outer) -> str:
    """Return the id of a session, NEW, or NOTHING for who has left."""
    outer.note_undo(LEAVE)
    try:
        with (
            leaving_signals(),
            signals_as_bytes(signal.SIGWINCH) as signals,
            raw(local.stdin, local.modes),
        ):
            write_all(local.stdout, ENTER)
            try:
                return _choose(client, Choosing(sessions), local, signals)
            finally:
                write_all(local.stdout, LEAVE)
    except ToldToLeave as told:
        raise Exit(128 + told.number) from None
    finally:
        outer.note_undo(b"")


def _choose(client: Client, choosing: Choosing, local: Local, signals: int) -> str:
    preview: list[str] = []
    of, looked_at = "", 0.0
    has_colour = not os.environ.get("NO_COLOR")
    while True:
        now, chosen = time.monotonic(), choosing.chosen
        if chosen is None:
            of, preview = "", []
        elif chosen.id != of or now - looked_at >= REFRESH:
            of, looked_at, preview = chosen.id, now, _preview(client, chosen.id)
        size = size_of(local.stdout) or SMALLEST
        _draw(local.stdout, choosing.frame(preview, size, time.time()), has_colour=has_colour)
        readable, _, _ = select.select([local.stdin, signals], [], [], REFRESH)
        if signals in readable:
            os.read(signals, 100)
        if local.stdin in readable and (decided := choosing.press(_keys(local.stdin))):
            return decided
        if not readable:
            listed = client.call(List()).sessions
            choosing.update([each for each in listed if not each.mirrored])


def _keys(fd: int) -> bytes:
    """Return what was typed, each key whole."""
    try:
        data = os.read(fd, 1024)
    except OSError:
        data = b""
    if not data:
        raise ToldToLeave(signal.SIGHUP)
    while data.endswith((b"\x1b", b"\x1b[", b"\x1bO")) or _is_cut(data):
        if not select.select([fd], [], [], ESCAPE_WITHIN)[0]:
            break
        data += os.read(fd, 1024) or b"\x03"
    return data


def _is_cut(data: bytes) -> bool:
    """Whether it ends in the midst of a character."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return False


def _preview(client: Client, session: str) -> list[str]:
    try:
        screen = client.call(GetScreen(session=session))
    except HoldfastError as error:
        return [one_line(error.what)]
    lines = screen.data[-(1 << 16) :].decode(errors="replace").rstrip().splitlines()
    return [one_line(line) for line in lines[-PREVIEW_LIMIT:]]


def _draw(fd: int, frame: Frame, *, has_colour: bool) -> None:
    shown = [
        f"{CHOSEN}{line}{PLAIN}" if has_colour and at == frame.chosen else line
        for at, line in enumerate(frame.lines)
    ]
    # Line by line over what is there: clearing it first would flicker.
    text = "\x1b[H" + "\r\n".join(f"{line}\x1b[K" for line in shown) + "\x1b[J"
    write_all(fd, text.encode(errors="replace"))
