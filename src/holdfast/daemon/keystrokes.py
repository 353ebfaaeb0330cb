"""Input to a program, exactly once, also across the death of the daemon.

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
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from holdfast.daemon.input_page import Page
from holdfast.errors import HoldfastError, InputQueueFull, InvalidArgument
from holdfast.session.typed import (
    OFFSET_LIMIT,
    PIECE,
    QUEUE_LIMIT,
    Found,
    Pending,
    Unit,
    found,
    fresh_part,
)

SENTINEL = b"\0"
# A program that reads as fast as we write could otherwise hold the loop for 2 MB.
PIECES_A_TURN = 16
COMES_BACK_WITHIN = 5.0  # seconds; a client finds the next daemon within one, most in 20 ms
RETRY = 0.1  # seconds between looks at a terminal that nobody has open


class _Piece(NamedTuple):
    slot: int
    offset: int
    data: memoryview


class Turn:
    """A place in the queue. Once it is reached only its holder types, until it leaves."""

    def __init__(self, slot: int, end: int, size: int, reached: "asyncio.Future[None]") -> None:
        self.slot = slot
        self.end = end
        self.size = size
        """Bytes that it may come to type, for the bound of the queue."""
        self.reached = reached
        self.unit: Unit | None = None
        """What has been begun, perhaps by the daemon before us."""
        self.is_over = False
        self.is_held = False
        """For a client that has to come back first."""
        self.expiry: asyncio.TimerHandle | None = None


class _Waiter(NamedTuple):
    end: int
    taken: "asyncio.Future[int]"


class Input:
    """The queue of one session's input, and the piece that is under way."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        session: str,
        master: int,
        pipe: int,
        open_page: Callable[[], Page],
        *,
        can_splice: bool,
    ) -> None:
        self._loop = loop
        self._session = session
        self._master = master
        self._pipe = pipe
        self._open_page = open_page
        self._mapped: Page | None = None  # 4 KiB: not for a session into which nobody types
        self._can_splice = can_splice
        self._queue: deque[_Piece | Turn] = deque()
        self._turns: dict[tuple[int, int], Turn] = {}
        self._begun = loop.time()
        self._queued = 0
        self._promised: dict[int, int] = {}  # slot -> how far it comes with all it has queued
        self._waiters: dict[int, list[_Waiter]] = {}
        self._left = 0  # bytes of the piece under way that the PTY has not taken
        self._part = b""  # that piece, where there is no splice
        self._moved = 0
        self._moved_before = -1  # when the PTY was last found full
        self._for_room = False
        self._timer: asyncio.Handle | None = None
        self._closed = False
        self._error: Callable[[], HoldfastError] | None = None
        self.on_applied: Callable[[int, float], None] = lambda _count, _now: None
        """Told how many bytes the terminal has taken, and when."""
        self._recover()

    @property
    def _page(self) -> Page:
        if self._mapped is None:
            self._mapped = self._open_page()
            self._hold()
        return self._mapped

    def put(self, client_id: str, offset: int, data: bytes) -> "asyncio.Future[int]":
        """Queue input; the future has the client's offset once the PTY has it all."""
        slot = self._slot(client_id, offset, len(data))
        known = self._promised.get(slot, self._page.done(slot))
        try:
            fresh = fresh_part(known, offset, data)
        except ValueError as error:
            raise InvalidArgument(
                argument="offset",
                value=str(offset),
                problem=str(error),
                remedy=f"resend from {known}",
            ) from error
        if fresh is not None:
            if self._queued + len(fresh.data) > QUEUE_LIMIT:
                raise self._full()
            self._queue.append(_Piece(slot, fresh.offset, memoryview(fresh.data)))
            self._queued += len(fresh.data)
            self._promised[slot] = fresh.offset + len(fresh.data)
        taken = self._taken(slot, offset + len(data))
        self._go_on()
        return taken

    def _slot(self, client_id: str, offset: int, size: int) -> int:
        if not 0 <= offset <= OFFSET_LIMIT - size:
            problem = f"must be 0 to {OFFSET_LIMIT}"
            raise InvalidArgument(argument="offset", value=str(offset), problem=problem)
        slot = self._page.slot_of(client_id, offset, busy=self._promised)
        if slot is None:
            raise self._full()
        return slot

    # -- one client at a time

    def line_up(self, client_id: str, offset: int, size: int) -> Turn:
        """Return a turn to type *size* bytes, or the one that this client has there already."""
        slot, end = self._slot(client_id, offset, size), offset + size
        known = self._promised.get(slot, self._page.done(slot))
        if turn := self._turns.get((slot, end)):
            self._go_on()
            return turn
        turn = Turn(slot, end, size, self._loop.create_future())
        if known >= end:
            turn.is_over, turn.size = True, 0
            return turn
        if known != offset:
            problem = f"the input before it ends at {known}"
            raise InvalidArgument(argument="offset", value=str(offset), problem=problem)
        if self._queued + size > QUEUE_LIMIT:
            raise self._full()
        self._promised[slot] = end
        self._queued += size
        self._line_up(turn)
        self._go_on()
        return turn

    def _line_up(self, turn: Turn) -> None:
        self._queue.append(turn)
        self._turns[turn.slot, turn.end] = turn

    def begin(self, turn: Turn, *, is_pasted: bool) -> None:
        """Note what will be typed: whoever goes on with it types the same."""
        self._check_open()
        turn.unit = self._page.unit = Unit(turn.slot, turn.end, is_pasted)

    def type(self, turn: Turn, start: int, data: bytes) -> "asyncio.Future[int]":
        """Type what is not typed yet of *data*, numbered from *start*; as `put`."""
        self._check_open()
        rest = data[max(0, self._page.done(turn.slot) - start) :]
        end = start + len(data)
        if rest:
            self._queue.appendleft(_Piece(turn.slot, end - len(rest), memoryview(rest)))
            self._queued += len(rest)
        taken = self._taken(turn.slot, end)
        self._go_on()
        return taken

    def _check_open(self) -> None:
        if self._error is not None:
            raise self._error()

    def leave(self, turn: Turn) -> None:
        """Let the next one type."""
        if self._closed or self._turns.pop((turn.slot, turn.end), None) is None:
            return
        self._queue.remove(turn)
        self._queued -= turn.size
        if turn.expiry is not None:
            turn.expiry.cancel()
        if turn.unit is not None:
            self._page.unit = None
        if self._promised.get(turn.slot) == turn.end:
            del self._promised[turn.slot]
        self._go_on()

    def _hold(self) -> None:
        """Keep everybody else waiting for a client that was cut off between text and Enter."""
        unit = self._page.unit
        if unit is None or self._page.done(unit.slot) >= unit.end:
            return
        turn = Turn(unit.slot, unit.end, 0, self._loop.create_future())
        turn.unit, turn.is_held = unit, True
        self._promised[unit.slot] = unit.end
        self._line_up(turn)
        left = self._begun + COMES_BACK_WITHIN - self._loop.time()
        turn.expiry = self._loop.call_later(max(0.0, left), self._expired, turn)

    def _expired(self, turn: Turn) -> None:
        if turn.is_held:
            self.leave(turn)

    def withdraw(self, error: Callable[[], HoldfastError]) -> None:
        """Refuse with *error* what still waits; the unit or piece under way is finished."""
        kept = self._under_way()
        dropped = list(self._queue)[len(kept) :]
        self._queue = deque(kept)
        for turn in dropped:
            if isinstance(turn, Turn):
                self._drop(turn, error)
        self._queued = sum(len(i.data) if isinstance(i, _Piece) else i.size for i in kept)
        pending = self._page.pending if self._left else None
        self._promised = {pending.slot: pending.end} if pending else {}
        for item in kept:
            end = item.end if isinstance(item, Turn) else item.offset + len(item.data)
            self._promised[item.slot] = max(end, self._promised.get(item.slot, 0))
        for slot, waiting in self._waiters.items():
            known = self._promised.get(slot, 0)
            for waiter in waiting:
                if waiter.end > known and not waiter.taken.done():
                    waiter.taken.set_exception(error())
            self._waiters[slot] = [one for one in waiting if not one.taken.done()]

    def _under_way(self) -> list[_Piece | Turn]:
        """Return what the unit that has been begun still has to type, and its turn."""
        for index, item in enumerate(self._queue):
            if isinstance(item, Turn):
                is_begun = item.reached.done() or item.unit is not None
                return list(self._queue)[: index + 1] if is_begun else []
        return []

    def _drop(self, turn: Turn, error: Callable[[], HoldfastError]) -> None:
        self._turns.pop((turn.slot, turn.end), None)
        if turn.expiry is not None:
            turn.expiry.cancel()
        turn.reached.set_exception(error())
        turn.reached.exception()  # retrieved: perhaps nobody waits for it

    def has_begun(self, client_id: str, offset: int, end: int) -> bool:
        """Whether this unit of a client is half typed: then it has to be finished."""
        slot = self._page.slot_of(client_id, offset, busy=self._promised)
        turn = self._turns.get((slot, end)) if slot is not None else None
        return turn is not None and turn.unit is not None

    @property
    def queued(self) -> int:
        """Bytes that the terminal has not taken yet."""
        return self._queued + self._left

    def close(self, error: Callable[[], HoldfastError]) -> None:
        """Take no more; what still waits fails with *error*."""
        if self._closed:
            return
        self._closed, self._error = True, error
        for turn in self._turns.values():
            if turn.expiry is not None:
                turn.expiry.cancel()
            if not turn.reached.done():
                turn.reached.set_exception(error())
                turn.reached.exception()  # retrieved: perhaps nobody waits for it
        if self._for_room:
            self._loop.remove_writer(self._master)
        if self._timer is not None:
            self._timer.cancel()
        for waiter in (one for waiting in self._waiters.values() for one in waiting):
            if not waiter.taken.done():
                waiter.taken.set_exception(error())
        self._waiters.clear()
        self._queue.clear()
        if self._mapped is not None:
            self._mapped.close()

    def _full(self) -> InputQueueFull:
        return InputQueueFull(session=self._session, queued=self._queued, limit=QUEUE_LIMIT)

    # -- who waits

    def _taken(self, slot: int, end: int) -> "asyncio.Future[int]":
        taken: asyncio.Future[int] = self._loop.create_future()
        # Without those whose clients have gone: they come again, and would add up.
        waiting = [one for one in self._waiters.get(slot, ()) if not one.taken.done()]
        self._waiters[slot] = [*waiting, _Waiter(end, taken)]
        self._answer(slot)
        return taken

    def _answer(self, slot: int) -> None:
        done, left = self._page.done(slot), []
        for waiter in self._waiters.pop(slot, ()):
            if waiter.end > done:
                left.append(waiter)
            elif not waiter.taken.done():
                waiter.taken.set_result(done)
        if left:
            self._waiters[slot] = left

    # -- the five steps

    def _recover(self) -> None:
        held = _held(self._pipe)
        if not held:
            return  # whatever was noted, nothing was under way
        pending = self._page.pending
        done = self._page.done(pending.slot) if pending else 0
        what = found(pending, done, held)
        if what is Found.HALF:
            self._left = held - 1
            if pending is not None and pending.end > done:
                # Whoever sends it again, before or after others, must find it known.
                known = self._promised.get(pending.slot, 0)
                self._promised[pending.slot] = max(known, pending.end)
            if not self._can_splice:
                self._part = os.read(self._pipe, held)[:-1]
            self._later(0)
            return
        if what is Found.APPLIED and pending:
            self._page.set_done(pending.slot, pending.end)
        os.read(self._pipe, 1)

    def _go_on(self) -> None:
        """Apply pieces until the queue is empty, the PTY is full or the turn is over."""
        if self._closed or self._for_room or self._timer is not None:
            return
        for _ in range(PIECES_A_TURN):
            if not self._left:
                if not self._has_piece():
                    return
                self._begin_piece()
            if not self._move_on():
                return
            self._finish_piece()
        self._later(0)

    def _has_piece(self) -> bool:
        if self._queue and isinstance(turn := self._queue[0], Turn):
            if not turn.reached.done():
                turn.reached.set_result(None)
            return False
        return bool(self._queue)

    def _begin_piece(self) -> None:
        piece = self._queue.popleft()
        assert isinstance(piece, _Piece)
        part = bytes(piece.data[:PIECE])
        end = piece.offset + len(part)
        if len(part) < len(piece.data):
            self._queue.appendleft(_Piece(piece.slot, end, piece.data[PIECE:]))
        self._queued -= len(part)
        self._page.pending = Pending(piece.slot, end)
        if self._can_splice:
            os.write(self._pipe, part + SENTINEL)
        else:
            self._part = part
        self._left = len(part)

    def _move_on(self) -> bool:
        """Move what is left of the piece; False when the PTY has no room for all of it."""
        while self._left:
            try:
                count = self._move(self._left)
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EIO):
                    raise
                self._wait_for_room()
                return False
            self._left -= count
            self._moved += count
            self.on_applied(count, self._loop.time())
        return True

    def _move(self, count: int) -> int:
        if self._can_splice:
            return os.splice(self._pipe, self._master, count, flags=os.SPLICE_F_NONBLOCK)
        # Without splice a death between this write and `done` doubles the piece.
        return os.write(self._master, self._part[-count:])

    def _finish_piece(self) -> None:
        pending = self._page.pending
        if pending is not None:
            self._page.set_done(pending.slot, pending.end)
            if self._promised.get(pending.slot) == pending.end:
                del self._promised[pending.slot]
        if self._can_splice:
            os.read(self._pipe, 1)
        if pending is not None:
            self._answer(pending.slot)

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
        self._go_on()

    def _later(self, seconds: float) -> None:
        self._timer = self._loop.call_later(seconds, self._again)

    def _again(self) -> None:
        self._timer = None
        self._go_on()


def _held(pipe: int) -> int:
    """Return how many bytes lie in a pipe."""
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]
