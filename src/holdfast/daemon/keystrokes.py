"""Input to a program, exactly once, also across the death of the daemon.

The rules and the reason are in `session/typed.py`; this file does the five steps in their
order. What survives a death is a page of numbers in the runtime directory and the pipe that
the keeper holds.
"""

import array
import asyncio
import errno
import fcntl
import hashlib
import mmap
import os
import termios
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from holdfast.errors import HoldfastError, InputQueueFull, InvalidArgument
from holdfast.session.typed import PIECE, QUEUE_LIMIT, Found, Pending, found, fresh_part

PAGE = 4096
_PENDING = 0  # word: slot and offset of the piece under way
_FIRST_SLOT = 8  # words before the slots, for what later versions need
_SLOTS = (PAGE // 8 - _FIRST_SLOT) // 2  # two words each: whose it is, and how far it came
SENTINEL = b"\0"


class Page:
    """The numbers of one session's input, in a file that is mapped.

    They are stored through a memoryview of 64-bit words: `struct.pack_into` zeroes a field
    first, and torn values were seen.
    """

    def __init__(self, path: Path) -> None:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.ftruncate(fd, PAGE)
            self._map = mmap.mmap(fd, PAGE)
        finally:
            os.close(fd)
        self._words = memoryview(self._map).cast("Q")
        names = self._words[_FIRST_SLOT::2].tolist()
        # Least recently used first, as far as this daemon has seen.
        self._slots = {name: slot for slot, name in enumerate(names) if name}

    @property
    def pending(self) -> Pending | None:
        return Pending.unpacked(self._words[_PENDING])

    @pending.setter
    def pending(self, pending: Pending) -> None:
        self._words[_PENDING] = pending.packed()

    def done(self, slot: int) -> int:
        """How much of a client's input was applied."""
        return self._words[_FIRST_SLOT + 2 * slot + 1]

    def set_done(self, slot: int, end: int) -> None:
        self._words[_FIRST_SLOT + 2 * slot + 1] = end

    def slot_of(self, client_id: str) -> tuple[int, bool]:
        """Return a client's slot, and whether it is new.

        The client unheard of for longest makes room: 250 clients later nobody resends.
        """
        digest = hashlib.blake2b(client_id.encode(), digest_size=8).digest()
        name = int.from_bytes(digest, "little") | 1  # never 0, which marks a free slot
        slot = self._slots.pop(name, None)
        is_new = slot is None
        if slot is None:
            slot = self._free_slot()
            word = _FIRST_SLOT + 2 * slot
            self._words[word] = 0  # nobody's, while its number changes
            self._words[word + 1] = 0
            self._words[word] = name
        self._slots[name] = slot
        return slot, is_new

    def _free_slot(self) -> int:
        if len(self._slots) < _SLOTS:
            return next(slot for slot in range(_SLOTS) if not self._words[_FIRST_SLOT + 2 * slot])
        return self._slots.pop(next(iter(self._slots)))

    def close(self) -> None:
        self._words.release()
        self._map.close()


class _Piece(NamedTuple):
    slot: int
    offset: int
    data: bytes
    taken: "asyncio.Future[int]"


class Input:
    """The queue of one session's input, and the piece that is under way."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        session: str,
        master: int,
        pipe: int,
        page: Path,
        *,
        can_splice: bool,
    ) -> None:
        self._loop = loop
        self._session = session
        self._master = master
        self._pipe = pipe
        self._path = page
        # 4 KiB of memory: not for a session into which nobody ever typed.
        self._mapped = Page(page) if page.exists() else None
        self._can_splice = can_splice
        self._queue: deque[_Piece] = deque()
        self._queued = 0
        self._left = 0  # bytes of the piece under way that the PTY has not taken
        self._waits_for_room = False
        self._closed = False
        self._recover()

    @property
    def _page(self) -> Page:
        if self._mapped is None:
            self._mapped = Page(self._path)
        return self._mapped

    def put(self, client_id: str, offset: int, data: bytes) -> "asyncio.Future[int]":
        """Queue input; the future has the client's offset once the PTY has it all."""
        if self._queued + len(data) > QUEUE_LIMIT:
            raise InputQueueFull(session=self._session, queued=self._queued, limit=QUEUE_LIMIT)
        slot, is_new = self._page.slot_of(client_id)
        if is_new:
            self._page.set_done(slot, offset)  # its earlier input was before our memory
        waiting = [p.offset + len(p.data) for p in self._queue if p.slot == slot]
        known = max([self._page.done(slot), *waiting])
        try:
            fresh = fresh_part(known, offset, data)
        except ValueError as error:
            raise InvalidArgument(
                argument="offset",
                value=str(offset),
                problem=str(error),
                remedy=f"resend from {known}",
            ) from error
        taken: asyncio.Future[int] = self._loop.create_future()
        if fresh is None and not waiting:
            taken.set_result(known)
            return taken
        piece = _Piece(slot, *(fresh or (known, b"")), taken)
        self._queue.append(piece)
        self._queued += len(piece.data)
        self._go_on()
        return taken

    def close(self, error: Callable[[], HoldfastError]) -> None:
        """Take no more; what still waits fails with *error*."""
        if self._closed:
            return
        self._closed = True
        if self._waits_for_room:
            self._loop.remove_writer(self._master)
        for piece in self._queue:
            if not piece.taken.done():
                piece.taken.set_exception(error())
        self._queue.clear()
        if self._mapped is not None:
            self._mapped.close()

    def _recover(self) -> None:
        held = _held(self._pipe)
        if self._mapped is None and not held:
            return
        pending = self._page.pending
        done = self._page.done(pending.slot) if pending else 0
        what = found(pending, done, held)
        if what is Found.HALF:
            self._left = held - 1
            self._loop.call_soon(self._go_on)
            return
        if what is Found.APPLIED and pending:
            self._page.set_done(pending.slot, pending.end)
        if held:
            os.read(self._pipe, 1)

    def _go_on(self) -> None:
        """Apply pieces until the queue is empty or the PTY is full."""
        while not self._closed and not self._waits_for_room:
            if self._left:
                if not self._move_on():
                    return
                self._finish_piece()
            elif self._queue:
                self._begin_piece()
            else:
                return

    def _begin_piece(self) -> None:
        piece = self._queue[0]
        part = piece.data[:PIECE]
        if not part:  # it was all known already, and what it waited for is applied now
            self._queue.popleft()
            _answer(piece, piece.offset)
            return
        self._page.pending = Pending(piece.slot, piece.offset + len(part))
        if self._can_splice:
            os.write(self._pipe, part + SENTINEL)
        self._left = len(part)

    def _move_on(self) -> bool:
        """Move what is left of the piece; False when the PTY has no room for all of it."""
        while self._left:
            try:
                self._left -= self._move(self._left)
            except BlockingIOError:
                self._wait_for_room()
                return False
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                # Nobody has the terminal open just now; it may be opened again.
                self._loop.call_later(0.1, self._go_on)
                return False
        return True

    def _finish_piece(self) -> None:
        pending = self._page.pending
        if pending is not None:
            self._page.set_done(pending.slot, pending.end)
        if self._can_splice:
            os.read(self._pipe, 1)
        piece = self._queue[0] if self._queue else None
        if pending is None or piece is None or piece.slot != pending.slot:
            return  # a piece that an earlier daemon began
        applied = pending.end - piece.offset
        if applied <= 0:
            return
        self._queued -= applied
        self._queue.popleft()
        if applied < len(piece.data):
            rest = piece._replace(offset=pending.end, data=piece.data[applied:])
            self._queue.appendleft(rest)
        else:
            _answer(piece, pending.end)

    def _move(self, count: int) -> int:
        if self._can_splice:
            return os.splice(self._pipe, self._master, count, flags=os.SPLICE_F_NONBLOCK)
        # Without splice a death between this write and `done` doubles the piece.
        part = self._queue[0].data[:PIECE]
        return os.write(self._master, part[len(part) - count :])

    def _wait_for_room(self) -> None:
        self._waits_for_room = True
        self._loop.add_writer(self._master, self._has_room)

    def _has_room(self) -> None:
        self._loop.remove_writer(self._master)
        self._waits_for_room = False
        self._go_on()


def _answer(piece: _Piece, end: int) -> None:
    if not piece.taken.done():
        piece.taken.set_result(end)


def _held(pipe: int) -> int:
    """Return how many bytes lie in a pipe."""
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]
