"""The life of one session, as a table, and when its output counts as ended.

This file is the only place that may change a session's state. A session ends when two
things have come, in either order: the child's status, and the end of its output.
"""

import enum

from holdfast.errors import InvalidTransition


class State(enum.Enum):
    """Where a session is in its life."""

    STARTING = "starting"  # spawn asked for, exec not confirmed
    RUNNING = "running"
    TERMINATING = "terminating"  # being ended, or its child has ended and output still comes
    EXITED = "exited"
    DORMANT = "dormant"  # its program is gone and can be started again; nobody has yet
    LOST = "lost"  # its program is gone, and is not started again unasked


class Event(enum.Enum):
    """What can happen to a session."""

    SPAWNED = "spawned"
    SPAWN_FAILED = "spawn failed"
    KILL_ASKED = "kill asked"
    CHILD_ENDED = "child ended"
    FINISHED = "child and output ended"
    VANISHED = "nobody holds it any more"
    SLEPT = "gone, to be started again when wanted"
    RESTORE_ASKED = "restore asked"
    FOUND = "lives after all"


TRANSITIONS: dict[State, dict[Event, State]] = {
    State.STARTING: {
        Event.SPAWNED: State.RUNNING,
        Event.SPAWN_FAILED: State.LOST,
        Event.VANISHED: State.LOST,
        Event.SLEPT: State.DORMANT,
    },
    State.RUNNING: {
        Event.KILL_ASKED: State.TERMINATING,
        Event.CHILD_ENDED: State.TERMINATING,
        Event.VANISHED: State.LOST,
        Event.SLEPT: State.DORMANT,
    },
    State.TERMINATING: {
        Event.KILL_ASKED: State.TERMINATING,
        Event.CHILD_ENDED: State.TERMINATING,
        Event.FINISHED: State.EXITED,
        Event.VANISHED: State.LOST,
    },
    State.DORMANT: {
        Event.KILL_ASKED: State.LOST,
        Event.RESTORE_ASKED: State.STARTING,
        Event.FOUND: State.RUNNING,
    },
    State.EXITED: {
        Event.RESTORE_ASKED: State.STARTING,
        Event.FOUND: State.RUNNING,
        Event.SLEPT: State.DORMANT,  # the machine went down and ended it
    },
    State.LOST: {Event.RESTORE_ASKED: State.STARTING, Event.FOUND: State.RUNNING},
}

LIVE = frozenset({State.STARTING, State.RUNNING, State.TERMINATING})
OVER = frozenset({State.EXITED, State.LOST})


def advance(state: State, event: Event) -> State:
    """Return the state that follows, or raise if the event is impossible here."""
    following = TRANSITIONS[state].get(event)
    if following is None:
        raise InvalidTransition(summary="session", state=state.value, event=event.value)
    return following


QUIET_AFTER_END = 1.0  # seconds without a byte after the child was reaped
LONGEST_AFTER_END = 10.0  # seconds, whatever a process left behind still prints


class OutputEnd:
    """Decide when output has ended although somebody still holds the terminal.

    A background process may hold it for ever (`(sleep 999) & exit`), so after the child was
    reaped silence ends the output, and so does patience. The clock stands while the session
    is stalled: what the disk does not take is not silence.
    """

    def __init__(self, reaped_at: float) -> None:
        self._silent_since = reaped_at
        self._latest = reaped_at + LONGEST_AFTER_END
        self._stalled_at: float | None = None

    def heard(self, now: float) -> None:
        """A byte came."""
        self._silent_since = now

    def stalled(self, now: float) -> None:
        if self._stalled_at is None:
            self._stalled_at = now

    def resumed(self, now: float) -> None:
        if self._stalled_at is not None:
            self._latest += now - self._stalled_at
            self._silent_since = now
            self._stalled_at = None

    def deadline(self) -> float | None:
        """When to look again; None while the clock stands."""
        if self._stalled_at is not None:
            return None
        return min(self._silent_since + QUIET_AFTER_END, self._latest)

    def is_over(self, now: float) -> bool:
        deadline = self.deadline()
        return deadline is not None and now >= deadline
