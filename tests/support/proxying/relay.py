"""The path that is listened on and all connections behind it. Call it from one thread only."""

import selectors
import socket
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.support.proxying.connection import Connection
from tests.support.proxying.controls import Change
from tests.support.proxying.flow import NONE, Count, Direction

BACKLOG = 1024  # a herd of clients is to be counted, not turned away
KEPT = 10_000  # connections and times that are remembered: some MB


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What a proxy has seen, or one connection of it."""

    accepted: int
    accept_times: tuple[float, ...]
    """By `time.monotonic`; the newest 10,000."""
    open: int
    cut: int
    """By a fault."""
    refused: int
    unreachable: int
    """Dropped, because the daemon did not listen."""
    up: Count
    """What was passed on to daemons."""
    down: Count


class Relay:
    """`move` what can be moved, then wait for `selector` until `deadline`."""

    def __init__(self, target: str, path: str) -> None:
        self._target, self._path = target, path
        self.selector = selectors.DefaultSelector()
        self.refusals = 0.0
        """So many connections to come are dropped at once."""
        self._faults = dict.fromkeys(Direction, NONE)  # of connections to come
        self._listener: socket.socket | None = None
        self._known: dict[int, Connection] = {}
        self._open: dict[int, Connection] = {}
        self._times: deque[float] = deque(maxlen=KEPT)
        self._accepted = self._cut = self._refused = self._unreachable = 0
        self._gone_by = dict.fromkeys(Direction, Count())  # of closed connections

    # -- the path

    def listen(self) -> None:
        if self._listener is not None:
            return
        listener = socket.socket(socket.AF_UNIX)
        try:
            listener.setblocking(False)
            listener.bind(self._path)
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
        self._listener = listener
        self.selector.register(listener, selectors.EVENT_READ, self.accept)

    def leave(self) -> None:
        """Take the path away; who waits there to be accepted is turned away."""
        if self._listener is None:
            return
        Path(self._path).unlink(missing_ok=True)
        self.selector.unregister(self._listener)
        self._listener.close()
        self._listener = None

    def accept(self) -> None:
        while self._listener is not None:
            try:
                client, _ = self._listener.accept()
            except BlockingIOError:
                return
            number, now = self._accepted, time.monotonic()
            self._times.append(now)
            self._accepted += 1
            if self.refusals:
                self.refusals -= 1
                self._refused += 1
                client.close()
            else:
                connection = Connection(client, self.selector, self._faults)
                self._open[number] = self._known[number] = connection

    # -- connections

    def numbers(self) -> list[int]:
        """Return which connections are open."""
        return [*self._open]

    def change(
        self,
        numbers: Iterable[int],
        ways: Iterable[Direction],
        change: Change,
        *,
        is_for_future: bool = False,
    ) -> None:
        for way in ways:
            if is_for_future:
                self._faults[way] = change(self._faults[way])
            for flow in [self._known[number].flows[way] for number in numbers]:
                flow.suffer(change(flow.faults))
        self.move()

    def cut(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self._known[number].cut()
        self.move()

    def move(self) -> None:
        now = time.monotonic()
        for number, connection in [*self._open.items()]:
            connection.reach(self._target, now)
            connection.move(now)
            if connection.is_closed:
                self._bury(number, connection)

    def deadline(self) -> float | None:
        """Return when to move the next, whatever is heard until then."""
        dues = [connection.deadline() for connection in self._open.values()]
        return min((due for due in dues if due is not None), default=None)

    def close(self) -> None:
        self.leave()
        for connection in self._open.values():
            connection.close()
        self.selector.close()

    def counts(self) -> Counts:
        flows = [connection.flows for connection in self._open.values()]
        totals = {
            way: added([self._gone_by[way], *(flow[way].passed_on for flow in flows)])
            for way in Direction
        }
        return Counts(
            accepted=self._accepted,
            accept_times=tuple(self._times),
            open=len(self._open),
            cut=self._cut,
            refused=self._refused,
            unreachable=self._unreachable,
            up=totals[Direction.UP],
            down=totals[Direction.DOWN],
        )

    def counts_of(self, number: int) -> tuple[Count, Count]:
        """Return what was passed on of one connection, up and down."""
        flows = self._known[number].flows
        return flows[Direction.UP].passed_on, flows[Direction.DOWN].passed_on

    def _bury(self, number: int, connection: Connection) -> None:
        del self._open[number]
        self._cut += connection.is_cut
        self._unreachable += connection.is_unreachable
        for way, flow in connection.flows.items():
            self._gone_by[way] = added([self._gone_by[way], flow.passed_on])
        while len(self._known) > KEPT and (oldest := next(iter(self._known))) not in self._open:
            del self._known[oldest]


def added(counts: Iterable[Count]) -> Count:
    sizes, frames = zip(*counts, strict=True)
    return Count(sum(sizes), sum(frames))
