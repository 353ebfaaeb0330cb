"""What the reader is told of sessions, and what it is asked: pictures of them.

It is asked for at the first output of any session, and nothing depends on it. Whoever wants a
picture waits for a second at most; while the reader says nothing, hardly at all.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Protocol

from holdfast.daemon.growing import Growing
from holdfast.daemon.reader_link import ReaderLink
from holdfast.daemon.record import Record
from holdfast.daemon.reporting import report
from holdfast.errors import HoldfastError
from holdfast.protocol.reading import (
    Fenced,
    Follow,
    Leave,
    NotPainted,
    Paint,
    Painted,
    Reached,
    Said,
    Sized,
)

PICTURE_BYTES = 3 << 20  # with all that goes with it into a frame of 4 MiB
WITHIN = 1.0  # seconds for a picture; people wait for it, and the tail is there at once
SILENT = 0.1  # seconds, while the reader has not answered the one before
STARTS_WITHIN = 2.0  # seconds in which a reader may come; it takes half a second
ENDED = 256  # sessions that live no more and are still read: each costs the reader 15 KB
AT_ONCE = 64  # pictures asked for; the reader draws one after the other


class Place(Protocol):
    """What has to be known of sessions to have them read."""

    def known(self, session: str) -> Record | None:
        """Return its record by its id."""

    def describe(self, record: Record) -> Follow:
        """Return what a reader has to know of it; raise OSError or HoldfastError."""

    def following(self, record: Record) -> Growing | None:
        """Return the session if its output may still grow."""


class Screens:
    """The reader, if there is one, and what it was told."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        place: Place,
        *,
        is_wanted: bool,
        ask: Callable[[], None],
        growing: Callable[[], list[Growing]],
    ) -> None:
        self._loop = loop
        self._place = place
        self._is_wanted = is_wanted
        self._ask = ask
        self._growing = growing
        self._link: ReaderLink | None = None
        self._arrived = asyncio.Event()
        self._expected_until = 0.0
        self._is_asked = False
        self._is_silent = False
        self._followed: dict[str, bool] = {}  # and whether as one that lives
        self._ended: dict[str, None] = {}  # those that are not, in the order in which they ended
        self._reached: dict[str, int] = {}
        self._fenced: set[str] = set()
        self._number = 0
        self._pictures: dict[int, asyncio.Future[Painted | None]] = {}
        self.on_said: Callable[[Said], None] = lambda _said: None
        """Told what programs ask and say of themselves."""
        self.on_new: Callable[[], None] = lambda: None
        """Told that another reader begins."""

    # -- the reader

    def come(self, sock: socket.socket, pid: int) -> None:
        """A reader has started: tell it everything."""
        if not self._is_wanted:
            sock.close()  # it was asked for by a daemon with other settings
            self._ask()
            return
        if self._link is not None:
            self._link.close()
        self._followed, self._ended, self._reached, self._fenced = {}, {}, {}, set()
        self._is_silent = False
        self._link = ReaderLink(
            self._loop, sock, pid, self, heard=self._heard, over=self._left_by_it
        )
        self.on_new()
        for session in self._growing():
            self._have_followed(session.record.id, lives=True)
        self._arrived.set()

    def want(self) -> None:
        """Ask the keeper for a reader."""
        if self._is_wanted and self._link is None:
            self._is_asked = True
            self._expected_until = self._loop.time() + STARTS_WITHIN
            self._ask()

    def expect_none(self) -> None:
        """None can work here: whoever waits for one waits no longer, and nobody will."""
        self._expected_until = 0.0
        self._arrived.set()
        if self._link is None:
            self._arrived.clear()

    def keeper_changed(self) -> None:
        """Another keeper does not know that a reader is wanted."""
        if self._is_asked:
            self._ask()

    def _left_by_it(self, link: ReaderLink) -> None:
        if link is not self._link:
            return
        self._link = None
        self._arrived.clear()
        self._expected_until = self._loop.time() + STARTS_WITHIN  # the keeper starts the next
        for waiting in self._pictures.values():
            _answer(waiting, None)

    def close(self) -> None:
        self._is_wanted = False
        if self._link is not None:
            self._link.close()

    # -- what happens to sessions

    def grew(self, session: Growing) -> None:
        """It has printed something; this is on the way of every slice."""
        if self._link is not None:
            self._link.grew(session.record.id)
            if not self._followed.get(session.record.id):
                self._have_followed(session.record.id, lives=True)
        elif not self._is_asked:
            self.want()

    def sized(self, session: Growing) -> None:
        """Its terminal has another size from here on."""
        record = session.record
        if self._link is not None and record.id in self._followed:
            size, offset = record.size, session.printed.log.end
            self._link.sized(Sized(record.id, offset, size.cols, size.rows))

    def finished(self, record: Record) -> None:
        """It lives no more."""
        if record.id in self._followed:
            self._have_followed(record.id, lives=False)

    def changed(self, record: Record) -> None:
        """Something that is said of it when it is described is another."""
        if record.id in self._followed:
            self._have_followed(record.id, lives=self._followed[record.id])

    def cleared(self, record: Record) -> None:
        if self._link is not None and record.id in self._followed:
            self._link.cleared(record.id)

    def forget(self, record: Record, *, gone: bool) -> None:
        """What it printed, or a part of it, is to be known nowhere."""
        if self._link is None:
            return
        lives = self._followed.get(record.id, False)
        self._leave(record.id, erase=True)
        if not gone:
            self._have_followed(record.id, lives=lives)

    # -- pictures

    def has(self, record: Record) -> bool:
        """Whether there is somebody who could draw it."""
        return self._link is not None and record.id not in self._fenced

    async def paint(
        self,
        record: Record,
        *,
        scrollback: int | None,
        form: str = "vt",
        within: float = WITHIN,
    ) -> Painted | None:
        """Return a picture of a session at its end, or None if there is none in time."""
        if not self._is_wanted or record.id in self._fenced or len(self._pictures) >= AT_ONCE:
            return None
        deadline = self._loop.time() + (min(within, SILENT) if self._is_silent else within)
        link = await self._reader_until(deadline)
        end = self.end(record.id)
        if link is None or end is None:
            return None
        if record.id not in self._followed:
            self._have_followed(record.id, lives=self._place.following(record) is not None)
        self._number += 1
        number = self._number
        waiting = self._pictures[number] = self._loop.create_future()
        link.paint(Paint(number, record.id, end, scrollback, PICTURE_BYTES, form))
        try:
            return await asyncio.wait_for(waiting, max(0.0, deadline - self._loop.time()))
        except TimeoutError:
            self._is_silent = True
            link.unpaint(number)
            return None
        finally:
            del self._pictures[number]

    async def _reader_until(self, deadline: float) -> ReaderLink | None:
        if self._link is None:
            if not self._is_asked:
                self.want()
            patience = min(deadline, self._expected_until) - self._loop.time()
            if patience > 0:
                try:
                    await asyncio.wait_for(self._arrived.wait(), patience)
                except TimeoutError:
                    pass
        return self._link

    # -- what the reader hears, when it does

    def follow(self, session: str) -> Follow | None:
        record = self._place.known(session)
        if record is None:
            return None
        try:
            return self._place.describe(record)
        except (OSError, HoldfastError) as error:
            report("a session cannot be described", session=session, reason=error)
            return None

    def end(self, session: str) -> int | None:
        record = self._place.known(session)
        return None if record is None else record.offset

    def _have_followed(self, session: str, *, lives: bool) -> None:
        if self._link is None:
            return
        self._followed[session] = lives
        self._link.follow(session)
        self._ended.pop(session, None)
        if not lives:
            self._ended[session] = None
            if len(self._ended) > ENDED:
                self._leave(next(iter(self._ended)), erase=False)

    def _leave(self, session: str, *, erase: bool) -> None:
        """Have it known no more; whoever wants to see it once more has it read again."""
        assert self._link is not None
        self._link.leave(Leave(session, erase=erase))
        self._ended.pop(session, None)
        self._followed.pop(session, None)
        self._reached.pop(session, None)

    # -- what it says

    def _heard(self, said: Said) -> None:
        self._is_silent = False
        if isinstance(said, Painted):
            _answer(self._pictures.get(said.number), said)
        elif isinstance(said, NotPainted):
            _answer(self._pictures.get(said.number), None)
        elif isinstance(said, Reached):
            self._reached[said.session] = said.offset
        elif isinstance(said, Fenced):
            self._fenced.add(said.session)
            what = "the reader died of what a session printed, twice"
            report(what, session=said.session, start=said.start, end=said.end)
        else:
            self.on_said(said)

    # -- how it is

    @property
    def pid(self) -> int:
        return self._link.pid if self._link is not None else 0

    @property
    def followed(self) -> int:
        return len(self._followed) if self._link is not None else 0

    @property
    def fenced(self) -> int:
        return len(self._fenced)

    @property
    def unread(self) -> int:
        """Bytes of sessions that live which the reader has not read yet."""
        if self._link is None:
            return 0
        living = (session.record for session in self._growing())
        return sum(max(0, r.offset - self._reached.get(r.id, r.offset)) for r in living)


def _answer(waiting: "asyncio.Future[Painted | None] | None", found: Painted | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(found)
