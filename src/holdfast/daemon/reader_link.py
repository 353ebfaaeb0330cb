"""The daemon's line to one reader: what is still to be said of each session, what it says.

A reader may be stopped or busy for as long as it likes: nothing is queued for it but the newest
of each kind and session, so what waits here is bounded by the sessions there are. It owes
nothing either: when the line ends, the next reader is told everything anew.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Protocol

from holdfast.daemon.reporting import report
from holdfast.errors import RemoteProtocolError
from holdfast.protocol.reading import (
    Cleared,
    Follow,
    Grew,
    Hearing,
    Leave,
    Paint,
    Said,
    Sized,
    ToDaemon,
    encode,
)

GATHER = 0.004  # seconds between two messages about growth: a flood would have 3000 a second
HEARD_AT_ONCE = 64  # messages of one turn of the loop; an answer to a query costs 20 us
CHUNK = 256 << 10  # bytes of one turn; a picture of 3 MiB takes twelve
SAID_AT_ONCE = 32  # messages of one turn; one that describes a session takes 50 us
SIZES = 256  # changes of size that wait; beyond it a session is described anew


class Sessions(Protocol):
    """What is true of sessions when it is said, and not when it had to be."""

    def follow(self, session: str) -> Follow | None:
        """Return what is to be known of it; None when it is no more."""

    def end(self, session: str) -> int | None:
        """Return where its log ends."""


class ReaderLink:
    """Say what there is to say, when the socket has room, and hear."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        pid: int,
        sessions: Sessions,
        *,
        heard: Callable[[Said], None],
        over: Callable[["ReaderLink"], None],
    ) -> None:
        sock.setblocking(False)
        self.pid = pid
        self._loop = loop
        self._sock = sock
        self._sessions = sessions
        self._heard = heard
        self._over = over
        self._hearing = Hearing(ToDaemon)
        self._half_heard: Iterator[Said] = iter(())
        self._leaving: dict[str, Leave] = {}
        self._follow: dict[str, None] = {}
        self._cleared: dict[str, None] = {}
        self._sizes: deque[Sized] = deque()
        self._grown: set[str] = set()
        self._paints: deque[Paint] = deque()
        self._out = memoryview(b"")
        self._timer: asyncio.TimerHandle | None = None
        self._said_at = 0.0
        self._is_full = False
        self._is_deaf = False
        self.is_closed = False
        loop.add_reader(sock.fileno(), self._readable)

    # -- what is to be said

    def follow(self, session: str) -> None:
        """Describe a session, or describe it anew."""
        self._follow[session] = None
        self._say_soon()

    def grew(self, session: str) -> None:
        self._grown.add(session)
        if self._timer is None:
            self._say_soon()

    def sized(self, said: Sized) -> None:
        self._sizes.append(said)
        if len(self._sizes) > SIZES:  # its timeline has them all
            self._sizes = deque(one for one in self._sizes if one.session != said.session)
            self._follow[said.session] = None
        self._say_soon()

    def cleared(self, session: str) -> None:
        self._cleared[session] = None
        self._say_soon()

    def leave(self, said: Leave) -> None:
        self._follow.pop(said.session, None)
        self._cleared.pop(said.session, None)
        self._grown.discard(said.session)
        self._sizes = deque(one for one in self._sizes if one.session != said.session)
        self._leaving[said.session] = said
        self._say_soon()

    def paint(self, said: Paint) -> None:
        """Ask for a picture; whoever asks sees to it that few wait."""
        self._paints.append(said)
        self._say_soon()

    def unpaint(self, number: int) -> None:
        """Nobody waits for that picture any more."""
        self._paints = deque(one for one in self._paints if one.number != number)

    @property
    def owed(self) -> set[str]:
        """Sessions of whose growth the reader has not heard."""
        return self._grown

    # -- saying it

    def _say_soon(self) -> None:
        if self._timer is None and not self._is_full and not self.is_closed:
            at = max(self._loop.time(), self._said_at + GATHER)
            self._timer = self._loop.call_at(at, self._say)

    def _say(self) -> None:
        """Say a bounded part of it: to describe a session opens files."""
        self._timer = None
        self._said_at = self._loop.time()
        if not self._out:
            self._out = memoryview(self._next_frames())
        try:
            self._out = self._out[self._sock.send(self._out) :]
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        if self._out:
            self._is_full = True
            self._loop.add_writer(self._sock.fileno(), self._has_room)
        elif self._has_more:
            self._timer = self._loop.call_later(0, self._say)

    @property
    def _has_more(self) -> bool:
        dicts = self._leaving or self._follow or self._cleared
        return bool(dicts or self._sizes or self._grown or self._paints)

    def _next_frames(self) -> bytes:
        frames = bytearray()
        for said in islice(self._waiting(), SAID_AT_ONCE):
            frames += encode(said)
        return bytes(frames)

    def _waiting(self) -> Iterator[Said]:
        """Yield what waits; in this order each makes sense to a reader that knows no more."""
        while self._leaving:
            yield self._leaving.pop(next(iter(self._leaving)))
        while self._follow:
            if described := self._sessions.follow(_first(self._follow)):
                yield described
        while self._cleared:
            yield Cleared(_first(self._cleared))
        while self._sizes:
            yield self._sizes.popleft()
        while self._grown:
            session = self._grown.pop()
            if (end := self._sessions.end(session)) is not None:
                yield Grew(session, end)
        while self._paints:
            yield self._paints.popleft()

    def _has_room(self) -> None:
        self._loop.remove_writer(self._sock.fileno())
        self._is_full = False
        self._say()

    # -- hearing

    def _readable(self) -> None:
        try:
            data = self._sock.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self._half_heard = self._hearing.feed(data)
        self._hear_on()

    def _hear_on(self) -> None:
        """Act on some messages: a program that only asks must not keep a key waiting."""
        count = 0
        try:
            for said in islice(self._half_heard, HEARD_AT_ONCE):
                if self.is_closed:
                    return
                self._heard(said)
                count += 1
        except RemoteProtocolError as error:
            report("the reader cannot be understood", pid=self.pid, reason=error)
            self.close()
            return
        if count == HEARD_AT_ONCE:
            if not self._is_deaf:
                self._is_deaf = True
                self._loop.remove_reader(self._sock.fileno())
            self._loop.call_soon(self._hear_on)
        elif self._is_deaf and not self.is_closed:
            self._is_deaf = False
            self._loop.add_reader(self._sock.fileno(), self._readable)

    def close(self) -> None:
        """Let it go; it ends when it finds the line closed."""
        if self.is_closed:
            return
        self.is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(self._sock.fileno())
        self._loop.remove_writer(self._sock.fileno())
        self._sock.close()
        self._over(self)


def _first(waiting: dict[str, None]) -> str:
    """Take out the session that waits longest."""
    session = next(iter(waiting))
    del waiting[session]
    return session
