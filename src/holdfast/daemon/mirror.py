"""One mirrored session: its program runs elsewhere, its output is sent to us.

It is an ordinary log, written in the slices of a pump: a flood sent to us delays a neighbour's
key no more than one of our own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from holdfast.daemon.creation import failed
from holdfast.daemon.growing import Growing
from holdfast.daemon.printed import Printed
from holdfast.daemon.pump import DISK_FULL, SLICE, Stalled
from holdfast.daemon.record import Record
from holdfast.errors import InvalidArgument, OffsetPruned, SessionGone
from holdfast.formats.kept import Missing
from holdfast.formats.segments import SEGMENT_SIZE
from holdfast.formats.timeline import Hole, HoleReason
from holdfast.metrics.counters import Counters, Meter
from holdfast.store.log import written_ns
from holdfast.types import Size

OVERFLOWED = HoleReason.OVERFLOWED.name.lower()
Check = Callable[[], None]
"""Raise unless whoever sends this may still write."""


class Watcher(Protocol):
    """Who has to know what happens to a mirrored session."""

    counters: Counters

    def grew(self, session: Growing) -> None:
        """It has printed something."""

    def resized(self, session: Growing) -> None:
        """Its terminal has another size."""

    def sealed(self, session: str) -> None:
        """Its log has begun another segment."""

    def full(self) -> None:
        """There is no room for what it prints."""

    def missing(self, directory: Path, start: int, upto: int) -> Awaitable[list[Missing]]:
        """Return why bytes of its log are not there."""


class Mirror:
    """A mirrored session that may still be written to.

    What is sent comes in order and one after the other, also where it takes several turns of
    the loop: a daemon that is killed anywhere in between leaves a log that ends with a byte
    of it, and what is sent again is compared up to there.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        record: Record,
        directory: Path,
        watcher: Watcher,
    ) -> None:
        self.record = record
        self.stalled: str | None = None
        self._loop = loop
        self._directory = directory
        self._watcher = watcher
        self._turn = asyncio.Lock()
        self._meter = Meter(watcher.counters)
        self._is_closed = False
        self.printed = Printed(
            loop, directory, segment_size=SEGMENT_SIZE, sealed=lambda: watcher.sealed(record.id)
        )
        self.printed.catch_up()
        record.offset = self.printed.log.end
        record.active_ns = max(record.active_ns, written_ns(directory))

    @property
    def end(self) -> int:
        """The offset of the next byte."""
        return self.printed.log.end

    # -- what its client sends

    async def append(self, offset: int, data: bytes, check: Check) -> int:
        """Write what the log does not have yet, and return where it ends.

        Raises InvalidArgument where it has other bytes, or ends before *offset*.
        """
        async with self._turn:
            self._reaches(offset, check)
            view = memoryview(data)[await self._compared(offset, data, check) :]
            while view:
                view = view[self._write(view[:SLICE]) :]
                if view:
                    await self._others(check)
            return self.end

    async def skip(self, start: int, end: int, check: Check) -> int:
        """Let the log go on at *end*: what its client could not keep is a hole with a reason."""
        async with self._turn:
            self._reaches(start, check)
            missing = end - self.end
            if missing > 0:
                # The record first: killed in between, the same skip is recorded again.
                self.printed.mark(Hole(self.end, missing, HoleReason.OVERFLOWED))
                try:
                    self.printed.log.skip_to(end)
                except OSError as error:
                    raise self._stall(error) from error
                self._grew(printed=0)
            return self.end

    async def ends_at(self, offset: int, check: Check) -> None:
        """Return if all was written up to *offset* and nothing more; raise InvalidArgument."""
        async with self._turn:
            self._reaches(offset, check)
            if offset < self.end:
                raise _not_there(offset, self.end, "before the end of the log")

    def resize(self, size: Size) -> bool:
        """Note the size of its client's terminal; return if it is another one."""
        is_new = size != self.record.size
        if is_new:
            self.record.size = size
            self.printed.mark_resize(size)
            self._watcher.resized(self)
        return is_new

    def close(self) -> None:
        """Let go of the files."""
        if not self._is_closed:
            self._is_closed = True
            self.printed.close()
            self.printed.wake()

    # -- a program that is not ours cannot be made to wait

    def hold_back(self) -> None:
        """Its program goes on all the same."""

    def go_on(self) -> None:
        """It has never waited."""

    # -- details

    def _reaches(self, offset: int, check: Check) -> None:
        self._still_open(check)
        if offset < 0:
            raise InvalidArgument(argument="offset", value=str(offset), problem="is negative")
        if offset > self.end:
            raise _not_there(offset, self.end, "beyond the end of the log")

    def _still_open(self, check: Check) -> None:
        check()
        if self._is_closed:
            raise SessionGone(session=self.record.id)

    async def _others(self, check: Check) -> None:
        """Let everybody else have a turn; the client, or the session, may be gone after it."""
        await asyncio.sleep(0)
        self._still_open(check)

    async def _compared(self, offset: int, data: bytes, check: Check) -> int:
        """Return how much of *data* the log has; raise InvalidArgument if it has other bytes."""
        known = max(0, min(len(data), self.end - offset))
        at = 0
        while at < known:
            try:
                piece = self.printed.reader.read(offset + at, min(SLICE, known - at))
            except OffsetPruned as pruned:
                upto = min(pruned.oldest, offset + known)
                await self._compared_with_a_hole(offset + at, upto)
                at = upto - offset
                continue
            if piece != data[at : at + len(piece)]:
                raise _differs(offset + at, "the log has other bytes there")
            at += len(piece)
            if at < known:
                await self._others(check)
        return known

    async def _compared_with_a_hole(self, start: int, upto: int) -> None:
        """What was given up later is fine to be sent again; what was never sent is not."""
        missing = await self._watcher.missing(self._directory, start, upto)
        if any(one.reason == OVERFLOWED and one.start < upto for one in missing):
            raise _differs(start, "the log has a gap there, which was asked for")

    def _write(self, piece: memoryview) -> int:
        try:
            written = self.printed.log.write(piece)
        except OSError as error:
            raise self._stall(error) from error
        self.stalled = None
        self._grew(printed=written)
        return written

    def _stall(self, error: OSError) -> Exception:
        self.stalled = Stalled(error).reason
        if self.stalled == DISK_FULL:
            self._watcher.full()
        return failed(self._directory, error)

    def _grew(self, *, printed: int) -> None:
        self.record.offset = self.end
        self._meter.printed(printed, self._loop.time())
        self._watcher.grew(self)
        self.printed.grew()
        self.record.active_ns = self.printed.grown_ns


def _not_there(offset: int, end: int, where: str) -> InvalidArgument:
    return InvalidArgument(
        argument="offset",
        value=str(offset),
        problem=f"{where}, {end}",
        remedy=f"send what follows from {end} on",
    )


def _differs(offset: int, problem: str) -> InvalidArgument:
    remedy = "what was sent before stays as it is; register under another id to begin anew"
    return InvalidArgument(argument="data", value=f"at {offset}", problem=problem, remedy=remedy)
