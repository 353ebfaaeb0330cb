"""Take out of a timeline what its checksums say about forgotten bytes.

Whoever types makes a tick for every key, and the CRC-32 of four bytes or fewer has one
solution: forgotten output could be read back from the ticks.
"""

import os
import struct
from pathlib import Path

from holdfast.formats.kept import Holes
from holdfast.formats.timeline import HEADER_SIZE, RECORD_SIZE, Tick, decode_one, encode
from holdfast.store.kept import PIECE
from holdfast.store.timeline import TIMELINE

_HEAD = struct.Struct(">B3xQ20x")  # type and offset, which all records have there
_TICK = encode(Tick(0, 0, 0))[0]


def scrub(directory: Path, forgotten: Holes) -> None:
    """Set the checksum of every tick to 0 whose run has bytes of *forgotten*.

    Such a run is not wholly kept, so nobody compares it any more. Each is one write in place:
    a writer may have the timeline open, it only ever appends.
    """
    try:
        fd = os.open(directory / TIMELINE, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    try:
        at, previous = HEADER_SIZE, 0
        while (piece := os.pread(fd, PIECE, at)) and previous < forgotten.end:
            piece = piece[: len(piece) // RECORD_SIZE * RECORD_SIZE]
            previous = _scrub_piece(fd, at, piece, previous, forgotten)
            at += max(len(piece), RECORD_SIZE)
        os.fsync(fd)
    finally:
        os.close(fd)


def _scrub_piece(fd: int, at: int, piece: bytes, previous: int, forgotten: Holes) -> int:
    """Return the offset of the last tick, where the next run begins."""
    begin = min(hole.start for hole in forgotten)
    for index, (kind, offset) in enumerate(_HEAD.iter_unpack(piece)):
        if kind != _TICK:
            continue
        if offset > begin:  # what lies before is passed over without a look at its checksum
            place = index * RECORD_SIZE
            tick = decode_one(piece[place : place + RECORD_SIZE])
            if not isinstance(tick, Tick):
                continue  # damaged: the next one's run is taken to begin before it
            if tick.crc and forgotten.between(previous, offset):
                os.pwrite(fd, encode(tick._replace(crc=0)), at + place)
        previous = offset
    return previous
