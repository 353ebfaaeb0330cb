"""The hand-over: sessions come from the keeper, at a start all of them, later one by one."""

import asyncio
from collections.abc import Callable

from holdfast.daemon.books import Books
from holdfast.daemon.creating import Creating
from holdfast.daemon.creation import failed
from holdfast.daemon.keeper_link import Handed, KeeperLink
from holdfast.daemon.owners import Owners
from holdfast.daemon.reconciling import Reconciling, nameless
from holdfast.daemon.record import Held, Record
from holdfast.daemon.reporting import report
from holdfast.daemon.session import Session
from holdfast.errors import HoldfastError
from holdfast.session.lifecycle import LIVE, Event, State, advance
from holdfast.session.recovery import Do, Keeper

TRY_AGAIN = 1.0  # seconds until a session that could not be taken over is tried again


class HandOver:
    """Take sessions over, or begin with them."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        link: KeeperLink,
        books: Books,
        start: Reconciling,
        creating: Creating,
        *,
        owners: Owners,
        living: dict[str, Session],
        make: Callable[[Record, Held], Session],
    ) -> None:
        self._loop = loop
        self._link = link
        self._books = books
        self._start = start
        self._creating = creating
        self._owners = owners
        self._living = living
        self._make = make
        self.late: dict[str, Handed] = {}
        """The keeper's, but not to be taken over just now."""

    def take(self, handed: Handed) -> None:
        """Go on with a session that the keeper holds, or begin with one that we asked for."""
        started = self._creating.started(handed.id)
        if started is not None:
            self._begin_first(started, handed)
            return
        # The keeper's copy is newer than the journal's, which is not even open yet: reading
        # thousands of rows would keep every program waiting.
        record = Record.from_blob(handed.blob)
        if record is None:
            report("what the keeper keeps of a session cannot be read", session=handed.id)
            self.late[handed.id] = handed
            return
        self._books.records.add(record)
        outcome = self._start.outcome(record, Keeper.ENDED if handed.exit else Keeper.LIVING)
        if outcome.do is Do.FORGET:
            handed.held.close()
            self._books.write_last(record)
            return
        if record.state not in LIVE:
            record.state = advance(record.state, Event.FOUND)
        record.recovery = outcome.recovery
        try:
            self._begin(record, handed)
        except HoldfastError as error:
            # Its program lives, and so do the other sessions.
            report("a session is not taken over yet", session=record.id, reason=error)
            self.late[record.id] = handed
            self._loop.call_later(TRY_AGAIN, self._take_late, record.id)

    def _take_late(self, session: str) -> None:
        if handed := self.late.pop(session, None):
            self.take(handed)

    def take_nameless(self) -> None:
        """Take over what the keeper holds and has no record of that we can read."""
        for handed in list(self.late.values()):
            if Record.from_blob(handed.blob) is None:
                record = self._books.records.by_id.get(handed.id) or nameless(handed.id)
                del self.late[handed.id]
                record.state = State.RUNNING
                handed.blob = record.blob()
                self.take(handed)

    def _begin_first(self, record: Record, handed: Handed) -> None:
        try:
            self._begin(record, handed)
        except HoldfastError:
            # The client hears that nothing was started, so nothing may have been.
            self._link.tell({"op": "kill", "id": record.id, "grace": 0})
            handed.held.close()
            raise

    def _begin(self, record: Record, handed: Handed) -> None:
        is_new = record.state is State.STARTING
        try:
            session = self._made(record, handed.held)
        except OSError as error:
            raise failed(self._books.places.directory(record), error) from error
        if handed.kill_at is not None and record.state in (State.RUNNING, State.TERMINATING):
            session.ask_end(handed.kill_at)
        self._books.records.add(record)
        self._living[record.id] = session
        session.begin()
        self._owners.resumed(record)
        if is_new:
            self._books.write(record)
            self._books.scribe.life(record)
            self._books.note(record, "created" if record.life == 1 else "restored")
        if handed.exit is not None:
            session.child_ended(handed.exit)

    def _made(self, record: Record, held: Held) -> Session:
        try:
            return self._make(record, held)
        except FileNotFoundError:  # somebody has cleared its directory away
            self._books.places.make(record)
            return self._make(record, held)
