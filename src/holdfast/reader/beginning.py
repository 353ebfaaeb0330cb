"""Where reading a log begins, and where it goes on behind bytes that are missing."""

from pathlib import Path
from typing import NamedTuple

from holdfast.formats.kept import Holes
from holdfast.formats.timeline import HoleReason, Resize
from holdfast.reader.sizes import Size, Sizes
from holdfast.session.tail import TAIL_SIZE, safe_cut
from holdfast.store.checkpoint import Checkpoint
from holdfast.store.kept import KeptList
from holdfast.store.log_reader import LogReader
from holdfast.store.marks import marks

CLEARED = HoleReason.CLEARED.name.lower()


class Ahead(NamedTuple):
    """Where to go on, and whether the screen so far is that of the bytes just before it."""

    offset: int
    goes_on: bool


class Course:
    """What is known of a log beside its bytes: sizes, holes, and where lives begin."""

    def __init__(self, directory: Path, log: LogReader, last: Size) -> None:
        self._directory = directory
        self._log = log
        found = marks(directory)
        resizes = [mark for mark in found if isinstance(mark, Resize)]
        self.sizes = Sizes([Size(r.offset, r.cols, r.rows) for r in resizes], last)
        self._fresh = {mark.offset for mark in found if not isinstance(mark, Resize)}

    def begin(self, end: int) -> Ahead:
        """Return where a log is read from when nothing of it was read before."""
        oldest = min(self._log.oldest, end)
        return Ahead(0, goes_on=True) if oldest == 0 else self._behind(oldest, end, goes_on=False)

    def fits(self, checkpoint: Checkpoint, epoch: bytes, end: int) -> bool:
        """Whether a screen was made of this log, and can be fed with what comes next in it."""
        if checkpoint.epoch != epoch or checkpoint.offset > end:
            return False
        at = checkpoint.offset
        return any(start <= at <= stop for start, stop in self._log.ranges()) or at == end

    def behind(self, offset: int, oldest: int, end: int) -> Ahead:
        """Return where it goes on if *oldest* is the next byte that is kept from *offset* on."""
        goes_on = offset in {stop for _, stop in self._log.ranges()}
        return self._behind(min(oldest, end), end, goes_on=goes_on)

    def _behind(self, offset: int, end: int, *, goes_on: bool) -> Ahead:
        """Return the first safe place from *offset* on."""
        if offset in self._fresh or offset in self._cuts():
            return Ahead(offset, goes_on)  # a life begins there, or a line
        data = self._log.read(offset, min(TAIL_SIZE, end - offset))
        return Ahead(offset + safe_cut(data), goes_on)

    def _cuts(self) -> set[int]:
        holes: Holes = KeptList(self._directory).holes()
        return {hole.end for hole in holes if hole.reason == CLEARED}
