"""How the output of one view goes to its page: how much may be on its way, and in which pieces.

Pure. The page acknowledges what its terminal has parsed; at most a window is on its way. A
message costs about 100 µs whatever its size, so bytes are gathered: what comes after a quiet
moment goes at once, what follows waits for a full frame or a short pause. While the host is
busy the pause is a tenth of a second: 200 pages that show a trickle cost 2,000 messages a
second, not 20,000. Who has just typed is spared the pause, for what comes is the echo.

Feed with `put`, `ack`; act with `type`, `skip`; drain with `frames(now)`; `deadline()` says
when it is worth asking again without anything having happened.
"""

from collections import deque
from typing import NamedTuple

WINDOW = 256 << 10  # bytes that may be on their way; a browser parses 4-7 MB/s: 50 ms of work
FULL = 16 << 10  # bytes that are worth a message of their own
LARGEST = 64 << 10  # bytes of one message: larger ones make keystrokes wait behind them
PAUSE = 0.004  # seconds between small frames: less than a screen shows, a quarter of a flood
BUSY_PAUSE = 0.1
ECHO = 0.25  # seconds after a keystroke in which output is taken for its echo


class Frame(NamedTuple):
    """Output of a view, addressed by the offset of its first byte."""

    offset: int
    data: bytes


class Flow:
    """One view. Nothing it holds outgrows a window, if whoever feeds it asks for `room`."""

    def __init__(self, offset: int, *, window: int = WINDOW) -> None:
        self.position = offset
        """Behind the last byte that was put."""
        self.is_busy = False
        """Whether the host has no time for small messages."""
        self._window = window
        self._waiting: deque[bytes] = deque()
        self._waiting_size = 0
        # Ranges that are on their way, oldest first; neighbours are one, so there is one for
        # each gap at most.
        self._under_way: deque[tuple[int, int]] = deque()
        self._in_flight = 0
        self._framed_at = float("-inf")
        self._typed_at = float("-inf")

    # -- what happens

    def put(self, data: bytes) -> None:
        """There is more output."""
        if data:
            self._waiting.append(data)
            self._waiting_size += len(data)
            self.position += len(data)

    def ack(self, offset: int) -> None:
        """The page has parsed everything before *offset*; what it was never sent gives nothing."""
        while self._under_way:
            start, end = self._under_way[0]
            if offset <= start:
                return
            parsed = min(offset, end)
            self._in_flight -= parsed - start
            if parsed < end:
                self._under_way[0] = (parsed, end)
                return
            self._under_way.popleft()

    def type(self, now: float) -> None:
        """Somebody has typed into what this view shows."""
        self._typed_at = now

    def skip(self, to: int) -> None:
        """Go on at *to*, behind a gap or a picture: send what waits first, or drop it."""
        self._waiting.clear()
        self._waiting_size = 0
        self.position = to

    # -- what follows

    @property
    def in_flight(self) -> int:
        """Bytes that were sent and not acknowledged."""
        return self._in_flight

    @property
    def room(self) -> int:
        """How many bytes more may be put: what waits and what is on its way is one window."""
        return max(0, self._window - self._in_flight - self._waiting_size)

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits here."""
        return not self._waiting_size

    def frames(self, now: float) -> list[Frame]:
        """Return what is to be sent now."""
        found = []
        while self._is_worth_it() and (self._waiting_size >= FULL or now >= self._due()):
            found.append(self._next(now))
        return found

    def flush(self, now: float) -> list[Frame]:
        """Return what the window allows, however small: something else follows."""
        found = []
        while self._waiting_size and self._allowance():
            found.append(self._next(now))
        return found

    def deadline(self) -> float | None:
        """Return when `frames` will have something by itself; None if that takes an event."""
        return self._due() if self._is_worth_it() else None

    def _allowance(self) -> int:
        return max(0, self._window - self._in_flight)

    def _is_worth_it(self) -> bool:
        """Whether there is something, and the window has room for all of it or a full frame."""
        return 0 < min(self._waiting_size, FULL, self._window) <= self._allowance()

    def _due(self) -> float:
        """When the next small frame may go."""
        if self._typed_at > self._framed_at:
            return self._framed_at
        is_echo = self._framed_at - self._typed_at < ECHO
        return self._framed_at + (BUSY_PAUSE if self.is_busy and not is_echo else PAUSE)

    def _next(self, now: float) -> Frame:
        offset = self.position - self._waiting_size
        size = min(self._waiting_size, LARGEST, self._allowance())
        data = self._take(size)
        if self._under_way and self._under_way[-1][1] == offset:
            offset_before, _ = self._under_way.pop()
            self._under_way.append((offset_before, offset + size))
        else:
            self._under_way.append((offset, offset + size))
        self._in_flight += size
        self._framed_at = now
        return Frame(offset, data)

    def _take(self, size: int) -> bytes:
        pieces, missing = [], size
        while missing:
            piece = self._waiting.popleft()
            if len(piece) > missing:
                self._waiting.appendleft(piece[missing:])
                piece = piece[:missing]
            pieces.append(piece)
            missing -= len(piece)
        self._waiting_size -= size
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
