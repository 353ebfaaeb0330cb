"""A daemon with no session and no client ends after a while, and has its keeper end as well.

It closes its doors first: who comes from then on waits in the backlog, which is the keeper's.
The keeper, when this process is gone, ends too if nobody waits there, and otherwise does what it
does after every death of a daemon. One timer runs, as long as the whole time allowed: it looks
how long nothing has happened, and is set for what is left.
"""

import asyncio
from collections.abc import Callable

from holdfast.daemon.clients import Clients
from holdfast.daemon.doors import Doors
from holdfast.daemon.keeper_link import KeeperLink
from holdfast.daemon.reporting import report
from holdfast.daemon.sessions import Sessions

LET_IN = 0.01  # seconds, after which a client that was let in is among the clients
SHORTEST = 0.01  # seconds between two looks


class Idleness:
    """How long nothing has happened, and the end that follows."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        limit: float | None,
        *,
        clients: Clients,
        sessions: Sessions,
        link: KeeperLink,
        doors: Doors,
        leave: Callable[[], None],
    ) -> None:
        self.is_over = False
        self._loop = loop
        self._clients = clients
        self._sessions = sessions
        self._link = link
        self._doors = doors
        self._end = leave
        self._since = loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._leaving: asyncio.Task[None] | None = None
        if limit is not None:
            clients.on_change = self._noted
            self._limit = limit
            self._look_in(limit)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _noted(self) -> None:
        self._since = self._loop.time()

    @property
    def _left(self) -> float:
        """Seconds until it has lasted long enough."""
        if len(self._clients) or self._sessions.has_any or not self._link.has_keeper:
            return self._limit
        return max(self._since, self._sessions.last_end) + self._limit - self._loop.time()

    def _look_in(self, seconds: float) -> None:
        self._timer = self._loop.call_later(max(SHORTEST, seconds), self._look)

    def _look(self) -> None:
        if (left := self._left) > 0:
            self._look_in(left)
        else:
            self._leaving = self._loop.create_task(self._leave())

    async def _leave(self) -> None:
        self._doors.close()
        await asyncio.sleep(LET_IN)
        if (left := self._left) > 0:
            await self._doors.open()
            self._look_in(left)
            return
        report("no session and no client: this daemon ends", level="info", idle=self._limit)
        self.is_over = True
        self._end()
