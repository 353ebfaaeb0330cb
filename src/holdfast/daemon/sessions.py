"""All sessions of the daemon, and the rooms in which something becomes of them."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from holdfast.config import Config
from holdfast.daemon.books import Books
from holdfast.daemon.commands import CommandBook
from holdfast.daemon.creating import Creating
from holdfast.daemon.endings import Endings
from holdfast.daemon.events import Events
from holdfast.daemon.growing import Growing
from holdfast.daemon.handover import HandOver
from holdfast.daemon.housekeeping import Housekeeping, Kept
from holdfast.daemon.keeper_link import Handed, KeeperLink
from holdfast.daemon.keeping import Keeping
from holdfast.daemon.mirrors import Mirrors
from holdfast.daemon.owners import Owners
from holdfast.daemon.pump import Choice
from holdfast.daemon.reading import Reading
from holdfast.daemon.reconciling import Reconciling
from holdfast.daemon.record import Held, Record
from holdfast.daemon.restoring import Restoring
from holdfast.daemon.session import Session
from holdfast.daemon.settled import Settled
from holdfast.daemon.settling import settle
from holdfast.daemon.turns import Turns
from holdfast.daemon.verbs import Verbs
from holdfast.daemon.viewing import Viewing, missing_from
from holdfast.errors import HoldfastError, Mirrored, SessionGone, SessionTerminating
from holdfast.formats.kept import Missing
from holdfast.metrics.counters import Counters
from holdfast.protocol.daemon_end import DaemonEnd
from holdfast.protocol.messages import Message, SessionInfo
from holdfast.session.lifecycle import State
from holdfast.store.journal import Journal
from holdfast.types import Size


class Sessions:
    """The table of sessions, living and ended."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        link: KeeperLink,
        *,
        state: Path,
        runtime: Path,
        journal: Path,
        config: Config,
        choice: Choice,
        tell: Callable[[int, Message], None],
    ) -> None:
        self._loop = loop
        self._link = link
        self._choice = choice
        self._books = books = Books(loop, link, state, runtime)
        self.records = books.records
        self._living: dict[str, Session] = {}
        self._turns = Turns(loop)
        self.counters = Counters()
        self.events = events = Events()
        self.owners = owners = Owners(loop, books.records, books.scribe, self, tell)
        self.verbs = verbs = Verbs(self, link, books.scribe, config.kill_grace)
        self.kill = verbs.kill
        self.settled = Settled()
        self.last_end = loop.time()
        """When a session ended last."""
        self._start = start = Reconciling(books.records, books.places)
        self._creating = creating = Creating(
            link,
            books,
            limit=config.session_limit,
            policy=config.restore,
            info=self.info,
            restore=self.restore,
        )
        self.create = creating.create
        self._hand_over = HandOver(
            loop, link, books, start, creating, owners=owners, living=self._living, make=self._make
        )
        self.housekeeping = housekeeping = Housekeeping(
            loop, config, state, find=self._kept, sessions=lambda: list(self.records.by_id)
        )
        self._restoring = Restoring(creating, books, housekeeping, start.highest)
        self.reading = reading = Reading(loop, link, self, books, is_wanted=config.reader == "on")
        self.viewing = Viewing(loop, self, housekeeping, self.counters, reading)
        self._endings = self._end(start, events)
        self.keeping = Keeping(
            housekeeping, books, reading, self._endings.drop, state=state, journal=journal
        )
        self.mirrors = self._mirror(creating, config.mirror_grace)
        self.commands = CommandBook(books, self.mirrors, housekeeping)
        self._listen()

    def _end(self, start: Reconciling, events: Events) -> Endings:
        return Endings(
            self._loop,
            self._link,
            self._books,
            start,
            housekeeping=self.housekeeping,
            viewing=self.viewing,
            owners=self.owners,
            verbs=self.verbs,
            events=events,
        )

    def _mirror(self, creating: Creating, grace: float | None) -> Mirrors:
        return Mirrors(
            self._loop,
            self._books,
            creating,
            self.owners,
            self._endings,
            housekeeping=self.housekeeping,
            watcher=self,
            grace=grace,
            info=self.info,
            forgetting=self.keeping.forgetting.__contains__,
        )

    # -- begin

    def _listen(self) -> None:
        self._books.scribe.on_event = self.events.noted
        self._link.on_leaving = self._endings.look_back
        self._link.on_handed = self._take
        self._link.on_expected = self._creating.expect
        self._link.on_exited = self._child_ended
        self._link.everything = self._handed

    def _take(self, handed: Handed) -> None:
        try:
            self._hand_over.take(handed)
        finally:
            self.settled.handed(handed.id)

    def _make(self, record: Record, held: Held) -> Session:
        return Session(
            self._loop,
            self._turns,
            record,
            held,
            places=self._books.places,
            choice=self._choice,
            watcher=self,
        )

    def settle(self, journal: Journal, rows: list[Record]) -> None:
        """Decide about what nobody holds any more. Called once everything was handed over.

        *rows* are what the journal knows of each session.
        """
        self.events.open(journal)
        held = self._living.keys() | self._hand_over.late.keys() | self._creating.under_way
        settle(
            journal,
            rows,
            self._books,
            self._start,
            self._restoring,
            mirrors=self.mirrors,
            held=held,
        )
        self._hand_over.take_nameless()
        self.housekeeping.look_again()
        self.settled.set()

    def close(self) -> None:
        """Let go of everything; the programs live on with the keeper."""
        for session in self._living.values():
            session.close()
        self.mirrors.close()
        self.viewing.close()
        self.reading.close()
        self._turns.close()
        self.owners.close()
        self.housekeeping.close()
        self._books.scribe.close()

    # -- find

    def living(self, wanted: str, *, ending: bool = False) -> Session:
        """Return a session that can still be changed; *ending* allows one that is being ended."""
        record = self.records.find(wanted)
        session = self._living.get(record.id)
        if session is None:
            raise _without_program(record)
        if record.state is State.TERMINATING and not ending:
            raise SessionTerminating(session=record.id)
        return session

    @property
    def has_any(self) -> bool:
        """Whether a program lives, is being started, or is not known yet."""
        held = self._living or self._hand_over.late
        coming = self._creating.under_way or self._restoring.is_busy
        return bool(held or coming) or not self.settled.is_set()

    @property
    def living_ones(self) -> list[Session]:
        return list(self._living.values())

    @property
    def growing_ones(self) -> list[Growing]:
        return [*self._living.values(), *self.mirrors.open.values()]

    @property
    def restarts(self) -> int:
        """How often the keeper has had to start a daemon again."""
        return self._link.restarts

    @property
    def ready(self) -> dict[str, Any]:
        """What this daemon has told its keeper of itself."""
        return self._link.ready

    def following(self, record: Record) -> Growing | None:
        """Return the session if its output may still grow."""
        return self._living.get(record.id) or self.mirrors.open.get(record.id)

    def program(self, record: Record) -> Session | None:
        """Return the session if its program lives here."""
        return self._living.get(record.id)

    def info(self, record: Record, client_id: str = "") -> SessionInfo:
        """Return what a client hears of a session."""
        session = self.following(record)
        info = record.info(session.stalled if session else None, client_id)
        viewers = self.viewing.count(record)
        if not viewers:
            return info
        return replace(info, viewers=viewers, lag=self.viewing.lag(record))

    def owner_of(self, record: Record) -> str:
        """Return the client id of who owns a session, or nothing."""
        owner = self.owners.owner(record)
        return owner[0] if owner else ""

    def _kept(self, session: str) -> Kept | None:
        record = self.records.by_id.get(session)
        if record is None:
            return None
        living = self.following(record)
        printed = living.printed if living else None
        return Kept(session, self.directory(record), record.ephemeral, printed)

    def directory(self, record: Record) -> Path:
        return self._books.places.directory(record)

    # -- change

    async def restore(self, record: Record, *, asked: bool = False) -> None:
        """Start the program of a session again that is gone."""
        await self._restoring.restore(record, asked=asked)

    def sized(self, record: Record, size: Size) -> None:
        if session := self._living.get(record.id):
            if size != record.size:
                facts = {"cols": size.cols, "rows": size.rows}
                self._books.scribe.event(record, "resized", time.time(), **facts)
            session.resize(size)
            self.reading.sized(session)
            self._books.write(record)

    def refused(self, record: Record, error: Callable[[], HoldfastError]) -> None:
        if session := self._living.get(record.id):
            session.input.withdraw(error)

    # -- what happens by itself

    def _child_ended(self, session: str, exit_: dict[str, Any]) -> None:
        if living := self._living.get(session):
            living.child_ended(exit_)
        elif late := self._hand_over.late.get(session):
            late.exit = exit_
        elif session not in self.records.by_id:
            # Started, but it could not be begun with; nobody will ask for it any more.
            self._link.tell({"op": "forget", "id": session})

    def changed(self, record: Record) -> None:
        self.viewing.changed(record)
        self._books.write(record)

    def grew(self, session: Growing) -> None:
        self.viewing.grew(session)
        self.housekeeping.written(session.printed.log)

    def resized(self, session: Growing) -> None:
        self.reading.sized(session)

    def sealed(self, session: str) -> None:
        self.housekeeping.grown(session)

    def full(self) -> None:
        self.housekeeping.make_room()

    async def missing(self, directory: Path, start: int, upto: int) -> list[Missing]:
        return await self.housekeeping.run(partial(missing_from, directory, start, upto))

    def left(self, client: DaemonEnd, on_purpose: bool) -> None:
        """A connection is over."""
        self.mirrors.left(client)
        self.owners.left(client, on_purpose)

    def finished(self, session: Session) -> None:
        self.last_end = self._loop.time()
        del self._living[session.record.id]
        self._endings.ended(session.record)

    def _handed(self) -> list[Handed]:
        return [
            *self._hand_over.late.values(),
            *(
                Handed(s.record.id, s.record.blob(), s.held, s.child_exit, s.kill_at)
                for s in self._living.values()
            ),
        ]


def _without_program(record: Record) -> HoldfastError:
    if record.mirrored:
        return Mirrored(session=record.id, operation="input")
    gone = SessionGone(session=record.id)
    if record.state is not State.DORMANT:
        return gone
    what = f"the program of session {record.id!r} ended with the machine or with Holdfast"
    return gone.said(what, f"`hold restore {record.id}` starts it again")
