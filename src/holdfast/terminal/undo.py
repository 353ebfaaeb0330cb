"""What would bring a terminal back to ordinary, kept up to date while output goes by. Pure.

`Modes` knows; this keeps it from output in which there is nothing to be known: in a flood of
colours it would look at every one of them.
"""

import re

from holdfast.terminal.modes import LONGEST, Modes

_SIGNS = (b"\x1b[?", b"\x1b[>", b"\x1b[<", b"\x1b[=", b"\x1bc")
_UNFINISHED = re.compile(rb"\x1b(?:\[[?>=<]?[0-9;]*)?\Z")
_ALTERNATE = re.compile(rb"\x1b\[\?(?:1049|1047|47)l")


class Undo:
    """Watches output; `sequence` is what to write at the end."""

    def __init__(self) -> None:
        self.sequence = b""
        self._modes = Modes()
        self._cut = b""

    @property
    def is_full_screen(self) -> bool:
        """Whether the program has the alternate screen."""
        return _ALTERNATE.search(self.sequence) is not None

    def feed(self, data: bytes) -> bool:
        """Learn from output, however it is cut; return whether `sequence` has changed."""
        if self._cut:
            data = self._cut + data
        elif b"\x1b" not in data:
            return False
        escape = data.rfind(b"\x1b", max(0, len(data) - LONGEST))
        is_cut = escape >= 0 and _UNFINISHED.match(data, escape) is not None
        self._cut = data[escape:] if is_cut else b""
        # Their last characters first: looking for one character costs next to nothing.
        if not any(sign[-1:] in data and sign in data for sign in _SIGNS):
            return False
        self._modes.feed(data)
        before, self.sequence = self.sequence, self._modes.undo()
        return self.sequence != before
