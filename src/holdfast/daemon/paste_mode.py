"""Whether a session's program wants paste marks, as far as what it printed tells.

Read backwards from the end of the log: shells switch at every prompt, full-screen programs once
at their start, so most answers are near the end and the others far away. Once there is a reader
it will know without looking.
"""

import asyncio
from typing import NamedTuple

from holdfast.daemon.printed import Printed
from holdfast.errors import HoldfastError
from holdfast.session.pasting import LONGEST, last_switch

STEP = 128 << 10  # bytes in one turn of the loop: 0.2 ms, in which a key waits
LOOK_BACK = 64 << 20  # bytes; a program that switched before has printed for days
PATIENCE = 0.2  # seconds; whoever pressed a button waits for this


class Mode(NamedTuple):
    """What is known of the mode, and whether all that was printed was considered."""

    is_on: bool | None
    is_caught_up: bool


class PasteModeSeen:
    """The last switch in one session's log; what was read is not read again."""

    def __init__(self, loop: asyncio.AbstractEventLoop, printed: Printed) -> None:
        self._loop = loop
        self._printed = printed
        self._is_on: bool | None = None
        self._upto = 0  # `_is_on` is what holds there

    async def look(self) -> Mode:
        """Return the mode at the end of the log, or the last that is known."""
        give_up = self._loop.time() + PATIENCE
        end = at = self._printed.log.end
        while at > self._upto and end - at < LOOK_BACK:
            if self._loop.time() > give_up:
                return Mode(self._is_on, is_caught_up=False)
            start = max(self._upto, at - STEP)
            try:
                # A switch may lie across the border to what was read before.
                data = self._read(start, min(at + LONGEST, end))
            except (HoldfastError, OSError):
                break  # it is no longer kept
            switched = last_switch(data)
            if switched is not None:
                return self._found(switched, end)
            at = start
            await asyncio.sleep(0)
        if at > self._upto:
            return Mode(self._is_on, is_caught_up=False)
        # From there on it was as it is; and at the beginning of all no program wants them.
        return self._found(bool(self._is_on) if at == 0 else self._is_on, end)

    def _read(self, start: int, end: int) -> bytes:
        data = b""
        while start + len(data) < end:  # a segment that was begun just now ends a read early
            data += self._printed.reader.read(start + len(data), end - start - len(data))
        return data

    def _found(self, is_on: bool | None, end: int) -> Mode:
        # The end of the log may cut a switch in two: its beginning is looked at again.
        self._is_on, self._upto = is_on, max(self._upto, end - LONGEST)
        return Mode(is_on, is_caught_up=True)
