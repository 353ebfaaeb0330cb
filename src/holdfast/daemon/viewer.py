"""One viewer: sends what its cursor allows, and says what it leaves out."""

from typing import NamedTuple, Protocol

from holdfast.daemon.blocks import passed
from holdfast.daemon.reporting import report
from holdfast.errors import HoldfastError, OffsetPruned
from holdfast.formats.kept import Missing
from holdfast.metrics.counters import Counters
from holdfast.protocol.messages import Digest, Finished, Gap, Lag, Message, Profile, Snapshot
from holdfast.session.cursor import Cursor
from holdfast.session.held import BLOCK

# One write into a socket that has room takes that much. More at once brings nothing: the
# system copies it in pieces of 32 KiB whatever its size, and a socket holds 200.
PIECE = 128 * 1024
SKIPPED, UNREADABLE = "skipped", "unreadable"
Bytes = bytes | memoryview


class Picture(NamedTuple):
    """What shows a session as it was at *offset*, and how good that is."""

    offset: int
    data: bytes
    fidelity: str


class Terminal(Protocol):
    """What has to know which bytes were sent to a terminal that answers queries."""

    def introduce(self, profile: Profile) -> None:
        """It has said what it is."""

    def cut(self) -> None:
        """What follows is left out."""

    def skipped(self) -> None:
        """It goes on behind that."""

    def over(self) -> None:
        """It looks no longer."""


class Outlet(Protocol):
    """A connection, as far as its viewers care."""

    @property
    def has_room(self) -> bool:
        """Whether everything said before has been taken."""

    def send(self, viewer: int, offset: int, payload: Bytes) -> None:
        """Send bytes."""

    def say(self, message: Message) -> None:
        """Send an event."""

    def over(self, viewer: int) -> None:
        """Forget a viewer that gets nothing more."""


class Source(Protocol):
    """What a viewer looks at."""

    counters: Counters
    end: int
    finish: str
    """Why nothing more will be printed; empty as long as it may be."""

    def paint(self, viewer: "Viewer") -> bool:
        """Have a picture drawn, then tell the viewer `painted`; False if nobody draws."""

    def piece(self, offset: int, limit: int) -> Bytes:
        """Return at most *limit* bytes from there; raise OffsetPruned."""

    def crc(self, end: int) -> int:
        """Return the checksum of the block that ends there; raise OffsetPruned."""

    def tail(self) -> Picture:
        """Return the last bytes, which are always there."""

    def look_up(self, viewer: "Viewer", upto: int) -> None:
        """Find out why the next bytes are not kept, then tell the viewer `missed`."""


class Viewer:
    """A cursor of one connection. It waits for room, for acknowledgements, or for bytes."""

    def __init__(self, number: int, outlet: Outlet, cursor: Cursor, source: Source) -> None:
        self.number = number
        self.cursor = cursor
        self.is_queued = False
        self._outlet = outlet
        self._source = source
        self._is_looking_up = False  # why bytes are not kept, or how a picture looks
        self._is_over = False
        self.terminal: Terminal | None = None

    @property
    def wants(self) -> bool:
        """Whether it can be served now."""
        if self._is_over or self._is_looking_up or not self._outlet.has_room:
            return False
        lag = self.cursor.lag(self._source.end)
        if not lag:
            return bool(self._source.finish)
        # Little by little would cost a frame and an acknowledgement for each.
        return self.cursor.has_window_for(min(lag, PIECE))

    def serve(self, now: float) -> int:
        """Send one piece, or what there is instead; return how many bytes that were."""
        cursor, source = self.cursor, self._source
        if not cursor.lag(source.end):
            self.finish(source.finish)
            return 0
        if cursor.has_to_skip(source.end, now):
            return self._skip(now)
        start = cursor.position
        data: Bytes
        try:
            data = source.piece(start, min(PIECE, cursor.allowance, source.end - start))
        except OffsetPruned as pruned:
            self._is_looking_up = True
            source.look_up(self, pruned.oldest)
            return 0
        except HoldfastError as error:
            report("a log cannot be read", offset=start, reason=error)
            data = b""
        if not data:
            self.finish(UNREADABLE)
            return 0
        self._outlet.send(self.number, start, data)
        cursor.sent(len(data), now, source.end)
        self._vouch(start)
        self.tell_level()
        return len(data)

    def missed(self, gaps: list[Missing]) -> None:
        """Go on behind bytes that are not kept."""
        self._is_looking_up = False
        if self._is_over:
            return
        if self.terminal is not None:
            self.terminal.cut()
        for start, end, reason in gaps:
            self._outlet.say(Gap(viewer=self.number, start=start, end=end, reason=reason))
            self.cursor.skip(end)
            self._source.counters.gaps += 1
        self._has_left_out()

    def painted(self, picture: Picture, now: float) -> int:
        """Go on behind a picture, and what was skipped; return how many bytes it had."""
        self._is_looking_up = False
        if self._is_over:
            return 0
        if self.terminal is not None:
            self.terminal.cut()
        start, number = self.cursor.position, self.number
        end, data, fidelity = picture
        self._outlet.say(Gap(viewer=number, start=start, end=end, reason=SKIPPED))
        self._outlet.say(Snapshot(viewer=number, offset=end, data=data, fidelity=fidelity))
        self.cursor.pictured(end, now)
        self._source.counters.gaps += 1
        self._has_left_out()
        return len(data)

    def _has_left_out(self) -> None:
        if self.terminal is not None:
            self.terminal.skipped()
        self.tell_level()

    def ack(self, offset: int, now: float) -> None:
        self.cursor.ack(offset, now)

    def tell_level(self) -> None:
        """Say so if it has fallen behind, or has caught up."""
        if self._is_over or not self._outlet.has_room:
            return
        level = self.cursor.new_level(self._source.end)
        if level is not None:
            lag = self.cursor.lag(self._source.end)
            self._outlet.say(Lag(viewer=self.number, level=level.value, bytes=lag))

    def finish(self, reason: str) -> None:
        """Say that nothing follows."""
        if not self._is_over:
            offset = self.cursor.position
            self._outlet.say(Finished(viewer=self.number, offset=offset, reason=reason))
            self._outlet.over(self.number)
            self._is_over = True

    def introduce(self, profile: Profile) -> None:
        """Take note of what terminal it is, if it is one."""
        if self.terminal is not None:
            self.terminal.introduce(profile)

    def close(self) -> int:
        """Send nothing more; return where it stopped."""
        self._is_over = True
        terminal, self.terminal = self.terminal, None
        if terminal is not None:
            terminal.over()
        return self.cursor.position

    def _skip(self, now: float) -> int:
        """Have it shown the present; until that is drawn it waits."""
        self._is_looking_up = self._source.paint(self)
        return 0 if self._is_looking_up else self.painted(self._source.tail(), now)

    def _vouch(self, start: int) -> None:
        """Say what the blocks should have that the viewer has got all of by now."""
        for end in passed(start, self.cursor.position):
            if end - BLOCK < self.cursor.contiguous:
                continue
            try:
                crc = self._source.crc(end)
            except HoldfastError:
                continue  # dropped since it was sent, or no longer readable
            self._outlet.say(Digest(viewer=self.number, offset=end, crc=crc))
