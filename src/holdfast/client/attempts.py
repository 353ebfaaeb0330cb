"""When a client connects, waits, and gives up: one table, no socket, no clock.

    connecting → online → lost → connecting → … → waiting → connecting → …   gave_up

A connection that is lost is tried again at once; then after 1, 2, 4 … 30 seconds, for as long
as it takes. The pauses begin anew only once a connection has lasted: a daemon that accepts
and drops is not hammered.
"""

import enum
from collections.abc import Callable
from typing import NamedTuple

from holdfast.errors import (
    AuthFailed,
    HoldfastError,
    InvalidClientId,
    PermissionDenied,
    ProtocolMismatch,
    Superseded,
)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds
LASTED = 5.0  # seconds after which a connection was a good one
REFUSALS = 3  # in a row, of those that will not change by themselves, until we believe them
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


class Attempts:
    """The life of a client; `changes` are told in order."""

    def __init__(
        self,
        *,
        reconnect: bool,
        jitter: Callable[[], float],
        changed: Callable[[State], None],
        now: float,
    ) -> None:
        self._reconnect = reconnect
        self._jitter = jitter  # 0 to 1
        self._changed = changed
        self._failed = 0
        self._refused = 0
        self._online_since: float | None = None
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
        self._online_since = now
        self._refused = 0
        self._enter(State(Kind.ONLINE))

    def ended(self, error: HoldfastError, now: float) -> None:
        """An attempt has failed, or a connection is lost."""
        if self.state.is_over:
            return
        since, self._online_since = self._online_since, None
        if since is not None:
            self._enter(State(Kind.LOST, error.what, error=error))
            if now - since >= LASTED:
                self._failed = 0
        self._refused = self._refused + 1 if isinstance(error, PERMANENT) else 0
        if not self._reconnect or isinstance(error, FINAL) or self._refused >= REFUSALS:
            self._give_up(error)
            return
        delay = self._pause()
        self._failed += 1
        self.dial_at = now + delay
        kind = Kind.WAITING if delay else Kind.CONNECTING
        self._enter(State(kind, error.what, self._failed, delay, error))

    def retry_now(self, now: float) -> None:
        """Try at once, also after giving up; but not after `close`."""
        if self.state.kind in (Kind.WAITING, Kind.GAVE_UP):
            self._refused = 0
            self.dial_at = now
            # At once, or who now waits for the outcome would be told of the one before.
            self._enter(State(Kind.CONNECTING, self.state.reason, self._failed))

    def close(self) -> None:
        self.dial_at = None
        self._enter(State(Kind.CLOSED, "this client was closed"))

    def _pause(self) -> float:
        if not self._failed:
            return 0.0
        longest = min(FIRST_PAUSE * float(1 << min(self._failed - 1, 10)), LONGEST_PAUSE)
        # Between half of it and all: those who lost one daemon do not come back in step.
        return longest * (0.5 + self._jitter() / 2)

    def _give_up(self, error: HoldfastError) -> None:
        self.dial_at = None
        self._enter(State(Kind.GAVE_UP, error.what, self._failed, error=error))

    def _enter(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self._changed(state)
