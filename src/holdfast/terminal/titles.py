"""What the title of the local terminal is, and how something is said in it. Pure.

The title is the one place where a word destroys no program's picture. The program's own is
kept in mind and comes back; the user's comes back at the end, where terminals can do that.
"""

import re

PUSH, POP = b"\x1b[22;2t", b"\x1b[23;2t"
LONGEST = 200  # characters of what is said; a title bar shows fewer
_TITLE = re.compile(rb"\x1b\][02];([^\x07\x18\x1a\x1b]*)(?:\x07|\x1b\\)")


class Titles:
    """Watches output; `say` and `restore` return what is to be written."""

    def __init__(self, name: str) -> None:
        self.is_pushed = False
        """The user's title is on the terminal's stack."""
        self._name = name.encode()
        self._of_program: bytes | None = None

    def feed(self, data: bytes) -> bool:
        """Learn the program's title; return whether this output sets one."""
        if b"\x1b]" not in data:
            return False
        titles = _TITLE.findall(data)
        if titles:
            self._of_program = titles[-1]
        return bool(titles)

    def push(self) -> bytes:
        """Return what keeps the user's title, once."""
        if self.is_pushed:
            return b""
        self.is_pushed = True
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
        return POP if self.is_pushed else b""
