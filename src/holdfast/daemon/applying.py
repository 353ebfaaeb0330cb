"""Apply input to a terminal exactly once, also across the death of the daemon.

The rules and the reason are in `session/typed.py`; this file does the five steps in their
order. What survives a death is a page of numbers in the runtime directory and the pipe that
the keeper holds.
"""

import array
import asyncio
import errno
import fcntl
import os
import termios
from collections.abc import Callable

from holdfast.daemon.input_page import Page
from holdfast.daemon.input_queue import InputQueue, Piece
from holdfast.session.typed import Found, Pending, found

SENTINEL = b"\0"
# A program that reads as fast as we write could otherwise hold the loop for 2 MB.
PIECES_A_TURN = 16
RETRY = 0.1  # seconds between looks at a terminal that nobody has open


class Applying:
    """The piece that is under way, from the queue into the terminal."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        queue: InputQueue,
        page: Callable[[], Page],
        *,
        master: int,
        pipe: int,
        can_splice: bool,
    ) -> None:
        self._loop = loop
        self._queue = queue
        self._page = page
        self._master = master
        self._pipe = pipe
        self._can_splice = can_splice
        self.left = 0
        """Bytes of the piece under way that the PTY has not taken."""
        self._part = b""  # that piece, where there is no splice
        self._moved = 0
        self._moved_before = -1  # when the PTY was last found full
        self._for_room = False
        self._timer: asyncio.Handle | None = None
        self._closed = False
        self.on_applied: Callable[[int, float], None] = lambda _count, _now: None
        """Told how many bytes the terminal has taken, and when."""

    @property
    def under_way(self) -> Pending | None:
        """Whose piece is half applied, if that is known."""
        return self._page().pending if self.left else None

    # -- the five steps

    def recover(self) -> Pending | None:
        """Put right what a death has left; return what is still to be finished of it."""
        held = held_in(self._pipe)
        if not held:
            return None  # whatever was noted, nothing was under way
        pending = self._page().pending
        done = self._page().done(pending.slot) if pending else 0
        what = found(pending, done, held)
        if what is Found.HALF:
            self.left = held - 1
            if not self._can_splice:
                self._part = os.read(self._pipe, held)[:-1]
            self._later(0)
            return pending if pending and pending.end > done else None
        if what is Found.APPLIED and pending:
            self._page().set_done(pending.slot, pending.end)
        os.read(self._pipe, 1)
        return None

    def go_on(self) -> None:
        """Apply pieces until the queue is empty, the PTY is full or the turn is over."""
        if self._closed or self._for_room or self._timer is not None:
            return
        for _ in range(PIECES_A_TURN):
            if not self.left:
                piece = self._queue.next_piece()
                if piece is None:
                    return
                self._begin(piece)
            if not self._move_on():
                return
            self._finish()
        self._later(0)

    def _begin(self, piece: Piece) -> None:
        part = bytes(piece.data)
        self._page().pending = Pending(piece.slot, piece.end)
        if self._can_splice:
            os.write(self._pipe, part + SENTINEL)
        else:
            self._part = part
        self.left = len(part)

    def _move_on(self) -> bool:
        """Move what is left of the piece; False when the PTY has no room for all of it."""
        while self.left:
            try:
                count = self._move(self.left)
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EIO):
                    raise
                self._wait_for_room()
                return False
            self.left -= count
            self._moved += count
            self.on_applied(count, self._loop.time())
        return True

    def _move(self, count: int) -> int:
        if self._can_splice:
            return os.splice(self._pipe, self._master, count, flags=os.SPLICE_F_NONBLOCK)
        # Without splice a death between this write and `done` doubles the piece.
        return os.write(self._master, self._part[-count:])

    def _finish(self) -> None:
        pending = self._page().pending
        if pending is not None:
            self._page().set_done(pending.slot, pending.end)
        if self._can_splice:
            os.read(self._pipe, 1)
        if pending is not None:
            self._queue.applied(pending)

    # -- a PTY that is full

    def _wait_for_room(self) -> None:
        # A terminal that nobody has open says that it has hung up, without end, and epoll
        # takes that for room: woken in vain once, we look at our own pace.
        if self._moved == self._moved_before:
            self._later(RETRY)
            return
        self._moved_before = self._moved
        self._for_room = True
        self._loop.add_writer(self._master, self._has_room)

    def _has_room(self) -> None:
        self._loop.remove_writer(self._master)
        self._for_room = False
        self.go_on()

    def _later(self, seconds: float) -> None:
        self._timer = self._loop.call_later(seconds, self._again)

    def _again(self) -> None:
        self._timer = None
        self.go_on()

    def close(self) -> None:
        """Leave the piece where it is; the next daemon finds it there."""
        self._closed = True
        if self._for_room:
            self._loop.remove_writer(self._master)
        if self._timer is not None:
            self._timer.cancel()


def held_in(pipe: int) -> int:
    """Return how many bytes lie in a pipe: without any, nothing was under way."""
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]
