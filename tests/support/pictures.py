"""What is to be seen in a picture: how many of its pixels are of another colour than its ground."""

import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {2: 3, 6: 4}  # by the kind of colour: true colour, and with transparency


def ink(file: Path, top: int, bottom: int) -> int:
    """Count the pixels between two rows that are not of the most frequent colour there."""
    colours = Counter(
        row[x : x + 3]
        for channels, row in list(_rows(file, bottom))[top:]
        for x in range(0, len(row), channels)
    )
    return colours.total() - colours.most_common(1)[0][1]


def _rows(file: Path, count: int) -> Iterator[tuple[int, bytes]]:
    """Yield the first rows of a PNG of 8 bits a channel, each with how many channels it has."""
    chunks = list(_chunks(file.read_bytes()))
    width, _, depth, colour = struct.unpack(">IIBB", chunks[0][1][:10])
    channels = CHANNELS[colour]
    assert depth == 8
    packed = zlib.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT"))
    length = width * channels
    above = bytes(length)
    for start in range(0, count * (length + 1), length + 1):
        row = packed[start + 1 : start + 1 + length]
        above = _unfiltered(packed[start], row, above, channels)
        yield channels, above


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    assert data.startswith(SIGNATURE)
    place = len(SIGNATURE)
    while place < len(data):
        (size,) = struct.unpack_from(">I", data, place)
        yield data[place + 4 : place + 8], data[place + 8 : place + 8 + size]
        place += size + 12


def _unfiltered(kind: int, row: bytes, above: bytes, channels: int) -> bytes:
    out = bytearray(channels) + row  # what is left of the first pixel is nought
    for x, up in enumerate(above, channels):
        left, corner = out[x - channels], above[x - 2 * channels] if x >= 2 * channels else 0
        guess = (0, left, up, (left + up) // 2, _paeth(left, up, corner))[kind]
        out[x] = (out[x] + guess) & 255
    return bytes(out[channels:])


def _paeth(left: int, up: int, corner: int) -> int:
    most = left + up - corner
    return min((left, up, corner), key=lambda one: abs(one - most))
