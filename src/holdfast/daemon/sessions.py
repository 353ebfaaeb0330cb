"""All sessions of the daemon: created once, taken over, changed, kept after death."""

import asyncio
import time
from pathlib import Path
from typing import Any, NamedTuple

from holdfast.config import Config
from holdfast.daemon.creation import check_descriptors, checked, failed, make_places
from holdfast.daemon.keeper_link import Handed, KeeperLink
from holdfast.daemon.printed import report
from holdfast.daemon.pump import Choice
from holdfast.daemon.record import Record
from holdfast.daemon.records import Records
from holdfast.daemon.scribe import Scribe
from holdfast.daemon.session import Session
from holdfast.daemon.turns import Turns
from holdfast.errors import HoldfastError, LimitReached, SessionGone, SessionTerminating
from holdfast.protocol.messages import Create, Created, SessionInfo
from holdfast.session.lifecycle import OVER, State
from holdfast.store.sessions import SessionTable
from holdfast.types import Size

TRY_AGAIN = 1.0  # seconds until a session that could not be taken over is tried again


class _Creating(NamedTuple):
    """A create that is under way, perhaps since before this daemon."""

    key: str
    creation: str
    done: "asyncio.Future[None]"


class Sessions:
    """The table of sessions, living and ended."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        link: KeeperLink,
        *,
        state: Path,
        runtime: Path,
        config: Config,
        choice: Choice,
    ) -> None:
        self._loop = loop
        self._link = link
        self._config = config
        self._choice = choice
        self._pages = runtime / "input"
        self._pages.mkdir(mode=0o700, exist_ok=True)
        self._table = SessionTable(state)
        self._scribe = Scribe(loop, self._table)
        self._turns = Turns(loop)
        self._living: dict[str, Session] = {}
        self._late: dict[str, Handed] = {}  # the keeper's, but not to be taken over just now
        self._creating: dict[str, _Creating] = {}
        self._starting: dict[str, Record] = {}
        self.records = Records()
        for data in self._table.all():
            if record := _readable(data):
                self.records.add(record)
        link.on_handed = self.take
        link.on_expected = self._expect
        link.on_exited = self._child_ended
        link.everything = self._handed

    # -- begin

    def take(self, handed: Handed) -> None:
        """Go on with a session that the keeper holds, or begin with one that we asked for."""
        started = self._starting.pop(handed.id, None)
        if started is not None:
            self._begin_first(started, handed)
            return
        record = self._known(handed)
        if record is None:
            report(f"session {handed.id} is not known; its program lives on with the keeper")
            handed.held.close()
            return
        self.records.add(record)
        if record.state is State.LOST and handed.exit is None:
            record.state = State.RUNNING  # noted by a daemon that was cut off from its keeper
        if record.state in OVER:
            # Its end is known, but the keeper has not heard that it is written down.
            handed.held.close()
            self._forget_when_written(record)
            return
        record.recovery = "adopted"
        try:
            self._begin(record, handed)
        except HoldfastError as error:
            # Its program lives, and so do the other sessions.
            report(f"session {record.id} is not taken over yet: {error}")
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

    def _known(self, handed: Handed) -> Record | None:
        """Return the record of a session: the keeper's copy is newer than the table's."""
        written = self.records.by_id.get(handed.id)
        kept = Record.from_blob(handed.blob)
        return written if kept is None or (written and kept.state is State.STARTING) else kept

    def settle(self) -> None:
        """Note what nobody holds any more. Called once everything was handed over."""
        held = self._living.keys() | self._late.keys() | self._creating.keys()
        for record in self.records.all():
            if record.id not in held and record.state not in OVER:
                record.state, record.recovery = State.LOST, "lost:keeper-and-daemon-ended"
                self._page(record).unlink(missing_ok=True)
                self._write(record)

    def _begin(self, record: Record, handed: Handed) -> None:
        directory = self._table.directory(record.id)
        try:
            make_places(directory, self._page(record))
            session = Session(
                self._loop,
                self._turns,
                record,
                handed.held,
                directory=directory,
                page=self._page(record),
                choice=self._choice,
                finished=self._finished,
            )
        except OSError as error:
            raise failed(directory, error) from error
        if handed.kill_at is not None and record.state in (State.RUNNING, State.TERMINATING):
            session.ask_end(handed.kill_at)
        self.records.add(record)
        self._living[record.id] = session
        session.begin()
        self._write(record)
        if handed.exit is not None:
            session.child_ended(handed.exit)

    def close(self) -> None:
        """Let go of everything; the programs live on with the keeper."""
        for session in self._living.values():
            session.close()
        self._turns.close()
        self._scribe.close()

    # -- create

    async def create(self, wanted: Create) -> Created:
        """Start a program, or find the one that the key or the creation token names."""
        size = checked(wanted)
        while (found := self._already(wanted)) is None:
            others = self._same(wanted)
            if not others:
                break
            await asyncio.wait(others)  # whatever comes of them, look again
        if found is not None:
            return found
        if self.records.living + len(self._creating) >= self._config.session_limit:
            raise LimitReached(resource="live sessions", limit=self._config.session_limit)
        check_descriptors()
        record = Record(
            id=self.records.new_id(wanted),
            argv=[_text(word) for word in wanted.argv],
            cwd=_text(wanted.cwd),
            size=size,
            created=time.time(),
            name=wanted.name,
            key=wanted.key,
            creation=wanted.creation,
        )
        make_places(self._table.directory(record.id), self._page(record))
        started = self._start(record, wanted)
        # A client that leaves does not take the program with it that somebody else may wait for.
        await asyncio.shield(started)
        return Created(session=self.info(record))

    def _already(self, wanted: Create) -> Created | None:
        if record := self.records.made_by(wanted.creation):
            return Created(session=self.info(record))
        if record := self.records.living_with(wanted.key):
            return Created(session=self.info(record), outcome="attached")
        return None

    def _same(self, wanted: Create) -> "list[asyncio.Future[None]]":
        return [
            one.done
            for one in self._creating.values()
            if (wanted.key and wanted.key == one.key)
            or (wanted.creation and wanted.creation == one.creation)
        ]

    def _start(self, record: Record, wanted: Create) -> "asyncio.Future[None]":
        env = {_text(name): _text(value) for name, value in wanted.env.items()}
        body = {
            "id": record.id,
            "blob": record.blob(),
            "argv": record.argv,
            "cwd": record.cwd,
            "env": {**env, "HOLDFAST_SESSION_ID": record.id},
            "cols": record.size.cols,
            "rows": record.size.rows,
            "umask": wanted.umask,
        }
        self._starting[record.id] = record
        try:
            done = self._link.spawn(body)
        except HoldfastError:
            self._not_started(record)
            raise
        self._watch(record, done)
        return done

    def _expect(self, blob: str) -> None:
        """Wait for a program that the daemon before us asked for: it may be asked for again."""
        if record := Record.from_blob(blob):
            body = {"id": record.id, "argv": record.argv, "cwd": record.cwd}
            self._watch(record, self._link.expect(body))

    def _watch(self, record: Record, done: "asyncio.Future[None]") -> None:
        self._creating[record.id] = _Creating(record.key, record.creation, done)

        def over(future: "asyncio.Future[None]") -> None:
            del self._creating[record.id]
            if not future.cancelled() and future.exception() is not None:
                self._not_started(record)

        done.add_done_callback(over)

    def _not_started(self, record: Record) -> None:
        self._starting.pop(record.id, None)
        if record.id not in self.records.by_id:
            self._page(record).unlink(missing_ok=True)
            self._table.remove(record.id)

    # -- find

    def living(self, wanted: str, *, ending: bool = False) -> Session:
        """Return a session that can still be changed; *ending* allows one that is being ended."""
        record = self.records.find(wanted)
        session = self._living.get(record.id)
        if session is None:
            raise SessionGone(session=record.id)
        if record.state is State.TERMINATING and not ending:
            raise SessionTerminating(session=record.id)
        return session

    def following(self, record: Record) -> Session | None:
        """Return the session if its output may still grow."""
        return self._living.get(record.id)

    def info(self, record: Record) -> SessionInfo:
        session = self._living.get(record.id)
        return record.info(session.stalled if session else None)

    def directory(self, record: Record) -> Path:
        return self._table.directory(record.id)

    def _page(self, record: Record) -> Path:
        return self._pages / record.id

    # -- change

    def kill(self, session: Session, *, now: bool) -> None:
        """Ask the keeper to end a session; the KILL deadline is kept there."""
        grace = 0.0 if now else self._config.kill_grace or 0.0
        session.ask_end(time.monotonic() + grace)
        self._link.tell({"op": "kill", "id": session.record.id, "grace": grace})
        self._write(session.record)

    def resize(self, session: Session, size: Size) -> None:
        session.resize(size)
        self._write(session.record)

    # -- what happens by itself

    def _child_ended(self, session: str, exit_: dict[str, Any]) -> None:
        if living := self._living.get(session):
            living.child_ended(exit_)
        elif late := self._late.get(session):
            late.exit = exit_
        elif session not in self.records.by_id:
            # Started, but it could not be begun with; nobody will ask for it any more.
            self._link.tell({"op": "forget", "id": session})

    def _finished(self, session: Session) -> None:
        del self._living[session.record.id]
        self._forget_when_written(session.record)

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


def _readable(data: dict[str, Any]) -> Record | None:
    try:
        return Record.from_json(data)
    except (KeyError, TypeError, ValueError) as error:
        report(f"a record of a session cannot be used: {error!r}")
        return None


def _text(data: bytes) -> str:
    return data.decode(errors="surrogateescape")
