"""What the title of the local terminal is, and how something is said in it. Pure.

The title is the one place where a word destroys no program's picture. The program's own is
kept in mind and comes back; the user's comes back at the end, where terminals can do that.
"""

import re

PUSH, POP = b"\x1b[22;2t", b"\x1b[23;2t"
LONGEST = 200  # characters of what is said; a title bar shows fewer
_TITLE = re.compile(rb"\x1b\][02];([^\x07\x18\x1a\x1b]*)(?:\x07|\x1b\\)")
_STACK = re.compile(rb"\x1b\[(2[23])(?:;[02])?(?:;[0-9]*)?t")


class Titles:
    """Watches output; `say` and `restore` return what is to be written."""

    def __init__(self, name: str) -> None:
        self.is_pushed = False
        """The user's title is on the terminal's stack."""
        self._name = name.encode()
        self._of_program: bytes | None = None
        self._above = 0  # titles of the program's on the stack, above the user's

    def feed(self, data: bytes) -> bytes:
        """Learn the program's title; return what to write before this output."""
        first = self._stacked(data) if self.is_pushed and b"\x1b[2" in data else b""
        titles = _TITLE.findall(data) if b"\x1b]" in data else []
        if titles:
            self._of_program = titles[-1]
        return self.push() if titles and not self.is_pushed else first

    def _stacked(self, data: bytes) -> bytes:
        """Follow what the program does with the stack; return what saves the user's title.

        One that has put its own there before somebody came back takes it away when it ends.
        """
        missing = 0
        for which in _STACK.findall(data):
            self._above += 1 if which == b"22" else -1
            if self._above < 0:
                self._above, missing = 0, missing + 1
        return PUSH * missing

    def push(self) -> bytes:
        """Return what keeps the user's title, once."""
        if self.is_pushed:
            return b""
        self.is_pushed, self._above = True, 0
        return PUSH

    def say(self, text: str) -> bytes:
        """Return what shows *text* in the title."""
        shown = "".join(each for each in text if each.isprintable())[:LONGEST]
        return self.push() + b"\x1b]2;" + shown.encode(errors="replace") + b"\x07"

    def restore(self) -> bytes:
        """Return what shows the program's title again, or says whose terminal this is."""
        known = self._of_program if self._of_program is not None else self._name
        return b"\x1b]2;" + known + b"\x07"

    def undo(self) -> bytes:
        """Return what brings the user's title back."""
        return POP * (1 + self._above) if self.is_pushed else b""
