"""Text and Enter as one unit: pasted if the program wants that, nothing typed in between, once.

A unit has a turn in the queue of the session's input, and nothing passes a turn. When it is
reached, the text is typed, the screen gets quiet, Enter is typed, the turn is left.

That has to happen once although the daemon may die at any point of it. Input is numbered by the
client's byte offset, but which bytes stand for a text depends on whether the program wants paste
marks, and a later daemon might see that differently: halfway through the text the program may
have switched. So

* a unit takes as many numbers as its longest form, in paste marks; the shorter form has the last
  of them. Whoever sees `done` at the end of them knows that it happened, in whatever form.
* which form was chosen is noted in the page of numbers before the first byte is typed, and taken
  out at the end. A daemon that finds a note and a `done` short of its end keeps everybody else
  waiting, for a few seconds, until the client has sent the unit again; it types what is missing of
  the same bytes, lets the screen get quiet again if only Enter is missing, and goes on.

The text itself is nowhere but in the client, the pipe and the program: input is never recorded.
A client that does not come back leaves a text without its end, as one that is cut off does.
"""

import asyncio
from typing import NamedTuple

from holdfast.daemon.input_queue import Turn
from holdfast.daemon.keystrokes import Input
from holdfast.daemon.paste_mode import Mode, PasteModeSeen
from holdfast.daemon.printed import Printed
from holdfast.errors import InvalidArgument
from holdfast.protocol.messages import Send, Sent
from holdfast.session.pasting import is_keys, sending

QUIET = 0.05  # seconds without a byte, after which a program has taken in a paste
LONGEST_SETTLE = 1.0  # seconds; one that always prints (a clock, a flood) gets its Enter then
COALESCE = 0.01  # seconds; a flood would wake us at every slice

YES, NO, UNKNOWN = "yes", "no", "unknown"


class _Numbers(NamedTuple):
    """The numbers of a unit, from the offset it has in its client's input."""

    text_end: int
    end: int


class Sender:
    """Type units into one session."""

    def __init__(self, loop: asyncio.AbstractEventLoop, printed: Printed, typed: Input) -> None:
        self._loop = loop
        self._printed = printed
        self._input = typed
        self._mode = PasteModeSeen(loop, printed)
        self._under_way: dict[Turn, asyncio.Task[Sent]] = {}

    async def send(self, client_id: str, asked: Send) -> Sent:
        """Return when the terminal has all of a unit; one sent again is typed once."""
        if not asked.text and not asked.enter:
            raise InvalidArgument(argument="text", value="", problem="there is nothing to send")
        numbers = _numbers(asked)
        turn = self._input.line_up(client_id, asked.offset, numbers.end - asked.offset)
        if turn.is_over:
            return Sent(end=numbers.end)
        turn.is_held = False  # its client is here
        if turn not in self._under_way:
            # Of its own: a client that leaves must not leave a text without its Enter.
            task = self._loop.create_task(self._deliver(turn, asked, numbers))
            self._under_way[turn] = task
            task.add_done_callback(lambda done: self._over(turn, done))
        return await asyncio.shield(self._under_way[turn])

    def has_begun(self, client_id: str, asked: Send) -> bool:
        """Whether a unit is half typed: whoever owns the session by now, it is finished."""
        return self._input.has_begun(client_id, asked.offset, _numbers(asked).end)

    def _over(self, turn: Turn, task: "asyncio.Task[Sent]") -> None:
        del self._under_way[turn]
        if not task.cancelled():
            task.exception()  # retrieved: its client may have gone

    async def _deliver(self, turn: Turn, asked: Send, numbers: _Numbers) -> Sent:
        await turn.reached
        try:
            seen = Mode(is_on=False, is_caught_up=True)
            if turn.unit is None:
                if not is_keys(asked.text):
                    seen = await self._mode.look()
                self._input.begin(turn, is_pasted=bool(seen.is_on))
            assert turn.unit is not None
            is_pasted = turn.unit.is_pasted
            unit = sending(_as_text(asked.text), enter=asked.enter, is_pasted=is_pasted)
            await self._input.type(turn, numbers.text_end - len(unit.text), unit.text)
            if unit.enter:
                if unit.text and asked.settle:
                    await self._settle()
                await self._input.type(turn, numbers.text_end, unit.enter)
        finally:
            self._input.leave(turn)
        said = YES if is_pasted else UNKNOWN if seen.is_on is None else NO
        return Sent(end=numbers.end, pasted=said, caught_up=seen.is_caught_up)

    async def _settle(self) -> None:
        """Return when the screen has been quiet for a while."""
        latest = self._loop.time() + LONGEST_SETTLE
        while (left := latest - self._loop.time()) > 0:
            before = self._printed.log.end
            await self._printed.grown(min(QUIET, left))
            if self._printed.log.end == before:
                return
            await asyncio.sleep(COALESCE)


def _numbers(asked: Send) -> _Numbers:
    longest = sending(_as_text(asked.text), enter=asked.enter, is_pasted=True)
    text_end = asked.offset + len(longest.text)
    return _Numbers(text_end, text_end + len(longest.enter))


def _as_text(data: bytes) -> str:
    return data.decode(errors="surrogateescape")
