"""When an abandoned host ends itself, and why: the idle rule, without a clock of its own.

While no tab is attached, idle is the time since the later of the last attach and the last
detach (the start counts as one). While one is, it is the time since its last event; pings of
the transport are not events, acknowledgements of output are: a build that prints keeps its
host. A response that is still being sent is activity for as long as it lasts.
"""

LEAST_INTERVAL, MOST_INTERVAL = 1.0, 5.0
NO_CONNECTION, NO_ACTIVITY = "no connection", "no activity"


def interval_for(timeout: float) -> float:
    """Return how often it is checked: twice within a timeout, but not all the time."""
    half = timeout / 2
    return half if half < LEAST_INTERVAL else min(half, MOST_INTERVAL)


class Watchdog:
    """Times are seconds of one monotonic clock; *timeout* None means that it never ends."""

    def __init__(self, timeout: float | None, now: float) -> None:
        self.timeout = timeout
        self.last_attach: float | None = None
        self.last_detach: float | None = None
        self.last_event = now
        """When a tab on its seat was last heard of."""
        self._changed_at = now  # the later of last attach and last detach
        self._sent_at = now
        self._spared_until = now
        self._tabs = 0
        self._responses = 0
        self._check_at = now + (interval_for(timeout) if timeout else 0.0)

    # -- what happens

    def attached(self, now: float) -> None:
        """A tab took its seat."""
        self._tabs += 1
        self.last_attach = self.last_event = self._changed_at = now

    def detached(self, now: float) -> None:
        """A tab has gone, or lost its seat."""
        self._tabs -= 1
        self.last_detach = self._changed_at = now

    def heard(self, now: float) -> None:
        """A tab on its seat sent an event."""
        self.last_event = now

    def sending(self) -> None:
        """A response has begun."""
        self._responses += 1

    def sent(self, now: float) -> None:
        """A response is over, however it ended."""
        self._responses -= 1
        self._sent_at = now

    # -- what follows

    @property
    def idle_at(self) -> float | None:
        """When the host ends if nothing happens; None if that is not in sight."""
        if self.timeout is None or self._responses:
            return None
        since = self.last_event if self._tabs else self._changed_at
        return max(max(since, self._sent_at) + self.timeout, self._spared_until)

    def deadline(self) -> float | None:
        """Return when to call `expire`."""
        if self.timeout is None:
            return None
        return self._check_at if self.idle_at is None else min(self._check_at, self.idle_at)

    def expire(self, now: float) -> str:
        """Return why the host ends now, "" if it does not.

        A check that comes much too late decides nothing: the process was stopped, and what
        the tabs have sent meanwhile has not been read yet.
        """
        deadline = self.deadline()
        if self.timeout is None or deadline is None or now < deadline:
            return ""
        interval = interval_for(self.timeout)
        self._check_at = now + interval
        if now - deadline > max(interval, LEAST_INTERVAL):
            self._spared_until = now + interval
        idle_at = self.idle_at
        if idle_at is None or now < idle_at:
            return ""
        return NO_ACTIVITY if self._tabs else NO_CONNECTION
