"""What is counted since the daemon began, and how long programs take to answer a key.

To count is an addition; nobody is asked and nothing waits.
"""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

# Seconds. A shell echoes within the first two; beyond 50 ms people feel it.
BOUNDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
# Seconds; what a program prints later than that is no echo: it was busy, or had echo off.
LONGEST_ECHO = 5.0


@dataclass
class Histogram:
    """How often a duration was at most each bound; the last count is of longer ones."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    sum: float = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.sum += seconds


@dataclass
class Counters:
    """One for the whole daemon."""

    bytes_in: int = 0
    """Typed, and taken by a terminal."""
    bytes_out: int = 0
    """Printed, and in a log."""
    gaps: int = 0
    """Runs of bytes that a viewer was not sent."""
    role_denied: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    """Requests that failed, by code of the error."""
    echo: Histogram = field(default_factory=Histogram)


class Meter:
    """Counts for one session; *now* is any clock that does not jump."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._typed_at: float | None = None  # the oldest that no byte has followed yet

    def typed(self, count: int, now: float) -> None:
        """Take note that the terminal has taken so many bytes."""
        self._counters.bytes_in += count
        if self._typed_at is None or now - self._typed_at > LONGEST_ECHO:
            self._typed_at = now

    def printed(self, count: int, now: float) -> None:
        """Take note that so many bytes are in the log."""
        self._counters.bytes_out += count
        typed_at, self._typed_at = self._typed_at, None
        if typed_at is not None and now - typed_at <= LONGEST_ECHO:
            self._counters.echo.add(now - typed_at)
