"""Events for those who subscribed: each subscription is a cursor, and nothing is queued for it.

At the edge all share the last events in memory; who is behind reads the journal by pages. An
event is told only once it is committed, so a number that was told is never another event's.
"""

import asyncio
from collections import deque
from typing import NamedTuple

from holdfast.daemon.scribe import Noted
from holdfast.errors import Internal, InvalidArgument
from holdfast.protocol.messages import CaughtUp, Event, Message, Subscribed
from holdfast.store.journal import Journal
from holdfast.store.journal_rows import HIGHEST_NUMBER

PAGE = 100  # events told at once, 20 KiB; to read them from the journal takes half a millisecond
RECENT = 1000  # events in memory, 500 KiB; beyond it a subscriber reads the journal


class Found(NamedTuple):
    """Events in order, and the number up to which they are all."""

    events: list[Event]
    upto: int


class Events:
    """What was noted, and who waits for more of it."""

    def __init__(self) -> None:
        self._journal: Journal | None = None
        self._recent: deque[Event] = deque()
        self._floor = 0  # whatever came after it is in memory
        self._newest = 0
        self._news = asyncio.Event()
        self.subscribers = 0
        """How many wait for what happens next."""

    def open(self, journal: Journal) -> None:
        """Begin with what the journal has."""
        self._journal = journal
        self._floor = self._newest = journal.newest_event()

    @property
    def newest(self) -> int:
        """The highest number that may be told."""
        return self._newest

    @property
    def unwritten(self) -> int:
        """How many rows wait to be written into the journal."""
        return self._journal.waiting if self._journal else 0

    def noted(self, number: int, noted: Noted) -> None:
        """An event is committed: tell it."""
        self._recent.append(
            Event(
                number=number,
                time=noted.time,
                session=noted.session,
                kind=noted.kind,
                facts=noted.facts,
            )
        )
        if len(self._recent) > RECENT:
            self._floor = self._recent.popleft().number
        self._newest = number
        self._news.set()
        self._news = asyncio.Event()

    def drop(self, session: str) -> None:
        """Forget what happened to a session, as the journal does."""
        self._recent = deque(event for event in self._recent if event.session != session)

    def subscribe(self, since: int | None, session: str | None) -> "Subscription":
        """Return the events after *since*, or from now on, of one session or of all."""
        if since is not None and not 0 <= since <= HIGHEST_NUMBER:
            problem = f"must be 0 to {HIGHEST_NUMBER}"
            raise InvalidArgument(argument="since", value=str(since), problem=problem)
        journal = self._opened()
        reply = Subscribed(
            newest=self._newest,
            oldest=journal.oldest_event(),
            missed=since is not None and since < journal.pruned_event(),
        )
        return Subscription(self, reply, self._newest if since is None else since, session)

    async def grown(self) -> None:
        """Return when another event was noted."""
        self.subscribers += 1
        try:
            await self._news.wait()
        finally:
            self.subscribers -= 1

    def after(self, number: int, session: str | None) -> Found:
        """Return the next events after *number*."""
        if number >= self._floor:
            recent = [event for event in self._recent if event.number > number][:PAGE]
            upto = recent[-1].number if recent else max(number, self._newest)
            return Found([e for e in recent if session in (None, e.session)], upto)
        page = self._opened().event_page(number, PAGE, session)
        events = [
            Event(number=e.number, time=e.time, session=e.session, kind=e.kind, facts={**e.facts})
            for e in page.events
        ]
        # All up to the floor were committed before this was asked.
        last = max((event.number for event in events), default=0)
        return Found(events, max(last, self._floor) if page.upto is None else page.upto)

    def _opened(self) -> Journal:
        if self._journal is None:
            raise Internal(summary="events were asked for before the journal was opened")
        return self._journal


class Subscription:
    """Where one subscriber is. `reply` is its answer; then `ready` and `take` in turns."""

    def __init__(self, events: Events, reply: Subscribed, cursor: int, session: str | None) -> None:
        self.reply = reply
        self._events = events
        self._cursor = cursor
        self._session = session
        self._has_caught_up = False

    async def ready(self) -> None:
        """Return when there is something to take."""
        while self._has_caught_up and self._events.newest <= self._cursor:
            await self._events.grown()

    def take(self) -> list[Message]:
        """Return what is to be told next: a page at most, perhaps nothing."""
        found = self._events.after(self._cursor, self._session)
        self._cursor = max(self._cursor, found.upto)
        told: list[Message] = [*found.events]
        if not self._has_caught_up and self._cursor >= self._events.newest:
            self._has_caught_up = True
            told.append(CaughtUp(number=self._cursor))
        return told
