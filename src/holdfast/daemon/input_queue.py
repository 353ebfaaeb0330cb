"""What waits to be typed into one session, in its order, and who waits for that.

It knows numbers and bytes, but neither the terminal nor the page that outlives a daemon.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from holdfast.errors import HoldfastError
from holdfast.session.typed import PIECE, Pending, Unit


class Piece(NamedTuple):
    """Bytes of one client, numbered from *offset*."""

    slot: int
    offset: int
    data: memoryview

    @property
    def end(self) -> int:
        return self.offset + len(self.data)


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


class InputQueue:
    """Pieces and turns; nothing passes a turn. Whoever adds to it minds its bound."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._entries: deque[Piece | Turn] = deque()
        self._turns: dict[tuple[int, int], Turn] = {}
        self._waiters: dict[int, list[_Waiter]] = {}
        self.promised: dict[int, int] = {}
        """By slot: how far it comes with all that it has queued."""
        self.size = 0
        """Bytes that wait, or may come to be typed in a turn."""

    # -- in

    def put(self, piece: Piece) -> None:
        self._entries.append(piece)
        self.size += len(piece.data)
        self.promised[piece.slot] = piece.end

    def put_first(self, piece: Piece) -> None:
        """Let a piece pass everything: it belongs to the turn that is reached."""
        self._entries.appendleft(piece)
        self.size += len(piece.data)

    def line_up(self, turn: Turn) -> None:
        self._entries.append(turn)
        self._turns[turn.slot, turn.end] = turn
        self.size += turn.size
        self.promised[turn.slot] = turn.end

    def turn_of(self, slot: int, end: int) -> Turn | None:
        """Return the turn that a client has for its input up to *end*."""
        return self._turns.get((slot, end))

    # -- out

    def next_piece(self) -> Piece | None:
        """Take out what is to be typed next; None when that is for the holder of a turn to say."""
        if not self._entries:
            return None
        first = self._entries[0]
        if isinstance(first, Turn):
            if not first.reached.done():
                first.reached.set_result(None)
            return None
        self._entries.popleft()
        slot, offset, data = first
        piece = Piece(slot, offset, data[:PIECE])
        if len(piece.data) < len(data):
            self._entries.appendleft(Piece(slot, piece.end, data[PIECE:]))
        self.size -= len(piece.data)
        return piece

    def leave(self, turn: Turn) -> bool:
        """Take a turn out; return whether it was there."""
        if self._turns.pop((turn.slot, turn.end), None) is None:
            return False
        self._entries.remove(turn)
        self.size -= turn.size
        if turn.expiry is not None:
            turn.expiry.cancel()
        self._keep_promise(turn.slot, turn.end)
        return True

    def withdraw(self, error: Callable[[], HoldfastError], under_way: Pending | None) -> None:
        """Refuse with *error* what still waits, but for the unit that has been begun."""
        kept = self._begun()
        dropped = list(self._entries)[len(kept) :]
        self._entries = deque(kept)
        for turn in dropped:
            if isinstance(turn, Turn):
                self._turns.pop((turn.slot, turn.end), None)
                _refuse(turn, error)
        self.size = sum(len(i.data) if isinstance(i, Piece) else i.size for i in kept)
        self.promised = {under_way.slot: under_way.end} if under_way else {}
        for entry in kept:
            self.promised[entry.slot] = max(entry.end, self.promised.get(entry.slot, 0))
        for slot, waiting in self._waiters.items():
            known = self.promised.get(slot, 0)
            for waiter in waiting:
                if waiter.end > known and not waiter.taken.done():
                    waiter.taken.set_exception(error())
            self._waiters[slot] = [one for one in waiting if not one.taken.done()]

    def _begun(self) -> list[Piece | Turn]:
        """Return what the unit that has been begun still has to type, and its turn."""
        for index, entry in enumerate(self._entries):
            if isinstance(entry, Turn):
                is_begun = entry.reached.done() or entry.unit is not None
                return list(self._entries)[: index + 1] if is_begun else []
        return []

    def close(self, error: Callable[[], HoldfastError]) -> None:
        """Refuse everything that still waits with *error*."""
        for turn in self._turns.values():
            _refuse(turn, error)
        for waiter in (one for waiting in self._waiters.values() for one in waiting):
            if not waiter.taken.done():
                waiter.taken.set_exception(error())
        self._waiters.clear()
        self._entries.clear()

    # -- who waits

    def wait(self, slot: int, end: int, done: int) -> "asyncio.Future[int]":
        """Return what has a client's offset once it has come to *end*; it is at *done* now."""
        taken: asyncio.Future[int] = self._loop.create_future()
        # Without those whose clients have gone: they come again, and would add up.
        waiting = [one for one in self._waiters.get(slot, ()) if not one.taken.done()]
        self._waiters[slot] = [*waiting, _Waiter(end, taken)]
        self._answer(slot, done)
        return taken

    def applied(self, pending: Pending) -> None:
        """Tell those who waited for it that the terminal has a client's input so far."""
        self._keep_promise(pending.slot, pending.end)
        self._answer(pending.slot, pending.end)

    def _keep_promise(self, slot: int, end: int) -> None:
        if self.promised.get(slot) == end:
            del self.promised[slot]

    def _answer(self, slot: int, done: int) -> None:
        left = []
        for waiter in self._waiters.pop(slot, ()):
            if waiter.end > done:
                left.append(waiter)
            elif not waiter.taken.done():
                waiter.taken.set_result(done)
        if left:
            self._waiters[slot] = left


def _refuse(turn: Turn, error: Callable[[], HoldfastError]) -> None:
    if turn.expiry is not None:
        turn.expiry.cancel()
    if not turn.reached.done():
        turn.reached.set_exception(error())
        turn.reached.exception()  # retrieved: perhaps nobody waits for it
