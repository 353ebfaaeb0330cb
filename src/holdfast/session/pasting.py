"""Text that is sent to a program at one go: in paste marks if the program asked for them.

Programs that edit text ask for the marks (mode 2004), to tell what is pasted from what is
typed. Whether one did is read from what it printed; the Enter that follows is a unit of its
own, because a program takes one that comes with the text for a line break within it.
"""

import re
from typing import NamedTuple

BEGIN, END = b"\x1b[200~", b"\x1b[201~"
ENTER = b"\r"
PASTE_MODE = b"2004"
LONGEST = 64  # bytes of one sequence that the end of a read may cut; a longer one is no switch

# A private mode switched on or off, or a full reset, which switches all of them off.
_SWITCH = re.compile(rb"\x1b(?:\[\?([0-9;]{0,60})([hl])|c)")
_CONTROL = re.compile(rb"[^\t\n\r -\x7e\x80-\xff]")
_BEGUN = re.compile(rb"\x1b(?:\[(?:\?[0-9;]{0,60})?)?\Z")


class PasteMode:
    """Watch output go by, however it is cut; know whether the program wants paste marks."""

    def __init__(self, *, is_on: bool = False) -> None:
        self.is_on = is_on
        self._cut = b""

    def feed(self, data: bytes) -> None:
        """Learn from what was printed next."""
        data = self._cut + data
        switched = last_switch(data)
        if switched is not None:
            self.is_on = switched
        begun = _BEGUN.search(data, max(0, len(data) - LONGEST))
        self._cut = begun[0] if begun else b""


def last_switch(data: bytes) -> bool | None:
    """Return whether the last switch in *data* was on or off, None when there is none."""
    is_on = None
    for found in _SWITCH.finditer(data):
        modes, switch = found.groups()
        if modes is None:
            is_on = False
        elif PASTE_MODE in modes.split(b";"):
            is_on = switch == b"h"
    return is_on


class Sending(NamedTuple):
    """What is written in one piece, and what once the program has taken that in."""

    text: bytes
    enter: bytes


def sending(text: str, *, enter: bool, is_pasted: bool) -> Sending:
    """Return the bytes that stand for *text*, with Enter after it or without.

    A text cannot end its own paste: marks within it are made harmless, or what follows
    them would be typed as commands.
    """
    data = text.encode(errors="surrogateescape")
    if is_pasted and data:
        data = BEGIN + _without_marks(data) + END
    return Sending(data, ENTER if enter else b"")


def is_keys(data: bytes) -> bool:
    """Whether *data* is what keys send (Ctrl-C, an arrow): in paste marks it would be text."""
    return bool(_CONTROL.match(data))


def _without_marks(data: bytes) -> bytes:
    # Their escape is written as terminals show it. Taken out, it would leave a mark behind
    # whose halves stood on both sides.
    return data.replace(BEGIN, b"^[" + BEGIN[1:]).replace(END, b"^[" + END[1:])
