"""All who look at one session: at the live edge they share one buffer, read once.

Nobody has a copy of the output: a viewer that is behind reads the file at its own pace, so
one that has stopped costs nothing, and the program waits for none.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from pathlib import Path

from holdfast.daemon.blocks import Blocks
from holdfast.daemon.deliveries import Deliveries
from holdfast.daemon.viewer import PIECE, Bytes, Outlet, Picture, Viewer
from holdfast.errors import OffsetPruned
from holdfast.formats.kept import Missing
from holdfast.metrics.counters import Counters
from holdfast.protocol.reading import Painted
from holdfast.session.cursor import BEHIND, Cursor
from holdfast.session.tail import TAIL_SIZE, safe_cut
from holdfast.store.log_reader import LogReader

# Of one turn of the loop: under half a millisecond, as a slice of a pump.
SHARE_VIEWERS, SHARE_BYTES = 8, 4 * PIECE
# A key's echo goes out at once, and so does all a program prints as long as it is little; a
# flood is gathered, because a write of 64 KiB costs hardly more than one of four.
BURST_SECONDS, BURST_BYTES = 0.004, 16 * 1024
# Behind a picture: the reader lags in a flood, and more than that is more than the tail.
MOST_TO_CATCH_UP = 1 << 20
GATHER_SECONDS, GATHER_BYTES = 0.002, 64 * 1024

Draw = Callable[["Viewers", Viewer], bool]
LookUp = Callable[["Viewers", Viewer, int], None]
Owns = Callable[[], bool]


class Viewers:
    """The viewers of one session. Its end is told by `grew`, and at last by `finished`."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        deliveries: Deliveries,
        directory: Path,
        end: int,
        *,
        finish: str,
        newest: Callable[[int], bytes | None],
        counters: Counters,
        look_up: LookUp,
        emptied: Callable[["Viewers"], None],
        pause: Callable[[bool], None],
        draw: Draw | None = None,
    ) -> None:
        self.directory = directory
        self.end = end
        self.finish = finish
        self.counters = counters
        self._newest = newest
        self._loop = loop
        self._deliveries = deliveries
        self._look_up = look_up
        self._emptied = emptied
        self._pause = pause
        self._draw = draw
        self._is_paused = False
        self._pausing: dict[Viewer, Owns] = {}
        self._reader = LogReader(directory)
        self._blocks = Blocks(self.piece)
        self._viewers: list[Viewer] = []
        self._queue: deque[Viewer] = deque()
        self._shared: tuple[int, bytes] = (0, b"")
        self._burst_began, self._burst = 0.0, 0
        self._offered = end
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._viewers)

    @property
    def lag(self) -> int:
        """How far the last of them is behind."""
        return max((viewer.cursor.lag(self.end) for viewer in self._viewers), default=0)

    @property
    def oldest(self) -> int:
        """The first byte that is kept."""
        return self._reader.oldest

    # -- who comes and goes

    def add(
        self, number: int, outlet: Outlet, cursor: Cursor, pauses: Owns | None = None
    ) -> Viewer:
        """Add a viewer; the program waits for it as long as it *pauses*."""
        viewer = Viewer(number, outlet, cursor, self)
        self._viewers.append(viewer)
        if pauses is not None:
            self._pausing[viewer] = pauses
        return viewer

    def remove(self, viewer: Viewer) -> int:
        """Send it nothing more; return where it stopped."""
        position = viewer.close()
        if viewer in self._viewers:
            self._viewers.remove(viewer)
            self._pausing.pop(viewer, None)
            self.weigh()
            if not self._viewers:
                self._emptied(self)
        return position

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._reader.close()

    # -- what the session does

    def grew(self, end: int) -> None:
        """It has printed something: little is sent at once, a flood is gathered."""
        grown, self.end = end - self.end, end
        now = self._loop.time()
        if now - self._burst_began > BURST_SECONDS:
            self._burst_began, self._burst = now, 0
        self._burst += grown
        if self._burst <= BURST_BYTES and len(self._viewers) <= SHARE_VIEWERS:
            self._send_at_once(now)
        elif end - self._offered >= GATHER_BYTES:
            self._offer()
        elif self._timer is None:
            self._timer = self._loop.call_later(GATHER_SECONDS, self._offer)
        self.weigh()

    def finished(self, end: int, reason: str) -> None:
        """Nothing more will be printed."""
        self.end, self.finish = end, reason
        self._offer()

    def forgotten(self) -> None:
        """What was printed is no more."""
        for viewer in [*self._viewers]:
            viewer.finish("forgotten")

    def weigh(self) -> None:
        """Have the program wait, or go on, for a viewer whose client owns it and wants that."""
        if not self._pausing and not self._is_paused:
            return
        bound = BEHIND // 4 if self._is_paused else BEHIND
        wanted = any(v.cursor.lag(self.end) > bound and owns() for v, owns in self._pausing.items())
        if wanted is not self._is_paused:
            self._is_paused = wanted
            self._pause(wanted)

    # -- what viewers do

    def wake(self, viewer: Viewer) -> None:
        """It may have room, a window, or something to get."""
        if not viewer.is_queued and viewer.wants:
            viewer.is_queued = True
            self._queue.append(viewer)
            self._deliveries.add(self)

    def cleared(self, viewer: Viewer) -> None:
        """Its connection has taken everything that was said before."""
        self.wake(viewer)
        viewer.tell_level()  # it may have caught up with what has filled the connection

    def missed(self, viewer: Viewer, gaps: list[Missing]) -> None:
        """Have it go on behind bytes that are not kept: what `look_up` was asked for."""
        viewer.missed(gaps)
        self.wake(viewer)
        self.weigh()

    def painted(self, viewer: Viewer, found: Painted | None) -> None:
        """Have it go on behind the picture that it had drawn, or else behind the tail."""
        picture = self.picture(found)
        if picture.offset <= viewer.cursor.position:  # it has them all, as nothing was skipped
            picture = self.tail()
        viewer.painted(picture, self._loop.time())
        self.wake(viewer)
        self.weigh()

    def deliver(self) -> bool:
        """Serve some, in turns; return whether others wait."""
        now, sent = self._loop.time(), 0
        for _ in range(min(SHARE_VIEWERS, len(self._queue))):
            viewer = self._queue.popleft()
            viewer.is_queued = False
            if viewer.wants:
                sent += viewer.serve(now)
                self.wake(viewer)
            if sent >= SHARE_BYTES:
                break
        if not self._queue:
            self._shared = (0, b"")
        self.weigh()
        return bool(self._queue)

    # -- what they look at

    def piece(self, offset: int, limit: int) -> Bytes:
        start, data = self._shared
        if not data and not self.finish and self.end - offset <= limit:
            # At the live edge, as with a key's echo: no file to look for.
            try:
                start, data = offset, self._newest(offset) or b""
            except OSError:
                pass  # the reader says what is wrong
            self._shared = start, data
        if not start <= offset < start + len(data):
            start, data = self._shared = offset, self._reader.read(offset, limit)
        return memoryview(data)[offset - start : offset - start + limit]

    def crc(self, end: int) -> int:
        return self._blocks.crc(end)

    def picture(self, found: Painted | None) -> Picture:
        """Return what the reader has drawn, if a viewer can go on behind it, or else the tail."""
        is_near = found is not None and 0 <= self.end - found.offset <= MOST_TO_CATCH_UP
        if found is not None and is_near and self.is_kept_from(found.offset):
            return Picture(found.offset, found.data, found.fidelity)
        return self.tail()

    def is_kept_from(self, offset: int) -> bool:
        """Whether a viewer can go on there."""
        return offset == self.end or any(r.start <= offset < r.end for r in self._reader.ranges())

    def tail(self) -> Picture:
        return Picture(self.end, tail(self._reader, self.end), "tail")

    def paint(self, viewer: Viewer) -> bool:
        return self._draw is not None and self._draw(self, viewer)

    def look_up(self, viewer: Viewer, upto: int) -> None:
        self._look_up(self, viewer, upto)

    # -- sending

    def _send_at_once(self, now: float) -> None:
        self._offered = self.end
        for viewer in [*self._viewers]:
            if not viewer.is_queued and viewer.wants:
                viewer.serve(now)
                self.wake(viewer)
        if not self._queue:
            self._shared = (0, b"")

    def _offer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._offered = self.end
        for viewer in self._viewers:
            self.wake(viewer)
            viewer.tell_level()


def tail(reader: LogReader, end: int) -> bytes:
    """Return the last bytes of a log, from where they can be cut."""
    ranges = reader.ranges()
    kept = ranges[-1].start if ranges and ranges[-1].end >= end else end
    at = start = max(kept, end - TAIL_SIZE)
    data = b""
    while at < end:
        try:
            piece = reader.read(at, end - at)
        except OffsetPruned as pruned:  # in another thread, since the ranges were looked at
            at = start = pruned.oldest
            data = b""
            continue
        if not piece:
            break
        data += piece
        at += len(piece)
    return data[safe_cut(data) :] if start > 0 else data
