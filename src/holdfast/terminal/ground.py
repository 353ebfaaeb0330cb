"""Where something of ours may be written into a program's output. Pure.

Not in the midst of a sequence, of a string that sets a title, or of a character: a terminal
would take it for a part of those.
"""

import re

LONGEST = 4096  # bytes that are kept of something unfinished; only strings are longer
STRINGS = b"]P_^X"

_WHOLE = re.compile(
    rb"\x1b(?:\[[^\x18\x1a\x40-\x7e]*[\x18\x1a\x40-\x7e]"
    rb"|\][^\x07\x18\x1a]*[\x07\x18\x1a]"
    rb"|[P_^X][^\x18\x1a]*[\x18\x1a]"
    rb"|[\x20-\x2f]*[\x30-\x4f\x51-\x57\x59\x5a\x5c\x60-\x7e\x18\x1a])"
)
_CUT_CHARACTER = re.compile(
    rb"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})\Z"
)


class Ground:
    """Watches output go by; `tail` is what is not finished yet."""

    def __init__(self) -> None:
        self.tail = b""

    @property
    def is_reached(self) -> bool:
        """Whether everything is finished."""
        return not self.tail

    def feed(self, data: bytes) -> None:
        """Learn from output, however it is cut."""
        data = self.tail + data
        escape = data.rfind(b"\x1b")
        if escape >= 0 and _WHOLE.match(data, escape) is None:
            self.tail = data[escape:]
            if len(self.tail) > LONGEST:
                self.tail = self.tail[:2] if self.tail[1] in STRINGS else b""
            return
        cut = _CUT_CHARACTER.search(data, max(0, len(data) - 3))
        self.tail = cut[0] if cut is not None else b""
