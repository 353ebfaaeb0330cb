"""Have records written into the journal, and know when they are in it.

The journal's own thread waits for the disk; the loop, in which every key and every byte has
its turn, never does.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple

from holdfast.daemon.record import Record
from holdfast.daemon.reporting import report
from holdfast.errors import HoldfastError, Internal, JournalDamaged
from holdfast.store.journal import Journal

RETRY = 1.0  # seconds between tries to write to a full disk
LOGGED = {
    "created",
    "restored",
    "exit",
    "lost",
    "dormant",
    "re-registered",
}  # what an operator wants to read


class _Row(NamedTuple):
    created: float
    state: str
    facts: dict[str, Any]


class Noted(NamedTuple):
    """Something that happened to a session."""

    time: float
    session: str
    kind: str
    facts: dict[str, Any]


class Scribe:
    """The newest state of each record reaches the journal, if not at once then later."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, everything: Callable[[], list[Record]]
    ) -> None:
        self._loop = loop
        self._journal: Journal | None = None
        self._everything = everything
        self._newest: dict[str, _Row] = {}  # not yet in the journal
        self._then: dict[str, Callable[[], object]] = {}
        self._early: list[Callable[[Journal], Future[Any]]] = []
        self.early_events: set[tuple[str, str]] = set()
        """Sessions and kinds of what was noted before the journal was open."""
        self._complaint = ""
        self._is_closed = False
        self._journals = 0  # begun anew since the start
        self.on_event: Callable[[int, Noted], None] = lambda _number, _noted: None
        """Told of each event once it is committed, in the order of their numbers."""

    def open(self, journal: Journal) -> None:
        """Write what has waited for the journal to be opened, and go on with it."""
        self._journal = journal
        for session in self._newest:
            self._submit(session)
        early, self._early = self._early, []
        for write in early:
            self._write(write)

    def put(self, record: Record, then: Callable[[], object] | None = None) -> None:
        """Have a record written; *then* is called once it, or a newer state, is committed."""
        if record.ephemeral:  # the keeper has its blob, and that is all there is to be
            if then is not None:
                then()
            return
        self._newest[record.id] = _row(record)
        if then is not None:
            self._then[record.id] = then
        if self._journal is not None:
            self._submit(record.id)

    async def commit(self, record: Record) -> None:
        """Write a record and return when it is committed; raise what keeps it from that."""
        if not record.ephemeral:
            self._newest[record.id] = _row(record)
            await asyncio.wrap_future(self._submit(record.id), loop=self._loop)

    def event(self, record: Record, kind: str, when: float, **facts: Any) -> None:
        """Note what happened to a session, and have it told once that would survive us.

        Nothing of an ephemeral one is kept, so it has no events: a number is a row.
        """
        if not record.ephemeral:
            if self._journal is None:
                self.early_events.add((record.id, kind))
            if kind in LOGGED:
                report(kind, level="info", session=record.id, **facts | {"name": ""})
            self._write(lambda journal: self._append(journal, Noted(when, record.id, kind, facts)))

    def audit(self, record: Record, who: str, what: str, facts: dict[str, Any]) -> None:
        """Note who did what to a session."""
        if not record.ephemeral:
            now = time.time()
            self._write(lambda journal: journal.append_audit(now, record.id, who, what, facts))

    def life(self, record: Record, **facts: Any) -> None:
        """Note what is known of the present life of a session."""
        if not record.ephemeral:
            number, began = record.life, record.began
            self._write(lambda journal: journal.put_life(record.id, number, began, facts))

    async def command(
        self, record: Record, command: str, started: float, facts: dict[str, Any]
    ) -> None:
        """Keep a record of a command; return when it is committed, raise what hinders that."""
        journal = self._open_journal()
        written = journal.put_command(record.id, command, started, facts)
        self._watch(written)
        await asyncio.wrap_future(written, loop=self._loop)

    def commands(self, record: Record, last: int) -> tuple[list[dict[str, Any]], int]:
        """Return the records of the newest commands, oldest first, and how many there are."""
        journal = self._open_journal()
        return journal.commands(record.id, last), journal.count_commands(record.id)

    async def forget_commands(self, record: Record, commands: list[str]) -> None:
        """Take records of commands out of the journal, and out of its files."""
        journal = self._open_journal()
        removed = journal.remove_commands(record.id, commands)
        await asyncio.wrap_future(removed, loop=self._loop)
        await asyncio.wrap_future(journal.purge(), loop=self._loop)

    def _open_journal(self) -> Journal:
        if self._journal is None:
            raise Internal(summary="the journal is not open yet")
        return self._journal

    async def remove(self, record: Record) -> None:
        """Take a session out of the journal, and out of its files."""
        session = record.id
        self._newest.pop(session, None)
        self._then.pop(session, None)
        if self._journal is not None:
            removed = self._journal.remove_session(session)
            # Of all that happened to it only this is left: lists have to know that it is gone.
            self.event(record, "forgotten", time.time(), gone=True)
            await asyncio.wrap_future(removed, loop=self._loop)
            await asyncio.wrap_future(self._journal.purge(), loop=self._loop)

    def close(self) -> None:
        """Write what still waits, now: the loop is over."""
        self._is_closed = True
        if self._journal is not None:
            self._journal.close()

    def _submit(self, session: str) -> "Future[None]":
        assert self._journal is not None
        row = self._newest[session]
        future = self._journal.put_session(session, *row)
        journal = self._journals
        future.add_done_callback(lambda done: self._back(self._done, journal, session, row, done))
        return future

    def _write(self, write: Callable[[Journal], "Future[Any]"]) -> None:
        if self._journal is None:
            self._early.append(write)
        else:
            self._watch(write(self._journal))

    def _append(self, journal: Journal, noted: Noted) -> "Future[int]":
        future = journal.append_event(*noted)
        future.add_done_callback(lambda done: self._back(self._appended, noted, done))
        return future

    def _appended(self, noted: Noted, future: "Future[int]") -> None:
        if future.exception() is None:
            self.on_event(future.result(), noted)

    def _watch(self, future: "Future[Any]") -> None:
        journal = self._journals
        future.add_done_callback(lambda done: self._back(self._failed, journal, done))

    def _back(self, call: Callable[..., object], *arguments: Any) -> None:
        """Go on in the loop; called in the journal's thread."""
        if not self._is_closed:
            self._loop.call_soon_threadsafe(call, *arguments)

    def _done(self, journal: int, session: str, row: _Row, future: "Future[None]") -> None:
        if self._newest.get(session) is not row:
            return  # a newer state is on its way
        if self._failed(journal, future):
            self._loop.call_later(RETRY, self._retry, session, row)
            return
        del self._newest[session]
        if then := self._then.pop(session, None):
            then()

    def _retry(self, session: str, row: _Row) -> None:
        if self._newest.get(session) is row and not self._is_closed:
            self._submit(session)

    def _failed(self, journal: int, future: "Future[Any]") -> bool:
        error = future.exception()
        if error is not None and not isinstance(error, HoldfastError | OSError):
            raise error
        # The keeper's blob says the same: a full disk must not stop a session.
        self._complain(str(error) if error else "")
        if isinstance(error, JournalDamaged) and journal == self._journals:
            self._begin_anew()
        return error is not None

    def _begin_anew(self) -> None:
        assert self._journal is not None
        self._journals += 1
        self._journal.begin_anew()
        report("the journal was damaged", kept_aside=self._journal.damaged)
        for record in self._everything():
            self.put(record)

    def _complain(self, text: str) -> None:
        if text and text != self._complaint:
            report("the journal could not be written", reason=text)
        self._complaint = text


def _row(record: Record) -> _Row:
    return _Row(record.created, record.state.value, record.to_json())
