"""What outlives a window: its place, and what its page has stored. One window at a time has it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class Kept(NamedTuple):
    """Where this window keeps things."""

    place: Path | None
    storage: Path | None
    """None when another window has it, or nothing is to be kept: then it ends with the window."""

    @classmethod
    @contextmanager
    def of(cls, directory: Path | None) -> Iterator["Kept"]:
        """Keep things in *directory*, if it is given, as long as the block lasts."""
        if directory is None:
            yield cls(None, None)
            return
        directory.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # Two engines on one storage would damage it.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            storage = directory / "storage"
        except BlockingIOError:
            storage = None
        try:
            yield cls(directory / "place", storage)
        finally:
            os.close(lock)
