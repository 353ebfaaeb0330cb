"""All sessions of the daemon: created once, taken over, changed, kept after death."""

import asyncio
import time
from pathlib import Path
from typing import Any

from holdfast.config import Config
from holdfast.daemon.creating import Creating
from holdfast.daemon.creation import Places, failed
from holdfast.daemon.keeper_link import Handed, KeeperLink
from holdfast.daemon.printed import report
from holdfast.daemon.pump import Choice
from holdfast.daemon.record import Record
from holdfast.daemon.records import Records
from holdfast.daemon.scribe import Scribe
from holdfast.daemon.session import Session
from holdfast.daemon.turns import Turns
from holdfast.errors import HoldfastError, SessionGone, SessionTerminating
from holdfast.protocol.messages import SessionInfo
from holdfast.session.lifecycle import OVER, State
from holdfast.store.sessions import SessionTable
from holdfast.types import Size

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
        config: Config,
        choice: Choice,
    ) -> None:
        self._loop = loop
        self._link = link
        self._config = config
        self._choice = choice
        table = SessionTable(state)
        self._places = Places(table, runtime / "input")
        self._scribe = Scribe(loop, table)
        self._turns = Turns(loop)
        self._living: dict[str, Session] = {}
        self._late: dict[str, Handed] = {}  # the keeper's, but not to be taken over just now
        self.records = Records()
        for data in table.all():
            if record := _readable(data):
                self.records.add(record)
        self._creating = Creating(
            link, self.records, self._places, limit=config.session_limit, info=self.info
        )
        self.create = self._creating.create
        link.on_handed = self.take
        link.on_expected = self._creating.expect
        link.on_exited = self._child_ended
        link.everything = self._handed

    # -- begin

    def take(self, handed: Handed) -> None:
        """Go on with a session that the keeper holds, or begin with one that we asked for."""
        started = self._creating.started(handed.id)
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
        held = self._living.keys() | self._late.keys() | self._creating.under_way
        for record in self.records.all():
            if record.id not in held and record.state not in OVER:
                record.state, record.recovery = State.LOST, "lost:keeper-and-daemon-ended"
                self._places.page(record).unlink(missing_ok=True)
                self._write(record)

    def _begin(self, record: Record, handed: Handed) -> None:
        directory = self._places.directory(record)
        try:
            self._places.make(record)
            session = Session(
                self._loop,
                self._turns,
                record,
                handed.held,
                directory=directory,
                page=self._places.page(record),
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
        return self._places.directory(record)

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
