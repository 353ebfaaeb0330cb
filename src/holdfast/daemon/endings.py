"""What follows when a program has ended: who hears of it, what is kept, what comes back."""

import asyncio
import signal
import time

from holdfast.daemon.books import Books
from holdfast.daemon.events import Events
from holdfast.daemon.housekeeping import Housekeeping
from holdfast.daemon.keeper_link import KeeperLink
from holdfast.daemon.owners import Owners
from holdfast.daemon.reconciling import Reconciling
from holdfast.daemon.record import Record
from holdfast.daemon.verbs import Verbs
from holdfast.daemon.viewing import Viewing
from holdfast.session.lifecycle import OVER, Event, State, advance

SHUTDOWN_SIGNALS = (signal.SIGHUP, signal.SIGTERM, signal.SIGKILL)
JUST_NOW = 5.0  # seconds before we heard of a shutdown
LINGER = 60.0  # seconds that the output of an ephemeral session can be read after its end


class Endings:
    """Write the last of a session down, and take it out when nothing of it is kept."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        link: KeeperLink,
        books: Books,
        start: Reconciling,
        *,
        housekeeping: Housekeeping,
        viewing: Viewing,
        owners: Owners,
        verbs: Verbs,
        events: Events,
    ) -> None:
        self._loop = loop
        self._link = link
        self._books = books
        self._start = start
        self._housekeeping = housekeeping
        self._viewing = viewing
        self._owners = owners
        self._verbs = verbs
        self._events = events

    def ended(self, record: Record) -> None:
        """A session is over: child and output have ended, or a mirror's client has gone."""
        self._viewing.finished(record)
        self._owners.ended(record)
        self._verbs.ended(record)
        facts = {"code": record.exit.code, "signal": record.exit.signal, "offset": record.offset}
        self._books.scribe.life(record, ended=record.ended, maxrss_kib=record.maxrss_kib, **facts)
        self._books.note(record, "exit" if record.state is State.EXITED else "lost")
        if self._link.leaving:
            self._have_it_come_back(record)
        self._books.write_last(record)
        self._books.places.remove_agent(record)
        if record.ephemeral:
            self._loop.call_later(LINGER, self._discard, record)
        else:
            self._housekeeping.grown(record.id)

    # -- at a shutdown

    def look_back(self) -> None:
        """A shutdown signals all programs at once: some ended before we heard of it."""
        for record in self._books.records.all():
            just_now = record.ended is not None and time.time() - record.ended < JUST_NOW
            if just_now and record.exit.signal in SHUTDOWN_SIGNALS and record.state in OVER:
                self._have_it_come_back(record)
                self._books.scribe.put(record)

    def _have_it_come_back(self, record: Record) -> None:
        """The system goes down and ended it: nobody wanted it to be over."""
        is_ours = not (record.ephemeral or record.mirrored)
        is_kept = is_ours and not record.killed and record.state is State.EXITED
        if is_kept and self._start.is_to_come_back(record):
            record.state, record.recovery = advance(record.state, Event.SLEPT), "restored"

    # -- gone

    def drop(self, record: Record) -> None:
        """Know nothing of an ended session any more."""
        self._books.records.drop(record)
        self._events.drop(record.id)
        self._viewing.forgotten(record)
        self._books.places.remove_page(record)

    def _discard(self, record: Record) -> None:
        """Drop what an ephemeral session has left."""
        if record.state in OVER:
            self.drop(record)
            self._books.places.remove(record)
