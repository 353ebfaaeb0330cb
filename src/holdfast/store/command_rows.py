"""The records of commands in the journal: every statement about them."""

import sqlite3

# Some months of a busy shell, 20 MB of disk with long summaries; beyond it the oldest go.
COMMANDS_KEPT = 10_000  # of one session


class CommandRows:
    """The rows of commands. Every change is made inside the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def put(self, session: str, command: str, started: float, facts: str) -> None:
        """Store a record, or another one in its place."""
        run = self._connection.execute
        run(
            "INSERT INTO commands VALUES (?, ?, ?, ?) ON CONFLICT (session, id) DO UPDATE"
            " SET started = excluded.started, facts = excluded.facts",
            (session, command, started, facts),
        )
        ((count,),) = run("SELECT count(*) FROM commands WHERE session = ?", (session,))
        if count > COMMANDS_KEPT:
            oldest = "SELECT rowid FROM commands WHERE session = ? ORDER BY started, rowid LIMIT ?"
            query = f"DELETE FROM commands WHERE rowid IN ({oldest})"  # noqa: S608 - our names
            run(query, (session, count - COMMANDS_KEPT))

    def remove(self, session: str, commands: list[str]) -> None:
        values = [(session, command) for command in commands]
        self._connection.executemany("DELETE FROM commands WHERE session = ? AND id = ?", values)

    def remove_all(self, session: str) -> None:
        self._connection.execute("DELETE FROM commands WHERE session = ?", (session,))
