"""Every statement that changes the journal. It knows no thread, no file and no moment."""

import sqlite3
from typing import Any

from holdfast.store.command_rows import CommandRows

EVENTS_KEPT = 100_000  # some weeks of a busy user, 20 MB of disk
AUDIT_KEPT = 100_000
# As far as numbers can have got that were told to somebody and then lost with the end of the
# write-ahead log: its 4 MiB are at most 80,000 events. Far more, because it costs nothing.
LEAP = 1_000_000
# Beyond it a number is none to a page in a browser; one that is higher is damage.
HIGHEST_NUMBER = (1 << 53) - 1

# In front of the name of a note, so that `meta` can hold its own rows too.
NOTE = "note."

# The row of `meta` with the number up to which events may be gone.
PRUNED = "events_pruned"

_PUT_META = "REPLACE INTO meta VALUES (?, ?)"


class Rows:
    """The rows of the journal. Every change is made inside the caller's transaction.

    Numbers of events are counted here and not by SQLite, because they must go on after rows
    were removed and after the whole file was lost.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.commands = CommandRows(connection)
        self.recount()

    def recount(self) -> None:
        """Take what is counted here from the tables; to be called after a rollback."""
        (self._events, newest) = self._one("SELECT count(*), max(number) FROM events")
        (self._audits,) = self._one("SELECT count(*) FROM audit")
        self._noted = self._newest = max(newest or 0, self._number("newest_event"))
        self._next = max(self._newest + 1, self._number("events_from"))

    def settle(self) -> None:
        """Bring the tables within their bounds; to be called before each commit."""
        if self._newest > self._noted:
            self._connection.execute(_PUT_META, ("newest_event", str(self._newest)))
            self._noted = self._newest
        self._events -= self._trimmed("events", self._events - EVENTS_KEPT)
        self._audits -= self._trimmed("audit", self._audits - AUDIT_KEPT)

    def put_session(self, session: str, created: float, state: str, facts: str) -> None:
        # Not REPLACE, which would give the row another place in the order of salvage.
        self._connection.execute(
            "INSERT INTO sessions VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE"
            " SET created = excluded.created, state = excluded.state, facts = excluded.facts",
            (session, created, state, facts),
        )

    def remove_session(self, session: str) -> None:
        run = self._connection.execute
        run("DELETE FROM sessions WHERE id = ?", (session,))
        run("DELETE FROM lives WHERE session = ?", (session,))
        self.commands.remove_all(session)
        self._events -= run("DELETE FROM events WHERE session = ?", (session,)).rowcount

    def put_life(self, session: str, number: int, started: float, facts: str) -> None:
        self._connection.execute(
            "INSERT INTO lives VALUES (?, ?, ?, ?) ON CONFLICT (session, number) DO UPDATE"
            " SET started = excluded.started, facts = excluded.facts",
            (session, number, started, facts),
        )

    def append_event(self, time: float, session: str, kind: str, facts: str) -> int:
        number = self._next
        values = (number, time, session, kind, facts)
        self._connection.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", values)
        self._newest, self._next = number, number + 1
        self._events += 1
        return number

    def append_audit(self, time: float, session: str, who: str, what: str, facts: str) -> None:
        self._connection.execute(
            "INSERT INTO audit (time, session, who, what, facts) VALUES (?, ?, ?, ?, ?)",
            (time, session, who, what, facts),
        )
        self._audits += 1

    def note(self, name: str, value: str) -> None:
        self._connection.execute(_PUT_META, (f"{NOTE}{name}", value))

    def begin_events_at(self, number: int) -> None:
        """Give no number below *number* any more."""
        self._next = max(self._next, number)
        self._connection.execute(_PUT_META, ("events_from", str(self._next)))

    def note_pruned(self, number: int) -> None:
        """Note that events up to this one may be gone, other than by `remove_session`."""
        if number > self._number(PRUNED):
            self._connection.execute(_PUT_META, (PRUNED, str(number)))

    def mark_closed(self, closed: bool) -> None:
        self._connection.execute(_PUT_META, ("closed", "1" if closed else "0"))

    def was_closed(self) -> bool:
        """Whether whoever wrote last closed the journal, so that nothing can be missing."""
        return self._number("closed") == 1

    def newest_event(self) -> int:
        """Return the highest number ever given."""
        return self._newest

    def _trimmed(self, table: str, excess: int) -> int:
        if excess <= 0:
            return 0
        oldest = f"SELECT number FROM {table} ORDER BY number LIMIT ?"  # noqa: S608 - our names
        if table == "events":
            query = f"SELECT max(number) FROM ({oldest})"  # noqa: S608
            (last,) = self._connection.execute(query, (excess,)).fetchone()
            self.note_pruned(last or 0)
        query = f"DELETE FROM {table} WHERE number IN ({oldest})"  # noqa: S608
        return self._connection.execute(query, (excess,)).rowcount

    def _number(self, name: str) -> int:
        row = self._connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return as_number(row[0]) if row else 0

    def _one(self, query: str) -> Any:
        return self._connection.execute(query).fetchone()


def as_number(value: object) -> int:
    """Return the number of an event that a damaged file may hold, 0 for what is none."""
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    return number if number <= HIGHEST_NUMBER else 0
