"""The end of a session's log, for whoever pumps.

Knows nothing of PTYs, pipes or viewers: the pump puts bytes where `place` says. Readers
share nothing with the writer but the directory.
"""

import os
from pathlib import Path
from typing import NamedTuple, Self

from holdfast.formats.segments import SEGMENT_SIZE, first_offset, segment_name


class Place(NamedTuple):
    """Where the next bytes go: at most `room` of them, at `position` in the file."""

    fd: int
    position: int
    room: int


class LogWriter:
    """The end of a log: put bytes at `place()`, then `advance`.

    The directory must exist. Only one writer may be open at a time; the keeper sees to
    that. Errors of the operating system are raised as they are, with nothing changed, so
    that a pump can tell a full disk by its number and try again later.
    """

    def __init__(self, directory: Path, *, segment_size: int = SEGMENT_SIZE) -> None:
        self._directory = directory
        self._segment_size = segment_size
        firsts = segment_firsts(directory)
        self._first = firsts[-1] if firsts else 0
        self._fd = self._open(self._first)
        self._synced = 0  # every segment before it is on the disk
        # The only truth about the end: a pump may have died between its write and `advance`.
        self._position = os.fstat(self._fd).st_size

    @property
    def first(self) -> int:
        """Where the segment begins that is being written; what lies before is sealed."""
        return self._first

    @property
    def end(self) -> int:
        """The offset of the next byte."""
        return self._first + self._position

    def place(self) -> Place:
        """Return where the next bytes go; begins a new segment when this one is full."""
        position = self._position
        if position >= self._segment_size:
            self._begin_segment(self.end)
            position = 0
        return Place(self._fd, position, self._segment_size - position)

    def advance(self, count: int) -> None:
        """Take note that *count* bytes were put at the last place."""
        self._position += count

    def write(self, data: bytes | memoryview) -> int:
        """Write *data* and return how much of it is in the log, which may be less.

        Raises OSError only if nothing was written, so no byte is ever counted twice.
        """
        view = memoryview(data)
        done = 0
        while done < len(view):
            try:
                fd, position, room = self.place()
                wanted = view[done : done + room]
                count = os.pwrite(fd, wanted, position)
            except OSError:
                if done:
                    break
                raise
            self.advance(count)
            done += count
            if count < len(wanted):
                break  # the disk is nearly full: the next call gets its error
        return done

    def seal(self) -> None:
        """Begin a new segment at the end: what was printed so far does not change any more."""
        if self._position:
            self._begin_segment(self.end)

    def skip_to(self, offset: int) -> None:
        """Give the next byte *offset*; offsets never go back."""
        if offset < self.end:
            raise ValueError(f"the log ends at {self.end}, it cannot go on at {offset}")
        if offset > self.end:
            self._begin_segment(offset)

    def take_back(self, end: int) -> None:
        """Let the log end at *end* again; nothing that a program printed may lie behind it."""
        os.ftruncate(self._fd, end - self._first)
        self._position = end - self._first

    def sync(self) -> None:
        """Return when all that is in the log by now is on the disk.

        It waits for the disk, so it may be called in another thread while this one writes.
        """
        firsts = [first for first in segment_firsts(self._directory) if first >= self._synced]
        for first in firsts:
            _sync(self._directory / segment_name(first))
        # A new segment is there after a power cut if the directory says so.
        _sync(self._directory)
        # What lies before the last one does not change any more.
        self._synced = max(firsts, default=self._synced)

    def tail(self, start: int) -> bytes | None:
        """Return the bytes from *start* to the end, None if they begin in an older segment."""
        at = start - self._first
        return os.pread(self._fd, self._position - at, at) if at >= 0 else None

    def written_ns(self) -> int:
        """Return when this log was last written to, by the clock."""
        return os.fstat(self._fd).st_mtime_ns

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin_segment(self, first: int) -> None:
        fd = self._open(first)
        # Left empty by a creation that failed late is fine; with bytes in it somebody else
        # writes this log, and going on would overwrite what was printed.
        if os.fstat(fd).st_size:
            os.close(fd)
            raise FileExistsError(f"{segment_name(first)} in {self._directory} is not empty")
        os.close(self._fd)
        self._fd, self._first, self._position = fd, first, 0

    def _open(self, first: int) -> int:
        # Without O_APPEND, on which splice answers EINVAL.
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        # As text: a Path for each costs a daemon that takes 200 sessions over 5 ms.
        return os.open(f"{self._directory}/{segment_name(first)}", flags, 0o600)


def written_ns(directory: Path) -> int:
    """Return when the newest segment was last written to, by the clock; 0 if there is none."""
    try:
        firsts = segment_firsts(directory)
        newest = directory / segment_name(firsts[-1]) if firsts else None
        return newest.stat().st_mtime_ns if newest else 0
    except OSError:
        return 0


def segment_firsts(directory: Path) -> list[int]:
    """Return where each segment of the log in *directory* begins, in order."""
    # Bare names: a Path for each would take longer than the listing.
    found = (first_offset(name) for name in os.listdir(directory))  # noqa: PTH208
    return sorted(first for first in found if first is not None)


def _sync(path: Path) -> None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return  # dropped since it was listed
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
