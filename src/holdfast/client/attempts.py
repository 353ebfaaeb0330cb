"""When a client connects, waits, and gives up: one table, no socket, no clock.

    connecting → online → lost → connecting → … → waiting → connecting → …   gave_up

A connection that is lost is tried again at once; then after pauses that double, for as long
as the policy says. They begin anew only once a connection has lasted: a daemon that accepts
and drops is not hammered.
"""

import enum
import math
from collections.abc import Callable
from typing import NamedTuple

from holdfast.errors import (
    AuthFailed,
    DaemonUnreachable,
    HoldfastError,
    InvalidClientId,
    NotConnected,
    PermissionDenied,
    ProtocolMismatch,
    Superseded,
)

LASTED = 5.0  # seconds after which a connection was a good one
REFUSALS = 3  # in a row, of those that will not change by themselves, until we believe them
Errors = tuple[type[HoldfastError], ...]
PERMANENT = (AuthFailed, InvalidClientId, PermissionDenied, ProtocolMismatch)
# Two clients with one id would throw each other out for ever.
FINAL = (Superseded,)


class Kind(enum.Enum):
    """Where a client is."""

    CONNECTING = "connecting"
    ONLINE = "online"
    LOST = "lost"
    WAITING = "waiting"
    GAVE_UP = "gave_up"
    CLOSED = "closed"


class State(NamedTuple):
    """Where a client is, and since which trouble."""

    kind: Kind
    reason: str = ""
    attempt: int = 0
    """How many have failed in a row."""
    delay: float = 0.0
    """Seconds until the next one."""
    error: HoldfastError | None = None

    @property
    def is_over(self) -> bool:
        return self.kind in (Kind.GAVE_UP, Kind.CLOSED)


class Policy(NamedTuple):
    """What is tried again, after which pauses, and for how long."""

    first_pause: float = 1.0
    longest_pause: float = 30.0
    limit: float = math.inf
    """Seconds without a connection after which it gives up."""
    at_first: Errors = (HoldfastError,)
    """What passes before there was a connection."""
    later: Errors = (HoldfastError,)
    """What passes once there was one."""


FOR_EVER = Policy()
ONCE = Policy(at_first=(), later=())
# Who waits before a terminal. The keeper's longest pause between two daemons is 5 s; a daemon
# that cannot be reached at first is to be told at once, but it was there a moment ago later.
A_WHILE = Policy(
    first_pause=0.01,
    longest_pause=0.5,
    limit=10.0,
    at_first=(NotConnected,),
    later=(NotConnected, DaemonUnreachable),
)


class Attempts:
    """The life of a client; `changes` are told in order."""

    def __init__(
        self,
        *,
        policy: Policy,
        jitter: Callable[[], float],
        changed: Callable[[State], None],
        now: float,
    ) -> None:
        self._policy = policy
        self._passing = policy.at_first
        self._jitter = jitter  # 0 to 1
        self._changed = changed
        self._failed = 0
        self._refused = 0
        self._trouble_since = now
        self.online_since: float | None = None
        self.dial_at: float | None = now
        """When to connect; None while nothing is to be done."""
        self.state = State(Kind.CONNECTING)

    def dialing(self) -> None:
        """Somebody connects now."""
        self.dial_at = None
        before = self.state  # the trouble is known until it is over
        self._enter(State(Kind.CONNECTING, before.reason, self._failed, error=before.error))

    def online(self, now: float) -> None:
        """The connection is offered to everybody."""
        self.online_since = now
        self._passing = self._policy.later
        self._refused = 0
        self._enter(State(Kind.ONLINE))

    def ended(self, error: HoldfastError, now: float) -> None:
        """An attempt has failed, or a connection is lost."""
        if self.state.is_over:
            return
        since, self.online_since = self.online_since, None
        if since is not None:
            self._enter(State(Kind.LOST, error.what, error=error))
            self._trouble_since = now
            if now - since >= LASTED:
                self._failed = 0
        self._refused = self._refused + 1 if isinstance(error, PERMANENT) else 0
        delay = self._pause()
        if self._is_final(error, now + delay):
            self._give_up(error)
            return
        self._failed += 1
        self.dial_at = now + delay
        kind = Kind.WAITING if delay else Kind.CONNECTING
        self._enter(State(kind, error.what, self._failed, delay, error))

    def retry_now(self, now: float) -> None:
        """Try at once, also after giving up; but not after `close`."""
        if self.state.kind in (Kind.WAITING, Kind.GAVE_UP):
            self._refused = 0
            self._trouble_since = self.dial_at = now
            # At once, or who now waits for the outcome would be told of the one before.
            self._enter(State(Kind.CONNECTING, self.state.reason, self._failed))

    def close(self) -> None:
        self.dial_at = None
        self._enter(State(Kind.CLOSED, "this client was closed"))

    def _pause(self) -> float:
        if not self._failed:
            return 0.0
        doubled = self._policy.first_pause * float(1 << min(self._failed - 1, 10))
        longest = min(doubled, self._policy.longest_pause)
        # Between half of it and all: those who lost one daemon do not come back in step.
        return longest * (0.5 + self._jitter() / 2)

    def _is_final(self, error: HoldfastError, next_try: float) -> bool:
        return (
            isinstance(error, FINAL)
            or not isinstance(error, self._passing)
            or self._refused >= REFUSALS
            or next_try - self._trouble_since > self._policy.limit
        )

    def _give_up(self, error: HoldfastError) -> None:
        self.dial_at = None
        self._enter(State(Kind.GAVE_UP, error.what, self._failed, error=error))

    def _enter(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self._changed(state)
