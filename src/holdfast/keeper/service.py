"""A supervised service (daemon, reader) as a table of what runs and when to start again.

No process and no clock is touched here: the keeper reports what happened with the time,
and obeys `wanted`. One process is *active*; one *spare* has already imported everything
and owns nothing, so that a death costs milliseconds. The reader has none: nobody waits for it.
"""

from holdfast.keeper.plain import Any, Plain

FIRST_DELAY = 0.05  # seconds before the second start in a row; the first is at once
LONGEST_DELAY = 5.0
PROVEN_AFTER = 10.0  # a process that lived so long ended for another reason than its start
SPARE_DELAY = 0.3  # after the active one is ready: two imports at once would slow the first
END_GRACE = 5.0  # seconds between TERM and KILL of a service


class Process(Plain):
    """One process of a service."""

    pid: int
    channel: Any
    started: float
    ready_at: float | None = None
    imported: bool = False
    asked_to_end: bool = False
    kill_at: float | None = None
    pidfd: int = -1
    """For a process that is not our child: readable when it has ended."""
    said: dict[str, Any] | None = None
    """What it told of itself when it got ready."""
    linked: int = 0
    """For a reader: the pid of the daemon it was introduced to."""


class Service(Plain):
    """The row of one service."""

    name: str
    active: Process | None = None
    spare: Process | None = None
    restarts: int = 0
    failures: int = 0
    reason: str = ""
    next_try: float = 0.0
    next_spare: float = 0.0
    wanted: bool = True
    has_spare: bool = True
    unable: bool = False
    """Whether one has said that it cannot work here; then `reason` says why."""

    def may_start(self, now: float) -> bool:
        """Whether an active process is due."""
        return self.wanted and self.active is None and now >= self.next_try

    def may_start_spare(self, now: float) -> bool:
        """Whether a spare is due: the active one is ready and had time to settle."""
        ready = self.active is not None and self.active.ready_at is not None
        due = self.has_spare and self.spare is None and now >= self.next_spare
        return self.wanted and ready and due

    def begin_anew(self, now: float) -> None:
        """Try at once, and count the failures from here."""
        self.next_try, self.failures = now, 0

    def deadline(self) -> float | None:
        """When to look again, or None while nothing is timed."""
        times = [p.kill_at for p in (self.active, self.spare) if p and p.kill_at is not None]
        if self.wanted and self.active is None:
            times.append(self.next_try)
        elif self.may_start_spare(self.next_spare):
            times.append(self.next_spare)
        return min(times, default=None)

    def became_ready(self, process: Process, now: float) -> None:
        process.ready_at = now
        self.next_spare = max(self.next_spare, now + SPARE_DELAY)

    def gave_up(self, process: Process, reason: str) -> None:
        """Note that it says it cannot work here: another one could not either."""
        self.wanted, self.unable, self.reason = False, True, reason
        process.asked_to_end = True

    def ended(self, process: Process, reason: str, now: float) -> None:
        """Note a death and when to try again."""
        if process is self.spare:
            self.spare = None
            self.next_spare = now + LONGEST_DELAY
            self.reason = f"a spare {self.name} ended: {reason}"
            return
        self.active = None
        self.restarts += 1
        if process.asked_to_end:
            self.next_try, self.failures = now, 0
            return
        # A spare may have waited for days: what counts is how long it served.
        served = now - process.ready_at if process.ready_at is not None else 0.0
        self.failures = 1 if served >= PROVEN_AFTER else self.failures + 1
        self.reason = reason
        self.next_try = now + delay_after(self.failures)

    def could_not_start(self, reason: str, now: float) -> None:
        """Note that not even a process came to be: no memory, no python any more."""
        self.reason = f"a {self.name} could not be started: {reason}"
        if self.active is not None:
            self.next_spare = now + LONGEST_DELAY
        else:
            self.failures += 1
            # Never at once: what the system refused it refuses again.
            self.next_try = now + max(FIRST_DELAY, delay_after(self.failures))


def delay_after(failures: int) -> float:
    """Seconds to wait after so many deaths in a row."""
    if failures <= 1:
        return 0.0
    return float(min(FIRST_DELAY * 2 ** min(failures - 2, 20), LONGEST_DELAY))
