"""Bring over what can still be read of a damaged journal, row by row."""

import logging
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.store.journal_facts import decode
from holdfast.store.journal_pages import Pages, Row, Value
from holdfast.store.journal_rows import HIGHEST_NUMBER, NOTE, as_number

logger = logging.getLogger(__name__)

# By the kinds of their values - text, number, nothing - rows tell which table they are of: the
# page that would say it may be the one that is lost. A shape is never used for another table,
# and a new column is a new line here.
SHAPES = {
    "tt": "INSERT OR IGNORE INTO meta VALUES (?, ?)",
    "tntt": "INSERT OR IGNORE INTO sessions VALUES (?, ?, ?, ?)",
    "tnnt": "INSERT OR IGNORE INTO lives VALUES (?, ?, ?, ?)",
    "ttnt": "INSERT OR IGNORE INTO commands VALUES (?, ?, ?, ?)",
    "0nttt": "INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?)",
    "0ntttt": "INSERT OR IGNORE INTO audit VALUES (?, ?, ?, ?, ?, ?)",
}
NAMES = {
    "tt": "notes",
    "tntt": "sessions",
    "tnnt": "lives",
    "ttnt": "commands",
    "0nttt": "events",
    "0ntttt": "audit",
}


@dataclass
class Salvaged:
    """How many rows of each table were saved, and the highest number of an event seen."""

    counts: Counter[str] = field(default_factory=Counter)
    newest_event: int = 0


def salvage(damaged: Path, into: sqlite3.Connection) -> Salvaged:
    """Copy the readable rows of *damaged* into the open transaction of *into*.

    What cannot be read is left out. Raises sqlite3.Error of *into* alone.
    """
    found = Salvaged()
    try:
        pages = Pages(damaged)
    except OSError as error:
        logger.warning("nothing can be salvaged: %s", error)
        return found
    try:
        for row in pages.rows():
            _take(found, row, into)
    except OSError as error:
        logger.warning("not all can be salvaged: %s", error)
    finally:
        pages.close()
    return found


def _take(found: Salvaged, row: Row, into: sqlite3.Connection) -> None:
    shape = "".join(map(_kind, row.values))
    values = _texts(row)
    if shape not in SHAPES or values is None:
        return
    if shape == "tt" and not str(values[0]).startswith(NOTE):
        # What it says of the file is of the one that is left; where numbers end is not.
        if values[0] in ("newest_event", "events_from"):
            found.newest_event = max(found.newest_event, as_number(values[1]))
        return
    if shape[0] == "0":
        if not 0 < row.rowid <= HIGHEST_NUMBER:
            return
        values[0] = row.rowid
    if shape == "0nttt":
        found.newest_event = max(found.newest_event, row.rowid)
    found.counts[NAMES[shape]] += into.execute(SHAPES[shape], values).rowcount


def _kind(value: Value) -> str:
    if value is None:
        return "0"
    return "t" if isinstance(value, bytes) else "n"


def _texts(row: Row) -> list[str | int | float | None] | None:
    """Return the values as they may be stored, None if their facts or texts are damaged."""
    try:
        values = [
            str(value, "utf-8") if isinstance(value, bytes) else value for value in row.values
        ]
        if len(row.values) > 2 and isinstance(row.values[-1], bytes):
            decode(row.values[-1])
    except (ValueError, TypeError, RecursionError):
        return None
    return values
