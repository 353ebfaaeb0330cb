"""Who is connected: how many at most, and one connection for each client id and role.

A connection that has not said hello costs a place too, so that a crowd that never speaks
cannot grow without bound; but it has to leave when the places are needed.
"""

from typing import Protocol

from holdfast.errors import HoldfastError, LimitReached, Superseded
from holdfast.protocol.messages import Role

REMEDY = "close some that are no longer needed, or raise daemon.connections in config.toml"


class Connection(Protocol):
    """What can be told that it has to end."""

    def refuse(self, error: HoldfastError) -> None:
        """Say why, and close."""


class Clients:
    """The places of a daemon and who sits there."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._strangers: dict[Connection, None] = {}  # have not said hello; oldest first
        self._greeted: dict[Connection, tuple[str, Role]] = {}
        self._newest: dict[tuple[str, Role], Connection] = {}

    @property
    def count(self) -> int:
        """How many are connected and have said who they are."""
        return len(self._greeted)

    def enter(self, connection: Connection) -> None:
        """Give a new connection a place, or refuse it; tell `left` when it is gone."""
        if len(self._strangers) + len(self._greeted) < self._limit:
            self._strangers[connection] = None
            return
        refused = connection
        if self._strangers:
            # Who speaks needs a millisecond; the oldest silence is the least likely to end.
            refused = next(iter(self._strangers))
            del self._strangers[refused]
            self._strangers[connection] = None
        refused.refuse(LimitReached(resource="connections", limit=self._limit, remedy=REMEDY))

    def greet(self, connection: Connection, client_id: str, role: Role) -> None:
        """Take note who a connection is; an older one of the same client has to end."""
        del self._strangers[connection]
        older = self._newest.get((client_id, role))
        self._greeted[connection] = client_id, role
        self._newest[client_id, role] = connection
        if older is not None:
            older.refuse(Superseded(reason=f"client {client_id} has connected again"))

    def left(self, connection: Connection) -> None:
        """A connection is gone; that of an older one says nothing about a newer."""
        self._strangers.pop(connection, None)
        who = self._greeted.pop(connection, None)
        if who is not None and self._newest.get(who) is connection:
            del self._newest[who]
