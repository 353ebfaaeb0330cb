"""What is kept of the log in a directory: its files, and the holes its timeline records."""

import os
from pathlib import Path

from holdfast.errors import IoFailed
from holdfast.formats.kept import Holes, Kept, Missing, kept_list
from holdfast.formats.timeline import HEADER_SIZE, RECORD_SIZE, decode_header, holes_in
from holdfast.store.log_reader import LogReader
from holdfast.store.timeline import TIMELINE

PIECE = 32_768 * RECORD_SIZE  # a megabyte at a time, so that no timeline takes much memory


class KeptList:
    """What is kept in one directory. Asked again, it reads only what the timeline grew by."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file = (-1, -1)  # which timeline was read
        self._read = 0
        self._last = b""  # the last record that was read, or the header
        self._holes = Holes()

    def list(self) -> list[Kept | Missing]:
        """Return ranges and holes from offset 0 to the end, in order and without a gap."""
        with LogReader(self._directory) as log:
            # In this order: what is dropped in between has its record by then. The other way
            # round it would be called lost.
            ranges, end = log.ranges(), log.end()
        return kept_list(ranges, self.holes(), end)

    def holes(self) -> Holes:
        """Return what the timeline says is missing."""
        try:
            self._catch_up()
        except OSError as error:
            reason = error.strerror or str(error)
            action = f"reading {self._directory / TIMELINE}"
            raise IoFailed(action=action, reason=reason) from error
        return self._holes

    def _catch_up(self) -> None:
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            fd = os.open(self._directory / TIMELINE, flags)
        except FileNotFoundError:
            self._file, self._holes = (-1, -1), Holes()
            return
        try:
            self._read_on(fd)
        finally:
            os.close(fd)

    def _read_on(self, fd: int) -> None:
        found = os.fstat(fd)
        file = (found.st_dev, found.st_ino)
        if file != self._file or not self._goes_on(fd):  # mended or shortened: another story
            self._file, self._read, self._holes = file, 0, Holes()
        if not self._read:
            self._last = os.pread(fd, HEADER_SIZE, 0)
            decode_header(self._last)  # a newer format is refused
            self._read = HEADER_SIZE
        while piece := os.pread(fd, PIECE, self._read):
            for hole in holes_in(piece):
                self._holes.add(hole)
            whole = len(piece) - len(piece) % RECORD_SIZE
            self._read += whole
            self._last = piece[whole - RECORD_SIZE : whole] or self._last
            if len(piece) < PIECE:
                break

    def _goes_on(self, fd: int) -> bool:
        """Whether what was read last still lies there, in a file with the number of that one.

        The number of a file that is gone is soon that of another.
        """
        at = self._read - len(self._last)
        return self._read > 0 and os.pread(fd, len(self._last), at) == self._last


def kept(directory: Path) -> list[Kept | Missing]:
    """Return what is kept there now; whoever asks often holds a KeptList."""
    return KeptList(directory).list()
