"""Creates under way: each token and each key has one program, whoever asks and however often."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Container, KeysView, Mapping
from typing import NamedTuple

from holdfast.daemon.books import Books
from holdfast.daemon.creation import check_descriptors, checked
from holdfast.daemon.keeper_link import KeeperLink
from holdfast.daemon.record import Record
from holdfast.errors import HoldfastError, LimitReached
from holdfast.keeper.processes import PASSED
from holdfast.protocol.messages import Create, Created, SessionInfo
from holdfast.session.environment import kept
from holdfast.session.lifecycle import OVER, State
from holdfast.types import LABEL_LIMIT


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
        books: Books,
        *,
        limit: int,
        policy: str,
        info: Callable[[Record], SessionInfo],
        restore: Callable[[Record], Awaitable[None]],
    ) -> None:
        self._link = link
        self._records = books.records
        self._places = books.places
        self._scribe = books.scribe
        self._restore = restore
        self._limit = limit
        self._policy = policy
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
            return await self._found(found, wanted)
        self.check_room()
        env = {_text(name): _text(value) for name, value in wanted.env.items()}
        now = time.time()
        record = Record(
            id=self._records.new_id(wanted),
            argv=[_text(word) for word in wanted.argv],
            cwd=_text(wanted.cwd),
            size=size,
            created=now,
            began=now,
            umask=wanted.umask,
            name=self._name(wanted),
            key=wanted.key,
            creation=wanted.creation,
            restore=wanted.restore or self._policy,
            ephemeral=wanted.ephemeral,
            env={} if wanted.ephemeral else kept(env, own_environment()).to_json(),
        )
        try:
            self._places.make(record)
        except HoldfastError:
            self._places.remove(record)
            raise
        # A client that leaves does not take the program with it that somebody else may wait for.
        await asyncio.shield(self.start(record, record.cwd, env, wanted.umask))
        await self.written(record)
        return Created(session=self._info(record))

    def check_room(self) -> None:
        """Raise LimitReached while no more programs may be started."""
        living = self._records.living + len(self._under_way)
        if living >= self._limit:
            raise LimitReached(resource="live sessions", limit=self._limit)
        check_descriptors(living)

    async def written(self, record: Record) -> None:
        """Return when a session that was just started is in the journal."""
        try:
            await self._scribe.commit(record)
        except (HoldfastError, OSError):
            # It runs, the keeper has its record, and the scribe has reported this and tries
            # again: an error now would tell the client that nothing was started.
            pass

    def _name(self, wanted: Create) -> str:
        """Return the name; here, because two may ask at once and only one gets it as it is."""
        if not (wanted.numbered and wanted.name):
            return wanted.name
        known = [*self._records.by_id.values(), *self._starting.values()]
        return numbered(wanted.name, {each.name for each in known if each.state not in OVER})

    def _already(self, wanted: Create) -> Record | None:
        return self._records.made_by(wanted.creation) or self._records.with_key(wanted.key)

    async def _found(self, record: Record, wanted: Create) -> Created:
        if record.state is State.DORMANT:
            await self._restore(record)
            return Created(session=self._info(record), outcome="restored")
        is_ours = bool(wanted.creation) and record.creation == wanted.creation
        return Created(session=self._info(record), outcome="created" if is_ours else "attached")

    def _same(self, wanted: Create) -> "list[asyncio.Future[None]]":
        return [
            one.done
            for one in self._under_way.values()
            if (wanted.key and wanted.key == one.key)
            or (wanted.creation and wanted.creation == one.creation)
        ]

    def start(
        self, record: Record, cwd: str, env: Mapping[str, str], umask: int
    ) -> "asyncio.Future[None]":
        """Have the keeper start a program; it is begun with before the future is done."""
        body = {
            "id": record.id,
            "blob": record.blob(),
            "argv": record.argv,
            "cwd": cwd,
            "env": {**self._places.with_agent(record, env), "HOLDFAST_SESSION_ID": record.id},
            "cols": record.size.cols,
            "rows": record.size.rows,
            "umask": umask,
        }
        self._starting[record.id] = record
        try:
            done = self._link.spawn(body)
        except HoldfastError:
            self._not_started(record)
            raise
        self._watch(record, done)
        return done

    def starting(self, session: str) -> "asyncio.Future[None] | None":
        """Return what to wait for while a session's program is being started."""
        under_way = self._under_way.get(session)
        return under_way.done if under_way else None

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


def numbered(name: str, taken: Container[str]) -> str:
    """Return a name that nobody has: build, build-2."""
    number, free = 1, name
    while free in taken:
        number += 1
        suffix = f"-{number}"
        free = name[: LABEL_LIMIT - len(suffix)] + suffix
    return free


def own_environment() -> dict[str, str]:
    """Return what every program of the keeper's would get; our settings are not among it."""
    return {name: text for name, text in os.environ.items() if not name.startswith(PASSED)}


def _text(data: bytes) -> str:
    return data.decode(errors="surrogateescape")
