"""Clear, forget and du: what a person asks of what is kept."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from holdfast.daemon.books import Books
from holdfast.daemon.creation import failed
from holdfast.daemon.housekeeping import Housekeeping, Kept
from holdfast.daemon.reading import Reading
from holdfast.daemon.record import Record
from holdfast.errors import InvalidArgument, NotFound
from holdfast.formats.kept import Missing
from holdfast.marks.reach import Extent, told_of
from holdfast.protocol.messages import DiskUse, DiskUsed, Erased
from holdfast.session.lifecycle import OVER
from holdfast.store.clear import clear, screenful_cut
from holdfast.store.forget import forget, forget_all, samples_of, search
from holdfast.store.kept import kept as kept_in
from holdfast.store.log import LogWriter
from holdfast.store.log_reader import LogReader
from holdfast.store.retention import usage

HIGHEST = 1 << 63  # no log ends there
HOLES_SHOWN = 100  # of one session; a thousand sessions must fit into one reply


class Keeping:
    """The verbs that take away, and the one that counts."""

    def __init__(
        self,
        housekeeping: Housekeeping,
        books: Books,
        reading: Reading,
        drop: Callable[[Record], None],
        *,
        state: Path,
        journal: Path,
    ) -> None:
        self._housekeeping = housekeeping
        self._scribe = books.scribe
        self._reading = reading
        self._drop = drop
        self.forgetting: set[str] = set()
        """Sessions of which soon nothing is left."""
        self._state = state
        self._journal = journal

    async def clear(self, record: Record) -> Erased:
        """Drop what a session printed before its last screenful."""
        erased = await self._run(record, self._clear)
        self._housekeeping.grown(record.id)
        self._reading.cleared(record)
        self._scribe.event(record, "cleared", time.time(), offset=erased.start)
        return erased

    async def forget(self, record: Record, since: int, until: int | None) -> Erased:
        """Overwrite a range of what a session printed; an ended one goes as a whole."""
        if since < 0:
            raise InvalidArgument(argument="since", value=str(since), problem="is negative")
        if until is not None and until <= since:
            problem = f"not after since, {since}"
            raise InvalidArgument(argument="until", value=str(until), problem=problem)
        if since == 0 and until is None and record.state in OVER:
            return await self._forget_session(record)
        # Before the files, so that whoever looks for what was printed finds it nowhere.
        await self._forget_commands(record, since, until)
        erased = await self._run(record, partial(self._forget_range, since=since, until=until))
        self._reading.forgotten(record, gone=False)
        self._housekeeping.grown(record.id)
        facts = {"offset": since, "bytes": erased.bytes}
        self._scribe.event(record, "forgotten", time.time(), **facts)
        return erased

    async def _forget_commands(self, record: Record, since: int, until: int | None) -> None:
        """Forget the records of commands that tell of a range of the output."""
        rows, _ = self._scribe.commands(record, 0)
        extents = [Extent(row["id"], row["offset"], row["length"]) for row in rows]
        told = told_of(extents, since, HIGHEST if until is None else until)
        if told:
            await self._scribe.forget_commands(record, told)

    async def du(self, records: list[Record]) -> DiskUsed:
        """Return what these take up, fattest first, and the bounds of all."""
        used = await self._housekeeping.run(lambda: [self._use(record) for record in records])
        files = self._journal.parent.glob(f"{self._journal.name}*")
        return DiskUsed(
            sessions=sorted(used, key=lambda use: use.log, reverse=True),
            journal=sum(path.stat().st_size for path in files),
            budget=self._housekeeping.budget,
            per_session=self._housekeeping.per_session,
            free=self._housekeeping.free,
        )

    async def _run(self, record: Record, work: Callable[[Record, Kept], Erased]) -> Erased:
        def found_and_done() -> Erased:
            kept = self._housekeeping.find(record.id)
            if kept is None or not kept.directory.is_dir():
                raise NotFound(session=record.id)
            try:
                return work(record, kept)
            except OSError as error:
                raise failed(kept.directory, error) from error

        return await self._housekeeping.run(found_and_done)

    # -- in the thread of the housekeeping

    def _clear(self, record: Record, kept: Kept) -> Erased:
        end = self._sealed(kept)
        with LogReader(kept.directory) as reader:
            cut = screenful_cut(reader, end, record.size.rows, record.size.cols)
        with self._housekeeping.timeline(kept) as timeline:
            gone = clear(kept.directory, timeline, cut)
        return Erased(bytes=gone, start=cut)

    def _forget_range(
        self, _record: Record, kept: Kept, *, since: int, until: int | None
    ) -> Erased:
        end = self._sealed(kept)
        until = end if until is None else min(until, end)
        with LogReader(kept.directory) as reader:
            samples = samples_of(reader, since, until)
        with self._housekeeping.timeline(kept) as timeline:
            gone = forget(kept.directory, timeline, since, until)
        with LogReader(kept.directory) as reader:
            start = reader.oldest
        return Erased(bytes=gone, start=start, found=self._still_in(samples))

    async def _forget_session(self, record: Record) -> Erased:
        kept = self._housekeeping.look(record.id)
        if kept is None:
            raise NotFound(session=record.id)
        self._drop(record)
        self.forgetting.add(record.id)
        try:
            size, samples = await self._housekeeping.run(partial(_erase, kept.directory))
            await self._scribe.remove(record)
            self._housekeeping.grown(record.id)
        except OSError as error:
            raise failed(kept.directory, error) from error
        finally:
            self.forgetting.discard(record.id)
        found = await self._housekeeping.run(lambda: self._still_in(samples))
        return Erased(bytes=size, start=0, gone=True, found=found)

    def _still_in(self, samples: list[bytes]) -> list[str]:
        return [str(path) for path in search(self._state, samples)]

    def _sealed(self, kept: Kept) -> int:
        """Let nothing that was printed so far be written to any more; return where that ends."""
        if kept.printed is not None:
            return self._housekeeping.ask_loop(kept.printed.seal)
        with LogWriter(kept.directory) as log:
            log.seal()
            return log.end

    def _use(self, record: Record) -> DiskUse:
        kept = self._housekeeping.find(record.id)
        is_there = kept is not None and kept.directory.is_dir()
        log, other, start, end, missing = 0, 0, record.offset, record.offset, []
        if kept is not None and is_there:
            used = usage(kept.directory)
            log, other = used.log, used.timeline + used.rest
            with LogReader(kept.directory) as reader:
                start, end = reader.oldest, reader.end()
            missing = [one for one in kept_in(kept.directory) if isinstance(one, Missing)]
        return DiskUse(
            session=record.id,
            name=record.name,
            state=record.state.value,
            log=log,
            other=other,
            start=start,
            end=end,
            missing=[(one.start, one.end, one.reason) for one in missing[:HOLES_SHOWN]],
        )


def _erase(directory: Path) -> tuple[int, list[bytes]]:
    """Destroy the files of a session; return how much that was, and samples to look for."""
    if not directory.is_dir():
        return 0, []
    with LogReader(directory) as reader:
        samples = samples_of(reader, 0, reader.end())
    size = usage(directory).log
    forget_all(directory)
    return size, samples
