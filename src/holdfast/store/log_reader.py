"""Read a session's log by offset while its writer goes on and retention unlinks segments.

Knows only what the directory says at the moment; whoever prunes unlinks whole segments or
replaces them by renaming.
"""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

from holdfast.errors import InvalidArgument, IoFailed, OffsetPruned
from holdfast.formats.segments import (
    Range,
    Segment,
    kept_ranges,
    next_kept,
    segment_holding,
    segment_name,
)
from holdfast.store.log import segment_firsts

# One for the live edge and one for a viewer that lags: with 500 sessions each more is 500
# descriptors more, and opening costs no more than a few reads.
READER_DESCRIPTORS = 2

# The mode of a file whose bytes are about to be overwritten: writable, not to be read.
WITHDRAWN = 0o200
# A segment is replaced once in a while; one that is still withdrawn after so many tries was
# not withdrawn by us.
REOPENINGS = 10

T = TypeVar("T")


class LogReader:
    """The bytes of a log by offset. Errors of the operating system are raised as IoFailed."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._firsts: list[int] = []  # as of the last look; may be behind
        self._held: dict[int, int] = {}  # first offset -> descriptor, the latest used last

    def ranges(self) -> list[Range]:
        """Return what is kept: between two ranges there is a hole."""
        return self._translated(lambda: kept_ranges(self._look()))

    @property
    def oldest(self) -> int:
        """The first kept offset; the end if nothing is kept."""
        ranges = self.ranges()
        return ranges[0].start if ranges else self.end()

    def end(self) -> int:
        """Return the offset of the next byte to be printed."""
        return self._translated(self._end)

    def read(self, offset: int, limit: int) -> bytes:
        """Return at most *limit* bytes from *offset* on, perhaps fewer; none at the end.

        Raises OffsetPruned with the next kept offset when that byte is not kept, and
        InvalidArgument beyond the end.
        """
        if offset < 0 or limit < 0:
            raise InvalidArgument(
                argument="offset and limit", value=f"{offset}, {limit}", problem="negative"
            )
        return self._translated(lambda: self._read(offset, limit))

    def close(self) -> None:
        while self._held:
            os.close(self._held.popitem()[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _translated(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except OSError as error:
            reason = error.strerror or str(error)
            raise IoFailed(action=f"reading the log in {self._directory}", reason=reason) from error

    def _read(self, offset: int, limit: int) -> bytes:
        while not (data := self._read_known(offset, limit)) and limit:
            segments = self._look()
            end = sum(segments[-1]) if segments else 0
            if offset == end:
                return b""
            if offset > end:
                problem = f"beyond the end of the log, {end}"
                raise InvalidArgument(argument="offset", value=str(offset), problem=problem)
            oldest = next_kept(kept_ranges(segments), offset)
            if oldest != offset:
                raise OffsetPruned(wanted=offset, oldest=end if oldest is None else oldest)
            # It is kept, in a segment not known before this look: now the read finds it.
        return data

    def _read_known(self, offset: int, limit: int) -> bytes:
        pieces = []
        while limit and (piece := self._piece(offset, limit)):
            pieces.append(piece)
            offset += len(piece)
            limit -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _piece(self, offset: int, limit: int) -> bytes:
        index = segment_holding(self._firsts, offset)
        if index is None:
            return b""
        first = self._firsts[index]
        if index + 1 < len(self._firsts):
            limit = min(limit, self._firsts[index + 1] - offset)
        for _ in range(REOPENINGS):
            fd = self._descriptor(first)
            if fd is None:
                return b""
            piece = os.pread(fd, limit, offset - first)
            # Pruned or forgotten means unlinked or replaced: from then on its bytes are not
            # shown any more, whoever still holds the file. Asked after the read, because what
            # is forgotten is overwritten at any moment.
            if not is_withdrawn(fd):
                return piece
            os.close(self._held.pop(first))
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    def _descriptor(self, first: int) -> int | None:
        fd = self._held.pop(first, None)
        if fd is None:
            fd = self._opened(first)
        if fd is not None:
            self._held[first] = fd
            if len(self._held) > READER_DESCRIPTORS:
                os.close(self._held.pop(next(iter(self._held))))
        return fd

    def _opened(self, first: int) -> int | None:
        path = self._directory / segment_name(first)
        try:
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None

    def _look(self) -> list[Segment]:
        found = self._segments()
        # Reading a directory is not atomic: a segment may be missed although its successor,
        # made even later, is seen. So a hole is believed when two looks agree.
        while (holes := _holes(found)) and _holes(again := self._segments()) != holes:
            found = again
        self._firsts = [segment.first for segment in found]
        return found

    def _segments(self) -> list[Segment]:
        # Names first, then sizes: a segment that has a successor does not grow any more.
        while firsts := segment_firsts(self._directory):
            sizes = [(first, self._size(first)) for first in firsts]
            # If even the last is gone by now, retention has overtaken this look as a whole.
            if sizes[-1][1] is not None:
                return [Segment(first, size) for first, size in sizes if size is not None]
        return []

    def _end(self) -> int:
        while firsts := segment_firsts(self._directory):
            size = self._size(firsts[-1])
            if size is not None:
                return firsts[-1] + size
        return 0

    def _size(self, first: int) -> int | None:
        try:
            return (self._directory / segment_name(first)).lstat().st_size
        except FileNotFoundError:
            return None  # unlinked since it was listed


def _holes(segments: list[Segment]) -> list[int]:
    """Return where each hole between two kept ranges begins."""
    return [kept.end for kept in kept_ranges(segments)[:-1]]


def is_withdrawn(fd: int) -> bool:
    """Whether the file was unlinked or replaced, or is about to be overwritten."""
    found = os.fstat(fd)
    return found.st_nlink == 0 or stat.S_IMODE(found.st_mode) == WITHDRAWN
