"""Where on the screen the last window was: a file that may be missing, old or rubbish."""

import os
from pathlib import Path

LONGEST = 4096  # bytes; it is a few dozen


def read(file: Path | None) -> bytes:
    """Return what was kept, empty if nothing is."""
    if file is None:
        return b""
    try:
        with file.open("rb") as opened:
            return opened.read(LONGEST)
    except OSError:
        return b""


def write(file: Path | None, place: bytes) -> None:
    """Keep it; a window that cannot be remembered is no reason to complain."""
    if file is None:  # never a device instead: as root we would put a file in its place
        return
    fresh = file.with_suffix(f".{os.getpid()}")
    try:
        fresh.write_bytes(place)
        fresh.replace(file)
    except OSError:
        fresh.unlink(missing_ok=True)
