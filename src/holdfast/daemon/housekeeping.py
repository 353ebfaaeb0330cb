"""Keep what is kept within its bounds, and take away what is to be gone.

All of it in one thread: to unlink or to overwrite waits for the disk, and the loop, in which
every key has its turn, must not. What it notes in a timeline it has the loop note there.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

from holdfast.config import Config
from holdfast.daemon.printed import Printed
from holdfast.daemon.reporting import report
from holdfast.errors import HoldfastError
from holdfast.formats.timeline import Hole
from holdfast.store.log import LogWriter
from holdfast.store.log_reader import LogReader
from holdfast.store.removal import finish
from holdfast.store.retention import (
    aged_segments,
    default_budget,
    drop,
    evicted,
    retain,
    usage,
)
from holdfast.store.shortening import is_long, shorten
from holdfast.store.timeline import Recorder, TimelineWriter

T = TypeVar("T")
IN_MEMORY_BYTES = 16 << 20  # of an ephemeral session: it is the machine's memory
ROOM = 32 << 20  # bytes to make free when the disk is full; a flood fills that in half a second
ANSWER_TIMEOUT = 60.0  # seconds for the loop, which never takes one
AFTER_START = 2.0  # seconds; by then whoever waited for this daemon has been answered


class Kept(NamedTuple):
    """The files of one session."""

    session: str
    directory: Path
    ephemeral: bool
    printed: Printed | None
    """While it may grow."""


class Housekeeping:
    """The thread that tidies up, and the bounds it keeps.

    A piece of work asks the loop for a session when its turn has come, and a session begins
    to grow again only by a piece of work: so no timeline ever has two writers.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        config: Config,
        state: Path,
        *,
        find: Callable[[str], Kept | None],
        sessions: Callable[[], list[str]],
    ) -> None:
        self.per_session = config.keep
        self._loop = loop
        self._keep_for = config.keep_for
        self._budget = config.budget
        self._sync = config.sync
        self._unsynced: set[LogWriter] = set()
        self._state = state
        self.look = find
        self._sessions = sessions
        self._sizes: dict[str, _Sized] = {}
        self._used = 0  # their sum: there may be ten thousand, and each is looked at on its own
        self.pruned = 0
        """Bytes given up since the start, to stay within the bounds."""
        self._finished: set[str] = set()  # what a kill kept from being done is done
        self._waiting: set[str] = set()  # to be looked at
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="housekeeping")
        self._timer = loop.call_later(AFTER_START, self._look_at_all)
        self._is_closed = False

    # -- what the loop asks for

    def grown(self, session: str) -> None:
        """Look at a session that has begun another segment, or has ended."""
        if session not in self._waiting:
            self._waiting.add(session)
            self._submit(self._tidy, session)

    def look_again(self) -> None:
        """Look at all soon: by now it is known which there are."""
        self._timer.cancel()
        self._timer = self._loop.call_later(AFTER_START, self._look_at_all)

    def written(self, log: LogWriter) -> None:
        """Have the disk take what was printed, if and as soon as the user wants that."""
        if self._sync is not None and log not in self._unsynced:
            self._unsynced.add(log)
            self._loop.call_later(self._sync, self._submit, self._sync_now, log)

    def make_room(self) -> None:
        """Give up the oldest that is kept: the disk is full, and a program waits."""
        self._submit(self._evict, ROOM)

    async def run(self, work: Callable[[], T]) -> T:
        """Do *work* in the thread, when it is its turn."""
        return await self._loop.run_in_executor(self._thread, work)

    @property
    def budget(self) -> int:
        """What all sessions may take up together."""
        return default_budget(self.free) if self._budget is None else self._budget

    def used(self, growing: Iterable[tuple[str, int]]) -> int:
        """Return the bytes of all logs, with what has been printed since they were looked at.

        *growing* are those that may grow, and where each ends now.
        """
        more = (
            min(end - self._sizes.get(name, _NOT_SEEN).end, self.per_session)
            for name, end in growing
        )
        return self._used + sum(more)

    @property
    def free(self) -> int:
        found = os.statvfs(self._state)
        return found.f_bavail * found.f_frsize

    def close(self) -> None:
        self._is_closed = True
        self._timer.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)

    # -- what work in the thread needs

    def find(self, session: str) -> Kept | None:
        """Return the files of a session as they are now, None if it is no more."""
        return self.ask_loop(lambda: self.look(session))

    @contextmanager
    def timeline(self, kept: Kept) -> Iterator[Recorder]:
        """Yield where its holes are to be recorded."""
        if kept.printed is not None:
            yield _Elsewhere(self, kept.printed)
            return
        with (
            LogReader(kept.directory) as reader,
            TimelineWriter(kept.directory, reader) as timeline,
        ):
            yield timeline

    def ask_loop(self, question: Callable[[], T]) -> T:
        answer: Future[T] = Future()

        def ask() -> None:
            try:
                answer.set_result(question())
            except BaseException as error:  # noqa: BLE001 - it is raised in the thread
                answer.set_exception(error)

        if self._is_closed:
            raise _Over
        self._loop.call_soon_threadsafe(ask)
        return answer.result(ANSWER_TIMEOUT)

    # -- work

    def _submit(self, work: Callable[..., None], *arguments: object) -> None:
        if not self._is_closed:
            self._thread.submit(_reported, work, *arguments)

    def _look_at_all(self) -> None:
        """At a start: do what a kill kept from being done, and take stock."""
        if self._keep_for is not None:
            # The only timer that runs while nothing happens, and only for who asked for it.
            self._timer = self._loop.call_later(self._keep_for / 10, self._look_at_all)
        for session in self._sessions():
            self.grown(session)

    def _tidy(self, session: str) -> None:
        self._waiting.discard(session)
        kept = self.find(session)
        if kept is None or not kept.directory.is_dir():
            self._note(session, None)
            return
        if session not in self._finished:
            # Also of one that grows: it writes behind everything that was to be taken away.
            finish(kept.directory)
            self._finished.add(session)
        limit = min(self.per_session, IN_MEMORY_BYTES) if kept.ephemeral else self.per_session
        oldest = 0.0 if self._keep_for is None else time.time() - self._keep_for
        with self.timeline(kept) as timeline:
            self.pruned += retain(kept.directory, timeline, limit_bytes=limit, oldest=oldest)
        self._shorten(kept)
        if kept.ephemeral:
            return
        self._note(session, _sized(kept))
        if self._used > self.budget:
            self._evict(0)

    def _note(self, session: str, sized: "_Sized | None") -> None:
        self._used -= self._sizes.pop(session, _NOT_SEEN).bytes
        if sized is not None:
            self._sizes[session] = sized
            self._used += sized.bytes

    def _shorten(self, kept: Kept) -> None:
        if not is_long(kept.directory):
            return
        try:
            with self.timeline(kept) as timeline:
                shorten(kept.directory, timeline)
        except OSError as error:  # a full disk, most likely: room is made all the same
            report("a timeline could not be made shorter", session=kept.session, reason=error)

    def _sync_now(self, log: LogWriter) -> None:
        self._unsynced.discard(log)
        log.sync()

    def _evict(self, room: int) -> None:
        """Bring all together within the budget, or *room* below what they have now."""
        sessions = self.ask_loop(self._sessions)
        found = {session: self.find(session) for session in sessions}
        on_disk = {name: kept for name, kept in found.items() if kept and not kept.ephemeral}
        logs = {name: aged_segments(kept.directory) for name, kept in on_disk.items()}
        now = sum(segment.size for segments in logs.values() for segment in segments)
        bound = min(self.budget, now - room) if room else self.budget
        for name, upto in evicted(logs, bound).items():
            with self.timeline(on_disk[name]) as timeline:
                self.pruned += drop(on_disk[name].directory, timeline, upto)
        self._sizes = {name: _sized(kept) for name, kept in on_disk.items()}
        self._used = sum(sized.bytes for sized in self._sizes.values())


class _Sized(NamedTuple):
    """How large a log was at the last look, and where it ended then."""

    bytes: int
    end: int


_NOT_SEEN = _Sized(0, 0)


def _sized(kept: Kept) -> _Sized:
    # First its end: what is printed in between is counted twice rather than never.
    end = 0 if kept.printed is None else kept.printed.log.end
    return _Sized(usage(kept.directory).log, end)


class _Over(Exception):
    """A session or the daemon has ended meanwhile; its end has it looked at again."""


class _Elsewhere:
    """A timeline that belongs to the loop."""

    def __init__(self, housekeeping: Housekeeping, printed: Printed) -> None:
        self._ask_loop = housekeeping.ask_loop
        self._printed = printed

    def append(self, *records: Hole) -> None:
        """Return once they are recorded: only then may the bytes go."""
        if not self._ask_loop(lambda: self._printed.mark(*records)):
            raise _Over

    def disregard(self, start: int, end: int) -> None:
        if not self._ask_loop(lambda: self._printed.disregard(start, end)):
            raise _Over

    def begin_shortening(self) -> int:
        upto = self._ask_loop(self._printed.begin_shortening)
        if upto is None:
            raise _Over
        return upto

    def replace(self, fresh: Path, upto: int) -> bool:
        return self._ask_loop(lambda: self._printed.replace_timeline(fresh, upto))


def _reported(work: Callable[..., None], *arguments: object) -> None:
    try:
        work(*arguments)
    except _Over:
        pass
    except (OSError, HoldfastError) as error:
        # What could not be taken away is there at the next look; nothing depends on it.
        report("tidying up failed", reason=error)
