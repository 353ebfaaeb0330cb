"""What a terminal printed and nobody has taken over yet, by offset, within two bounds.

The newest bytes lie in memory, what is older moves on into a file, which is a ring. When both
are full the oldest go: after a long outage people want what happened last, and one hole at the
front is one gap record. How much was lost is what lies between `taken` and `begin`.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator

BLOCK = 64 << 10  # bytes of one write into the file, and of what is read at a time

LONG = 4 << 10  # bytes; what is longer is kept as it came, and not copied


class Spool:
    """Bytes from `begin` to `end`; offsets count what the program has printed."""

    def __init__(self, memory_limit: int, file_limit: int, open_file: Callable[[], int]) -> None:
        self.memory_limit = max(memory_limit, BLOCK)
        # Whole blocks, so that none of them is cut by the end of the ring.
        self._file_limit = file_limit // BLOCK * BLOCK
        self._open_file = open_file
        self._file = -1
        self._blocks: deque[bytes | bytearray] = deque()
        self._kept = 0  # bytes in the blocks
        self._memory_begin = 0  # what is older lies in the file
        self.taken = 0
        """Before this offset nobody needs anything."""
        self.begin = 0
        self.end = 0

    @property
    def waiting(self) -> int:
        """How much nobody has taken, lost bytes too."""
        return self.end - self.taken

    @property
    def lost(self) -> int:
        """How much of that overflowed."""
        return self.begin - self.taken

    def add(self, data: bytes) -> None:
        """Keep what was printed next."""
        blocks = self._blocks
        if len(data) >= LONG:
            blocks.append(data)
        elif blocks and len(last := blocks[-1]) < BLOCK and isinstance(last, bytearray):
            last += data
        else:
            blocks.append(bytearray(data))
        self._kept += len(data)
        self.end += len(data)
        while self._kept > self.memory_limit:
            self._move_oldest()

    def read(self, offset: int, limit: int) -> bytes:
        """Return what begins there, at most *limit* bytes; empty at the end."""
        assert self.begin <= offset <= self.end
        if offset < self._memory_begin:
            count = min(limit, self._memory_begin - offset, self._left_in_ring(offset))
            return os.pread(self._file, count, offset % self._file_limit)
        return b"".join(self._pieces(offset, limit))

    def take(self, offset: int) -> None:
        """Somebody has everything before *offset*: it need not be kept any more."""
        self.taken = max(self.taken, offset)
        self.begin = max(self.begin, offset)
        while self._blocks and self._memory_begin + len(self._blocks[0]) <= offset:
            self._forget_block()
        if self._file >= 0 and self.begin >= self._memory_begin:
            self._close_file()  # it gives its place on the disk back

    def close(self) -> None:
        """Forget everything; nothing is left on the disk."""
        self._blocks.clear()
        self._kept = 0
        self._memory_begin = self.taken = self.begin = self.end
        self._close_file()

    def _pieces(self, offset: int, limit: int) -> Iterator[memoryview]:
        at = self._memory_begin
        for block in self._blocks:
            if offset < at + len(block) and limit > 0:
                yield (piece := memoryview(block)[offset - at : offset - at + limit])
                offset, limit = offset + len(piece), limit - len(piece)
            elif not limit:
                return
            at += len(block)

    # -- the file

    def _move_oldest(self) -> None:
        block, offset = self._blocks[0], self._memory_begin
        if offset + len(block) > self.begin and not self._write(block, offset):
            self.begin = offset + len(block)
            self._close_file()  # or there would be a second hole, behind what it has
        self._forget_block()
        if self._file >= 0:
            self.begin = max(self.begin, self._memory_begin - self._file_limit)

    def _forget_block(self) -> None:
        count = len(self._blocks.popleft())
        self._kept -= count
        self._memory_begin += count

    def _write(self, block: bytes | bytearray, offset: int) -> bool:
        """Put a block into the file; False if there is no place for it."""
        try:
            if self._file < 0:
                if not self._file_limit:
                    return False
                self._file = self._open_file()
            view = memoryview(block)
            while view:
                part = view[: self._left_in_ring(offset)]
                count = os.pwrite(self._file, part, offset % self._file_limit)
                view, offset = view[count:], offset + count
        except OSError:  # a full disk: the same as a limit that is reached
            return False
        return True

    def _left_in_ring(self, offset: int) -> int:
        return self._file_limit - offset % self._file_limit

    def _close_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
