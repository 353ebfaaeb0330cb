"""What a program leaves behind in a terminal that is no mode: a link, a pointer, colours. Pure.

A link that nobody has closed makes one of all that follows. Colours are set back to what the
terminal has said of itself; where it has said nothing they are left alone, for a reset would
also drop what the user's own shell has set.
"""

import re

from holdfast.protocol.messages import Profile

Color = tuple[int, int, int]
LINK, POINTER, PROGRESS, PALETTE = b"8", b"22", b"9;4", b"4"
ENDS = {LINK: b"\x1b]8;;\x1b\\", POINTER: b"\x1b]22;\x1b\\", PROGRESS: b"\x1b]9;4;0\x1b\\"}
_SET = re.compile(
    rb"\x1b\](?:(?P<link>8);[^;\x07\x1b]*;(?P<to>[^\x07\x1b]?)"
    rb"|(?P<other>22|9;4);(?P<is>[^\x07\x1b]?)"
    rb"|(?P<color>1[0-2]|4;[0-9]{1,3});[^?\x07\x1b])"
)


class Traces:
    """Watches output; `undo` is what to write at the end."""

    def __init__(self) -> None:
        self.profile: Profile | None = None
        """What the terminal was before, once it has said that."""
        self._open: set[bytes] = set()
        self._colors: set[bytes] = set()

    def feed(self, data: bytes) -> bool:
        """Learn from output in which no sequence is cut; return whether `undo` may have changed."""
        if b"\x1b]" not in data:
            return False
        before = (len(self._open), len(self._colors))
        for found in _SET.finditer(data):
            if found["color"]:
                self._colors.add(found["color"])
                continue
            kind, value = found["link"] or found["other"], found["to"] or found["is"]
            is_off = not value or (kind == PROGRESS and value == b"0")
            (self._open.discard if is_off else self._open.add)(kind)
        return before != (len(self._open), len(self._colors))

    def undo(self) -> bytes:
        """Return what takes them away."""
        colors = ((which, self._known(which)) for which in sorted(self._colors))
        return b"".join(ENDS[kind] for kind in sorted(self._open)) + b"".join(
            b"\x1b]%s;rgb:%02x/%02x/%02x\x1b\\" % (which, *color)
            for which, color in colors
            if color
        )

    def _known(self, which: bytes) -> Color | None:
        if self.profile is None:
            return None
        if which.startswith(b"4;"):
            return self.profile.palette.get(int(which[2:]))
        known = self.profile.foreground, self.profile.background, self.profile.cursor
        return known[int(which) - 10]
