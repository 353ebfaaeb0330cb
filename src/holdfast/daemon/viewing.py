"""Who looks at which session: attachments begin here, and the sessions' growth is passed on."""

import asyncio
import zlib
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from holdfast.daemon.deliveries import Deliveries
from holdfast.daemon.growing import Growing
from holdfast.daemon.housekeeping import Housekeeping
from holdfast.daemon.outlet import Outlet
from holdfast.daemon.reading import Reading
from holdfast.daemon.record import Record, brief
from holdfast.daemon.viewer import Viewer
from holdfast.daemon.viewers import Viewers
from holdfast.errors import HoldfastError, InvalidArgument, OffsetPruned
from holdfast.formats.kept import Missing
from holdfast.metrics.counters import Counters
from holdfast.protocol.messages import Attach, Attached, Gap, SessionInfo
from holdfast.protocol.reading import Painted
from holdfast.session.arrival import Arrival, arrive
from holdfast.session.cursor import LEAST_WINDOW, MOST_WINDOW, Cursor, Policy
from holdfast.session.lifecycle import LIVE
from holdfast.session.resume import TAIL_LIMIT, Resume, Tail, resume
from holdfast.store.kept import kept
from holdfast.store.log_reader import LogReader
from holdfast.store.timeline import epoch_of

SKIP_WITHIN = 0.5  # seconds that a viewer waits for the picture of what it is shown instead
LOST = "lost"
GONE = "what it printed is not there any more"
PAUSE_FOR_OWNER = "owner"


class Place(Protocol):
    """What has to be known of sessions to look at them."""

    def following(self, record: Record) -> Growing | None:
        """Return the session if its output may still grow."""

    def directory(self, record: Record) -> Path:
        """Return where its files are."""

    def owner_of(self, record: Record) -> str:
        """Return the client id of its owner, or nothing."""

    def info(self, record: Record, client_id: str) -> SessionInfo:
        """Return what this client hears of it."""


class Viewing:
    """The viewers of all sessions."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        place: Place,
        housekeeping: Housekeeping,
        counters: Counters,
        reading: Reading,
    ) -> None:
        self._loop = loop
        self._place = place
        self._housekeeping = housekeeping
        self._counters = counters
        self._reading = reading
        self._deliveries = Deliveries(loop)
        self._viewers: dict[str, Viewers] = {}
        self._lookups: set[asyncio.Task[None]] = set()

    # -- what clients ask

    async def attach(self, client_id: str, record: Record, asked: Attach) -> "Arriving":
        """Return a viewer that is about to begin."""
        policy = _checked(asked)
        gap = None
        directory = self._place.directory(record)
        if not directory.is_dir():
            return Arriving(self, client_id, record, asked, policy, None, None, None)
        with LogReader(directory) as reader:
            resumed = _resume(asked, reader, partial(self._epoch, record))
        if resumed is Resume.MALFORMED:
            problem = f"must be 0 to {TAIL_LIMIT}, and not more than was printed before `since`"
            raise InvalidArgument(argument="length", value=str(asked.length), problem=problem)
        arrival = arrive(resumed, policy)
        if arrival.leaves_gap:
            since = asked.since or 0
            found = await self._housekeeping.run(partial(missing_from, directory, since, since))
            gap = found[0].reason if found else LOST
        painted = None
        if not arrival.exact:
            painted = await self._reading.paint(record, scrollback=asked.scrollback)
        return Arriving(self, client_id, record, asked, policy, arrival, gap, painted)

    def viewers_of(self, record: Record) -> Viewers:
        """Return the viewers of a session; there may be none yet."""
        found = self._viewers.get(record.id)
        if found is not None and bool(found.finish) == (record.state not in LIVE):
            return found  # and not one of the life before
        session = self._place.following(record)
        directory = self._place.directory(record)
        with LogReader(directory) as reader:
            end = reader.end() if session is None else session.printed.log.end
        viewers = Viewers(
            self._loop,
            self._deliveries,
            directory,
            end,
            finish="" if record.state in LIVE else record.state.value,
            newest=_nothing if session is None else session.printed.log.tail,
            counters=self._counters,
            look_up=self._look_up,
            emptied=partial(self._emptied, record.id),
            pause=partial(self._pause, record),
            draw=partial(self._draw, record),
        )
        self._viewers[record.id] = viewers
        return viewers

    def begin(self, arriving: "Arriving", outlet: Outlet) -> tuple[Viewers, Viewer, Attached]:
        """Let a viewer begin: from here to its reply nothing else happens."""
        record, asked, arrival = arriving.record, arriving.asked, arriving.arrival
        assert arrival is not None, "there is nothing to look at"
        number = outlet.next_number()
        viewers = self.viewers_of(record)
        offset, picture, fidelity = asked.since or 0, b"", ""
        if not arrival.exact:
            offset, picture, fidelity = viewers.picture(arriving.painted)
        gap = None
        if arriving.gap is not None and asked.since is not None:
            gap = Gap(viewer=number, start=asked.since, end=offset, reason=arriving.gap)
        reply = Attached(
            viewer=number,
            session=brief(self._place.info(record, arriving.client_id)),
            outcome="exact" if arrival.exact else "snapshot",
            offset=offset,
            oldest=viewers.oldest,
            end=viewers.end,
            epoch=self._epoch(record),
            owner=self._owner(record, arriving.client_id),
            reason=arrival.reason,
            snapshot=picture,
            fidelity=fidelity,
            answered=self._reading.answered(record) if asked.terminal else 0,
            gap=gap,
        )
        cursor = Cursor(offset, policy=arriving.policy, window=asked.window)
        may_pause = None
        if asked.pause == PAUSE_FOR_OWNER:
            may_pause = partial(self._owns, record, arriving.client_id)
        viewer = viewers.add(number, outlet, cursor, may_pause)
        if asked.terminal:
            since = asked.since if arrival.exact else None
            who = arriving.client_id
            viewer.terminal = self._reading.terminal(record, who, cursor, since=since)
        return viewers, viewer, reply

    def gone(self, arriving: "Arriving") -> Attached:
        """Return the reply when there is no output any more, and there will be none."""
        record = arriving.record
        return Attached(
            viewer=0,
            session=self._place.info(record, arriving.client_id),
            outcome="gone",
            offset=record.offset,
            oldest=record.offset,
            end=record.offset,
            epoch=b"",
            owner=self._owner(record, arriving.client_id),
            reason=GONE,
        )

    # -- what sessions do

    def grew(self, session: Growing) -> None:
        viewers = self._viewers.get(session.record.id)
        if viewers is not None and not viewers.finish:
            viewers.grew(session.printed.log.end)
        self._reading.grew(session)

    def finished(self, record: Record) -> None:
        """Nothing more will be printed in this life."""
        viewers = self._viewers.get(record.id)
        if viewers is not None and not viewers.finish:
            viewers.finished(record.offset, record.state.value)
        self._reading.finished(record)

    def forgotten(self, record: Record) -> None:
        if viewers := self._viewers.pop(record.id, None):
            viewers.forgotten()
        self._reading.forgotten(record, gone=True)

    def changed(self, record: Record) -> None:
        """It may have another owner."""
        if viewers := self._viewers.get(record.id):
            viewers.weigh()
        self._reading.changed(record)

    # -- how it is

    @property
    def all(self) -> int:
        """How many viewers there are."""
        return sum(len(viewers) for viewers in self._viewers.values())

    @property
    def most_lag(self) -> int:
        """How many bytes the last of all is behind."""
        return max((viewers.lag for viewers in self._viewers.values()), default=0)

    def count(self, record: Record) -> int:
        return len(self._viewers.get(record.id, ()))

    def lag(self, record: Record) -> int:
        viewers = self._viewers.get(record.id)
        return viewers.lag if viewers else 0

    def close(self) -> None:
        for task in self._lookups:
            task.cancel()
        for viewers in [*self._viewers.values()]:
            viewers.close()

    # -- details

    def _emptied(self, session: str, viewers: Viewers) -> None:
        viewers.close()
        if self._viewers.get(session) is viewers:
            del self._viewers[session]

    def _epoch(self, record: Record) -> bytes:
        session = self._place.following(record)
        if session is not None:
            return session.printed.epoch
        return epoch_of(self._place.directory(record))

    def _owner(self, record: Record, client_id: str) -> str:
        owner = self._place.owner_of(record)
        return "none" if not owner else "me" if owner == client_id else "other"

    def _owns(self, record: Record, client_id: str) -> bool:
        return self._place.owner_of(record) == client_id

    def _pause(self, record: Record, wanted: bool) -> None:
        if session := self._place.following(record):
            (session.hold_back if wanted else session.go_on)()

    def _draw(self, record: Record, viewers: Viewers, viewer: Viewer) -> bool:
        """Have a picture drawn for a viewer that skips; False if nobody can."""
        if not self._reading.screens.has(record):
            return False
        self._do(self._drawn(record, viewers, viewer))
        return True

    async def _drawn(self, record: Record, viewers: Viewers, viewer: Viewer) -> None:
        painted = await self._reading.paint(record, scrollback=0, within=SKIP_WITHIN)
        viewers.painted(viewer, painted)

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._lookups.add(task)
        task.add_done_callback(self._lookups.discard)

    def _look_up(self, viewers: Viewers, viewer: Viewer, upto: int) -> None:
        self._do(self._tell_gaps(viewers, viewer, upto))

    async def _tell_gaps(self, viewers: Viewers, viewer: Viewer, upto: int) -> None:
        """Timelines are read in a thread: that of a spinner has 50 MB after a day."""
        at = viewer.cursor.position
        try:
            gaps = await self._housekeeping.run(partial(missing_from, viewers.directory, at, upto))
        except HoldfastError:
            gaps = []
        viewers.missed(viewer, gaps or [Missing(at, upto, LOST)])


class Arriving(NamedTuple):
    """A viewer that is about to begin, once its number and the moment are known."""

    viewing: Viewing
    client_id: str
    record: Record
    asked: Attach
    policy: Policy
    arrival: Arrival | None
    """None when what was printed is gone."""
    gap: str | None
    """Why bytes behind those it holds are not kept."""
    painted: Painted | None
    """The session as the reader draws it, if that was wanted."""

    def begin(self, outlet: Outlet) -> tuple[Attached, Callable[[], None]]:
        """Return the reply, and what lets the bytes follow it."""
        if self.arrival is None:
            return self.viewing.gone(self), _nothing_follows
        viewers, viewer, reply = self.viewing.begin(self, outlet)
        outlet.begin(viewers, viewer)
        return reply, partial(viewers.wake, viewer)


def _nothing_follows() -> None:
    """There is no viewer."""


def _nothing(_offset: int) -> None:
    """Nothing is being written."""


def missing_from(directory: Path, start: int, upto: int) -> list[Missing]:
    """Return the holes from *start* to the next byte that is kept, where a reader saw *upto*."""
    found = []
    for one in kept(directory):
        if one.end <= start:
            continue
        if not isinstance(one, Missing):
            break
        found.append(one._replace(start=max(one.start, start)))
    if not found and upto > start:
        return [Missing(start, upto, LOST)]  # neither a record nor a missing file says why
    return found


def _checked(asked: Attach) -> Policy:
    if not LEAST_WINDOW <= asked.window <= MOST_WINDOW:
        problem = f"must be {LEAST_WINDOW} to {MOST_WINDOW}"
        raise InvalidArgument(argument="window", value=str(asked.window), problem=problem)
    if asked.pause not in ("", PAUSE_FOR_OWNER):
        problem = f"must be {PAUSE_FOR_OWNER!r} or empty"
        raise InvalidArgument(argument="pause", value=asked.pause, problem=problem)
    if asked.scrollback is not None and asked.scrollback < 0:
        value = str(asked.scrollback)
        raise InvalidArgument(argument="scrollback", value=value, problem="is negative")
    if asked.since is not None and asked.since < 0:
        raise InvalidArgument(argument="since", value=str(asked.since), problem="is negative")
    try:
        return Policy(asked.policy)
    except ValueError:
        problem = f"must be one of {', '.join(policy.value for policy in Policy)}"
        raise InvalidArgument(argument="policy", value=asked.policy, problem=problem) from None


def _resume(asked: Attach, reader: LogReader, epoch: Callable[[], bytes]) -> Resume | None:
    if asked.since is None:
        return None
    tail = Tail(asked.epoch, asked.since, asked.length, asked.crc)
    oldest, end = 0, reader.end()
    try:
        reader.read(min(asked.since, end), 1)
    except OffsetPruned as pruned:
        oldest = pruned.oldest
    return resume(tail, epoch=epoch(), oldest=oldest, end=end, crc_of=partial(_crc_of, reader))


def _crc_of(reader: LogReader, start: int, end: int) -> int | None:
    crc = 0
    try:
        while start < end:
            piece = reader.read(start, end - start)
            crc = zlib.crc32(piece, crc)
            start += len(piece)
    except OffsetPruned:
        return None
    return crc
