"""A screen as bytes to keep: the library's snapshot, compressed, with a checksum of ours.

zstd makes them a third as large as zlib would, in a third of the time: with many sessions
that is most of what a reader does while nothing happens (docs/concepts/screen.md).
"""

import struct
import zlib

import zstandard

from holdfast.reader.model import ScreenError

MAGIC = b"HFSCRN1\n"
CHECKSUM = struct.Struct("<I")  # of all that follows
LENGTH = struct.Struct("<I")  # of the snapshot
LEVEL = 1
# A screen of the largest size with all its scrollback; more is no checkpoint of ours.
LENGTH_LIMIT = 512 * 1024 * 1024


def pack(snapshot: bytes) -> bytes:
    """Return a snapshot as a checkpoint."""
    body = LENGTH.pack(len(snapshot)) + zstandard.ZstdCompressor(LEVEL).compress(snapshot)
    return MAGIC + CHECKSUM.pack(zlib.crc32(body)) + body


def unpack(checkpoint: bytes) -> bytes:
    """Return the snapshot of a checkpoint, if not a bit of it has changed."""
    begin = len(MAGIC) + CHECKSUM.size
    if checkpoint[: len(MAGIC)] != MAGIC or len(checkpoint) < begin + LENGTH.size:
        raise ScreenError("this is no checkpoint of a screen")
    if zlib.crc32(checkpoint[begin:]) != CHECKSUM.unpack_from(checkpoint, len(MAGIC))[0]:
        raise ScreenError("the checkpoint of a screen is damaged: its checksum is another")
    (length,) = LENGTH.unpack_from(checkpoint, begin)
    if length > LENGTH_LIMIT:
        raise ScreenError(f"a checkpoint of {length} bytes is none of ours")
    try:
        return zstandard.ZstdDecompressor().decompress(checkpoint[begin + LENGTH.size :], length)
    except zstandard.ZstdError as error:
        raise ScreenError(f"the checkpoint of a screen cannot be unpacked: {error}") from error
