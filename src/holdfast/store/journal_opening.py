"""Open a journal, whatever has happened to it: look, migrate, or move aside and begin anew."""

import logging
import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.errors import HoldfastError, IoFailed, JournalDamaged
from holdfast.store.journal_errors import WORLD, kind_of, translated
from holdfast.store.journal_files import (
    Wal,
    copy_wal_aside,
    make_private,
    move_aside,
    read_wal,
    refuse_newer,
)
from holdfast.store.journal_rows import LEAP, Rows
from holdfast.store.journal_salvage import Salvaged, salvage
from holdfast.store.migrations import is_consistent, migrate

logger = logging.getLogger(__name__)

# Nobody but us writes; what is waited for is a reader in the way of a checkpoint.
BUSY_TIMEOUT_MS = 5000
# SQLite's own threshold is 4 MiB, which a commit of many rows exceeds; beyond this the log is
# cut when it is begun anew, so that one flood does not occupy the disk for ever.
WAL_LIMIT = 16 << 20


@dataclass
class Opened:
    """A journal that is open for writing, and what was found."""

    connection: sqlite3.Connection
    rows: Rows
    damaged: Path | None = None
    salvaged: dict[str, int] = field(default_factory=dict)


def open_journal(path: Path) -> Opened:
    """Return the journal at *path*, its tables in the newest shape.

    A damaged one is moved aside, a new one begun, and what can be read is brought over.
    Raises NewerFormat with nothing changed, DiskFull, IoFailed.
    """
    refuse_newer(path)
    try:
        claimed = read_wal(path)
        # A name with nothing behind it: numbers may have been given, and nobody knows them.
        # (A file of one byte is an empty one to SQLite, which once had to write that byte.)
        is_lost = path.exists() and path.stat().st_size <= 1
        if is_lost and claimed != Wal():
            return begin_anew(path, lambda: 0)
        make_private(path)
    except OSError as error:
        raise _refused(path, error) from error
    opened = _opened(path, claimed)
    if is_lost:
        _leap(opened, 0)
    return opened


def begin_anew(path: Path, close: Callable[[], int]) -> Opened:
    """Move the journal aside and begin a new one, with what the old one still says.

    *close* closes every connection to it and returns the highest number of an event that is
    known; they go on far above. Raises JournalDamaged if the new one is damaged as well.
    """
    try:
        # Before they are closed: the last connection to be closed writes the log into the file
        # and removes it, unless the file is not where it was. It shall stay as it was found.
        aside = move_aside(path)
        newest = close()
        make_private(path)
    except OSError as error:
        raise _refused(path, error) from error
    connection = _connected(path)
    try:
        opened = _made_fit(connection, path, Wal())
        found = _salvaged(connection, aside)
        _leap(opened, max(newest, found.newest_event))
    except sqlite3.Error as error:
        connection.close()
        raise translated(error, path, "salvaging into") from error
    except BaseException:
        connection.close()
        raise
    opened.rows.recount()
    opened.damaged, opened.salvaged = aside, dict(found.counts)
    logger.warning("the damaged journal is kept as %s; salvaged: %s", aside, opened.salvaged)
    return opened


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection to a journal, for any one thread at a time."""
    # What is to be committed when is decided here, not by the module.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    # A damaged text is to be skipped by whoever reads it, not to fail a whole query.
    connection.text_factory = bytes
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    return connection


def _opened(path: Path, claimed: Wal) -> Opened:
    connection = _connected(path)
    try:
        return _made_fit(connection, path, claimed)
    except JournalDamaged as error:
        logger.warning("%s is damaged: %s", path, error.facts["reason"])
        return begin_anew(path, lambda: _closed(connection))
    except BaseException:
        connection.close()
        raise


def _connected(path: Path) -> sqlite3.Connection:
    try:
        return connect(path)
    except sqlite3.Error as error:
        raise translated(error, path, "opening") from error


def _closed(connection: sqlite3.Connection) -> int:
    connection.close()
    return 0  # what it would say of its numbers is salvaged with its rows


def _made_fit(connection: sqlite3.Connection, path: Path, claimed: Wal) -> Opened:
    try:
        damaged = _checked(connection, path, claimed)
        migrate(connection)
        opened = Opened(connection, Rows(connection), damaged)
        _begin(opened)
    except sqlite3.Error as error:
        raise _on_opening(error, path) from error
    return opened


def _checked(connection: sqlite3.Connection, path: Path, claimed: Wal) -> Path | None:
    """Make the connection fit for writing; return where a torn write-ahead log is kept."""
    # Rows that were committed survive the death of the process; a power cut may cost the last
    # ones, but no fsync is waited for at each commit.
    connection.execute("PRAGMA synchronous = NORMAL")
    # What is forgotten is overwritten with zeroes.
    connection.execute("PRAGMA secure_delete = ON")
    # Not in a temporary directory that others use: `purge` needs a place for all rows.
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT}")
    connection.execute("PRAGMA journal_mode = WAL")
    found = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != (b"ok",):
        reason = found[0].decode("utf-8", "replace") if found else "no answer"
        raise JournalDamaged(action=f"checking {path}", reason=reason)
    if not is_consistent(connection):
        raise JournalDamaged(action=f"checking {path}", reason="it contradicts its own format")
    # SQLite drops without a word what follows the first bad checksum.
    _, frames, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    if not claimed.damaged and frames >= claimed.committed:
        return None
    try:
        aside = copy_wal_aside(path)
    except OSError as error:
        raise _refused(path, error) from error
    logger.warning("%s has lost its last rows; its write-ahead log is kept as %s", path, aside)
    return aside


def _begin(opened: Opened) -> None:
    """Note in the file itself that it is open: the write-ahead log may be what gets lost."""
    connection, rows = opened.connection, opened.rows
    is_new = rows.newest_event() == 0
    connection.execute("BEGIN IMMEDIATE")
    if not rows.was_closed() and not is_new:
        rows.begin_events_at(rows.newest_event() + LEAP)
        if opened.damaged:
            rows.note_pruned(rows.newest_event() + LEAP - 1)
    rows.mark_closed(False)
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _leap(opened: Opened, newest: int) -> None:
    """Let numbers go on far above *newest*, and above all that the lost rows may have had."""
    # A microsecond has no second event, so the clock is ahead of every number ever given.
    opened.connection.execute("BEGIN IMMEDIATE")
    first = max(newest + LEAP, time.time_ns() // 1000)
    opened.rows.begin_events_at(first)
    opened.rows.note_pruned(first - 1)
    opened.connection.execute("COMMIT")
    opened.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _salvaged(connection: sqlite3.Connection, aside: Path) -> Salvaged:
    connection.execute("BEGIN IMMEDIATE")
    try:
        found = salvage(aside, connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return found


def _on_opening(error: sqlite3.Error, path: Path) -> HoldfastError:
    kind = kind_of(error)
    # A damaged header makes a file read-only, too. Whatever else cannot be told is damage.
    is_damage = os.access(path, os.W_OK) if kind == sqlite3.SQLITE_READONLY else kind not in WORLD
    if is_damage:
        return JournalDamaged(action=f"opening {path}", reason=str(error))
    return translated(error, path, "opening")


def _refused(path: Path, error: OSError) -> HoldfastError:
    return IoFailed(action=f"opening {path}", reason=error.strerror or str(error))
