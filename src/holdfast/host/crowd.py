"""How many connections there may be, and which of them goes when there is one more. Pure.

A connection costs a descriptor from the moment it is made, before there is a request that
could be refused. Whoever has not said what he wants makes room first, the oldest before the
others: a browser says it at once. So a thousand silent connections shut nobody out, and no
timer has to be set for each.
"""

from collections.abc import Hashable
from typing import Generic, TypeVar

SILENT_LIMIT = 128  # a browser opens six at once; a proxy may keep some tens
LIMIT = 512  # of those that have a request as well; sockets have a bound of their own

Connection = TypeVar("Connection", bound=Hashable)


class Crowd(Generic[Connection]):
    """The connections that are no sockets, in the order in which they came."""

    def __init__(self, *, silent_limit: int = SILENT_LIMIT, limit: int = LIMIT) -> None:
        self._silent_limit, self._limit = silent_limit, limit
        self._silent: dict[Connection, None] = {}
        self._busy: dict[Connection, None] = {}

    def __len__(self) -> int:
        return len(self._silent) + len(self._busy)

    def wait(self, one: Connection) -> Connection | None:
        """It is new, or has to say what it wants next; returns who has to go for it."""
        self._busy.pop(one, None)
        self._silent.setdefault(one)
        if len(self._silent) > self._silent_limit or len(self) > self._limit:
            return self._gone(next(iter(self._silent)))
        return None

    def serve(self, one: Connection) -> Connection | None:
        """It has said what it wants; returns who has to go for it."""
        self._silent.pop(one, None)
        self._busy.setdefault(one)
        if len(self) > self._limit:
            return self._gone(next(iter(self._silent or self._busy)))
        return None

    def leave(self, one: Connection) -> None:
        """It has ended, or became a socket."""
        self._silent.pop(one, None)
        self._busy.pop(one, None)

    def _gone(self, one: Connection) -> Connection:
        self.leave(one)
        return one
