"""The end of a keeper: first its sessions, then its daemon, then itself.

In that order, so that the last output reaches the logs and nobody is left to start a
successor.
"""

import os
import select
import sys
import time
from collections.abc import Callable

from holdfast.keeper.place import Listener
from holdfast.keeper.plain import TYPE_CHECKING
from holdfast.keeper.wire import Channel

if TYPE_CHECKING:
    from holdfast.keeper.keeper import Keeper

LAST_WORDS = 5.0  # seconds for the daemon to write down the end of the last session
DAEMON_GRACE = 2.0  # seconds between TERM and KILL of a daemon that has nothing left to do
LONGEST_GRACE = 3600.0  # a number from outside; nobody waits longer for an end


class Ending:
    """Whether the keeper is being stopped, and how far it came."""

    def __init__(self, keeper: "Keeper", finish: Callable[[list[Channel]], None]) -> None:
        self._keeper = keeper
        self._finish = finish
        self._asked_by: list[Channel] = []
        self._latest: float | None = None
        self.is_final = False
        """Whether the sessions are over and no daemon is wanted any more."""

    @property
    def under_way(self) -> bool:
        return self._latest is not None

    def deadline(self) -> float | None:
        return None if self.is_final else self._latest

    def begin(self, grace: float, channel: Channel | None = None) -> None:
        """End every session; *channel* is answered when all is over."""
        if channel is not None:
            self._asked_by.append(channel)
        grace = max(0.0, min(LONGEST_GRACE, grace))
        self._keeper.sessions.kill_all(grace)
        self._keeper.supervisor.wake()
        if self._keeper.adoption.under_way:
            self._keeper.adoption.afterwards(lambda: self._keeper.sessions.kill_all(grace))
        latest = time.monotonic() + grace + LAST_WORDS
        self._latest = latest if self._latest is None else min(self._latest, latest)

    def _without_anybody(self) -> bool:
        """End because the daemon found nobody who needs us; False if somebody does after all.

        Whoever waits in a backlog would be cut off. So one looks there again once nobody can
        come any more, because the files are gone; who comes now starts another keeper.
        """
        keeper = self._keeper
        needed = keeper.sessions.by_id or keeper.is_busy or keeper.reexec.under_way
        if needed or _somebody_waits(keeper.listeners):
            return False
        for listener in keeper.listeners:
            listener.remove()
        if _somebody_waits(keeper.listeners):
            keeper.look_after_sockets()  # makes new files; the daemon serves both
            return False
        print("nothing is left: no session, no client; the keeper ends", file=sys.stderr)  # noqa: T201
        keeper.supervisor.drop_helpers()
        keeper.loop.stopped = True
        os.close(keeper.lock)
        return True

    def tick(self, now: float) -> None:
        """Go on as far as things have come."""
        if self._keeper.supervisor.ended_idle and self._without_anybody():
            return
        if self._latest is None:
            return
        if now < self._latest and self._has_to_wait():
            return
        if not self.is_final:
            self._say_farewell(now)
        daemon = self._keeper.supervisor.daemon
        if daemon.active is None and not self._keeper.adoption.under_way:
            self._keeper.sessions.kill_rest()
            self._finish(self._asked_by)

    def _has_to_wait(self) -> bool:
        sessions, daemon = self._keeper.sessions, self._keeper.supervisor.daemon
        if self._keeper.adoption.under_way or sessions.living:
            return True
        # The daemon drains an ended session, writes its end down and has it forgotten. One
        # that dies comes back for that, unless it has shown that it cannot.
        return bool(sessions.by_id) and (daemon.active is not None or daemon.failures <= 1)

    def _say_farewell(self, now: float) -> None:
        self.is_final = True
        supervisor = self._keeper.supervisor
        supervisor.daemon.wanted = False
        supervisor.drop_helpers()
        if supervisor.daemon.active is not None:
            supervisor.end(supervisor.daemon.active, now, DAEMON_GRACE)
        elif self._keeper.adoption.under_way:
            self._keeper.adoption.give_up()


def _somebody_waits(listeners: list[Listener]) -> bool:
    waiting = select.poll()  # `select` takes no descriptor above 1,023
    for listener in listeners:
        waiting.register(listener.sock, select.POLLIN)
    return bool(waiting.poll(0))
