"""All sessions of the daemon: created once, taken over, changed, kept after death."""

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from holdfast.config import Config
from holdfast.daemon.creating import Creating
from holdfast.daemon.creation import failed
from holdfast.daemon.events import Events
from holdfast.daemon.housekeeping import Housekeeping, Kept
from holdfast.daemon.keeper_link import Handed, KeeperLink
from holdfast.daemon.keeping import Keeping
from holdfast.daemon.owners import Owners
from holdfast.daemon.places import Places
from holdfast.daemon.pump import Choice
from holdfast.daemon.reconciling import BOOT, Reconciling, boot_id, nameless
from holdfast.daemon.record import Record
from holdfast.daemon.records import Records
from holdfast.daemon.reporting import report
from holdfast.daemon.restoring import Restoring
from holdfast.daemon.scribe import Scribe
from holdfast.daemon.session import Session
from holdfast.daemon.turns import Turns
from holdfast.daemon.unnoted import unnoted
from holdfast.daemon.verbs import Verbs
from holdfast.daemon.viewing import Viewing
from holdfast.errors import HoldfastError, SessionGone, SessionTerminating
from holdfast.metrics.counters import Counters
from holdfast.protocol.messages import Message, SessionInfo
from holdfast.session.lifecycle import LIVE, OVER, Event, State, advance
from holdfast.session.recovery import Do, Keeper
from holdfast.store.journal import Journal
from holdfast.types import Size

SHUTDOWN_SIGNALS = (signal.SIGHUP, signal.SIGTERM, signal.SIGKILL)
JUST_NOW = 5.0  # seconds before we heard of a shutdown
LINGER = 60.0  # seconds that the output of an ephemeral session can be read after its end
TRY_AGAIN = 1.0  # seconds until a session that could not be taken over is tried again


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
        self._config = config
        self._choice = choice
        self._places = Places(state, runtime)
        self.records = Records()
        self._scribe = Scribe(loop, self.records.all)
        self.owners = Owners(loop, self.records, self._scribe, self, tell)
        self.events = Events()
        self.counters = Counters()
        self._turns = Turns(loop)
        self._living: dict[str, Session] = {}
        self._late: dict[str, Handed] = {}  # the keeper's, but not to be taken over just now
        self._creating = Creating(
            link,
            self.records,
            self._places,
            self._scribe,
            limit=config.session_limit,
            policy=config.restore,
            info=self.info,
            restore=self.restore,
        )
        self.create = self._creating.create
        self.verbs = Verbs(self, link, self._scribe)
        self._start = Reconciling(self.records, self._places)
        self.settled = asyncio.Event()
        """Whether everything is known, also what the keeper does not hold."""
        self.trouble: HoldfastError | None = None
        """Why not, if it takes longer."""
        self.last_end = loop.time()
        """When a session ended last."""
        self._restores: set[asyncio.Task[None]] = set()
        self.housekeeping = Housekeeping(
            loop, config, state, find=self._kept, sessions=lambda: list(self.records.by_id)
        )
        self._restoring = Restoring(
            self._creating, self._places, self._scribe, self.housekeeping, self._start.highest
        )
        self.keeping = Keeping(
            self.housekeeping,
            self._scribe,
            state=state,
            journal=journal,
            records=self.records.all,
            drop=self._drop,
        )
        self.viewing = Viewing(loop, self, self.housekeeping)
        self._listen(link)

    # -- begin

    def _listen(self, link: KeeperLink) -> None:
        self._scribe.on_event = self.events.noted
        link.on_leaving = self._look_back
        link.on_handed = self.take
        link.on_expected = self._creating.expect
        link.on_exited = self._child_ended
        link.everything = self._handed

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
            self._late[handed.id] = handed
            return
        self.records.add(record)
        outcome = self._start.outcome(record, Keeper.ENDED if handed.exit else Keeper.LIVING)
        if outcome.do is Do.FORGET:
            handed.held.close()
            self._forget_when_written(record)
            return
        if record.state not in LIVE:
            record.state = advance(record.state, Event.FOUND)
        record.recovery = outcome.recovery
        try:
            self._begin(record, handed)
        except HoldfastError as error:
            # Its program lives, and so do the other sessions.
            report("a session is not taken over yet", session=record.id, reason=error)
            self._late[record.id] = handed
            self._loop.call_later(TRY_AGAIN, self._take_late, record.id)

    def _take_late(self, session: str) -> None:
        if handed := self._late.pop(session, None):
            self.take(handed)

    def _begin_first(self, record: Record, handed: Handed) -> None:
        try:
            self._begin(record, handed)
        except HoldfastError:
            # The client hears that nothing was started, so nothing may have been.
            self._link.tell({"op": "kill", "id": record.id, "grace": 0})
            handed.held.close()
            raise

    def settle(self, journal: Journal) -> None:
        """Decide about what nobody holds any more. Called once everything was handed over."""
        self.events.open(journal)
        held = self._living.keys() | self._late.keys() | self._creating.under_way
        self._places.sweep_memory(held)
        # Before anything of what we know is written: it shows what was not.
        decided = list(self._start.rest(journal, held))
        missing = list(unnoted(journal, self._start.behind, self._scribe.early_events))
        self._scribe.open(journal)
        for record, kind in missing:
            self._note(record, kind)
        for record, outcome in decided:
            if outcome.do is Do.RESTORE:
                task = self._loop.create_task(self._restoring.unasked(record))
                self._restores.add(task)  # the loop itself holds tasks only weakly
                task.add_done_callback(self._restores.discard)
            kind = "lost" if outcome.do is Do.LOSE else "dormant"
            self._places.remove_page(record)
            self._scribe.put(record)
            self._scribe.event(record, kind, time.time(), recovery=record.recovery)
        journal.note(BOOT, boot_id())
        self._take_nameless()
        self.trouble = None
        self.settled.set()

    def _take_nameless(self) -> None:
        """Take over what the keeper holds and has no record of that we can read."""
        for handed in list(self._late.values()):
            if Record.from_blob(handed.blob) is None:
                record = self.records.by_id.get(handed.id) or nameless(handed.id)
                del self._late[handed.id]
                record.state = State.RUNNING
                handed.blob = record.blob()
                self.take(handed)

    def _begin(self, record: Record, handed: Handed) -> None:
        directory = self._places.directory(record)
        is_new = record.state is State.STARTING
        try:
            if not directory.is_dir():
                self._places.make(record)
            session = Session(
                self._loop,
                self._turns,
                record,
                handed.held,
                directory=directory,
                page=self._places.page(record),
                choice=self._choice,
                watcher=self,
            )
        except OSError as error:
            raise failed(directory, error) from error
        if handed.kill_at is not None and record.state in (State.RUNNING, State.TERMINATING):
            session.ask_end(handed.kill_at)
        self.records.add(record)
        self._living[record.id] = session
        session.begin()
        self.owners.resumed(record)
        if is_new:
            self._write(record)
            self._scribe.life(record)
            self._note(record, "created" if record.life == 1 else "restored")
        if handed.exit is not None:
            session.child_ended(handed.exit)

    def close(self) -> None:
        """Let go of everything; the programs live on with the keeper."""
        for session in self._living.values():
            session.close()
        self.viewing.close()
        self._turns.close()
        self.owners.close()
        self.housekeeping.close()
        self._scribe.close()

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
        held = self._living or self._late or self._creating.under_way or self._restores
        return bool(held) or not self.settled.is_set()

    @property
    def living_ones(self) -> list[Session]:
        return list(self._living.values())

    @property
    def restarts(self) -> int:
        """How often the keeper has had to start a daemon again."""
        return self._link.restarts

    @property
    def ready(self) -> dict[str, Any]:
        """What this daemon has told its keeper of itself."""
        return self._link.ready

    def following(self, record: Record) -> Session | None:
        """Return the session if its output may still grow."""
        return self._living.get(record.id)

    def info(self, record: Record, client_id: str = "") -> SessionInfo:
        """Return what a client hears of a session."""
        session = self._living.get(record.id)
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
        living = self._living.get(session)
        printed = living.printed if living else None
        return Kept(session, self._places.directory(record), record.ephemeral, printed)

    def directory(self, record: Record) -> Path:
        return self._places.directory(record)

    # -- change

    def kill(self, wanted: str, *, now: bool, by: str) -> Record:
        """Ask the keeper to end a session; the KILL deadline is kept there."""
        record = self.records.find(wanted)
        if record.state is State.DORMANT:
            record.state, record.recovery = advance(record.state, Event.KILL_ASKED), "lost:killed"
            record.killed_by = by
            self._scribe.put(record)
            return record
        session = self.living(wanted, ending=True)
        grace = 0.0 if now else self._config.kill_grace or 0.0
        session.ask_end(time.monotonic() + grace)
        record.killed, record.killed_by = True, record.killed_by or by
        self._link.tell({"op": "kill", "id": record.id, "grace": grace})
        self._write(record)
        return record

    async def restore(self, record: Record, *, asked: bool = False) -> None:
        """Start the program of a session again that is gone."""
        await self._restoring.restore(record, asked=asked)

    def sized(self, record: Record, size: Size) -> None:
        if session := self._living.get(record.id):
            if size != record.size:
                facts = {"cols": size.cols, "rows": size.rows}
                self._scribe.event(record, "resized", time.time(), **facts)
            session.resize(size)
            self._write(record)

    def refused(self, record: Record, error: Callable[[], HoldfastError]) -> None:
        if session := self._living.get(record.id):
            session.input.withdraw(error)

    # -- what happens by itself

    def _child_ended(self, session: str, exit_: dict[str, Any]) -> None:
        if living := self._living.get(session):
            living.child_ended(exit_)
        elif late := self._late.get(session):
            late.exit = exit_
        elif session not in self.records.by_id:
            # Started, but it could not be begun with; nobody will ask for it any more.
            self._link.tell({"op": "forget", "id": session})

    def changed(self, record: Record) -> None:
        self.viewing.changed(record)
        self._write(record)

    def grew(self, session: Session) -> None:
        self.viewing.grew(session)
        self.housekeeping.written(session.printed.log)

    def sealed(self, session: str) -> None:
        self.housekeeping.grown(session)

    def full(self) -> None:
        self.housekeeping.make_room()

    def finished(self, session: Session) -> None:
        record, self.last_end = session.record, self._loop.time()
        del self._living[record.id]
        self.viewing.finished(record)
        self.owners.ended(record)
        self.verbs.ended(record)
        facts = {"code": record.exit.code, "signal": record.exit.signal, "offset": record.offset}
        self._scribe.life(record, ended=record.ended, maxrss_kib=record.maxrss_kib, **facts)
        self._note(record, "exit")
        if self._link.leaving:
            self._have_it_come_back(record)
        self._forget_when_written(record)
        if record.ephemeral:
            self._loop.call_later(LINGER, self._discard, record)
        else:
            self.housekeeping.grown(record.id)

    def _note(self, record: Record, kind: str) -> None:
        """Note that a life has begun or ended."""
        when, facts = record.began, dict[str, Any](life=record.life)
        if kind == "exit":
            when, end = record.ended or time.time(), record.exit
            facts |= {"code": end.code, "signal": end.signal, "offset": record.offset}
        self._scribe.event(record, kind, when, **facts, name=record.name)

    def _have_it_come_back(self, record: Record) -> None:
        """The system goes down and ended it: nobody wanted it to be over."""
        is_kept = not (record.ephemeral or record.killed) and record.state is State.EXITED
        if is_kept and self._start.is_to_come_back(record):
            record.state, record.recovery = advance(record.state, Event.SLEPT), "restored"

    def _look_back(self) -> None:
        """A shutdown signals all programs at once: some ended before we heard of it."""
        for record in self.records.all():
            just_now = record.ended is not None and time.time() - record.ended < JUST_NOW
            if just_now and record.exit.signal in SHUTDOWN_SIGNALS and record.state in OVER:
                self._have_it_come_back(record)
                self._scribe.put(record)

    def _drop(self, record: Record) -> None:
        """Know nothing of an ended session any more."""
        self.records.by_id.pop(record.id, None)
        self.events.drop(record.id)
        self.viewing.forgotten(record)
        self._places.remove_page(record)

    def _discard(self, record: Record) -> None:
        """Drop what an ephemeral session has left."""
        if record.state in OVER:
            self._drop(record)
            self._places.remove(record)

    def _handed(self) -> list[Handed]:
        return [
            *self._late.values(),
            *(
                Handed(s.record.id, s.record.blob(), s.held, s.child_exit, s.kill_at)
                for s in self._living.values()
            ),
        ]

    def _write(self, record: Record) -> None:
        self._link.tell({"op": "blob", "id": record.id, "blob": record.blob()})
        self._scribe.put(record)

    def _forget_when_written(self, record: Record) -> None:
        # First written down, then forgotten by the keeper: a death between is no loss.
        self._link.tell({"op": "blob", "id": record.id, "blob": record.blob()})
        self._scribe.put(record, lambda: self._link.tell({"op": "forget", "id": record.id}))


def _without_program(record: Record) -> SessionGone:
    gone = SessionGone(session=record.id)
    if record.state is not State.DORMANT:
        return gone
    what = f"the program of session {record.id!r} ended with the machine or with Holdfast"
    return gone.said(what, f"`hold restore {record.id}` starts it again")
