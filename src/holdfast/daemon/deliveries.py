"""Whose output is sent next: of each turn of the loop one session gets a share.

So a session that many look at, or that somebody catches up with, delays a key as little as a
program that floods.
"""

import asyncio
from collections import deque
from typing import Protocol


class Work(Protocol):
    """The viewers of one session."""

    def deliver(self) -> bool:
        """Send a bounded share; return whether there is more to send at once."""


class Deliveries:
    """The sessions that have something to send. Idle, it costs nothing."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[Work] = deque()
        self._queued: set[Work] = set()
        self._is_armed = False

    def add(self, work: Work) -> None:
        """Give it its share when its turn has come."""
        if work not in self._queued:
            self._queued.add(work)
            self._waiting.append(work)
            self._arm()

    def _arm(self) -> None:
        if not self._is_armed:
            self._is_armed = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._is_armed = False
        work = self._waiting.popleft()
        self._queued.discard(work)
        if self._waiting:
            self._arm()  # first of all: one that fails must not take the others with it
        has_more = True
        try:
            has_more = work.deliver()
        finally:
            if has_more:  # also when one viewer failed: the others of its session go on
                self.add(work)
