"""The first look of `hold attach`: the session's screen, while the rest is still being imported.

It is drawn on the terminal's alternate screen, so that nothing of it stays: when the rest is
there, that is left again and the real thing begins. Only text, colours and the cursor are drawn;
a picture has modes as well, and what would have to be undone does not belong here.
"""

import _signal  # type: ignore[import-not-found]  # `signal` would build its enums
import os
import sys

from holdfast.client.quick import Quick, Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

PATIENCE = 0.2  # seconds; whoever waits longer sees the real thing as soon
# Terminals that have an alternate screen, by how their names begin.
KNOWN = (
    "xterm",
    "screen",
    "tmux",
    "rxvt",
    "alacritty",
    "foot",
    "konsole",
    "kitty",
    "vte",
    "wezterm",
)
PICTURES = ("exact", "partial")  # fidelities; the others are raw output
ENTER, LEAVE = b"\x1b[?1049h\x1b[m\x1b[H\x1b[2J", b"\x1b[m\x1b[?1049l"
ANEW = b"\x1b[m\x1b[H\x1b[2J"
ALTERNATE = (b"?1049h", b"?1047h", b"?47h")
DRAWING = b"mHABCDGdJKXPb@"  # final bytes of the sequences that draw, colour, and move the cursor
PLAIN = b"\r\n\b\t"
STRINGS = b"]P_^X"
FATAL = ("SIGTERM", "SIGHUP", "SIGQUIT")


class FirstLook:
    """Shown at most once, and over at the latest when this process ends."""

    def __init__(self) -> None:
        self._is_shown = False
        self._before: list[tuple[int, Any]] = []

    def show(self, words: "Sequence[str]", environ: "Mapping[str, str]") -> None:
        """Show the session that is to be attached to, if everything is as usual."""
        if len(words) != 2 or not words[1] or words[1].startswith("-"):
            return
        if environ.get("HOLDFAST_SESSION_ID") or not environ.get("TERM", "").startswith(KNOWN):
            return
        try:
            if not (sys.stdin.isatty() and sys.stdout.isatty()):
                return
            picture = _picture(words[1], environ, os.get_terminal_size(sys.stdout.fileno()))
        except (Unusual, LookupError, TypeError, OSError, AttributeError):
            return  # what is unusual is told by the real thing
        self._heed_signals()
        self._is_shown = True
        self._write(ENTER + drawn(picture))

    def over(self) -> None:
        """Leave the terminal as it was; calling twice is harmless."""
        if not self._is_shown:
            return
        self._is_shown = False
        self._write(LEAVE)
        for number, handler in self._before:
            _signal.signal(number, handler)

    def _write(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(sys.stdout.fileno(), data) :]
        except OSError:
            pass  # the terminal is gone

    def _heed_signals(self) -> None:
        for name in FATAL:
            number = getattr(_signal, name)
            if _signal.getsignal(number) == _signal.SIG_DFL:
                self._before.append((number, _signal.signal(number, self._killed)))
        # Stopped in here, the shell would have our screen; it lasts a moment.
        self._before.append((_signal.SIGTSTP, _signal.signal(_signal.SIGTSTP, _signal.SIG_IGN)))

    def _killed(self, number: int, _frame: object) -> None:
        self.over()
        os.kill(os.getpid(), number)


def _picture(session: str, environ: "Mapping[str, str]", size: os.terminal_size) -> bytes:
    """Return the screen of a session that fits this terminal; otherwise raise Unusual."""
    with Quick(environ, role="stream", label="", patience=PATIENCE) as quick:
        found = quick.call("get", {"session": session})
        if (
            found["state"] != "running"
            or found["cols"] > size.columns
            or found["rows"] > size.lines
        ):
            raise Unusual
        shown = quick.call("screen", {"session": found["id"], "form": "vt"})
    if shown["fidelity"] not in PICTURES or not isinstance(shown["data"], bytes):
        raise Unusual
    return shown["data"]


def drawn(picture: bytes) -> bytes:
    """Return what of a picture may be shown on a screen that is not its own."""
    kept, at = [], 0
    while at < len(picture):
        escape = picture.find(b"\x1b", at)
        text = picture[at:] if escape < 0 else picture[at:escape]
        kept.append(bytes(byte for byte in text if byte >= 0x20 or byte in PLAIN))
        if escape < 0:
            break
        end = _end_of(picture, escape)
        kept.append(_harmless(picture[escape + 1 : end]))
        at = end
    return b"".join(kept)


def _harmless(sequence: bytes) -> bytes:
    """Return a sequence, without its escape, as it may be written: perhaps not at all."""
    if sequence in (b"7", b"8"):
        return b"\x1b" + sequence
    if sequence[:1] != b"[" or len(sequence) < 2:
        return b""
    if sequence[1:] in ALTERNATE:
        return ANEW  # what is below is not seen
    has_marks = any(byte not in b"0123456789;:" for byte in sequence[1:-1])
    return b"" if has_marks or sequence[-1] not in DRAWING else b"\x1b" + sequence


def _end_of(data: bytes, escape: int) -> int:
    """Return where the sequence ends that begins there; the end of all if it has none."""
    at = escape + 1
    if data[at : at + 1] == b"[":
        at += 1
        while at < len(data) and not 0x40 <= data[at] <= 0x7E:
            at += 1
    elif at < len(data) and data[at] in STRINGS:
        ends = [
            e + n for e, n in ((data.find(b"\x07", at), 0), (data.find(b"\x1b\\", at), 1)) if e >= 0
        ]
        at = min(ends, default=len(data))
    else:
        while at < len(data) and 0x20 <= data[at] <= 0x2F:
            at += 1
    return min(at + 1, len(data))
