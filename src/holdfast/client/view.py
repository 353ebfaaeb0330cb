"""What a viewer sees, and how it comes back: rules only, for every kind of client.

On each connection ask `request`, and feed its reply, the bytes and the events that follow.
Every byte comes out once; where there is none, an item says what happened instead.
"""

from typing import NamedTuple

from msgspec.structs import replace

from holdfast.protocol import messages as m
from holdfast.protocol.connection import DataReceived
from holdfast.session import resume
from holdfast.session.held import Held, OutOfOrder

ACKS_A_WINDOW = 4  # fewer would let the daemon wait for us, more cost a message each
Tail = resume.Tail  # what somebody holds of a session: its newest bytes
SAID_OF_VIEWERS = (m.Gap, m.Snapshot, m.Digest, m.Lag, m.Finished)


class Chunk(NamedTuple):
    """Bytes that the session printed, from *offset* on."""

    offset: int
    data: bytes
    is_answered: bool = False
    """Whether the queries in it were answered before: a terminal must not see them again."""


class Snapshot(NamedTuple):
    """The session as it was at *offset*, instead of everything before; *reason* says why."""

    offset: int
    data: bytes
    fidelity: str
    reason: str


class Gap(NamedTuple):
    """Bytes that do not come, and why."""

    start: int
    end: int
    reason: str


class Behind(NamedTuple):
    """The viewer has fallen behind, or is `live` again."""

    level: str
    bytes: int


class End(NamedTuple):
    """Nothing follows; *reason* is the state of the session."""

    offset: int
    reason: str


Item = Chunk | Snapshot | Gap | Behind | End


class View:
    """One viewer, over as many connections as it takes."""

    def __init__(self, asked: m.Attach) -> None:
        self._asked = asked
        self._held: Held | None = None
        self._used = self._acked = 0
        self._answered = 0
        self.number: int | None = None
        """What the daemon calls it on this connection."""
        self.mismatches = 0
        """How often bytes were not those of the log; a picture has replaced them."""
        self.is_over = False

    def request(self) -> m.Attach:
        """Return what to ask on a new connection."""
        if self._held is None:
            return self._asked
        epoch, since, length, crc = self._held.tail()
        return replace(self._asked, since=since, epoch=epoch, length=length, crc=crc)

    def lost(self) -> None:
        """The connection is gone."""
        self.number = None

    def attached(self, reply: m.Attached) -> list[Item]:
        """The daemon has answered."""
        if reply.outcome == "gone":
            self.is_over = True
            return [End(reply.offset, "gone")]
        self.number = reply.viewer
        found: list[Item] = []
        if reply.gap is not None:
            found.append(Gap(reply.gap.start, reply.gap.end, reply.gap.reason))
        if self._held is not None and reply.outcome == "exact":
            self._held.epoch = reply.epoch
        else:
            self._held = Held(reply.epoch, reply.offset)
        if reply.outcome != "exact":
            found.append(Snapshot(reply.offset, reply.snapshot, reply.fidelity, reply.reason))
        self._used = self._acked = reply.offset
        self._answered = reply.answered
        return found

    def owns(self, event: DataReceived | m.Message) -> bool:
        """Whether this is about this viewer, on this connection."""
        number = event.channel if isinstance(event, DataReceived) else _viewer_of(event)
        return self.number is not None and number == self.number

    def feed(self, event: DataReceived | m.Message) -> list[Item]:
        """Take what came; `has_to_begin_anew` may be true afterwards."""
        held = self._held
        if held is None:
            return []  # the rest of what is wrong
        try:
            if isinstance(event, DataReceived):
                data = bytes(event.payload)  # the only copy: what was fed is used again
                held.feed(event.offset, data)
                return self._chunks(event.offset, data)
            return self._told(held, event)
        except OutOfOrder:
            self._begin_anew()
            return []

    def _chunks(self, offset: int, data: bytes) -> list[Item]:
        known = max(0, self._answered - offset)
        if known in range(1, len(data)):
            return [Chunk(offset, data[:known], True), Chunk(offset + known, data[known:])]
        return [Chunk(offset, data, is_answered=known > 0)]

    def used(self, offset: int) -> m.Ack | None:
        """Everything before *offset* is made use of; return what is to be said now, if anything."""
        self._used = max(self._used, offset)
        if self.number is None or self._used - self._acked < self._asked.window // ACKS_A_WINDOW:
            return None
        self._acked = self._used
        return m.Ack(viewer=self.number, offset=self._acked)

    @property
    def has_to_begin_anew(self) -> bool:
        """What is held is wrong: detach, and ask `request` again."""
        return self._held is None and not self.is_over and self.number is not None

    def _told(self, held: Held, message: m.Message) -> list[Item]:
        if isinstance(message, m.Gap):
            if message.start != held.offset:
                raise OutOfOrder(f"a gap at {message.start}, expected at {held.offset}")
            held.skip(message.end)
            return [Gap(message.start, message.end, message.reason)]
        if isinstance(message, m.Snapshot):
            return [Snapshot(message.offset, message.data, message.fidelity, "skipped")]
        if isinstance(message, m.Digest) and not held.agrees(message.offset, message.crc):
            self._begin_anew()
        elif isinstance(message, m.Lag):
            return [Behind(message.level, message.bytes)]
        elif isinstance(message, m.Finished):
            self.is_over = True
            return [End(message.offset, message.reason)]
        return []

    def _begin_anew(self) -> None:
        self.mismatches += 1
        self._held = None
        self._asked = replace(self._asked, since=None)


def _viewer_of(message: m.Message) -> int | None:
    return message.viewer if isinstance(message, SAID_OF_VIEWERS) else None
