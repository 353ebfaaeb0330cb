"""Who is connected: how many at most, and one connection for each client id and role.

A connection that has not said hello costs a place too, so that a crowd that never speaks
cannot grow without bound; but it has to leave when the places are needed.
"""

from collections.abc import Callable
from typing import Protocol

from holdfast.errors import HoldfastError, LimitReached, Superseded
from holdfast.protocol.messages import Message, Role

REMEDY = "close some that are no longer needed, or raise daemon.connections in config.toml"


class Connection(Protocol):
    """What can be told that it has to end."""

    def refuse(self, error: HoldfastError) -> None:
        """Say why, and close."""

    def tell(self, event: Message) -> None:
        """Say what has happened."""


class Clients:
    """The places of a daemon and who sits there."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._strangers: dict[Connection, None] = {}  # have not said hello; oldest first
        self._greeted: dict[Connection, tuple[str, Role]] = {}
        self._newest: dict[tuple[str, Role], Connection] = {}
        self._numbers: dict[int, Connection] = {}
        self._last_number = 0
        self.on_change: Callable[[], None] = lambda: None

    def __len__(self) -> int:
        return len(self._strangers) + len(self._greeted)

    @property
    def count(self) -> int:
        """How many are connected and have said who they are."""
        return len(self._greeted)

    def enter(self, connection: Connection) -> None:
        """Give a new connection a place, or refuse it; tell `left` when it is gone."""
        self.on_change()
        if len(self) < self._limit:
            self._strangers[connection] = None
            return
        refused = connection
        if self._strangers:
            # Who speaks needs a millisecond; the oldest silence is the least likely to end.
            refused = next(iter(self._strangers))
            del self._strangers[refused]
            self._strangers[connection] = None
        refused.refuse(LimitReached(resource="connections", limit=self._limit, remedy=REMEDY))

    def greet(self, connection: Connection, client_id: str, role: Role) -> int:
        """Take note who a connection is, and number it; an older one of its client has to end."""
        del self._strangers[connection]
        older = self._newest.get((client_id, role))
        self._greeted[connection] = client_id, role
        self._newest[client_id, role] = connection
        if older is not None:
            older.refuse(Superseded(reason=f"client {client_id} has connected again"))
        self._last_number += 1
        self._numbers[self._last_number] = connection
        return self._last_number

    def tell(self, number: int, message: Message) -> None:
        """Send an event to a connection that may have gone."""
        if connection := self._numbers.get(number):
            connection.tell(message)

    def left(self, connection: Connection) -> None:
        """A connection is gone; that of an older one says nothing about a newer."""
        self.on_change()
        self._strangers.pop(connection, None)
        self._numbers = {n: one for n, one in self._numbers.items() if one is not connection}
        who = self._greeted.pop(connection, None)
        if who is not None and self._newest.get(who) is connection:
            del self._newest[who]
