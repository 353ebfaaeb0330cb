"""Start the program of a session again: same id, log, place and size, a new life."""

import asyncio
import errno
import os
import time
from functools import partial
from pathlib import Path

from holdfast.daemon.books import Books
from holdfast.daemon.creating import Creating, own_environment
from holdfast.daemon.creation import failed
from holdfast.daemon.housekeeping import Housekeeping
from holdfast.daemon.record import Record, shown
from holdfast.errors import HoldfastError, InvalidArgument, SessionTerminating
from holdfast.formats.timeline import Inserted, Life
from holdfast.session.environment import Kept, rebuilt
from holdfast.session.lifecycle import LIVE, Event, State, advance
from holdfast.session.marker import marker
from holdfast.store.log import LogWriter
from holdfast.store.log_reader import LogReader
from holdfast.store.timeline import TimelineWriter
from holdfast.types import ExitStatus

AT_ONCE = 8  # programs started together after a boot; more would only wait for each other


class Restoring:
    """Begin new lives of sessions whose programs are gone."""

    def __init__(
        self,
        creating: Creating,
        books: Books,
        housekeeping: Housekeeping,
        highest: dict[str, int],
    ) -> None:
        self._creating = creating
        self._places = books.places
        self._scribe = books.scribe
        self._housekeeping = housekeeping
        self._highest = highest
        """Of sessions whose log was cut off by a power cut: the highest offset ever seen."""
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._beginning = asyncio.Lock()
        self._unasked: set[asyncio.Task[None]] = set()

    @property
    def is_busy(self) -> bool:
        """Whether programs are still being started that nobody has asked for."""
        return bool(self._unasked)

    def begin_unasked(self, record: Record) -> None:
        """Restore after a boot, in a task; what fails is noted in the record."""
        task = asyncio.get_running_loop().create_task(self._restore_unasked(record))
        self._unasked.add(task)  # the loop itself holds tasks only weakly
        task.add_done_callback(self._unasked.discard)

    async def _restore_unasked(self, record: Record) -> None:
        async with self._gate:
            try:
                await self.restore(record)
            except HoldfastError:
                pass  # its record says why, and `hold restore` tries again

    async def restore(self, record: Record, *, asked: bool = False) -> None:
        """Start the program again unless it lives; raise what keeps it from that."""
        async with self._beginning:
            started = self._creating.starting(record.id)
            if started is None:
                if record.state is State.TERMINATING:
                    raise SessionTerminating(session=record.id)
                if record.state in LIVE:
                    return
                started = await self._start(record, asked=asked)
        try:
            await asyncio.shield(started)
        except HoldfastError as error:
            self._not_started(record, error)
            raise
        await self._creating.written(record)

    async def _start(self, record: Record, *, asked: bool) -> "asyncio.Future[None]":
        if not record.argv or record.ephemeral:
            problem = "what ran in it was not written down"
            raise InvalidArgument(argument="session", value=record.id, problem=problem)
        self._creating.check_room()
        # When that is done the keeper has been told to forget the program before.
        await self._scribe.commit(record)
        env = rebuilt(Kept.from_json(record.env), own_environment())
        wanted = record.last_cwd or record.cwd
        cwd = _directory(wanted, env)
        missing = f"; {shown(wanted)} is no longer there" if cwd != wanted else ""
        await self._begin_life(record, missing, asked=asked)
        try:
            # Before it runs: a life that ends with the machine has to be counted.
            await self._scribe.commit(record)
            return self._creating.start(record, cwd, env, record.umask)
        except HoldfastError as error:
            self._not_started(record, error)
            raise

    async def _begin_life(self, record: Record, missing: str, *, asked: bool) -> None:
        now = time.time()
        why = "asked for" if asked else "its program had ended with the machine or with Holdfast"
        clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
        self._places.make(record)
        directory = self._places.directory(record)
        work = partial(
            begin_life,
            directory,
            marker(f"restored {clock}: {why}{missing}"),
            record.life + 1,
            highest=max(record.offset, self._highest.get(record.id, 0)),
            epoch=record.id in self._highest,
        )
        try:
            record.offset = await self._housekeeping.run(work)
        except OSError as error:
            raise failed(directory, error) from error
        self._highest.pop(record.id, None)
        record.state = advance(record.state, Event.RESTORE_ASKED)
        record.life, record.began, record.recovery = record.life + 1, now, "restored"
        record.short_lives = 1 if asked else record.short_lives + 1
        record.pid = record.ended = record.maxrss_kib = None
        record.exit, record.killed, record.killed_by = ExitStatus(), False, ""
        record.signalled = (0, "")

    def _not_started(self, record: Record, error: HoldfastError) -> None:
        if record.state is not State.STARTING:
            return  # noted already, for somebody who wanted the same
        record.state = advance(record.state, Event.SPAWN_FAILED)
        record.recovery = "lost:" + error.code.lower().replace("_", "-")
        self._scribe.put(record)
        self._scribe.event(record, "lost", time.time(), recovery=record.recovery)


def begin_life(directory: Path, text: bytes, life: int, *, highest: int, epoch: bool) -> int:
    """Write *text* into a log, and into its timeline that a life begins; return the end."""
    now = time.time_ns()
    with (
        LogReader(directory) as reader,
        LogWriter(directory) as log,
        TimelineWriter(directory, reader) as timeline,
    ):
        timeline.catch_up(now)
        if log.end < highest:
            log.skip_to(highest)
        if epoch:
            timeline.begin_epoch(log.end)
        # Before the bytes themselves: a death between the two leaves a record of the same
        # run that the next attempt writes, never bytes that seem to be the program's.
        timeline.append(Inserted(log.end, len(text), now))
        start = log.end
        if log.write(text) < len(text):
            log.take_back(start)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        timeline.feed(start, text, now)
        timeline.flush(now)
        timeline.append(Life(log.end, now, life))
        return log.end


def _directory(wanted: str, env: dict[str, str]) -> str:
    """Return where the program can start: where it was, at home, or anywhere."""
    return next(path for path in (wanted, env.get("HOME", ""), "/") if path and Path(path).is_dir())
