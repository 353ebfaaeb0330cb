"""What a client types into one session: taken once, in order, or handed back. Pure.

The daemon applies each offset of a client's input once, so what is in doubt after a broken
connection is offered again. But not blindly later: what was typed some seconds ago was typed
at a screen that is not there any more, and goes back to who typed it.
"""

from collections import deque
from collections.abc import Callable

from msgspec.structs import replace

from holdfast.client.calls import Result
from holdfast.client.core import Core, Heard
from holdfast.errors import HoldfastError, NotConnected
from holdfast.protocol.messages import Input, InputTaken, Message, Send, Sent

PIECE = 32 << 10  # bytes of one request: a pasted megabyte must not hold up the output
STALE = 3.0  # seconds


class HandedBack(NotConnected):
    """The connection was away for too long: this was not typed, and is given back."""

    def __init__(self, data: bytes) -> None:
        super().__init__(reason=f"{len(data)} bytes were typed at a screen that is gone")
        self.data = data
        self.said(self.what, "look at the session, and type it again if it still fits")


class Written:
    """Something that was typed; `done` is called once, when it was taken or has failed."""

    def __init__(self, data: bytes, unit: Send | None, takeover: bool, now: float) -> None:
        self.left = data
        self.unit = unit
        self.takeover = takeover
        self.typed_at = now
        self.result: Sent | InputTaken | HoldfastError | None = None
        self.done: Callable[[], None] = lambda: None

    def settle(self, result: Sent | InputTaken | HoldfastError) -> None:
        if self.result is None:
            self.result = result
            self.done()


class Typing:
    """A queue whose front is an offset in this client's input of one session."""

    def __init__(self, core: Core, session: str, clock: Callable[[], float]) -> None:
        self._core = core
        self._clock = clock
        self.session = session
        self._taken = 0  # everything before it has reached the program
        self._waiting: deque[Written] = deque()
        self._is_under_way = False  # a request is
        self._is_in_doubt = False  # whether the first of them may have been typed
        # Whether `_taken` is what the daemon has: asked once on each connection. A client id
        # may be older than this object, and what is typed below its offset is typed already.
        self._is_known = False

    def __len__(self) -> int:
        return len(self._waiting)

    def add(
        self, data: bytes = b"", unit: Send | None = None, *, takeover: bool = False
    ) -> Written:
        """Type something, as soon as everything before it is taken."""
        written = Written(data, unit, takeover, self._clock())
        self._waiting.append(written)
        self._go_on()
        return written

    # -- for the core

    def begin(self) -> None:
        self._go_on()

    def hear(self, heard: Heard) -> None:
        pass

    def lost(self, _error: HoldfastError) -> None:
        self._is_under_way, self._is_known = False, False

    def over(self, error: HoldfastError) -> None:
        self.lost(error)
        self._is_in_doubt = False
        self._fail(error)

    # -- one request at a time

    def _go_on(self) -> None:
        if self._waiting and not self._is_under_way and self._core.is_online:
            self._is_under_way = True
            self._core.ask(self._next(), self._answered)

    def _next(self) -> Message:
        first = self._waiting[0]
        if not self._is_known:
            # How much has arrived, of what was under way on a connection that broke?
            return Input(session=self.session, offset=0, data=b"", takeover=first.takeover)
        self._is_in_doubt = True
        if first.unit is not None:
            return replace(first.unit, offset=self._taken)
        data = first.left[:PIECE]
        return Input(session=self.session, offset=self._taken, data=data, takeover=first.takeover)

    def _answered(self, result: Result) -> None:
        if isinstance(result, NotConnected):
            return  # `lost` or `over` is told, too
        self._is_under_way = False
        if not self._is_known and isinstance(result, InputTaken):
            self._resume(result.end, self._clock())
            self._go_on()
            return
        self._is_in_doubt = False
        if isinstance(result, HoldfastError):
            self._is_known = False  # some of it may have been typed
            self._fail(result)
        elif isinstance(result, InputTaken):
            self._take(result)
        elif isinstance(result, Sent):
            self._taken = result.end
            self._waiting.popleft().settle(result)
        self._go_on()

    def _fail(self, error: HoldfastError) -> None:
        """Nothing of what waits will be typed: it came after what was refused."""
        waiting, self._waiting = self._waiting, deque()
        for written in waiting:
            written.settle(error)

    def _take(self, reply: InputTaken) -> None:
        first = self._waiting[0]
        first.left = first.left[max(0, reply.end - self._taken) :]
        self._taken = max(self._taken, reply.end)
        if not first.left:
            self._waiting.popleft().settle(reply)

    def _resume(self, end: int, now: float) -> None:
        in_doubt = self._waiting[0] if self._is_in_doubt and self._waiting else None
        self._is_known, self._is_in_doubt = True, False
        if in_doubt is None:
            self._taken = end
        elif in_doubt.unit is None:
            self._take(InputTaken(end=end))
            self._taken = end
        elif end > self._taken:
            in_doubt.typed_at = now  # it has begun, so it has to be finished
            self._is_in_doubt = True
        for written in [w for w in self._waiting if now - w.typed_at > STALE]:
            self._waiting.remove(written)
            written.settle(HandedBack(written.left if written.unit is None else written.unit.text))
