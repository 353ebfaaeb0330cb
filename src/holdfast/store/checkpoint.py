"""A screen kept beside its log, so that the log need not be read from its start again.

It can always be derived again: what does not fit the log any more is removed. What is in it
is known to the reader alone.
"""

import os
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

from holdfast.formats.kept import Holes
from holdfast.formats.timeline import HoleReason
from holdfast.store.kept import KeptList
from holdfast.store.removal import overwrite

CHECKPOINT = "screen"
FRESH = f"{CHECKPOINT}.new"
HEAD = struct.Struct(">8s16sQI?")  # magic, epoch, offset, what was taken away, exact
MAGIC = b"holdscr1"  # another format gets another one
SIZE_LIMIT = 64 << 20  # bytes; ten times the largest screen seen
# Bytes that somebody wanted to be gone. What retention drops may stay on a screen.
WANTED_GONE = {HoleReason.CLEARED.name.lower(), HoleReason.FORGOTTEN.name.lower()}


class Checkpoint(NamedTuple):
    """The screen at *offset* of the epoch; *taken* tells what was gone from the log by then."""

    epoch: bytes
    offset: int
    taken: int
    exact: bool
    screen: bytes


def taken_away(directory: Path) -> int:
    """Return a number that changes whenever something is cleared or forgotten."""
    return _taken(KeptList(directory).holes())


def keep(directory: Path, checkpoint: Checkpoint) -> bool:
    """Write it, for this user alone; False if meanwhile something of it was to be gone.

    Raises OSError with nothing changed. Whoever forgets records the hole first and erases
    then: so either it finds this file, or this finds the hole.
    """
    fresh = directory / FRESH
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    fd = os.open(fresh, flags, 0o600)
    try:
        head = HEAD.pack(MAGIC, *checkpoint[:4])
        for part in (head, zlib.crc32(head).to_bytes(4, "big"), checkpoint.screen):
            _write_all(fd, part)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)
    fresh.rename(directory / CHECKPOINT)
    if taken_away(directory) != checkpoint.taken:
        erase(directory)
        return False
    return True


def kept(directory: Path) -> Checkpoint | None:
    """Return what is there, if it is whole as far as its head says; None otherwise."""
    try:
        fd = os.open(directory / CHECKPOINT, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    with os.fdopen(fd, "rb") as file:
        data = file.read(SIZE_LIMIT)
    head, crc = data[: HEAD.size], data[HEAD.size : HEAD.size + 4]
    if len(crc) < 4 or zlib.crc32(head) != int.from_bytes(crc, "big"):
        return None
    magic, epoch, offset, taken, exact = HEAD.unpack(head)
    if magic != MAGIC:
        return None
    return Checkpoint(epoch, offset, taken, exact, data[HEAD.size + 4 :])


def erase(directory: Path) -> None:
    """Overwrite and remove what is there, half written ones too."""
    for name in (FRESH, CHECKPOINT):
        try:
            overwrite(directory / name)
        except FileNotFoundError:
            pass  # never written, or just renamed: then it is the next one


def _taken(holes: Holes) -> int:
    gone = [(hole.start, hole.end) for hole in holes if hole.reason in WANTED_GONE]
    return zlib.crc32(repr(gone).encode())


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
