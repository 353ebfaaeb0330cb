"""What clients type into one session: each byte numbered, one unit at a time, within a bound.

What waits is in `input_queue.py`; `applying.py` brings it into the terminal, once.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from holdfast.daemon.applying import Applying
from holdfast.daemon.input_page import ANSWERS, Page
from holdfast.daemon.input_queue import InputQueue, Piece, Turn
from holdfast.errors import HoldfastError, InputQueueFull, InvalidArgument
from holdfast.session.typed import OFFSET_LIMIT, PIECE, QUEUE_LIMIT, Unit, fresh_part

ANSWER_ROOM = 32 << 10  # bytes that wait, beyond which no query is answered any more
COMES_BACK_WITHIN = 5.0  # seconds; a client finds the next daemon within one, most in 20 ms


class Input:
    """The input of one session."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        session: str,
        master: int,
        pipe: int,
        open_page: Callable[[], Page],
        *,
        since: float | None = None,
        can_splice: bool,
    ) -> None:
        self._loop = loop
        self._session = session
        self._open_page = open_page
        self._mapped: Page | None = None  # 4 KiB: not for a session into which nobody types
        self._queue = InputQueue(loop)
        self._applying = Applying(
            loop, self._queue, lambda: self._page, master=master, pipe=pipe, can_splice=can_splice
        )
        # When this daemon began with the session, which may be long before somebody types.
        self._since = loop.time() if since is None else since
        self._closed = False
        self._error: Callable[[], HoldfastError] | None = None
        if half := self._applying.recover():
            # Whoever sends it again, before or after others, must find it known.
            known = self._queue.promised.get(half.slot, 0)
            self._queue.promised[half.slot] = max(known, half.end)

    @property
    def on_applied(self) -> Callable[[int, float], None]:
        """Told how many bytes the terminal has taken, and when."""
        return self._applying.on_applied

    @on_applied.setter
    def on_applied(self, told: Callable[[int, float], None]) -> None:
        self._applying.on_applied = told

    @property
    def queued(self) -> int:
        """Bytes that the terminal has not taken yet."""
        return self._queue.size + self._applying.left

    @property
    def _page(self) -> Page:
        if self._mapped is None:
            self._mapped = self._open_page()
            self._hold()
        return self._mapped

    def put(self, client_id: str, offset: int, data: bytes) -> "asyncio.Future[int]":
        """Queue input; the future has the client's offset once the PTY has it all."""
        slot = self._slot(client_id, offset, len(data))
        known = self._known(slot)
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
            self._check_room(len(fresh.data))
            self._queue.put(Piece(slot, fresh.offset, memoryview(fresh.data)))
        return self._taken(slot, offset + len(data))

    def _slot(self, client_id: str, offset: int, size: int) -> int:
        if not 0 <= offset <= OFFSET_LIMIT - size:
            problem = f"must be 0 to {OFFSET_LIMIT}"
            raise InvalidArgument(argument="offset", value=str(offset), problem=problem)
        slot = self._page.slot_of(client_id, offset, busy=self._queue.promised)
        if slot is None:
            raise self._full()
        return slot

    def _known(self, slot: int) -> int:
        """Return how far a client has come, with all that it has queued."""
        return self._queue.promised.get(slot, self._page.done(slot))

    def _check_room(self, size: int) -> None:
        if self._queue.size + size > QUEUE_LIMIT:
            raise self._full()

    def _full(self) -> InputQueueFull:
        return InputQueueFull(session=self._session, queued=self._queue.size, limit=QUEUE_LIMIT)

    def _taken(self, slot: int, end: int) -> "asyncio.Future[int]":
        taken = self._queue.wait(slot, end, self._page.done(slot))
        self._applying.go_on()
        return taken

    # -- answers to what the program asks its terminal

    @contextmanager
    def looking(self) -> Iterator[Page]:
        """Yield the page of numbers; it stays mapped only where somebody types."""
        if self._mapped is not None:
            yield self._mapped
            return
        page = self._open_page()
        try:
            yield page
        finally:
            page.close()

    def settled(self, end: int) -> int:
        """Return the offset up to which queries are settled; *end* from now on if nothing tells."""
        if self._closed:
            return end
        with self.looking() as page:
            return page.settled_from(end)

    def answer(self, offset: int, data: bytes) -> None:
        """Type the answer to the query at *offset*, once; a program that never reads gets few."""
        if self._closed or offset <= max(self._known(ANSWERS), self._page.settled or 0):
            return
        if len(data) <= PIECE and self._queue.size + len(data) <= ANSWER_ROOM:
            # Applied whole, so that its number may be the query's: those leave out some.
            self._queue.put(Piece(ANSWERS, offset - len(data), memoryview(data)))
            self._applying.go_on()

    def settle(self, offset: int) -> None:
        """Note that a terminal has answered the query at *offset*."""
        if not self._closed:
            self._page.settle(offset)

    def note_terminal(self, has: bool) -> None:
        """Note for the next daemon whether there is a terminal that answers."""
        if not self._closed:
            self._page.has_terminal = has

    @property
    def had_terminal(self) -> bool:
        """Whether that was noted."""
        with self.looking() as page:
            return page.has_terminal

    @property
    def answered(self) -> int:
        """The last query that was answered here, and by no terminal."""
        with self.looking() as page:
            return page.done(ANSWERS)

    # -- one client at a time

    def line_up(self, client_id: str, offset: int, size: int) -> Turn:
        """Return a turn to type *size* bytes, or the one that this client has there already."""
        slot, end = self._slot(client_id, offset, size), offset + size
        known = self._known(slot)
        if turn := self._queue.turn_of(slot, end):
            self._applying.go_on()
            return turn
        turn = Turn(slot, end, size, self._loop.create_future())
        if known >= end:
            turn.is_over, turn.size = True, 0
            return turn
        if known != offset:
            problem = f"the input before it ends at {known}"
            raise InvalidArgument(argument="offset", value=str(offset), problem=problem)
        self._check_room(size)
        self._queue.line_up(turn)
        self._applying.go_on()
        return turn

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
            self._queue.put_first(Piece(turn.slot, end - len(rest), memoryview(rest)))
        return self._taken(turn.slot, end)

    def _check_open(self) -> None:
        if self._error is not None:
            raise self._error()

    def leave(self, turn: Turn) -> None:
        """Let the next one type."""
        if self._closed or not self._queue.leave(turn):
            return
        if turn.unit is not None:
            self._page.unit = None
        self._applying.go_on()

    def has_begun(self, client_id: str, offset: int, end: int) -> bool:
        """Whether this unit of a client is half typed: then it has to be finished."""
        slot = self._page.slot_of(client_id, offset, busy=self._queue.promised)
        turn = self._queue.turn_of(slot, end) if slot is not None else None
        return turn is not None and turn.unit is not None

    def _hold(self) -> None:
        """Keep everybody else waiting for a client that was cut off between text and Enter."""
        unit = self._page.unit
        if unit is None or self._page.done(unit.slot) >= unit.end:
            return
        turn = Turn(unit.slot, unit.end, 0, self._loop.create_future())
        turn.unit, turn.is_held = unit, True
        self._queue.line_up(turn)
        left = self._since + COMES_BACK_WITHIN - self._loop.time()
        turn.expiry = self._loop.call_later(max(0.0, left), self._expired, turn)

    def _expired(self, turn: Turn) -> None:
        if turn.is_held:
            self.leave(turn)

    # -- no more

    def withdraw(self, error: Callable[[], HoldfastError]) -> None:
        """Refuse with *error* what still waits; the unit or piece under way is finished."""
        self._queue.withdraw(error, self._applying.under_way)

    def close(self, error: Callable[[], HoldfastError]) -> None:
        """Take no more; what still waits fails with *error*."""
        if self._closed:
            return
        self._closed, self._error = True, error
        self._applying.close()
        self._queue.close(error)
        if self._mapped is not None:
            self._mapped.close()
