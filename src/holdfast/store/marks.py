"""What a timeline says of sizes, lives and inserted bytes: what a log cannot say by itself."""

import os
from pathlib import Path

from holdfast.formats.timeline import HEADER_SIZE, RECORD_SIZE, Inserted, Life, Resize, marks_in
from holdfast.store.timeline import TIMELINE

PIECE = 32_768 * RECORD_SIZE  # a megabyte at a time, so that no timeline takes much memory


def marks(directory: Path) -> list[Resize | Life | Inserted]:
    """Return them in the order they were written; nothing when there is no timeline."""
    try:
        fd = os.open(directory / TIMELINE, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return []
    found = []
    at = HEADER_SIZE
    try:
        while piece := os.pread(fd, PIECE, at):
            found += marks_in(piece)
            at += PIECE
    finally:
        os.close(fd)
    return found
