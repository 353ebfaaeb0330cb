"""All sessions of the daemon: created once, found by any of their names, kept after death."""

import asyncio
import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from holdfast.config import Config
from holdfast.daemon.keeper_link import Handed, KeeperLink
from holdfast.daemon.pump import Choice
from holdfast.daemon.session import Record, Session
from holdfast.daemon.turns import Turns
from holdfast.errors import (
    HoldfastError,
    InvalidArgument,
    LimitReached,
    NotFound,
    SessionGone,
    SessionTerminating,
)
from holdfast.protocol.messages import Create, Created, SessionInfo
from holdfast.session.lifecycle import OVER, State
from holdfast.store.sessions import SessionTable
from holdfast.types import LABEL_LIMIT, Size

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is misread or misheard
SHORTEST_ID = 6


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
        self._turns = Turns(loop)
        self._living: dict[str, Session] = {}
        self._creating: dict[str, asyncio.Task[Created]] = {}
        self._early_exits: dict[str, dict[str, Any]] = {}
        self.records: dict[str, Record] = {}
        for data in self._table.all():
            self._remember(data)
        link.on_handed = self.take
        link.on_exited = self._child_ended
        link.everything = self._handed

    # -- begin

    def take(self, handed: Handed) -> None:
        """Go on with a session that the keeper holds."""
        blob = json.loads(handed.blob)
        record = Record.from_json(self._table.get(handed.id) or blob)
        record.recovery = "adopted"
        if record.state is State.LOST and handed.exit is None:
            record.state = State.RUNNING  # noted by a daemon that was cut off from its keeper
        if record.state in OVER:
            # Its end was written down, but the keeper had not heard it.
            self.records[record.id] = record
            self._link.tell({"op": "forget", "id": record.id})
            handed.held.close()
            return
        self._begin(record, handed)

    def settle(self) -> None:
        """Note what nobody holds any more. Called once everything was handed over."""
        for record in self.records.values():
            if record.id not in self._living and record.state not in OVER:
                record.state, record.recovery = State.LOST, "lost:keeper-and-daemon-ended"
                self._write(record)

    def _begin(self, record: Record, handed: Handed) -> Session:
        self._pages.mkdir(mode=0o700, parents=True, exist_ok=True)  # cleaners of /tmp come by
        directory = self._table.directory(record.id)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        session = Session(
            self._loop,
            self._turns,
            record,
            handed.held,
            directory=directory,
            page=self._pages / record.id,
            choice=self._choice,
            finished=self._finished,
        )
        self.records[record.id] = record
        self._living[record.id] = session
        session.kill_at = handed.kill_at
        session.begin()
        self._write(record)
        exit_ = self._early_exits.pop(record.id, None) or handed.exit
        if exit_ is not None:
            session.child_ended(exit_)
        return session

    def close(self) -> None:
        """Let go of everything; the programs live on with the keeper."""
        for session in self._living.values():
            session.close()
        self._turns.close()

    # -- create

    async def create(self, wanted: Create) -> Created:
        """Start a program, or find the one that the key or the creation token names."""
        size = _checked(wanted)
        if found := self._already(wanted):
            return found
        mark = wanted.creation or wanted.key
        if mark and mark in self._creating:
            return await asyncio.shield(self._creating[mark])
        living = sum(record.state not in OVER for record in self.records.values())
        if living + len(self._creating) >= self._config.session_limit:
            raise LimitReached(resource="live sessions", limit=self._config.session_limit)
        task = self._loop.create_task(self._create(wanted, size))
        if not mark:
            return await task
        self._creating[mark] = task
        task.add_done_callback(lambda _task: self._creating.pop(mark, None))
        return await asyncio.shield(task)

    def _already(self, wanted: Create) -> Created | None:
        for record in self.records.values():
            if wanted.creation and record.creation == wanted.creation:
                return Created(session=self.info(record))
            if wanted.key and record.key == wanted.key and record.state not in OVER:
                return Created(session=self.info(record), outcome="attached")
        return None

    async def _create(self, wanted: Create, size: Size) -> Created:
        record = Record(
            id=self._new_id(wanted.creation),
            argv=[_text(word) for word in wanted.argv],
            cwd=_text(wanted.cwd),
            size=size,
            created=time.time(),
            name=wanted.name,
            key=wanted.key,
            creation=wanted.creation,
        )
        env = {_text(name): _text(value) for name, value in wanted.env.items()}
        handed = await self._link.spawn(
            {
                "id": record.id,
                "blob": record.blob(),
                "argv": record.argv,
                "cwd": record.cwd,
                "env": {**env, "HOLDFAST_SESSION_ID": record.id},
                "cols": size.cols,
                "rows": size.rows,
                "umask": wanted.umask,
            }
        )
        session = self._begin(record, handed)
        session.mark_life(1)
        return Created(session=self.info(record))

    def _new_id(self, creation: str) -> str:
        """Return an id that a create which is sent again would get again.

        So a request cut off by our death and repeated finds its session at the keeper.
        """
        seed = creation or f"{time.time_ns()}-{id(self)}"
        number = int.from_bytes(hashlib.sha256(seed.encode()).digest(), "big")
        letters = ""
        while len(letters) < SHORTEST_ID or letters in self.records:
            number, digit = divmod(number, len(ALPHABET))
            letters += ALPHABET[digit]
        return letters

    # -- find

    def find(self, wanted: str) -> Record:
        """Return the session of that id, name, key or unique beginning of an id."""
        if record := self.records.get(wanted):
            return record
        for living in (True, False):
            named = [
                record
                for record in self.records.values()
                if wanted and wanted in (record.name, record.key)
                if (record.state not in OVER) is living
            ]
            if named:
                return max(named, key=lambda record: record.created)
        begun = [record for record in self.records.values() if record.id.startswith(wanted)]
        if wanted and len(begun) == 1:
            return begun[0]
        if wanted and begun:
            several = ", ".join(record.id for record in begun[:5])
            raise InvalidArgument(
                argument="session",
                value=wanted,
                problem="several sessions begin like that",
                remedy=f"write one of {several}",
            )
        raise NotFound(session=wanted)

    def living(self, wanted: str, *, ending: bool = False) -> Session:
        """Return a session that can still be changed; *ending* allows one that is being ended."""
        record = self.find(wanted)
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

    # -- change

    def kill(self, session: Session, *, now: bool) -> None:
        """Ask the keeper to end a session; the KILL deadline is kept there."""
        session.ask_end()
        grace = 0.0 if now else self._config.kill_grace or 0.0
        due = time.monotonic() + grace
        session.kill_at = due if session.kill_at is None else min(session.kill_at, due)
        self._link.tell({"op": "kill", "id": session.record.id, "grace": grace})
        self._write(session.record)

    def resize(self, session: Session, size: Size) -> None:
        session.resize(size)
        self._write(session.record)

    # -- what happens by itself

    def _child_ended(self, session: str, exit_: dict[str, Any]) -> None:
        if living := self._living.get(session):
            living.child_ended(exit_)
        elif session not in self.records:
            # Over so quickly that this came before whoever asked for it has gone on.
            self._early_exits[session] = exit_

    def _finished(self, session: Session) -> None:
        del self._living[session.record.id]
        # First written down, then forgotten by the keeper: a death between is no loss.
        self._write(session.record)
        self._link.tell({"op": "forget", "id": session.record.id})

    def _handed(self) -> list[Handed]:
        return [
            Handed(s.record.id, s.record.blob(), s.held, s.child_exit, s.kill_at)
            for s in self._living.values()
        ]

    def _remember(self, data: dict[str, Any]) -> None:
        try:
            record = Record.from_json(data)
        except (KeyError, TypeError, ValueError) as error:
            print(f"a record of a session cannot be used: {error!r}", file=sys.stderr)  # noqa: T201
            return
        self.records[record.id] = record

    def _write(self, record: Record) -> None:
        try:
            self._table.put(record.to_json())
        except (OSError, HoldfastError) as error:
            # The keeper's blob says the same; a full disk must not stop a session.
            print(f"session {record.id} could not be written down: {error}", file=sys.stderr)  # noqa: T201
        self._link.tell({"op": "blob", "id": record.id, "blob": record.blob()})


def _checked(wanted: Create) -> Size:
    """Return the size of a create whose values make sense; raise InvalidArgument."""
    if not wanted.argv or not wanted.argv[0]:
        raise InvalidArgument(argument="argv", value="", problem="no program is named")
    if any(b"\0" in word for word in (*wanted.argv, wanted.cwd)):
        raise InvalidArgument(argument="argv", value="\\0", problem="a NUL cannot be passed on")
    for name, text in (("name", wanted.name), ("key", wanted.key)):
        if len(text) > LABEL_LIMIT or not text.isprintable():
            problem = f"must be printable, {LABEL_LIMIT} characters at most"
            raise InvalidArgument(argument=name, value=text[:LABEL_LIMIT], problem=problem)
    try:
        return Size(wanted.cols, wanted.rows)
    except ValueError as error:
        value = f"{wanted.cols}x{wanted.rows}"
        raise InvalidArgument(argument="size", value=value, problem=str(error)) from error


def _text(data: bytes) -> str:
    return data.decode(errors="surrogateescape")
