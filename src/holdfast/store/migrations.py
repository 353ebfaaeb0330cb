"""The shapes of the journal's tables, from the first on, and how one becomes the next.

Only grows: a shape that was released is never edited, and a table `meta` with the rows
`format` and `holdfast_version` stays for ever, because older versions read them.
"""

import sqlite3
from collections.abc import Sequence

from holdfast import __version__

Migration = tuple[str, ...]

# Every table has a rowid although some have a key of their own, and none has the shape of
# another: rows of a damaged file are salvaged without its indexes and without this schema.
FIRST: Migration = (
    "CREATE TABLE meta (name TEXT NOT NULL UNIQUE, value TEXT NOT NULL)",
    """CREATE TABLE sessions (id TEXT NOT NULL UNIQUE, created REAL NOT NULL,
        state TEXT NOT NULL, facts TEXT NOT NULL)""",
    """CREATE TABLE lives (session TEXT NOT NULL, number INTEGER NOT NULL,
        started REAL NOT NULL, facts TEXT NOT NULL, UNIQUE (session, number))""",
    """CREATE TABLE events (number INTEGER PRIMARY KEY, time REAL NOT NULL,
        session TEXT NOT NULL, kind TEXT NOT NULL, facts TEXT NOT NULL)""",
    "CREATE INDEX events_of_session ON events (session)",
    """CREATE TABLE audit (number INTEGER PRIMARY KEY, time REAL NOT NULL,
        session TEXT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, facts TEXT NOT NULL)""",
    "CREATE INDEX audit_of_session ON audit (session)",
)
COMMANDS: Migration = (
    """CREATE TABLE commands (session TEXT NOT NULL, id TEXT NOT NULL, started REAL NOT NULL,
        facts TEXT NOT NULL, UNIQUE (session, id))""",
)
MIGRATIONS: tuple[Migration, ...] = (FIRST, COMMANDS)
VERSION = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS) -> bool:
    """Bring the tables to the newest shape, all of it or nothing; return if there was a step.

    Raises sqlite3.Error with the file as it was.
    """
    found = version_of(connection)
    if found == len(migrations):
        return False
    connection.execute("BEGIN IMMEDIATE")
    try:
        # One by one: `executescript` would commit before it begins.
        for statement in (line for step in migrations[found:] for line in step):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        rows = [("format", str(len(migrations))), ("holdfast_version", __version__)]
        connection.executemany("REPLACE INTO meta VALUES (?, ?)", rows)
        connection.execute("COMMIT")
    except BaseException:
        # A full disk has rolled back by itself.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return True


def version_of(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def is_consistent(connection: sqlite3.Connection) -> bool:
    """Whether the number in the file's header is the one that its migration wrote down.

    A flipped bit in that number would make a good file look older or newer than it is.
    """
    version = version_of(connection)
    if version == 0:
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return int(tables) == 0
    return noted_format(connection)[0] == version


def noted_format(connection: sqlite3.Connection) -> tuple[int, str]:
    """Return the format that was written down in the file, and by which Holdfast."""
    query = "SELECT value FROM meta WHERE name = ?"
    values = [connection.execute(query, (name,)).fetchone() for name in _NOTED]
    if None in values:
        return -1, ""
    number, holdfast = (_text(value) for (value,) in values)
    return int(number) if number.isdecimal() else -1, holdfast


_NOTED = ("format", "holdfast_version")


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
