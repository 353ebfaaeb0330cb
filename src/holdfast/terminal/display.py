"""The local terminal as a place to show things: the program's output, and a word of ours.

What is shown is watched, so that the terminal can be given back whatever happens: `undo` is
told to a guardian before it is needed. A word of ours goes into the title, never into a picture.
"""

import os
import re
import time
from collections.abc import Callable
from typing import NamedTuple

from holdfast.terminal.ground import Ground
from holdfast.terminal.outer import BELOW, scrolled_away, write_all
from holdfast.terminal.titles import PUSH, Titles
from holdfast.terminal.traces import Traces
from holdfast.terminal.undo import Undo

# What a program that is left in the middle may have set beside its modes: margins (they move the
# cursor), inserting, colours, line drawing, the keypad. None of it can be seen where it is unset.
LEFT = b"\x1b7\x1b[r\x1b8\x1b[4l\x1b[m\x1b(B\x0f\x1b>"
# Signs of any of it, in what a program that ended has left behind.
_LEAVES = re.compile(rb"\x1b(?:=|\[[0-9]*(?:;[0-9]*)?r|\[4h|\(0)|\x0e")
CURSOR_SHAPE, USUAL_SHAPE = b" q", b"\x1b[0 q"
BELL = b"\x07"
CANCEL = b"\x18"  # ends whatever sequence it comes in, and is nothing between two
SAID_FOR = 4.0  # seconds a word stays in the title that is soon of no use
ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
CLEARED = b"\x1b[m\x1b[r\x1b[H\x1b[2J"
WRAP = b"\x1b[?7h"
# Some terminals keep what `2J` clears, above; of a first look nothing is to be kept.
PAINTED_OVER = b"\x1b[m\x1b[r\x1b[H\x1b[J"
NO_TITLE = ("", "dumb", "linux", "vt100", "vt220", "cons25")


class Place(NamedTuple):
    """Where to write, and what kind of thing that is."""

    fd: int
    is_terminal: bool
    has_title: bool
    note_undo: Callable[[bytes], None] = lambda _: None
    """Is told what would bring the terminal back to ordinary, before that is needed."""


class Display:
    """Shows output; says things."""

    def __init__(self, place: Place, name: str, *, is_painted: bool = False) -> None:
        self._place = place
        self._undo = Undo()
        self._ground = Ground()
        self._titles = Titles(name)
        self.traces = Traces()
        self._is_noted = False
        self._has_shape = self._leaves_much = False
        self._is_painted = is_painted  # with a first look, until there is something better
        self._waiting = b""  # of ours, until the program's output is between two sequences
        self._restore_at: float | None = None
        self._help: list[str] | None = None

    # -- the program's output

    @property
    def encodes_keys(self) -> bool:
        """Whether the program has asked for keys in another encoding."""
        return b"\x1b[<99u" in self._undo.sequence or b"\x1b[>4m" in self._undo.sequence

    @property
    def is_full_screen(self) -> bool:
        return self._undo.is_full_screen

    def show(self, data: bytes) -> None:
        """Write the program's output."""
        if not self._place.is_terminal:
            self._write(data)
            return
        if self._is_painted:
            self._is_painted, data = False, PAINTED_OVER + data
        before = self._undo.sequence
        whole = self._ground.tail + data
        is_changed = self._undo.feed(data) | self.traces.feed(whole) | (not self._is_noted)
        self._is_noted = True
        self._has_shape = self._has_shape or CURSOR_SHAPE in data
        self._leaves_much = self._leaves_much or _LEAVES.search(data) is not None
        first = self._titles.feed(whole) if self._place.has_title else b""
        if first and self._ground.is_reached:
            self._write(first)
        if is_changed:
            # Who is killed in between has perhaps shown it, and perhaps not.
            self._note_undo(before)
        self._ground.feed(data)
        self._write(data)
        if is_changed:
            self._note_undo()
        if self._waiting or self._help is not None:
            self._write_waiting()

    def picture(self, data: bytes, *, is_first: bool) -> None:
        """Show the session as it is: on a screen from which what was there has scrolled away.

        A picture is for a fresh terminal: its first line has to be the first of the screen.
        """
        if self._place.is_terminal:
            # What was begun is over: a picture begins at the beginning.
            undo = b"" if is_first else CANCEL * bool(self._ground.tail) + self._undo.sequence
            was_full = self.is_full_screen
            if not self._is_painted:
                undo += CLEARED if was_full else scrolled_away(_size(self._place.fd)[1])
            # In one piece: between the two, nothing would be seen.
            data = undo + data
        self.show(data)

    def begin_part(self) -> None:
        """Only a part of the session is shown from now on, on a screen apart."""
        self.show(ENTER)

    def end_part(self) -> None:
        self.show(WRAP + LEAVE)

    # -- a word of ours

    def say(self, text: str, *, stays: bool = False, bell: bool = False) -> None:
        """Say it in the title, for a while or until something else is said."""
        if not self._place.is_terminal:
            return
        ring = BELL if bell else b""
        if self._place.has_title:
            # What nobody has seen yet is replaced, but the user's title has to be kept first.
            kept = PUSH if self._waiting.startswith(PUSH) else b""
            self._waiting = kept + self._titles.say(text) + ring
            self._note_undo()
        elif self.is_full_screen or self._help is not None:
            self._waiting = BELL
        else:
            self._waiting = b"\r\n" + text.encode(errors="replace") + b"\r\n" + ring
        can_restore = self._place.has_title and not stays
        self._restore_at = time.monotonic() + SAID_FOR if can_restore else None
        self._write_waiting()

    def unsay(self) -> None:
        """What was said is over."""
        if self._place.has_title and self._titles.is_pushed:
            self._restore_at = None
            self._waiting = self._titles.restore()
            self._write_waiting()

    def deadline(self) -> float | None:
        """Return when to call `expire`."""
        return self._restore_at

    def expire(self, now: float) -> None:
        if self._restore_at is not None and now >= self._restore_at:
            self.unsay()

    # -- the keys, explained

    @property
    def is_covered(self) -> bool:
        """Something of ours is on the screen: output has to wait."""
        return self._help is not None

    def cover(self, lines: list[str]) -> None:
        """Show these lines instead of the program's picture, until `uncover`."""
        if self._place.is_terminal:
            self._help = lines
            self._write_waiting()

    def uncover(self) -> bool:
        """Show the program again; return whether only a new picture can."""
        was_shown = self._help == []
        self._help = None
        if not was_shown:
            return False
        if self.is_full_screen:
            return True
        self._write(LEAVE)
        self._note_undo()
        return False

    # -- the end

    def leave(self, *, in_the_middle: bool) -> None:
        """Bring the terminal back to ordinary; a program that was left has more to undo."""
        if not self._place.is_terminal:
            return
        is_over = self._help == []
        self._help = None
        cut = CANCEL if self._ground.tail else b""
        undo = self._undo.sequence + self.traces.undo() + self._titles.undo()
        if in_the_middle:
            undo = self._left() + b"\r\n"  # the prompt of a shell in there is not ours
        elif self._leaves_much or self._has_shape:
            undo = self._left()
        if self._is_painted:
            undo = BELOW + undo
        try:
            # The modes first: whoever reads this as a person does sees what was switched off.
            self._write(cut + (LEAVE if is_over and not self.is_full_screen else b"") + undo)
        except OSError:
            pass  # the terminal is gone

    def ask(self, questions: bytes) -> None:
        """Ask the terminal something, before anything is shown."""
        self._write(questions)

    def lend(self) -> None:
        """Give the terminal to somebody else for a while."""
        self.leave(in_the_middle=True)

    def taken_again(self) -> None:
        """It is ours again; what it shows now is the shell's."""
        self._undo, self._ground = Undo(), Ground()
        profile, self.traces = self.traces.profile, Traces()
        self.traces.profile = profile
        self._titles.is_pushed = self._is_painted = False

    def _left(self) -> bytes:
        shape = USUAL_SHAPE if self._has_shape else b""
        ours = self.traces.undo() + self._titles.undo()
        return self._undo.sequence + LEFT + shape + ours

    def _note_undo(self, before: bytes = b"") -> None:
        """Say what is to be written when we are killed, perhaps in the midst of a sequence."""
        self._place.note_undo(CANCEL + before + self._left())

    # -- writing

    def _write_waiting(self) -> None:
        """Write what is of ours, where that is possible by now."""
        if not self._ground.is_reached:
            return
        waiting, self._waiting = self._waiting, b""
        self._write(waiting)
        if self._help:
            self._write_help(self._help)
            self._help = []

    def _write_help(self, lines: list[str]) -> None:
        if not self.is_full_screen:
            self._note_undo(LEAVE)
            self._write(ENTER)
        cols, _ = _size(self._place.fd)
        text = "\r\n".join(line[: cols - 1] for line in lines)
        self._write(b"\x1b[m\x1b[H\x1b[2J" + text.encode(errors="replace"))

    def _write(self, data: bytes) -> None:
        write_all(self._place.fd, data)


def _size(fd: int) -> tuple[int, int]:
    try:
        cols, rows = os.get_terminal_size(fd)
    except OSError:
        return 80, 24
    return cols or 80, rows or 24
