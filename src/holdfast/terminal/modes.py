"""Which modes a program has switched on in the terminal, and how to undo them. Pure.

Whoever leaves a program in the middle must give the terminal back as it was: on the
main screen, without mouse reports, with ordinary keys.
"""

import re

# Modes that make a terminal unusable for the shell that comes after, in the order in which
# they are to be undone: first the screen, then the rest.
UNDONE = (1049, 1047, 47, 1, 5, 6, 9, 45, 66, 67, 69, 1000, 1001, 1002, 1003, 1004, 1005, 1006,
          1015, 1016, 1039, 1045, 2004, 2026, 2031, 2048)  # fmt: skip
ALTERNATE = frozenset((1049, 1047, 47))
APPLICATION_KEYS = 1
ON_BY_DEFAULT = (25, 7)  # cursor, wrapping
LONGEST = 64  # bytes of one sequence that is cut in two by the end of a read

_MODE = re.compile(
    rb"\x1b\[\?([0-9;]{1,60})([hl])|\x1b(c)|\x1b\[([>=<])([0-9;]*)u|\x1b\[>4;?([0-9]*)m"
)


class Modes:
    """Watch output go by; know what to write at the end."""

    def __init__(self) -> None:
        self._set: set[int] = set()
        self._kitty = False
        self._other_keys = False
        self._cut = b""

    def feed(self, data: bytes) -> None:
        """Learn from output, however it is cut."""
        data = self._cut + data
        end = 0
        for found in _MODE.finditer(data):
            self._learn(found)
            end = found.end()
        escape = data.rfind(b"\x1b", max(end, len(data) - LONGEST))
        self._cut = data[escape:] if escape >= 0 else b""

    @property
    def has_application_keys(self) -> bool:
        """Whether cursor keys are to be sent as SS3."""
        return APPLICATION_KEYS in self._set

    def undo(self) -> bytes:
        """Return what brings the terminal back to ordinary; empty when it is."""
        kitty = b"\x1b[<99u" if self._kitty else b""
        sequences = [kitty, b"\x1b[>4m" if self._other_keys else b""]
        sequences += [b"\x1b[?%dl" % mode for mode in UNDONE if mode in self._set]
        # Each screen has keyboard flags of its own, and what is below may have set some, too.
        sequences.append(kitty if self._set & ALTERNATE else b"")
        sequences += [b"\x1b[?%dh" % mode for mode in ON_BY_DEFAULT if mode in self._set]
        return b"".join(sequences)

    def _learn(self, found: re.Match[bytes]) -> None:
        modes, switch, reset, kitty, flags, other = found.groups()
        if modes:
            for number in (int(text) for text in modes.split(b";") if text):
                # For both kinds the set holds what differs from an ordinary terminal.
                if (switch == b"h") is not (number in ON_BY_DEFAULT):
                    self._set.add(number)
                else:
                    self._set.discard(number)
        elif reset:
            self._set.clear()
            self._kitty = self._other_keys = False
        elif kitty:
            # Pushed or popped: popping too many is harmless. But set to nothing is off.
            self._kitty = not (kitty == b"=" and flags.partition(b";")[0] in (b"", b"0"))
        else:
            self._other_keys = bool(other) and other != b"0"
