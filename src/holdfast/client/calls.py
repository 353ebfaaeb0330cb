"""Calls of a client: on their way, or waiting for a connection. Pure."""

from collections import deque
from collections.abc import Callable

from holdfast.errors import HoldfastError, LocalProtocolError, NotConnected, TimedOut
from holdfast.protocol import codec
from holdfast.protocol.client_end import ClientEnd
from holdfast.protocol.messages import Message

CALL_TIMEOUT = 10.0  # seconds; replies take milliseconds, a daemon's restart a few hundred
Result = Message | HoldfastError


class Call:
    """One request; `done` is called once, when its result is there."""

    def __init__(
        self,
        message: Message,
        *,
        waits: bool = False,
        repeatable: bool = False,
        deadline: float | None = None,
        limit: float = 0.0,
    ) -> None:
        self.message = message
        self.waits = waits
        self.repeatable = repeatable
        self.deadline = deadline
        self.limit = limit
        self.result: Result | None = None
        self.done: Callable[[], None] = lambda: None

    def settle(self, result: Result) -> None:
        if self.result is None:
            self.result = result
            self.done()


class Calls:
    """All calls of a client. One that waits survives an outage; the others fail with it."""

    def __init__(self) -> None:
        self._end: ClientEnd | None = None
        self._under_way: dict[int, Call] = {}
        self._waiting: deque[Call] = deque()

    def __len__(self) -> int:
        return len(self._under_way) + len(self._waiting)

    def make(self, call: Call, *, may_send: bool, reason: str) -> None:
        """Send it, or let it wait, or fail it."""
        if may_send and self._end is not None:
            self._send(self._end, call)
        elif call.waits:
            self._waiting.append(call)
        else:
            call.settle(NotConnected(reason=reason))

    def connected(self, end: ClientEnd) -> None:
        self._end = end

    def offered(self) -> None:
        """Calls may be made again: first those that waited."""
        waiting, self._waiting = self._waiting, deque()
        for call in waiting:
            if call.result is None and self._end is not None:
                self._send(self._end, call)

    def answered(self, number: int, result: Result) -> None:
        call = self._under_way.pop(number, None)
        if call is not None:
            call.settle(result)

    def lost(self, error: HoldfastError, *, may_repeat: bool) -> None:
        """The connection is gone: fail at once, unless it may be made again and waits."""
        self._end = None
        under_way, self._under_way = self._under_way, {}
        for call in under_way.values():
            if may_repeat and call.waits and call.repeatable:
                self._waiting.append(call)
            else:
                call.settle(error)

    def fail_all(self, error: HoldfastError) -> None:
        """No connection will come back by itself."""
        self.lost(error, may_repeat=False)
        waiting, self._waiting = self._waiting, deque()
        for call in waiting:
            call.settle(error)

    def deadline(self) -> float | None:
        return min(
            (call.deadline for call in self._all() if call.deadline is not None), default=None
        )

    def expire(self, now: float) -> None:
        for call in self._all():
            if call.deadline is not None and call.deadline <= now:
                action = f"the request {codec.kind_of(call.message)!r}"
                call.settle(TimedOut(action=action, seconds=call.limit))
        self._under_way = {n: call for n, call in self._under_way.items() if call.result is None}
        self._waiting = deque(call for call in self._waiting if call.result is None)

    def _send(self, end: ClientEnd, call: Call) -> None:
        try:
            self._under_way[end.request(call.message)] = call
        except LocalProtocolError as error:
            call.settle(error)  # larger than a message may be

    def _all(self) -> list[Call]:
        return [*self._under_way.values(), *self._waiting]
