"""What SQLite complains about, in the words of Holdfast."""

import os
import sqlite3
from pathlib import Path

from holdfast.errors import DiskFull, HoldfastError, Internal, IoFailed, JournalDamaged

CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
# The world around the file, not what is in it: nothing is moved aside for these.
WORLD = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_NOLFS,
}
SMALLEST_PAGES = 16  # blocks: with fewer free ones an I/O error means a full disk


def kind_of(error: sqlite3.Error) -> int:
    """Return SQLite's primary code, 0 for what Python itself complains about."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def concerns_all(error: sqlite3.Error) -> bool:
    """Whether no other row would fare better than the one that failed."""
    return kind_of(error) in CORRUPT | WORLD


def translated(error: sqlite3.Error, path: Path, action: str) -> HoldfastError:
    """Return the error for a caller, who sets its cause."""
    kind = kind_of(error)
    if kind == sqlite3.SQLITE_FULL or (kind == sqlite3.SQLITE_IOERR and _is_full(path)):
        return DiskFull(path=str(path))
    if kind in WORLD:
        return IoFailed(action=f"{action} {path}", reason=str(error))
    if kind in CORRUPT:
        return JournalDamaged(action=f"{action} {path}", reason=str(error))
    return Internal(summary=f"{action} {path}: {error}")


def _is_full(path: Path) -> bool:
    # A full disk is SQLITE_FULL when a page cannot be written, but SQLITE_IOERR_SHMSIZE when
    # it is `-shm` that cannot grow.
    try:
        return os.statvfs(path.parent).f_bavail < SMALLEST_PAGES
    except OSError:
        return False
