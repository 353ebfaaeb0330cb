"""A screen as bytes to keep: the library's snapshot, compressed, with a checksum of ours.

zlib at its quickest level: a checkpoint lies on a disk, where zstd would save a third of
the place and cost every installation one more native library (docs/concepts/screen.md).
"""

import struct
import zlib

from holdfast.reader.model import ScreenError

MAGIC = b"HFSCRN1\n"
HEAD = struct.Struct("<II")  # CRC-32 and length of what was compressed
LEVEL = 1
# A screen of the largest size with all its scrollback; more is no checkpoint of ours.
LENGTH_LIMIT = 512 * 1024 * 1024


def pack(snapshot: bytes) -> bytes:
    """Return a snapshot as a checkpoint."""
    return MAGIC + HEAD.pack(zlib.crc32(snapshot), len(snapshot)) + zlib.compress(snapshot, LEVEL)


def unpack(checkpoint: bytes) -> bytes:
    """Return the snapshot of a checkpoint, if not a bit of it has changed."""
    begin = len(MAGIC) + HEAD.size
    if checkpoint[: len(MAGIC)] != MAGIC or len(checkpoint) < begin:
        raise ScreenError("this is no checkpoint of a screen")
    checksum, length = HEAD.unpack_from(checkpoint, len(MAGIC))
    if length > LENGTH_LIMIT:
        raise ScreenError(f"a checkpoint of {length} bytes is none of ours")
    try:
        snapshot = zlib.decompressobj().decompress(checkpoint[begin:], length + 1)
    except zlib.error as error:
        raise ScreenError(f"the checkpoint of a screen is damaged: {error}") from error
    if len(snapshot) != length or zlib.crc32(snapshot) != checksum:
        raise ScreenError("the checkpoint of a screen is damaged: its checksum is another")
    return snapshot
