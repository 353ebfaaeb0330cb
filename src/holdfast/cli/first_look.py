"""The first look of `hold attach`: the session's screen, while the rest is still being imported.

It is drawn where the session itself will be, and what comes next is painted over it. The terminal
is ours from here on: nothing is echoed, what is typed waits for the session, and a guardian gives
it back whatever happens. Only text, colours and the cursor are drawn; a picture has modes as
well, and those come with the real thing.
"""

import os
import sys

from holdfast.client.quick import Quick, Unusual
from holdfast.terminal.outer import BELOW, Outer, scrolled_away, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

PATIENCE = 0.2  # seconds; whoever waits longer sees the real thing as soon
PAGE = 500  # sessions; the daemon gives no more at a time
PICTURES = ("exact", "partial")  # fidelities; the others are raw output
ANEW = b"\x1b[m\x1b[H\x1b[J"
ALTERNATE = (b"?1049h", b"?1047h", b"?47h")
DRAWING = b"mHABCDGdJKXPb@"  # final bytes of the sequences that draw, colour, and move the cursor
PLAIN = b"\r\n\b\t"
STRINGS = b"]P_^X"


class FirstLook:
    """The terminal with a picture on it, until it is taken or over."""

    def __init__(self) -> None:
        self._outer: Outer | None = None

    def show(self, words: "Sequence[str]", environ: "Mapping[str, str]") -> None:
        """Show the session that is to be attached to, if everything is as usual."""
        if words not in ([], ["attach"]) and not _is_one(words):
            return
        if environ.get("HOLDFAST_SESSION_ID") or environ.get("TERM", "dumb") == "dumb":
            return
        try:
            if not (sys.stdin.isatty() and sys.stdout.isatty()):
                return
            size = os.get_terminal_size(sys.stdout.fileno())
            picture = _picture(words, environ, size)
            outer = Outer(sys.stdin.fileno(), sys.stdout.fileno())
        except (Unusual, LookupError, TypeError, ValueError, OSError, AttributeError):
            return  # what is unusual is told by the real thing
        self._outer = outer
        outer.guard()
        outer.note_undo(BELOW)
        outer.take()
        _write(outer.stdout, scrolled_away(size.lines) + drawn(picture))

    def taken(self) -> Outer | None:
        """Return the terminal, guarded and raw, for whoever paints over it; None if it is not."""
        outer, self._outer = self._outer, None
        return outer

    def over(self) -> None:
        """Give the terminal back unless it was taken; calling twice is harmless."""
        if (outer := self.taken()) is not None:
            _write(outer.stdout, BELOW)
            outer.close()


def _is_one(words: "Sequence[str]") -> bool:
    is_attach = len(words) == 2 and words[0] == "attach"
    return is_attach and bool(words[1]) and not words[1].startswith("-")


def _write(fd: int, data: bytes) -> None:
    try:
        write_all(fd, data)
    except OSError:
        pass  # the terminal is gone


def _picture(words: "Sequence[str]", environ: "Mapping[str, str]", size: os.terminal_size) -> bytes:
    """Return the screen of a session that fits this terminal; otherwise raise Unusual."""
    with Quick(environ, role="stream", label="", patience=PATIENCE) as quick:
        found = _meant(quick, words)
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


def _meant(quick: Quick, words: "Sequence[str]") -> "dict[str, Any]":
    """Return the session that the real thing will choose; a wrong one would be painted over."""
    if len(words) == 2:
        return quick.call("get", {"session": words[1]})
    page = quick.call("list", {"limit": PAGE})
    sessions: list[dict[str, Any]] = page["sessions"]
    if not words:
        sessions = [each for each in sessions if not each.get("mirrored")]
    if page.get("next") or not sessions or (not words and len(sessions) > 1):
        raise Unusual
    return max(sessions, key=lambda each: each.get("last_attached") or each["created"])


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
