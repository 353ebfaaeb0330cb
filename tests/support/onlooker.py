"""One viewer's connection and client in a test's hands: room, delivery and return are rules.

It knows every byte that was printed, and holds the viewers to them.
"""

import zlib
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from holdfast.daemon.viewer import Bytes, Viewer
from holdfast.protocol.messages import Digest, Finished, Gap, Lag, Message, Snapshot
from holdfast.session.cursor import Policy
from holdfast.session.held import BLOCK, Held

SKIPPED = "skipped"
ENDLESS = 1 << 60


class Piece(NamedTuple):
    """Bytes that are on their way to a client."""

    offset: int
    data: bytes


class Onlooker:
    """A connection with one viewer. What is sent lies in `inbox` until the client takes it."""

    def __init__(
        self,
        log: bytearray,
        number: int,
        policy: Policy,
        window: int,
        *,
        is_gone: Callable[[int, int, str], bool],
        left: Callable[["Onlooker"], None],
    ) -> None:
        self.number = number
        self.policy = policy
        self.window = window
        self.viewer: Viewer | None = None
        self.held: Held
        self.level = "live"
        self.finished: Finished | None = None
        self.inbox: deque[Piece | Message] = deque()
        self._log = log
        self._is_gone = is_gone
        self._left = left
        self.capacity = ENDLESS
        """Bytes that the connection takes until it is full."""
        self._room = ENDLESS
        self._position = 0  # of what was sent
        self._acked = 0
        self._runs: deque[tuple[int, int]] = deque()  # sent, not acknowledged

    # -- the connection

    @property
    def has_room(self) -> bool:
        return self._room > 0

    def fill(self) -> None:
        """The connection takes nothing more."""
        self._room = 0

    def drain(self) -> None:
        """All of it has gone."""
        self._room = self.capacity

    def begin(self, viewer: Viewer, epoch: bytes, offset: int) -> None:
        """A viewer begins there, with what is held if that ends there."""
        if self.viewer is None and (not hasattr(self, "held") or self.held.offset != offset):
            self.held = Held(epoch, offset)
        self.viewer, self._position, self._acked = viewer, offset, offset
        self.inbox.clear()
        self._runs.clear()
        self.level, self.finished, self._room = "live", None, self.capacity

    def cut(self) -> None:
        """What was on its way is lost."""
        self.viewer = None
        self.inbox.clear()

    def send(self, viewer: int, offset: int, payload: Bytes) -> None:
        assert viewer == self.number
        assert self.has_room, "bytes for a connection that is full"
        assert (offset, bool(payload)) == (self._position, True)
        self._position += len(payload)
        self._runs.append((offset, self._position))
        self._room -= len(payload)
        self.inbox.append(Piece(offset, bytes(payload)))

    def say(self, message: Message) -> None:
        self.inbox.append(message)
        if isinstance(message, Gap):
            assert message.start == self._position < message.end
            if message.reason == SKIPPED:
                assert self.policy is Policy.LATEST
            else:
                assert self._is_gone(message.start, message.end, message.reason), message
            self._position = message.end

    def over(self, viewer: int) -> None:
        assert viewer == self.number
        self._left(self)

    # -- the client

    def take(self, count: int) -> None:
        """Take in so much of what has arrived."""
        for _ in range(min(count, len(self.inbox))):
            self._took(self.inbox.popleft())

    def acked(self, offset: int) -> None:
        """Note what is acknowledged, as a viewer should understand it."""
        self._acked = max(self._acked, min(offset, self._position))
        while self._runs and self._runs[0][1] <= self._acked:
            self._runs.popleft()

    @property
    def in_flight(self) -> int:
        return sum(end - max(start, self._acked) for start, end in self._runs)

    def _took(self, event: Piece | Message) -> None:
        held = self.held
        assert self.finished is None, "something after the end"
        if isinstance(event, Piece):
            held.feed(event.offset, event.data)  # raises unless it follows
            assert event.data == self._log[event.offset : held.offset]
        elif isinstance(event, Gap):
            assert event.start == held.offset
            held.skip(event.end)
            if event.reason == SKIPPED:
                assert isinstance(self.inbox[0], Snapshot)
        elif isinstance(event, Snapshot):
            assert event.offset == held.offset
            self.saw(event.data, event.offset)
        elif isinstance(event, Digest):
            block = self._log[event.offset - BLOCK : event.offset]
            assert (len(block), event.crc) == (BLOCK, zlib.crc32(block))
            assert held.agrees(event.offset, event.crc)
        elif isinstance(event, Lag):
            assert event.level != self.level, "a level is told when it changes"
            self.level = event.level
        else:
            assert isinstance(event, Finished)
            assert event.offset == held.offset
            self.finished = event

    def saw(self, picture: bytes, at: int) -> None:
        """It is shown a picture of the session."""
        assert picture == bytes(self._log[at - len(picture) : at])
