"""One proxied connection: two sockets, and a flow each way between them.

It does what its flows say and nothing else: the ends of one side reach the other as they
would on a direct connection, a half-closed one too.
"""

import select
import selectors
import socket
import time
from collections.abc import Mapping
from functools import partial

from tests.support.proxying.flow import Direction, Faults, Flow

# A daemon whose backlog is full cannot be polled for: knock again after so many seconds.
KNOCK_AGAIN = 0.005
UP, DOWN = Direction.UP, Direction.DOWN


class Lane:
    """One direction: where its bytes come from, what becomes of them, where they go."""

    def __init__(self, flow: Flow, source: socket.socket, target: socket.socket) -> None:
        self.flow = flow
        self.source = source
        self.target = target
        self.is_over = False
        self._is_full = False  # the target takes no more for now

    def receive(self, now: float) -> None:
        try:
            data = self.source.recv(1 << 16)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if data:
            self.flow.feed(data, now)
        else:
            self.flow.end(now)

    def send(self, now: float) -> None:
        """Send what may be sent; pass the end on when it is its turn."""
        if self.is_over:
            return
        self.flow.expire(now)
        self._is_full = False
        try:
            while data := self.flow.sendable(now):
                self.flow.passed(self.target.send(data), now)
        except BlockingIOError:
            self._is_full = True
        except OSError:
            self.break_off()
        else:
            if self.flow.is_done:
                self.is_over = True
                shut(self.target, socket.SHUT_WR)

    def break_off(self) -> None:
        """Nobody takes this any more: let the source learn it when it says more."""
        self.is_over = True
        self.flow.discard()
        shut(self.source, socket.SHUT_RD)

    @property
    def wants_to_read(self) -> bool:
        return not self.is_over and self.flow.wants_more

    @property
    def waits_to_write(self) -> bool:
        return not self.is_over and self._is_full and not self.flow.faults.frozen

    def deadline(self) -> float | None:
        return None if self.is_over or self._is_full else self.flow.deadline()


class Connection:
    """`move` it once a round, and whenever `deadline` says; it registers itself."""

    def __init__(
        self,
        client: socket.socket,
        selector: selectors.BaseSelector,
        faults: Mapping[Direction, Faults],
    ) -> None:
        client.setblocking(False)
        self._client = client
        self._daemon = socket.socket(socket.AF_UNIX)
        self._daemon.setblocking(False)
        self._selector = selector
        self._knock_at: float | None = 0.0  # None once there is a connection to the daemon
        self.is_closed = False
        self.is_cut = False
        self.is_unreachable = False
        self.flows = {way: Flow(faults[way]) for way in Direction}
        self._lanes = {
            UP: Lane(self.flows[UP], client, self._daemon),
            DOWN: Lane(self.flows[DOWN], self._daemon, client),
        }

    def reach(self, target: str, now: float) -> None:
        """Connect to the daemon, unless that is done."""
        if self._knock_at is None or now < self._knock_at:
            return
        try:
            self._daemon.connect(target)
        except BlockingIOError:
            self._knock_at = now + KNOCK_AGAIN
        except OSError:
            self.is_unreachable = True
            self.close()
        else:
            self._knock_at = None

    def move(self, now: float) -> None:
        """Bring on what can be brought on."""
        if self.is_closed or self._knock_at is not None:
            return
        for lane in self._lanes.values():
            lane.send(now)
            if lane.flow.is_cut:
                self.cut()
                return
        if all(lane.is_over for lane in self._lanes.values()):
            self.close()
            return
        self._watch(self._client, self._lanes[UP], self._lanes[DOWN])
        self._watch(self._daemon, self._lanes[DOWN], self._lanes[UP])

    def deadline(self) -> float | None:
        if self._knock_at is not None:
            return self._knock_at
        dues = [lane.deadline() for lane in self._lanes.values()]
        return min((due for due in dues if due is not None), default=None)

    def cut(self) -> None:
        """Close both sides at once, whatever is on its way."""
        if not self.is_closed:
            self.is_cut = True
            self.close()

    def close(self) -> None:
        self.is_closed = True
        for sock in (self._client, self._daemon):
            if sock in self._selector.get_map():
                self._selector.unregister(sock)
            sock.close()
        for flow in self.flows.values():
            flow.discard()

    def _receive(self, way: Direction) -> None:
        """Take in what the source of a direction says."""
        if self.is_closed:
            return  # by what happened earlier in the same round
        lane, back = self._lanes[way], self._lanes[OTHER[way]]
        lane.receive(time.monotonic())
        faults = back.flow.faults
        # Who is gone altogether takes nothing either; who only stopped speaking does.
        if lane.flow.is_ended and has_left(lane.source) and not (faults.swallows or faults.frozen):
            back.break_off()

    def _watch(self, sock: socket.socket, reads: Lane, writes: Lane) -> None:
        wanted = selectors.EVENT_READ if reads.wants_to_read else 0
        wanted |= selectors.EVENT_WRITE if writes.waits_to_write else 0
        key = self._selector.get_map().get(sock)
        if key is not None and key.events == wanted:
            return
        if key is not None:
            self._selector.unregister(sock)
        if wanted:
            way = UP if sock is self._client else DOWN
            self._selector.register(sock, wanted, partial(self._receive, way))


OTHER = {UP: DOWN, DOWN: UP}


def shut(sock: socket.socket, how: int) -> None:
    try:
        sock.shutdown(how)
    except OSError:
        pass  # the other end is gone already


def has_left(sock: socket.socket) -> bool:
    """Whether the other end is closed, not just silent."""
    poll = select.poll()
    poll.register(sock, 0)
    return any(event & select.POLLHUP for _, event in poll.poll(0))
