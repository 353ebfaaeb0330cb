"""One terminal in a page: what its session prints, no faster than the page takes it.

`flow.py` says what may be sent; here is what moves it. What there is no room for is not taken
from the library, which then acknowledges nothing to the daemon, which then sends nothing: a
page that does not read costs two windows.
"""

import asyncio
import time
from typing import Protocol

from holdfast.client.session import Output
from holdfast.client.view import Behind, Chunk, End, Gap, Item, Snapshot
from holdfast.errors import HoldfastError, TimedOut
from holdfast.host import calls
from holdfast.host.calls import Payload
from holdfast.host.flow import WINDOW, Flow, Frame
from holdfast.host.packets import Attach

PATIENCE = 30.0  # seconds for a daemon that is away
LOOK_AGAIN = 0.1  # seconds after which a socket that takes nothing is looked at again


class Page(Protocol):
    """Who shows it."""

    def tell(self, event: str, payload: Payload) -> None:
        """Tell it what has just happened."""

    def is_blocked(self) -> bool:
        """Whether more would only wait in the socket's queue."""

    def is_busy(self) -> bool:
        """Whether the host has no time for small messages."""


class View:
    """A cursor of this tab into one session."""

    def __init__(self, asked: Attach, output: Output, page: Page) -> None:
        self.number = asked.view
        self.session = asked.session
        self._output = output
        self._page = page
        self._loop = asyncio.get_running_loop()
        self._flow = Flow(0)
        self._rest: Item | None = None  # taken, and not to be sent yet
        self._timer: asyncio.TimerHandle | None = None
        self._is_due = self._is_over = False
        self._news = asyncio.Event()
        output.on_news = self._news.set

    async def begin(self) -> Payload:
        """Return how it goes on, once the daemon has said so; call `go_on` then."""
        try:
            async with asyncio.timeout(PATIENCE):
                while (reply := self._output.attached) is None:
                    self._news.clear()
                    self._rest = self._output.take()  # raises why there will be no answer
                    await self._news.wait()
        except TimeoutError:
            raise TimedOut(action="attaching", seconds=PATIENCE) from None
        if reply.gap is not None:
            self._next()  # it is in the answer
        if reply.outcome == "snapshot":
            self._next()
        self._flow = Flow(reply.offset, window=WINDOW)
        return calls.attached_payload(self.number, reply)

    def go_on(self) -> None:
        """Send what comes, from now on."""
        self._output.on_news = self._soon
        self._soon()

    def ack(self, offset: int) -> None:
        """The page has parsed everything before *offset*."""
        self._flow.ack(offset)
        self._soon()

    def typed(self) -> None:
        """What comes next is an echo, and somebody waits for it."""
        self._flow.type(time.monotonic())

    def stop(self) -> None:
        """Show nothing more."""
        self._is_over = True
        self._output.on_news = lambda: None
        if self._timer is not None:
            self._timer.cancel()

    async def close(self) -> None:
        """Look no longer."""
        self.stop()
        await self._output.aclose()

    # -- sending

    def _soon(self) -> None:
        # Not at once: what arrived together is sent together.
        if not self._is_due and not self._is_over:
            self._is_due = True
            self._loop.call_soon(self._send)

    def _send(self) -> None:
        self._is_due = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._is_over:
            return
        if self._page.is_blocked():
            self._timer = self._loop.call_later(LOOK_AGAIN, self._soon)
            return
        now = time.monotonic()
        self._flow.is_busy = self._page.is_busy()
        while self._fill(now):
            pass
        if (deadline := self._flow.deadline()) is not None:
            self._timer = self._loop.call_later(max(0.0, deadline - now), self._soon)

    def _fill(self, now: float) -> bool:
        """Take what there is room for, and send what is worth it; false if that is all."""
        flow = self._flow
        while flow.room and (item := self._next()) is not None:
            if not isinstance(item, Chunk):
                return self._tell(item, now)
            self._rest = self._put(item)
        self._show(flow.frames(now))
        return False

    def _put(self, chunk: Chunk) -> Chunk | None:
        """Have as much of it sent as there is room for; return the rest."""
        room = self._flow.room
        self._flow.put(chunk.data[:room])
        if len(chunk.data) <= room:
            return None
        return Chunk(chunk.offset + room, chunk.data[room:])

    def _tell(self, item: Item, now: float) -> bool:
        """Tell what is no byte, behind all bytes before it; false if those have to wait."""
        flow, number = self._flow, self.number
        self._show(flow.flush(now))
        if not flow.is_empty:
            self._rest = item
            return False
        if isinstance(item, Gap):
            flow.skip(item.end)
            self._page.tell("gap", calls.gap_payload(number, item))
        elif isinstance(item, Snapshot):
            flow.skip(item.offset)
            attached = self._output.attached
            epoch = attached.epoch if attached is not None else b""
            self._page.tell("snapshot", calls.snapshot_payload(number, item, epoch))
        elif isinstance(item, Behind):
            facts = {"view": number, "level": item.level, "bytes": item.bytes}
            self._page.tell("lag", facts)
        elif isinstance(item, End):
            self._is_over = True
            facts = {"view": number, "offset": item.offset, "reason": item.reason}
            self._page.tell("finished", facts)
            return False
        return True

    def _show(self, frames: list[Frame]) -> None:
        for frame in frames:
            self._page.tell("output", calls.output_payload(self.number, frame))

    def _next(self) -> Item | None:
        held, self._rest = self._rest, None
        if held is not None:
            return held
        try:
            return self._output.take()
        except HoldfastError as error:
            return End(self._flow.position, error.what)
