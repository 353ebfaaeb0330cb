"""Keep the file of a timeline within a bound, while somebody goes on writing to it.

The shorter one is written beside it; that it is renamed over the other is the moment at which
it counts. Only who writes may do that, for whom the rest is a few records more: `replace`.
"""

import os
from pathlib import Path

from holdfast.formats.shorter import shorter
from holdfast.formats.timeline import HEADER_SIZE, decode_header
from holdfast.store.timeline import FRESH_TIMELINE, LONG_BYTES, TIMELINE, Recorder

# Less is not worth a new file: what cannot be left out would be written again and again.
WORTH = 4 / 5


def is_long(directory: Path) -> bool:
    """Whether the timeline there is to be made shorter, as far as its size says."""
    try:
        return (directory / TIMELINE).stat().st_size >= LONG_BYTES
    except OSError:
        return False


def shorten(directory: Path, timeline: Recorder, *, aim: int = LONG_BYTES // 2) -> int:
    """Have the timeline say the same in about *aim* bytes; return by how many it is shorter.

    Killed at any point the old or the new file is there. Nothing may scrub it meanwhile, so
    it has its turn in the same thread. Raises OSError with nothing changed.
    """
    upto = timeline.begin_shortening()
    fresh = directory / FRESH_TIMELINE
    data = _read(directory / TIMELINE, upto)
    if not upto or decode_header(data) is None:
        return 0
    short = data[:HEADER_SIZE] + shorter(data[HEADER_SIZE:], aim)
    if len(short) > len(data) * WORTH:
        return 0
    try:
        _write(fresh, short)
        return len(data) - len(short) if timeline.replace(fresh, upto) else 0
    finally:
        fresh.unlink(missing_ok=True)


def _read(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size)


def _write(path: Path, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        # Renamed before it is on the disk, a power cut could leave neither.
        os.fsync(file.fileno())
