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
IDLE = 32  # sessions into which nothing is under way; to know one again costs a question


class HandedBack(NotConnected):
    """The connection was away for too long: this was not typed, and is given back."""

    def __init__(self, data: bytes) -> None:
        super().__init__(reason=f"{len(data)} bytes were typed at a screen that is gone")
        self.data = data
        self.said(self.what, "look at the session, and type it again if it still fits")

    def __reduce__(self) -> tuple[type["HandedBack"], tuple[bytes]]:
        return HandedBack, (self.data,)


class Written:
    """Something that was typed; `done` is called once, when it was taken or has failed."""

    def __init__(self, data: bytes, unit: Send | None, takeover: bool, now: float) -> None:
        self.left = data
        self.unit = unit
        self.takeover = takeover
        self.typed_at = now
        self.is_withdrawn = False
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

    @property
    def is_idle(self) -> bool:
        return not self._waiting and not self._is_under_way

    def add(
        self, data: bytes = b"", unit: Send | None = None, *, takeover: bool = False
    ) -> Written:
        """Type something, as soon as everything before it is taken."""
        written = Written(data, unit, takeover, self._clock())
        if (gone := self._core.gone) is not None:
            written.settle(gone)
        else:
            self._waiting.append(written)
            self._go_on()
        return written

    def withdraw(self, written: Written) -> None:
        """Type no more of it: what the daemon was offered and can still take is all that is typed.

        That is a piece, or a whole unit. Nobody hears of the result.
        """
        written.is_withdrawn = True
        if written in self._waiting and not (self._is_in_doubt and written is self._waiting[0]):
            self._waiting.remove(written)

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
        if not first.left or first.is_withdrawn:
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
        elif in_doubt.is_withdrawn:
            self._waiting.popleft()
        self._hand_back(now)

    def _hand_back(self, now: float) -> None:
        """Give back what is stale, and what was typed behind it: it was meant to follow that."""
        fresh: deque[Written] = deque()
        waiting, self._waiting = self._waiting, fresh
        while waiting and now - waiting[0].typed_at <= STALE:
            fresh.append(waiting.popleft())
        for written in waiting:
            written.settle(HandedBack(written.left if written.unit is None else written.unit.text))


class Typings:
    """What a client types, into all sessions."""

    def __init__(self, core: Core, clock: Callable[[], float]) -> None:
        self._core = core
        self._clock = clock
        self._of: dict[str, Typing] = {}

    def __len__(self) -> int:
        return len(self._of)

    def of(self, session: str) -> Typing:
        """Return what is typed into a session; of those without anything some are remembered."""
        typing = self._of.pop(session, None)
        if typing is None:
            self._forget_idle()
            typing = Typing(self._core, session, self._clock)
            self._core.add(typing)
        self._of[session] = typing  # the newest is the last
        return typing

    def _forget_idle(self) -> None:
        idle = [each for each in self._of.values() if each.is_idle]
        for typing in idle[: max(0, len(idle) - IDLE + 1)]:
            self._core.remove(typing)
            del self._of[typing.session]
