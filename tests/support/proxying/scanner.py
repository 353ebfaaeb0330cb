"""Where frames begin and end in a stream, without keeping any of it."""

from collections.abc import Iterator
from typing import NamedTuple

from holdfast.protocol.frames import HEADER, LIMIT


class Piece(NamedTuple):
    """A run of bytes that lies within one frame."""

    data: bytes
    frame: int
    """Its number, from 1; 0 where there are no frames any more."""
    begins: bool
    ends: bool


class Scanner:
    """Cuts what it is fed along the frames it lies in.

    A length that no frame of ours has means that these are other bytes: from then on they
    are pieces of no frame.
    """

    def __init__(self) -> None:
        self.ended = 0
        """Frames that did."""
        self._is_framed = True
        self._header = bytearray()  # of the frame under way
        self._left = 0  # what is to come of its payload, once the header is there

    def pieces(self, data: bytes) -> Iterator[Piece]:
        at = 0
        while at < len(data):
            begins, number, start = not self._header, self.ended + 1, at
            at = self._skip_frame(data, at) if self._is_framed else len(data)
            if not self._is_framed:
                yield Piece(data[start:at], 0, begins=False, ends=False)
                continue
            ends = len(self._header) == HEADER.size and not self._left
            if ends:
                self.ended += 1
                self._header.clear()
            yield Piece(data[start:at], number, begins, ends)

    def _skip_frame(self, data: bytes, at: int) -> int:
        """Return where the frame under way ends in *data*, or where *data* does."""
        if missing := HEADER.size - len(self._header):
            self._header += data[at : at + missing]
            at = min(at + missing, len(data))
            if len(self._header) < HEADER.size:
                return at
            self._left = HEADER.unpack(self._header)[0]
            self._is_framed = self._left <= LIMIT
        size = min(self._left, len(data) - at)
        self._left -= size
        return at + size
