"""Where a viewer is in a log: what it may be sent, how far it is behind, when it has to skip.

Two numbers, never mixed. The window bounds what is on its way without an `ack`: past it a
viewer waits. The lag is how far it is behind the live edge; it decides what is skipped, and
only for who wants the latest: at 8 MiB *and* 2 s at the viewer's own speed. (A window is
passed in 3 ms of `cat`: skipping there would put holes into everybody's scrollback.)
"""

import enum
from collections import deque

LEAST_WINDOW, WINDOW, MOST_WINDOW = 4 << 10, 1 << 20, 16 << 20
BEHIND = WINDOW
SKIP_BYTES = 8 << 20
SKIP_SECONDS = 2.0
SNAPSHOT_EVERY = 0.1  # seconds between two pictures while a flood lasts
MEASURED_OVER = 0.25  # seconds of a viewer's work, to know its speed


class Policy(enum.Enum):
    """What a viewer wants when it cannot keep up."""

    LOSSLESS = "lossless"
    LATEST = "latest"


class Level(enum.Enum):
    """How far a viewer is behind."""

    LIVE = "live"
    BEHIND = "behind"
    FAR = "far"


class Speed:
    """How fast a viewer takes what it is sent, by the times of its acknowledgements.

    Only while it is waited for: how long an echo is on its way says nothing of how much the
    line takes.
    """

    def __init__(self) -> None:
        self._since: float | None = None  # when what is being measured began
        self._taken = 0
        self._rate: float | None = None  # bytes a second

    def begin(self, now: float) -> None:
        """It is waited for."""
        if self._since is None:
            self._since, self._taken = now, 0

    def rest(self) -> None:
        """It was sent all there is, and has room for more."""
        self._since = None

    def took(self, count: int, now: float) -> None:
        if self._since is None:
            return
        self._taken += count
        elapsed = now - self._since
        if elapsed >= MEASURED_OVER:
            fresh = self._taken / elapsed
            self._rate = fresh if self._rate is None else (self._rate + fresh) / 2
            self._since, self._taken = now, 0

    def seconds_for(self, count: int, now: float) -> float:
        """Return how long it would need, as far as that is known."""
        rate = self._rate
        elapsed = 0.0 if self._since is None else now - self._since
        if elapsed >= MEASURED_OVER:  # what it does not take now counts, too
            fresh = self._taken / elapsed
            rate = fresh if rate is None else min(fresh, rate)
        if rate is None:
            return 0.0
        return count / rate if rate else float("inf")


class Cursor:
    """One viewer's place in a log that ends somewhere else at each call."""

    def __init__(self, position: int, *, policy: Policy, window: int = WINDOW) -> None:
        self.position = position
        """Everything before it was sent, or left out with a gap."""
        self.acked = position
        self.contiguous = position
        """From here to the position every byte was sent."""
        self.level = Level.LIVE
        self._policy = policy
        self._window = window
        self._speed = Speed()
        self._has_more = False  # there was more when it was last sent something
        self._snapshot_at = float("-inf")
        self._gaps: deque[tuple[int, int]] = deque()  # between what is acknowledged and here
        self._left_out = 0  # bytes in them

    # -- what happens

    def sent(self, count: int, now: float, end: int) -> None:
        self.position += count
        self._has_more = self.lag(end) > 0
        if self._is_waited_for:
            self._speed.begin(now)
        else:
            self._speed.rest()

    def ack(self, offset: int, now: float) -> None:
        """The viewer has used everything before *offset*.

        What it was never sent counts for nothing, nor does what it has said before.
        """
        offset, left_out = min(offset, self.position), 0
        while self._gaps and self._gaps[0][1] <= offset:
            start, end = self._gaps.popleft()
            left_out += end - start
        if self._gaps:
            offset = min(offset, self._gaps[0][0])
        if offset > self.acked:
            self._speed.took(offset - self.acked - left_out, now)
            self.acked = offset
            self._left_out -= left_out
            if not self._is_waited_for:
                self._speed.rest()

    def skip(self, to: int) -> None:
        """Go on behind bytes that are not sent."""
        if self.in_flight:
            self._gaps.append((self.position, to))
            self._left_out += to - self.position
        else:
            self.acked = to
            self._gaps.clear()
            self._left_out = 0
        self.position = self.contiguous = to

    def pictured(self, at: int, now: float) -> None:
        """Go on behind a picture of the session, at its end."""
        self.skip(at)
        self._has_more = False
        self._speed.rest()
        self._snapshot_at = now

    # -- what follows

    @property
    def in_flight(self) -> int:
        """Bytes that were sent and not acknowledged; a gap needs no acknowledgement."""
        return self.position - self.acked - self._left_out

    @property
    def allowance(self) -> int:
        """How many bytes may be sent now."""
        return max(0, self._window - self.in_flight)

    def has_window_for(self, count: int) -> bool:
        """Whether it is worth sending now: so many bytes, or a quarter of the window."""
        return self.allowance >= min(count, self._window // 4)

    @property
    def _is_waited_for(self) -> bool:
        """Whether it is up to the viewer what is sent next and when."""
        return self._has_more or self.allowance < self._window // 4

    def lag(self, end: int) -> int:
        return max(0, end - self.position)

    def has_to_skip(self, end: int, now: float) -> bool:
        """Whether the viewer is shown the present instead of what it has missed."""
        lag = self.lag(end)
        return (
            self._policy is Policy.LATEST
            and lag > SKIP_BYTES
            and now - self._snapshot_at >= SNAPSHOT_EVERY
            and self._speed.seconds_for(lag, now) > SKIP_SECONDS
        )

    def new_level(self, end: int) -> Level | None:
        """Return how far the viewer is behind if that has changed; it is live again once it
        has nearly nothing left, or a viewer at the bound would be told so all the time."""
        lag, level = self.lag(end), Level.LIVE
        if lag > SKIP_BYTES:
            level = Level.FAR
        elif lag > BEHIND or (self.level is not Level.LIVE and lag > BEHIND // 4):
            level = Level.BEHIND
        if level is self.level:
            return None
        self.level = level
        return level
