"""What a viewer holds of a log: enough to come back to it, and to notice a byte that is wrong."""

import zlib
from collections import deque

from holdfast.session.resume import TAIL_LIMIT, Tail

BLOCK = 256 * 1024  # one checksum for each, aligned
PIECES = 64  # of the tail; a key's echo is one, and 64 Ki of them would be megabytes
Bytes = bytes | bytearray | memoryview


class OutOfOrder(ValueError):
    """Bytes that do not begin where the ones before ended."""


class Held:
    """The place of a viewer, its newest bytes, and the checksum of the block it is in."""

    def __init__(self, epoch: bytes, offset: int) -> None:
        self.epoch = epoch
        self.offset = offset
        """Where the next byte belongs."""
        self._pieces: deque[bytes] = deque()  # the newest, at least a tail if there is one
        self._size = 0
        self._since = offset  # from here on nothing is missing
        self._crc = 0  # of the block under way
        self._whole: tuple[int, int] | None = None  # the last block that ended, with its checksum

    def feed(self, offset: int, data: Bytes) -> None:
        """Take bytes; raise OutOfOrder when they belong elsewhere."""
        if offset != self.offset:
            raise OutOfOrder(f"bytes at {offset}, expected at {self.offset}")
        # Somebody else holds these, too: what cannot change needs no copy.
        self._keep(data if isinstance(data, bytes) else bytes(data[-TAIL_LIMIT:]))
        view = memoryview(data)
        while view:
            room = BLOCK - self.offset % BLOCK
            part, view = view[:room], view[room:]
            self._crc = zlib.crc32(part, self._crc)
            self.offset += len(part)
            if self.offset % BLOCK == 0:
                self._whole, self._crc = (self.offset, self._crc), 0

    def skip(self, to: int) -> None:
        """Nothing is held of what comes before *to* any more."""
        self.offset = self._since = to
        self._pieces.clear()
        self._size, self._crc, self._whole = 0, 0, None

    def agrees(self, end: int, crc: int) -> bool:
        """Whether the block that ends at *end* has this checksum, as far as it is known here."""
        if self._whole is None or self._whole[0] != end or end - BLOCK < self._since:
            return True
        return self._whole[1] == crc

    def tail(self) -> Tail:
        """Return what to say on coming back."""
        newest = b"".join(self._pieces)[-TAIL_LIMIT:]
        return Tail(self.epoch, self.offset, len(newest), zlib.crc32(newest))

    def _keep(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._size += len(piece)
        while self._size - len(self._pieces[0]) >= TAIL_LIMIT:
            self._size -= len(self._pieces.popleft())
        if len(self._pieces) > PIECES:
            whole = b"".join(self._pieces)[-TAIL_LIMIT:]
            self._pieces, self._size = deque([whole]), len(whole)
