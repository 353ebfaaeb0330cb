"""What one session printed: its log and its timeline, and who waits for more of it."""

import asyncio
import sys
import time
from pathlib import Path

from holdfast.errors import HoldfastError
from holdfast.formats.timeline import Life, Resize
from holdfast.store.log import LogWriter
from holdfast.store.log_reader import LogReader
from holdfast.store.timeline import TimelineWriter
from holdfast.types import Size

SHORTEST_PAUSE = 0.05  # seconds between tries to write a tick that a full disk refused


class Printed:
    """The files of a session's output while it grows."""

    def __init__(self, loop: asyncio.AbstractEventLoop, directory: Path) -> None:
        self._loop = loop
        self.log = LogWriter(directory)
        self.reader = LogReader(directory)
        try:
            self._timeline = TimelineWriter(directory, self.reader)
        except BaseException:
            self.log.close()
            raise
        self._timer: asyncio.TimerHandle | None = None
        self._waiters: set[asyncio.Future[None]] = set()
        self._complaint = ""

    def catch_up(self) -> None:
        """Have the timeline know what the log holds; to be called once, after opening."""
        try:
            self._timeline.catch_up(time.time_ns())
        except HoldfastError as error:
            self._complain(str(error))

    def mark_life(self, number: int) -> None:
        """Note in the timeline that a program begins here."""
        self._timeline.append(Life(self.log.end, time.time_ns(), number))

    def mark_resize(self, size: Size) -> None:
        self._timeline.append(Resize(self.log.end, time.time_ns(), size.cols, size.rows))

    def grew(self, start: int) -> None:
        """Take note of what is in the log from *start* on, and tell who waits."""
        now_ns = time.time_ns()
        try:
            self._timeline.feed(start, self.reader.read(start, self.log.end - start), now_ns)
        except HoldfastError as error:
            # The disk does not give back what it took. The log is complete all the same, and
            # the timeline fetches what it lacks when it can be read.
            self._complain(str(error))
        due = self._timeline.deadline_ns()
        if self._timer is None and due is not None:
            self._timer = self._loop.call_later(max(0, due - now_ns) / 1e9, self._tick)
        self.wake()

    async def grown(self, patience: float) -> None:
        """Return at the next byte, at the end, or after *patience* seconds."""
        waiter = self._loop.create_future()
        self._waiters.add(waiter)
        timer = self._loop.call_later(patience, _release, waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiters.discard(waiter)

    def wake(self) -> None:
        """Release everybody who waits."""
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            _release(waiter)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timeline.flush(time.time_ns())
        self._timeline.close()
        self.log.close()
        self.reader.close()

    def _tick(self) -> None:
        self._timer = None
        now_ns = time.time_ns()
        due = self._timeline.deadline_ns()
        if due is not None and due <= now_ns:
            self._timeline.flush(now_ns)
            due = self._timeline.deadline_ns()
        if due is not None:
            pause = max(SHORTEST_PAUSE, (due - now_ns) / 1e9)
            self._timer = self._loop.call_later(pause, self._tick)

    def _complain(self, text: str) -> None:
        if text != self._complaint:
            self._complaint = text
            report(text)


def report(text: str) -> None:
    """Write a line into the daemon's log, if the disk takes it."""
    try:
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - stderr is that log
    except OSError:
        pass  # the same full disk, most likely; it must not stop a session as well


def _release(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)
