"""Creates under way: each token and each key has one program, whoever asks and however often."""

import asyncio
import time
from collections.abc import Callable, KeysView
from typing import NamedTuple

from holdfast.daemon.creation import Places, check_descriptors, checked
from holdfast.daemon.keeper_link import KeeperLink
from holdfast.daemon.record import Record
from holdfast.daemon.records import Records
from holdfast.errors import HoldfastError, LimitReached
from holdfast.protocol.messages import Create, Created, SessionInfo


class _UnderWay(NamedTuple):
    """A create that is not answered yet, perhaps since before this daemon."""

    key: str
    creation: str
    done: "asyncio.Future[None]"


class Creating:
    """Start programs by the keeper, and find those that were started."""

    def __init__(
        self,
        link: KeeperLink,
        records: Records,
        places: Places,
        *,
        limit: int,
        info: Callable[[Record], SessionInfo],
    ) -> None:
        self._link = link
        self._records = records
        self._places = places
        self._limit = limit
        self._info = info
        self._under_way: dict[str, _UnderWay] = {}
        self._starting: dict[str, Record] = {}

    @property
    def under_way(self) -> KeysView[str]:
        """The ids of sessions that are being created."""
        return self._under_way.keys()

    def started(self, session: str) -> Record | None:
        """Return the record of a session that we asked for, once it has been handed over."""
        return self._starting.pop(session, None)

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
        if self._records.living + len(self._under_way) >= self._limit:
            raise LimitReached(resource="live sessions", limit=self._limit)
        check_descriptors(self._records.living + len(self._under_way))
        record = Record(
            id=self._records.new_id(wanted),
            argv=[_text(word) for word in wanted.argv],
            cwd=_text(wanted.cwd),
            size=size,
            created=time.time(),
            name=wanted.name,
            key=wanted.key,
            creation=wanted.creation,
        )
        try:
            self._places.make(record)
        except HoldfastError:
            self._places.remove(record)
            raise
        started = self._start(record, wanted)
        # A client that leaves does not take the program with it that somebody else may wait for.
        await asyncio.shield(started)
        return Created(session=self._info(record))

    def _already(self, wanted: Create) -> Created | None:
        if record := self._records.made_by(wanted.creation):
            return Created(session=self._info(record))
        if record := self._records.living_with(wanted.key):
            return Created(session=self._info(record), outcome="attached")
        return None

    def _same(self, wanted: Create) -> "list[asyncio.Future[None]]":
        return [
            one.done
            for one in self._under_way.values()
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

    def expect(self, blob: str) -> None:
        """Wait for a program that the daemon before us asked for: it may be asked for again."""
        if record := Record.from_blob(blob):
            body = {"id": record.id, "argv": record.argv, "cwd": record.cwd}
            self._watch(record, self._link.expect(body))

    def _watch(self, record: Record, done: "asyncio.Future[None]") -> None:
        self._under_way[record.id] = _UnderWay(record.key, record.creation, done)

        def over(future: "asyncio.Future[None]") -> None:
            del self._under_way[record.id]
            if not future.cancelled() and future.exception() is not None:
                self._not_started(record)

        done.add_done_callback(over)

    def _not_started(self, record: Record) -> None:
        self._starting.pop(record.id, None)
        if record.id not in self._records.by_id:
            self._places.remove(record)


def _text(data: bytes) -> str:
    return data.decode(errors="surrogateescape")
