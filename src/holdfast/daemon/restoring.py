"""Start the program of a session again: same id, log, place and size, a new life."""

import asyncio
import errno
import os
import time
from pathlib import Path

from holdfast.daemon.creating import Creating, own_environment
from holdfast.daemon.creation import failed
from holdfast.daemon.places import Places
from holdfast.daemon.record import Record, shown
from holdfast.daemon.scribe import Scribe
from holdfast.errors import HoldfastError, InvalidArgument, SessionTerminating
from holdfast.formats.timeline import Inserted, Life
from holdfast.session.environment import Kept, rebuilt
from holdfast.session.lifecycle import LIVE, Event, State, advance
from holdfast.session.marker import marker
from holdfast.store.log import LogWriter
from holdfast.store.log_reader import LogReader
from holdfast.store.timeline import TimelineWriter

AT_ONCE = 8  # programs started together after a boot; more would only wait for each other


class Restoring:
    """Begin new lives of sessions whose programs are gone."""

    def __init__(
        self, creating: Creating, places: Places, scribe: Scribe, highest: dict[str, int]
    ) -> None:
        self._creating = creating
        self._places = places
        self._scribe = scribe
        self._highest = highest
        """Of sessions whose log was cut off by a power cut: the highest offset ever seen."""
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def unasked(self, record: Record) -> None:
        """Restore after a boot; what fails is noted in the record."""
        async with self._gate:
            try:
                await self.restore(record)
            except HoldfastError:
                pass  # its record says why, and `hold restore` tries again

    async def restore(self, record: Record, *, asked: bool = False) -> None:
        """Start the program again unless it lives; raise what keeps it from that."""
        if (starting := self._creating.starting(record.id)) is not None:
            await asyncio.wait([starting])
        if record.state is State.TERMINATING:
            raise SessionTerminating(session=record.id)
        if record.state in LIVE:
            return
        if not record.argv or record.ephemeral:
            problem = "what ran in it was not written down"
            raise InvalidArgument(argument="session", value=record.id, problem=problem)
        self._creating.check_room()
        try:
            cwd, env = self._begin(record, asked=asked)
        except OSError as error:
            raise failed(self._places.directory(record), error) from error
        try:
            await asyncio.shield(self._creating.start(record, cwd, env, record.umask))
        except HoldfastError as error:
            record.state = advance(record.state, Event.SPAWN_FAILED)
            record.recovery = "lost:" + error.code.lower().replace("_", "-")
            self._scribe.put(record)
            self._scribe.event(record, "lost", time.time(), reason=record.recovery)
            raise
        await self._creating.written(record)

    def _begin(self, record: Record, *, asked: bool) -> tuple[str, dict[str, str]]:
        now = time.time()
        env = rebuilt(Kept.from_json(record.env), own_environment())
        wanted = record.last_cwd or record.cwd
        cwd = wanted if Path(wanted).is_dir() else _fallback(env)
        missing = f"; {shown(wanted)} is no longer there" if cwd != wanted else ""
        why = "asked for" if asked else "its program had ended with the machine or with Holdfast"
        clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
        self._places.make(record)
        epoch = record.id in self._highest
        highest = max(record.offset, self._highest.pop(record.id, 0))
        life = record.life + 1
        record.offset = begin_life(
            self._places.directory(record),
            marker(f"restored {clock}: {why}{missing}"),
            life,
            highest=highest,
            epoch=epoch,
        )
        record.state = advance(record.state, Event.RESTORE_ASKED)
        record.life, record.began, record.recovery = life, now, "restored"
        record.short_lives = 1 if asked else record.short_lives + 1
        record.pid = record.ended = record.maxrss_kib = None
        record.exit = type(record.exit)()
        return cwd, env


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


def _fallback(env: dict[str, str]) -> str:
    home = env.get("HOME", "")
    return home if home and Path(home).is_dir() else "/"
