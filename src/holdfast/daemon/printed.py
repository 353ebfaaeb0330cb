"""What one session printed: its log and its timeline, and who waits for more of it."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from holdfast.daemon.reporting import report
from holdfast.errors import HoldfastError
from holdfast.formats.timeline import Hole, Life, Resize
from holdfast.marks.plain import plain_lines
from holdfast.store.log import LogWriter
from holdfast.store.log_reader import LogReader
from holdfast.store.timeline import TICK_BYTES, TICK_NS, TimelineWriter
from holdfast.types import Size

LAST_BYTES = 512  # that a last line is looked for in: 35 µs; few lines have more colours in them
LAST_CHARACTERS = 200
CATCH_UP_AFTER = 0.5  # seconds; by then whoever waited for this daemon has been answered


class Printed:
    """The files of a session's output while it grows."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        directory: Path,
        *,
        segment_size: int,
        sealed: Callable[[], None],
    ) -> None:
        """Have *sealed* called whenever there may be something to tidy up."""
        self._loop = loop
        self._sealed = sealed
        self.log = LogWriter(directory, segment_size=segment_size)
        self._segment = self.log.first
        self.reader = LogReader(directory)
        self._directory = directory
        self._opened: TimelineWriter | None = None
        self.grown_ns = time.time_ns()
        """When the log last grew, by the clock; or when this began to look."""
        self._timer: asyncio.TimerHandle | None = None
        self._last = (-1, "")  # a line, and the end of the log that it was read at
        self._waiters: list[asyncio.Future[None]] = []  # an empty set would take 200 bytes
        self._complaint = ""
        self._is_closed = False

    @property
    def _timeline(self) -> TimelineWriter:
        # Opened at the first tick: a daemon that takes 200 sessions over answers first.
        if self._opened is None:
            self._opened = TimelineWriter(self._directory, self.reader)
        return self._opened

    @property
    def epoch(self) -> bytes:
        """The epoch of the bytes that are printed now."""
        return self._timeline.epoch

    def last_line(self) -> str:
        """Return the newest line with anything on it, cut short; read once for each growth."""
        end = self.log.end
        if self._last[0] != end:
            self._last = (end, _last_line(self.reader, end))
        return self._last[1]

    def catch_up(self) -> None:
        """Have the timeline know what the log holds, soon; to be called once."""
        self._timer = self._loop.call_later(CATCH_UP_AFTER, self._tick)

    def mark_life(self, number: int) -> None:
        """Note in the timeline that a program begins here."""
        self.mark(Life(self.log.end, time.time_ns(), number))

    def mark_resize(self, size: Size) -> None:
        self.mark(Resize(self.log.end, time.time_ns(), size.cols, size.rows))

    def mark(self, *records: Life | Resize | Hole) -> bool:
        """Write records into the timeline; False if this is closed by now."""
        return self._with_timeline(lambda timeline: timeline.append(*records))

    def disregard(self, start: int, end: int) -> bool:
        """Have the next tick say nothing of these bytes; False if this is closed by now."""
        return self._with_timeline(lambda timeline: timeline.disregard(start, end))

    def begin_shortening(self) -> int | None:
        """Return how much of the timeline is to be said shorter; None if this is closed by now."""
        return None if self._is_closed else self._timeline.begin_shortening()

    def replace_timeline(self, fresh: Path, upto: int) -> bool:
        """Go on in a shorter timeline, unless this is closed by now."""
        return not self._is_closed and self._timeline.replace(fresh, upto)

    def _with_timeline(self, do: Callable[[TimelineWriter], None]) -> bool:
        if self._is_closed:
            return False
        try:
            do(self._timeline)
        except (HoldfastError, OSError) as error:
            self._complain(str(error))
        return True

    def grew(self) -> None:
        """Take note that the log has grown, and tell who waits.

        The timeline reads it back in pieces of a whole tick, not after each slice: that is
        off the way of a key, and costs a flood a tenth of the calls.
        """
        self.grown_ns = time.time_ns()
        if self._opened is not None and self.log.end - self._opened.offset >= TICK_BYTES:
            self._read_back()
        if self._segment != self.log.first:
            self._segment = self.log.first
            self._sealed()
        if self._timer is None:
            self._timer = self._loop.call_later(TICK_NS / 1e9, self._tick)
        self.wake()

    async def grown(self, patience: float) -> None:
        """Return at the next byte, at the end, or after *patience* seconds."""
        waiter = self._loop.create_future()
        self._waiters.append(waiter)
        timer = self._loop.call_later(patience, _release, waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            if waiter in self._waiters:  # else it was woken
                self._waiters.remove(waiter)

    @property
    def waiting(self) -> int:
        """How many wait for the next byte."""
        return len(self._waiters)

    def wake(self) -> None:
        """Release everybody who waits."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            _release(waiter)

    def seal(self) -> int:
        """Let what was printed so far be written to no more; return where that ends."""
        self.log.seal()
        self._segment = self.log.first
        return self.log.end

    def close(self) -> None:
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._read_back()
        if self._opened is not None:
            self._opened.flush(time.time_ns())
            self._opened.close()
        self.log.close()
        self.reader.close()

    def _read_back(self) -> None:
        try:
            self._timeline.feed(self.log.end, b"", self.grown_ns)
        except (HoldfastError, OSError) as error:
            # The disk does not give back what it took. The log is complete all the same, and
            # the timeline fetches what it lacks when it can be read.
            self._complain(str(error))

    def _tick(self) -> None:
        self._timer = None
        self._read_back()
        timeline = self._opened
        if timeline is not None:
            timeline.flush(time.time_ns())
            if timeline.is_long:
                self._sealed()
        if timeline is None or timeline.deadline_ns() is not None:  # the disk is full
            self._timer = self._loop.call_later(TICK_NS / 1e9, self._tick)

    def _complain(self, text: str) -> None:
        if text != self._complaint:
            self._complaint = text
            report("the timeline is behind", session=self._directory.name, reason=text)


def _last_line(reader: LogReader, end: int) -> str:
    try:
        lines = plain_lines(reader.read(max(0, end - LAST_BYTES), LAST_BYTES), 1)
    except HoldfastError:  # it has just been cleared away, or the disk does not give it back
        return ""
    return lines[0][:LAST_CHARACTERS] if lines else ""


def _release(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)
