"""The journal: what is known of all sessions, their lives, events, and who did what.

A row is JSON facts of its caller, which come back as they were put, unknown keys too. It
knows no rule of sessions; where numbers of events come from is in `journal_rows`.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple, Self

from holdfast.store.journal_errors import translated
from holdfast.store.journal_facts import Facts, decode, encode
from holdfast.store.journal_files import refuse_newer
from holdfast.store.journal_opening import Opened, begin_anew, connect, open_journal
from holdfast.store.journal_rows import NOTE, PRUNED, Rows, as_number
from holdfast.store.journal_writer import Writer, purge

logger = logging.getLogger(__name__)


class Event(NamedTuple):
    """Something that happened to a session, with the number it has for ever."""

    number: int
    time: float
    session: str
    kind: str
    facts: Facts


class Page(NamedTuple):
    """Events in order, and the number up to which they are all; None when none follows.

    One whose row cannot be read is not among them.
    """

    events: list[Event]
    upto: int | None


class Audit(NamedTuple):
    """Who changed what about a session."""

    time: float
    session: str
    who: str
    what: str
    facts: Facts


class Journal:
    """The journal at one path; only one may be open for it, in all processes.

    What is put is written by a thread of its own, in the order of the calls; its future is
    done once the row is committed and would survive SIGKILL. It fails with DiskFull or
    IoFailed (put it again later), or with JournalDamaged: then call `begin_anew` and put
    every record again. Reads are for the thread that opened it and see what is committed.

    `damaged` is where a damaged journal, or only its write-ahead log, lies now; `salvaged`
    says how many rows of it were saved, by table; `unreadable` counts rows skipped since.
    """

    def __init__(self, path: Path, opened: Opened) -> None:
        self._path = path
        self.unreadable = 0
        self._take(opened)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Return the journal at *path*, whatever has happened to it.

        Raises NewerFormat, with nothing changed, DiskFull and IoFailed.
        """
        return cls(path, open_journal(path))

    @staticmethod
    def check(path: Path) -> None:
        """Raise NewerFormat if this version could not use the journal; changes nothing.

        Not for a process that has the journal open: see `journal_files`.
        """
        refuse_newer(path)

    def begin_anew(self) -> None:
        """Move the file aside and begin a new one, with the rows that can still be read.

        Takes a second if there are many. Requests that still wait fail as damaged.
        """
        self._take(begin_anew(self._path, self._end))

    def close(self) -> None:
        """Commit what waits and leave one file that nothing is missing from."""
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- writing

    @property
    def waiting(self) -> int:
        """How much was put that is not being written yet."""
        return self._writer.waiting

    def put_session(self, session: str, created: float, state: str, facts: Facts) -> Future[None]:
        text = encode(facts)
        return self._writer.submit(lambda rows: rows.put_session(session, created, state, text))

    def remove_session(self, session: str) -> Future[None]:
        """Remove a session with its lives and events, overwriting them; `purge` afterwards."""
        return self._writer.submit(lambda rows: rows.remove_session(session))

    def put_life(self, session: str, number: int, started: float, facts: Facts) -> Future[None]:
        text = encode(facts)
        return self._writer.submit(lambda rows: rows.put_life(session, number, started, text))

    def append_event(self, time: float, session: str, kind: str, facts: Facts) -> Future[int]:
        """Append an event; the future has its number, higher than any there ever was."""
        text = encode(facts)
        return self._writer.submit(lambda rows: rows.append_event(time, session, kind, text))

    def append_audit(
        self, time: float, session: str, who: str, what: str, facts: Facts
    ) -> Future[None]:
        text = encode(facts)
        return self._writer.submit(lambda rows: rows.append_audit(time, session, who, what, text))

    def put_command(self, session: str, command: str, started: float, facts: Facts) -> Future[None]:
        """Store a record of a command; the same id again replaces it."""
        text = encode(facts)
        return self._writer.submit(lambda rows: rows.commands.put(session, command, started, text))

    def remove_commands(self, session: str, commands: list[str]) -> Future[None]:
        """Remove records, overwriting them; `purge` afterwards."""
        return self._writer.submit(lambda rows: rows.commands.remove(session, commands))

    def note(self, name: str, value: str) -> Future[None]:
        return self._writer.submit(lambda rows: rows.note(name, value))

    def purge(self) -> Future[None]:
        """Write the file anew, after which what was removed is nowhere in it or its log.

        It takes 0.2 s for a full journal, in which others wait, and as much room again.
        """
        connection, path = self._writing, self._path
        return self._writer.submit(lambda _: purge(connection, path), alone=True)

    # -- reading

    def sessions(self) -> list[Facts]:
        """Return the facts of every session, oldest first."""
        return list(self.each_session())

    def each_session(self) -> Iterator[Facts]:
        """Return the same, parsed one at a time: 50,000 at once take 240 MB."""
        rows = self._rows("SELECT facts FROM sessions ORDER BY created, rowid")
        return self._each(rows, lambda facts: facts)

    def lives(self, session: str) -> list[Facts]:
        query = "SELECT facts FROM lives WHERE session = ? ORDER BY number"
        return self._parsed(self._rows(query, session), lambda facts: facts)

    def events(self, since: int, limit: int, session: str | None = None) -> list[Event]:
        """Return up to *limit* events after the number *since*, in order."""
        return self.event_page(since, limit, session).events

    def event_page(self, since: int, limit: int, session: str | None = None) -> Page:
        """Return events after the number *since*, and where to go on."""
        which, values = ("", ()) if session is None else ("AND session = ?", (session,))
        columns = "number, time, session, kind, facts"
        query = f"SELECT {columns} FROM events WHERE number > ? {which} ORDER BY number LIMIT ?"  # noqa: S608
        rows = self._rows(query, since, *values, limit)
        upto = int(rows[-1][0]) if len(rows) == limit else None
        return Page(self._parsed(rows, Event), upto)

    def newest_event(self) -> int:
        """Return the highest number that any event has had, 0 if there was none."""
        noted = self._rows("SELECT value FROM meta WHERE name = 'newest_event'")
        kept = self._rows("SELECT coalesce(max(number), 0) FROM events")
        return max(as_number(row[0]) for row in noted + kept)

    def oldest_event(self) -> int:
        """Return the lowest number that is kept, 0 if none is."""
        ((number,),) = self._rows("SELECT coalesce(min(number), 0) FROM events")
        return int(number)

    def pruned_event(self) -> int:
        """Return the number up to which events may be gone: too many, or a damaged file."""
        found = self._rows("SELECT value FROM meta WHERE name = ?", PRUNED)
        return as_number(found[0][0]) if found else 0

    def audit(self, session: str, limit: int) -> list[Audit]:
        """Return the newest *limit* audit rows of a session, oldest first."""
        columns = "time, session, who, what, facts"
        query = f"SELECT {columns} FROM audit WHERE session = ? ORDER BY number DESC LIMIT ?"  # noqa: S608
        return self._parsed(reversed(self._rows(query, session, limit)), Audit)

    def commands(self, session: str, last: int = 0) -> list[Facts]:
        """Return the records of a session's commands, oldest first; the newest *last*, or all."""
        query = (
            "SELECT facts FROM commands WHERE session = ? ORDER BY started DESC, rowid DESC LIMIT ?"
        )
        rows = self._rows(query, session, last or -1)
        return self._parsed(reversed(rows), lambda facts: facts)

    def count_commands(self, session: str) -> int:
        ((count,),) = self._rows("SELECT count(*) FROM commands WHERE session = ?", session)
        return int(count)

    def noted(self, name: str) -> str | None:
        found = self._rows("SELECT value FROM meta WHERE name = ?", f"{NOTE}{name}")
        return str(found[0][0], "utf-8", "replace") if found else None

    # -- inside

    def _take(self, opened: Opened) -> None:
        self.damaged, self.salvaged = opened.damaged, opened.salvaged
        self._writing = opened.connection
        self._reading = connect(self._path)
        self._reading.execute("PRAGMA query_only = ON")
        self._writer = Writer(self._path, opened.connection, opened.rows)
        self._counted: Rows = opened.rows

    def _end(self) -> int:
        """End writing and reading; return the highest number of an event."""
        # The last to close empties the write-ahead log and removes it, but a connection that
        # may not write cannot: the writer's has to be the last.
        self._reading.close()
        self._writer.close()
        return self._counted.newest_event()

    def _rows(self, query: str, *values: str | int) -> list[Any]:
        try:
            # All at once: a query left half-way would keep every checkpoint from ending.
            return self._reading.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise translated(error, self._path, "reading") from error

    def _parsed(self, rows: Iterable[Any], made: Callable[..., Any]) -> list[Any]:
        """Return what *made* makes of each row, its last column parsed, others skipped."""
        return list(self._each(rows, made))

    def _each(self, rows: Iterable[Any], made: Callable[..., Any]) -> Iterator[Any]:
        before = self.unreadable
        for *columns, facts in rows:
            try:
                texts = [str(c, "utf-8") if isinstance(c, bytes) else c for c in columns]
                one = made(*texts, decode(facts))
            except (ValueError, TypeError, RecursionError):
                self.unreadable += 1
            else:
                yield one
        if self.unreadable > before:
            logger.warning("%s: %d rows are unreadable", self._path, self.unreadable - before)
