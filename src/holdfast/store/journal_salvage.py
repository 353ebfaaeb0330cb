"""Bring over what can still be read of a damaged journal, row by row."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.store.journal_rows import as_number

# In the order of their worth. `meta` is not among them: it speaks of the file that is left.
TABLES = ("sessions", "lives", "notes", "audit", "events")
# Rows looked for one by one between two damaged places; 0.3 s.
PROBES = 100_000

Row = tuple[Any, ...]


@dataclass
class Salvaged:
    """How many rows of each table were saved, and the highest number of an event seen."""

    counts: dict[str, int] = field(default_factory=dict)
    newest_event: int = 0


def salvage(damaged: Path, into: sqlite3.Connection) -> Salvaged:
    """Copy the readable rows of *damaged* into the open transaction of *into*.

    What cannot be read is left out, whatever the reason. Raises sqlite3.Error only of *into*.
    """
    found = Salvaged()
    # Read-only, so that the file and its log stay as they were found.
    uri = f"{damaged.absolute().as_uri()}?mode=ro"
    try:
        connection = sqlite3.connect(uri, uri=True, isolation_level=None)
    except sqlite3.Error:
        return found
    try:
        connection.text_factory = bytes
        for table in TABLES:
            found.counts[table] = _copied(connection, into, table)
        found.newest_event = max(_noted(connection), _highest(into))
    finally:
        connection.close()
    return found


def _copied(damaged: sqlite3.Connection, into: sqlite3.Connection, table: str) -> int:
    # An older shape has fewer columns; a column may only be added with a default.
    known = _columns(into, table)
    columns = [name for name in _columns(damaged, table) if name in known]
    if not columns:
        return 0
    marks = ", ".join("?" * len(columns))
    insert = f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
    count = 0
    for row in _readable(damaged, table, columns):
        values = _good(columns, row)
        if values is not None:
            count += into.execute(insert, values).rowcount
    return count


def _good(columns: list[str], row: Row) -> Row | None:
    """Return a row as it may be stored, None if a value is not what its column holds."""
    values = []
    for name, value in zip(columns, row, strict=True):
        if isinstance(value, bytes):
            try:
                text = value.decode()
                if name == "facts" and not isinstance(json.loads(text), dict):
                    return None
            except (ValueError, RecursionError):
                return None
            values.append(text)
        elif value is None or (name == "number" and not as_number(value)):
            return None
        else:
            values.append(value)
    return tuple(values)


def _readable(connection: sqlite3.Connection, table: str, columns: list[str]) -> Iterator[Row]:
    """Yield rows from the front, then from the back, then what lies between."""
    names = ", ".join(columns)
    select = f"SELECT rowid, {names} FROM {table}"  # noqa: S608 - names of our own tables
    low, high = -1, 1 << 62
    for row in _until_damage(connection, f"{select} NOT INDEXED ORDER BY rowid"):
        low = row[0]
        yield row[1:]
    for row in _until_damage(
        connection, f"{select} NOT INDEXED WHERE rowid > {low} ORDER BY rowid DESC"
    ):
        high = row[0]
        yield row[1:]
    for rowid in range(low + 1, min(high, low + PROBES)):
        for row in _until_damage(connection, f"{select} WHERE rowid = ?", rowid):
            yield row[1:]


def _until_damage(connection: sqlite3.Connection, query: str, *values: int) -> Iterator[Row]:
    try:
        yield from connection.execute(query, values)
    except (sqlite3.Error, OverflowError, MemoryError):
        return  # a page that is none: go on from the other side


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    rows = _until_damage(connection, f"PRAGMA table_info({table})")
    return [_name(row[1]) for row in rows]


def _name(value: bytes | str) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _noted(connection: sqlite3.Connection) -> int:
    query = "SELECT value FROM meta WHERE name IN ('newest_event', 'events_from')"
    return max((as_number(row[0]) for row in _until_damage(connection, query)), default=0)


def _highest(into: sqlite3.Connection) -> int:
    (number,) = into.execute("SELECT coalesce(max(number), 0) FROM events").fetchone()
    return int(number)
