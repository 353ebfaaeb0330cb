"""Where on the screen the last window was: a file that may be missing, old or rubbish."""

import os
from pathlib import Path

LONGEST = 4096  # bytes; it is a few dozen


def read(file: Path) -> bytes:
    """Return what was kept, empty if nothing is."""
    try:
        with file.open("rb") as opened:
            return opened.read(LONGEST)
    except OSError:
        return b""


def write(file: Path, place: bytes) -> None:
    """Keep it; a window that cannot be remembered is no reason to complain."""
    fresh = file.with_suffix(f".{os.getpid()}")
    try:
        fresh.write_bytes(place)
        fresh.replace(file)
    except OSError:
        fresh.unlink(missing_ok=True)
