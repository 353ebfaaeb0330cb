"""One CRC-32 for each 256 KiB of a log, computed once, for all who were sent them."""

import zlib
from collections.abc import Callable

from holdfast.session.held import BLOCK

KNOWN = 4096  # blocks, of a gibibyte: more than a log keeps; 400 KiB of memory


class Blocks:
    """The checksums of one log."""

    def __init__(self, read: Callable[[int, int], bytes | memoryview]) -> None:
        self._read = read
        self._known: dict[int, int] = {}

    def crc(self, end: int) -> int:
        """Return the CRC-32 of the block that ends at *end*, all of which is kept."""
        found = self._known.get(end)
        if found is None:
            found, at = 0, end - BLOCK
            while at < end:
                piece = self._read(at, end - at)
                found = zlib.crc32(piece, found)
                at += len(piece)
            self._known[end] = found
            if len(self._known) > KNOWN:
                del self._known[next(iter(self._known))]
        return found


def passed(start: int, end: int) -> range:
    """Return where the blocks end whose end lies behind *start*, up to *end*."""
    return range(start - start % BLOCK + BLOCK, end + 1, BLOCK)
