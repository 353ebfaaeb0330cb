"""Ask the local terminal what it is, and keep its answers out of what is typed. Pure.

Nobody waits: the questions are written before anything else, keys go through meanwhile. Each
answer is taken out once and wherever it comes, until the fence - the last question, which
every terminal answers - or until it is clear that this one answers nothing.
"""

import re
from typing import Any

from holdfast.protocol.messages import Profile

COLORS = {b"10": "foreground", b"11": "background", b"12": "cursor"}
PALETTE = range(16)  # those that people choose; the others are the same nearly everywhere

QUESTIONS = (
    b"".join(b"\x1b]%s;?\x1b\\" % number for number in COLORS)
    + b"".join(b"\x1b]4;%d;?\x1b\\" % index for index in PALETTE)
    + b"\x1b[>c"
    + b"\x1b[>q"
    + b"\x1b[c"  # the fence
)
WITHIN = 10.0  # seconds; a line slower than that is none to type on
# Seconds for the rest of what a key may have begun, as Escape does: nobody notices them, and a
# line that has cut an answer there brings the rest at once.
KEY_WITHIN = 0.25
MAY_BE_KEYS = (b"\x1b", b"\x1b]", b"\x1bP", b"\x1b[")
# Seconds after which nobody waits for answers before leaving: what comes later the shell takes
# for keys, and a terminal that never answers holds up a short visit so long.
LEAVE_WITHIN = 0.5
LONGEST = 200  # bytes of one answer

_COLOR = rb"rgba?:([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})(?:/[0-9a-fA-F]{1,4})?"
_ANSWER = re.compile(
    rb"\x1b\](?P<which>1[012]|4;[0-9]{1,3});" + _COLOR + rb"(?:\x07|\x1b\\)"
    rb"|\x1b\[>(?P<device>[0-9;]*)c"
    rb"|\x1bP>\|(?P<version>[ -~]*)\x1b\\"
    rb"|\x1b\[\?(?P<attributes>[0-9;]*)c"
)
# What may become one of them: it is held back for the rest.
_BEGINNING = re.compile(
    rb"\x1b(?:\](?:1|4|(?:1[012]|4;[0-9]{0,3})(?:;[rgba:0-9a-fA-F/]*\x1b?)?)?"
    rb"|\[(?:[>?][0-9;]*)?"
    rb"|P(?:>(?:\|[ -~]*\x1b?)?)?)?\Z"
)


class Asking:
    """What is read from a terminal that was asked in, what was typed out."""

    def __init__(self, now: float) -> None:
        self.is_over = False
        """Nothing is taken out any more."""
        self.profile: Profile | None = None
        """What it has said, once it is over and it has said something."""
        self.leave_at = now + LEAVE_WITHIN
        """When to leave although answers may be on their way."""
        self._until = now + WITHIN
        self._held = b""
        self._held_since = now
        self._heard: set[bytes] = set()  # which question was answered
        self._known: dict[str, Any] = {"palette": {}}

    def feed(self, data: bytes, now: float) -> bytes:
        """Return what was typed, as far as that is clear by now."""
        if not data or now >= self._until:
            return self.expire(now) + data
        data, self._held, typed = self._held + data, b"", b""
        while not self.is_over and (found := _ANSWER.search(data)) is not None:
            typed += data[: found.start()]
            if not self._takes(found):
                typed += found[0]
            data = data[found.end() :]
        cut = None if self.is_over else _BEGINNING.search(data)
        if cut is not None and len(cut[0]) <= LONGEST:
            data, self._held, self._held_since = data[: cut.start()], cut[0], now
        return typed + data

    def deadline(self) -> float | None:
        """Return when `expire` must be called; None when nothing is held back."""
        if not self._held:
            return None
        may_be_key = self._held in MAY_BE_KEYS
        return min(self._until, self._held_since + KEY_WITHIN) if may_be_key else self._until

    def expire(self, now: float) -> bytes:
        """Return what was held back and is no answer."""
        deadline, held = self.deadline(), b""
        if deadline is not None and now >= deadline:
            held, self._held = self._held, b""
        if now >= self._until:
            self._end()
        return held

    def _takes(self, found: re.Match[bytes]) -> bool:
        """Whether this is the answer to a question of ours: to each there is one."""
        question = found["which"] or (found.lastgroup or "").encode()
        if question in self._heard:
            return False
        self._heard.add(question)
        if found["which"] is not None:
            self._note_color(found["which"], (found[2], found[3], found[4]))
        elif found["version"] is not None:
            self._known["version"] = found["version"].decode()[:100]
        elif found["device"] is not None:
            self._note_device(_numbers(found["device"]))
        else:
            self._known["attributes"] = _numbers(found["attributes"])[:32]
            self._end()
        return True

    def _note_color(self, which: bytes, parts: tuple[bytes, ...]) -> None:
        red, green, blue = (int(part, 16) * 255 // (16 ** len(part) - 1) for part in parts)
        if name := COLORS.get(which):
            self._known[name] = (red, green, blue)
        elif (index := int(which[2:])) < 256:
            self._known["palette"][index] = (red, green, blue)

    def _note_device(self, numbers: tuple[int, ...]) -> None:
        if len(numbers) == 3:
            self._known["device"] = numbers

    def _end(self) -> None:
        self.is_over = True
        if self._heard and self.profile is None:
            self.profile = Profile(**self._known)


def _numbers(text: bytes) -> tuple[int, ...]:
    """Return the numbers of a report; one that is left out is 0, one too large is the largest."""
    return tuple(min(int(part or b"0"), 0xFFFF) for part in text.split(b";"))
