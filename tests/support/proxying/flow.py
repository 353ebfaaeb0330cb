"""One direction of a proxied connection: what arrives, what faults make of it, what may leave.

It knows frames and faults, but no socket and no clock: time is an argument. Bytes pass as
they come, in the middle of a frame too, unless a fault needs the frame whole.
"""

import enum
import math
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from tests.support.proxying.scanner import Piece, Scanner

# What may wait here before the source is read no further. To it come at most two frames
# that a fault needs whole: one being collected, one held back.
BUFFER_LIMIT = 1 << 20
CHUNK = 1 << 16  # of one write
TICK = 0.02  # seconds whose worth of a throttled rate leaves at once: smooth, and few wake-ups


class Direction(enum.Enum):
    UP = "up"  # from the client to the daemon
    DOWN = "down"


class CutPoint(NamedTuple):
    """So many bytes behind the end of the frame that passes as this one; 0 is the beginning.

    When that frame is gone by already, the last one that passed stands for it.
    """

    frame: int
    size: int


class Count(NamedTuple):
    size: int = 0
    """In bytes."""
    frames: int = 0
    """Those that ended."""


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What is wrong with one direction. Frames are numbered from 1, as they arrive."""

    cut: CutPoint | None = None
    swallows: bool = False
    frozen: bool = False
    delay: float = 0.0  # seconds
    rate: float | None = None  # bytes per second
    duplicated: frozenset[int] = frozenset()
    held_back: frozenset[int] = frozenset()


NONE = Faults()


class Flow:
    """`feed` what arrives, `end` when no more will; send what `sendable` says, report `passed`."""

    def __init__(self, faults: Faults = NONE) -> None:
        self.is_ended = False
        self.heard = Count()
        self.passed_on = Count()
        self._scanner = Scanner()
        self._whole: bytearray | None = None  # the frame that is arriving, if it is needed whole
        self._held = b""
        self._delayed: deque[tuple[float, bytes, bool]] = deque()
        self._delayed_size = 0
        self._out = bytearray()
        self._ends: deque[int] = deque()  # of the frames in it, as they will be counted
        self._last_end = 0
        self._cut_base: int | None = None
        self._not_before = -math.inf
        self.faults = faults

    def suffer(self, faults: Faults) -> None:
        """From now on, these faults; what concerns whole frames, from the next frame on."""
        if faults.cut != self.faults.cut:
            self._cut_base = None
        if faults.rate != self.faults.rate:
            self._not_before = -math.inf
        self.faults = faults
        if faults.swallows:
            self.discard()
        if not faults.delay:
            self._delayed = deque((-math.inf, data, ends) for _, data, ends in self._delayed)

    def discard(self) -> None:
        """Lose what has not left."""
        self._whole = None
        self._held = b""
        self._delayed.clear()
        self._delayed_size = 0
        self._out.clear()
        self._ends.clear()

    # -- what arrives

    @property
    def wants_more(self) -> bool:
        if self.is_ended or self.faults.frozen:
            return False
        return self.faults.swallows or self.waiting <= BUFFER_LIMIT

    @property
    def waiting(self) -> int:
        """Bytes that only wait for their time or for the other side."""
        return len(self._out) + self._delayed_size

    def feed(self, data: bytes, now: float) -> None:
        for piece in self._scanner.pieces(data):
            if not self.faults.swallows:
                self._take(piece, now)
        self.heard = Count(self.heard.size + len(data), self._scanner.ended)

    def end(self, now: float) -> None:
        """Nothing follows: whatever waited for more goes now."""
        self.is_ended = True
        if self._whole is not None:
            self._queue(bytes(self._whole), ends=False, now=now)
            self._whole = None
        self._release(now)

    def _take(self, piece: Piece, now: float) -> None:
        faults, number = self.faults, piece.frame
        if piece.begins:
            is_chosen = number in faults.duplicated or number in faults.held_back
            self._whole = bytearray() if faults.delay or is_chosen else None
        if self._whole is None:
            self._queue(piece.data, ends=piece.ends, now=now)
        else:
            self._whole += piece.data
            if number and not piece.ends:
                return
            frame, self._whole = bytes(self._whole), None
            if number in faults.held_back and not self._held:
                self._held = frame
                return
            for _ in range(2 if number in faults.duplicated else 1):
                self._queue(frame, ends=piece.ends, now=now)
        if piece.ends:
            self._release(now)

    def _release(self, now: float) -> None:
        if self._held:
            frame, self._held = self._held, b""
            self._queue(frame, ends=True, now=now)

    def _queue(self, data: bytes, *, ends: bool, now: float) -> None:
        if self.faults.delay or self._delayed:
            self._delayed.append((now + self.faults.delay, data, ends))
            self._delayed_size += len(data)
        else:
            self._ready(data, ends=ends)

    def _ready(self, data: bytes, *, ends: bool) -> None:
        self._out += data
        if ends:
            self._ends.append(self.passed_on.size + len(self._out))

    # -- what may leave

    def sendable(self, now: float) -> bytes:
        """Return what may be sent now; empty when nothing may."""
        size = 0 if self.faults.frozen else min(len(self._out), CHUNK)
        if size and self.faults.rate is not None:
            worth = max(1, int(self.faults.rate * TICK))
            size = min(size, worth) if now >= self._not_before else 0
        if size and (cut_at := self._cut_at()) is not None:
            size = min(size, max(0, cut_at - self.passed_on.size))
        with memoryview(self._out) as view:
            return bytes(view[:size])

    def passed(self, size: int, now: float) -> None:
        """So much of what was sendable has been sent."""
        del self._out[:size]
        total, frames = self.passed_on.size + size, self.passed_on.frames
        self._cut_at()  # it may count from a frame that is gone after this
        while self._ends and self._ends[0] <= total:
            self._last_end = self._ends.popleft()
            frames += 1
        self.passed_on = Count(total, frames)
        if self.faults.rate is not None:
            self._not_before = now + size / self.faults.rate

    @property
    def is_cut(self) -> bool:
        """Whether the place of a cut is reached."""
        cut_at = self._cut_at()
        return cut_at is not None and self.passed_on.size >= cut_at

    @property
    def is_done(self) -> bool:
        """Whether the end itself is what has to be passed on."""
        faults = self.faults
        return self.is_ended and not (self.waiting or faults.swallows or faults.frozen)

    def _cut_at(self) -> int | None:
        """Return where the cut is, once that is known; also when it is behind us."""
        if (cut := self.faults.cut) is None:
            return None
        ahead = cut.frame - self.passed_on.frames
        if self._cut_base is None and ahead <= len(self._ends):
            if ahead > 0:
                self._cut_base = self._ends[ahead - 1]
            else:
                self._cut_base = self._last_end if cut.frame else 0
        return None if self._cut_base is None else self._cut_base + cut.size

    # -- time

    def deadline(self) -> float | None:
        """Return when to call `expire`, or to look at `sendable` again."""
        if self.faults.frozen:
            return None
        dues = [self._delayed[0][0]] if self._delayed else []
        if self._out and self.faults.rate is not None:
            dues.append(self._not_before)
        return min(dues, default=None)

    def expire(self, now: float) -> None:
        while self._delayed and self._delayed[0][0] <= now and not self.faults.frozen:
            _, data, ends = self._delayed.popleft()
            self._delayed_size -= len(data)
            self._ready(data, ends=ends)
