"""Mirrored sessions: programs on a terminal of their client, which sends a copy of the output.

The keeper holds nothing of them. What is known lies in the journal and in the log, so they
survive daemon, keeper and machine alike: each is there again at the next start, and waits for
its client for as long as one that has just lost it.

A registration belongs to one connection. While it lasts its session is written to by that
connection alone; when another one registers the same session, it passes on.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial

from holdfast.daemon.books import Books
from holdfast.daemon.creating import Creating
from holdfast.daemon.creation import failed
from holdfast.daemon.endings import Endings
from holdfast.daemon.housekeeping import Housekeeping
from holdfast.daemon.mirror import OVERFLOWED, Mirror, Watcher
from holdfast.daemon.owners import Owners
from holdfast.daemon.record import Record
from holdfast.daemon.registration import (
    become_mirrored,
    check,
    made,
    may_be_registered,
    refused,
    revive,
    size_of,
    status_of,
    update,
)
from holdfast.daemon.reporting import report
from holdfast.errors import (
    HoldfastError,
    InvalidArgument,
    NotFound,
    OwnerRequired,
    SessionTerminating,
)
from holdfast.protocol.daemon_end import DaemonEnd
from holdfast.protocol.messages import (
    Append,
    Appended,
    End,
    Register,
    Registered,
    SessionInfo,
    Skip,
)
from holdfast.session.lifecycle import LIVE, Event, advance

HIGHEST_OFFSET = 1 << 53  # beyond it an offset is none to a page in a browser
GONE = "lost:client-gone"


class Mirrors:
    """The mirrored sessions that may still be written to, and who has registered them."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        books: Books,
        creating: Creating,
        owners: Owners,
        endings: Endings,
        *,
        housekeeping: Housekeeping,
        watcher: Watcher,
        grace: float | None,
        info: Callable[[Record, str], SessionInfo],
        forgetting: Callable[[str], bool],
    ) -> None:
        self._loop = loop
        self._books = books
        self._creating = creating
        self._owners = owners
        self._endings = endings
        self._housekeeping = housekeeping
        self._watcher = watcher
        self._grace = grace
        self._info = info
        self._forgetting = forgetting
        self.open: dict[str, Mirror] = {}
        self._holders: dict[str, int] = {}  # session -> connection
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._opening = asyncio.Lock()

    # -- what clients ask

    async def register(self, client: DaemonEnd, asked: Register) -> Registered:
        """Make a session known, or known again; from now on this connection writes to it."""
        check(asked)
        async with self._opening:
            record, is_new = await self._opened(asked)
        mirror = self.open[record.id]
        self._hold(client, record)
        update(record, asked)
        self._resized(mirror, asked)
        self._note(client, record, is_new=is_new)
        self._books.write(record)
        await self._creating.written(record)
        return Registered(
            session=self._info(record, client.client_id),
            end=mirror.end,
            epoch=mirror.printed.epoch,
            outcome="registered" if is_new else "re-registered",
        )

    async def append(self, client: DaemonEnd, asked: Append) -> Appended:
        mirror, may = self._written_by(client, asked.session)
        return Appended(end=await mirror.append(asked.offset, asked.data, may))

    async def skip(self, client: DaemonEnd, asked: Skip) -> Appended:
        if asked.reason != OVERFLOWED:
            problem = f"the only reason a client can have is {OVERFLOWED}"
            raise InvalidArgument(argument="reason", value=asked.reason[:40], problem=problem)
        if not asked.start <= asked.end <= HIGHEST_OFFSET:
            problem = f"must be {asked.start} to {HIGHEST_OFFSET}"
            raise InvalidArgument(argument="end", value=str(asked.end), problem=problem)
        mirror, may = self._written_by(client, asked.session)
        return Appended(end=await mirror.skip(asked.start, asked.end, may))

    async def end(self, client: DaemonEnd, asked: End) -> SessionInfo:
        """Note the end of a program; asked again it is the same end."""
        status, record = status_of(asked), self.held_by(client, asked.session)
        if record.state in LIVE:
            mirror, may = self._written_by(client, asked.session)
            await mirror.ends_at(asked.offset, may)
            record.exit, record.ended = status, time.time()
            record.state = advance(record.state, Event.CHILD_ENDED)
            record.state = advance(record.state, Event.FINISHED)
            self._over(mirror)
        # Its client forgets it then: an answer that the next daemon knows nothing of is a lie.
        await self._creating.written(record)
        return self._info(record, client.client_id)

    def held_by(self, client: DaemonEnd, session: str) -> Record:
        """Return a session that this connection has registered; raise what it lacks."""
        record = self._books.records.by_id.get(session)
        if record is None:
            raise NotFound(session=session)
        if not record.mirrored:
            problem = "not a mirrored session"
            raise InvalidArgument(argument="session", value=session, problem=problem)
        self._check_holds(client, record)
        return record

    # -- what connections do

    def left(self, client: DaemonEnd) -> None:
        """A connection is over: what it had registered waits for its client."""
        mine = [id_ for id_, number in self._holders.items() if number == client.connection]
        for session in mine:
            del self._holders[session]
            self._wait(session)

    # -- what happens by itself

    def resume(self, record: Record) -> None:
        """Go on with a session that the daemon before us had; its client has all the time."""
        try:
            self._open(record)
        except HoldfastError as error:
            report("a mirrored session cannot be written to", session=record.id, reason=error)
            return  # its log can be read, and a registration tries again
        self._owners.resumed(record)

    def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        for mirror in self.open.values():
            mirror.close()

    # -- opening

    async def _opened(self, asked: Register) -> tuple[Record, bool]:
        """Return the record of a session that is open now, and whether it is new."""
        record = self._books.records.by_id.get(asked.session)
        self._refuse(asked, record)
        if record is None or record.state not in LIVE:
            self._creating.check_room()
        if asked.session in self.open and record is not None:
            return record, False
        # In a piece of work of the housekeeping, while which nobody else has the files: what
        # was forgotten a moment ago is gone by then.
        work = partial(self._housekeeping.ask_loop, partial(self._begin, asked))
        return await asyncio.shield(self._housekeeping.run(work))

    def _refuse(self, asked: Register, record: Record | None) -> None:
        if self._forgetting(asked.session):
            raise SessionTerminating(session=asked.session)
        is_other = record is not None and not may_be_registered(record)
        if is_other or asked.session in self._creating.under_way:
            raise refused(asked)

    def _begin(self, asked: Register) -> tuple[Record, bool]:
        known = self._books.records.by_id.get(asked.session)
        self._refuse(asked, known)
        record = known or made(asked)
        become_mirrored(record)
        self._open(record)
        revive(record)
        self._books.records.add(record)
        if known is None:
            self.open[record.id].printed.mark_life(1)
            self.open[record.id].printed.mark_resize(record.size)
        return record, known is None

    def _open(self, record: Record) -> None:
        directory = self._books.places.directory(record)
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.open[record.id] = Mirror(self._loop, record, directory, self._watcher)
        except OSError as error:
            raise failed(directory, error) from error
        self._wait(record.id)

    # -- who has it

    def _hold(self, client: DaemonEnd, record: Record) -> None:
        """Let this connection have a session; one that had it before is told."""
        if client.connection:  # or it has gone meanwhile, and the session waits
            self._holders[record.id] = client.connection
            if timer := self._timers.pop(record.id, None):
                timer.cancel()
            self._owners.registered(client, record)

    def _check_holds(self, client: DaemonEnd, record: Record) -> None:
        holder = self._holders.get(record.id)
        if holder is not None and holder == client.connection:
            return
        owner = self._owners.owner(record)
        by = owner[1] if owner and holder is not None else "nobody"
        what = f"session {record.id!r} is not registered by this connection, but by {by}"
        refusal = OwnerRequired(session=record.id, owner=by)
        raise refusal.said(what, "register it (again) before anything is sent to it")

    def _written_by(self, client: DaemonEnd, session: str) -> tuple[Mirror, Callable[[], None]]:
        """Return a session that this connection may write to, and what looks if it still may."""
        record = self.held_by(client, session)
        mirror = self.open.get(session)
        if mirror is None:
            what = f"session {session!r} has been ended"
            error = InvalidArgument(argument="session", value=session, problem="has been ended")
            raise error.said(what, "register it again, if it goes on after all")
        return mirror, partial(self._check_holds, client, record)

    def _wait(self, session: str) -> None:
        """Give a client time to come back."""
        if session in self.open and self._grace is not None:
            if timer := self._timers.pop(session, None):
                timer.cancel()
            self._timers[session] = self._loop.call_later(self._grace, self._gone, session)

    def _gone(self, session: str) -> None:
        mirror = self.open[session]
        record = mirror.record
        record.state = advance(record.state, Event.VANISHED)
        record.recovery, record.ended = GONE, time.time()
        self._over(mirror)

    def _over(self, mirror: Mirror) -> None:
        record = mirror.record
        if timer := self._timers.pop(record.id, None):
            timer.cancel()
        mirror.close()
        del self.open[record.id]
        self._endings.ended(record)

    # -- written down

    def _resized(self, mirror: Mirror, asked: Register) -> None:
        size = size_of(asked)
        if size is not None and mirror.resize(size):
            facts = {"cols": size.cols, "rows": size.rows}
            self._books.scribe.event(mirror.record, "resized", time.time(), **facts)

    def _note(self, client: DaemonEnd, record: Record, *, is_new: bool) -> None:
        if is_new:
            self._books.scribe.life(record)
            self._books.note(record, "created")
            return
        facts = {"by": client.label or client.client_id, "offset": record.offset}
        self._books.scribe.event(record, "re-registered", time.time(), **facts)
