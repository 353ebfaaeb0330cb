"""Who may change a session, as a table: at most one client owns it, the others observe.

This file is the only place that may change who owns a session. A claim is bound to one
connection: goodbye gives it up at once, a break keeps it for a while for whoever comes back
with the same client id, and what an older connection of that client still does counts for
nothing. A claim is part of its session, so there is none on a session that does not exist;
the next life of a restored session begins with a new one.

Callers are control clients; that the others may not change anything is the protocol's
business, and so is telling a connection that a newer one of the same client replaced it.
Time is seconds of any clock that does not stop while the machine sleeps.
"""

import enum
import math
from collections.abc import Mapping
from typing import NamedTuple

from holdfast.errors import InvalidTransition, OwnerRequired
from holdfast.session.claims import Client, Decision, Lost, Owner, OwnerChanged, Reason
from holdfast.types import Size

# Long enough for a laptop that changes its network and for a page that reloads; whoever else
# waits for the session can take it over meanwhile.
GRACE = 30.0  # seconds


class State(enum.Enum):
    """How a session is owned."""

    FREE = "free"
    HELD = "held"  # its owner is connected
    AWAY = "away"  # its owner's connection broke, or the daemon was another one
    OVER = "over"  # the session has ended; terminal


class Event(enum.Enum):
    """What can happen to a claim. Callers say who; whether that is the owner is seen here."""

    CLAIMED = "claimed by another client"
    TAKEN_OVER = "taken over by another client"
    OWNER_HEARD = "its owner asks, or has come back"
    GIVEN_UP = "given up by its owner"
    BROKE = "its owner's connection broke"
    RESTARTED = "the daemon was started anew"
    EXPIRED = "its owner did not come back in time"
    ENDED = "the session has ended"


class Whose(enum.Enum):
    """Who owns a session after an event."""

    NOBODY = "nobody"
    ASKER = "asker"  # who caused the event
    SAME = "same"  # who owned it before


class Step(NamedTuple):
    """A cell of the table."""

    state: State
    owner: Whose


_GAINED, _HELD = Step(State.HELD, Whose.ASKER), Step(State.HELD, Whose.SAME)
_AWAY, _FREE = Step(State.AWAY, Whose.SAME), Step(State.FREE, Whose.NOBODY)
_OVER = Step(State.OVER, Whose.NOBODY)

# Who claims what another owns changes nothing: that is how a claim is denied.
TRANSITIONS: dict[State, dict[Event, Step]] = {
    State.FREE: {
        Event.CLAIMED: _GAINED,
        Event.TAKEN_OVER: _GAINED,
        Event.RESTARTED: _FREE,
        Event.ENDED: _OVER,
    },
    State.HELD: {
        Event.CLAIMED: _HELD,
        Event.TAKEN_OVER: _GAINED,
        Event.OWNER_HEARD: _HELD,
        Event.GIVEN_UP: _FREE,
        Event.BROKE: _AWAY,
        Event.RESTARTED: _AWAY,
        Event.ENDED: _OVER,
    },
    State.AWAY: {
        Event.CLAIMED: _AWAY,
        Event.TAKEN_OVER: _GAINED,
        Event.OWNER_HEARD: _HELD,
        Event.GIVEN_UP: _FREE,
        Event.RESTARTED: _AWAY,
        Event.EXPIRED: _FREE,
        Event.ENDED: _OVER,
    },
    State.OVER: {
        Event.RESTARTED: _OVER,
        Event.ENDED: _OVER,
    },
}


def advance(state: State, event: Event) -> Step:
    """Return what follows, or raise if the event is impossible here."""
    step = TRANSITIONS[state].get(event)
    if step is None:
        raise InvalidTransition(summary="ownership", state=state.value, event=event.value)
    return step


class Ownership:
    """The claim on one session. Decides and remembers; publishes and resizes nothing."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.state = State.FREE
        self.owner: Owner | None = None
        self._connection: int | None = None  # the owner's, while it has one
        self._deadline: float | None = None  # of an owner that is away
        # By connection, of which there is a limited number: it says its size anew in the next.
        self._sizes: dict[int, Size] = {}

    # -- what clients ask

    def claim(self, client: Client, *, now: float, reason: Reason = Reason.CLAIMED) -> Decision:
        """Grant *client* the session if it is free or its own; every change begins with this."""
        gone = self.expire(now).events
        if self._owned_by(client):
            self._move(Event.OWNER_HEARD, client)
            return Decision(events=gone)
        self._move(Event.CLAIMED, client)
        if not self._owned_by(client):
            return Decision(refusal=self._refusal(now), events=gone)
        return self._gained(client, None, reason, before=gone)

    def takeover(self, client: Client, *, now: float, note: str = "") -> Decision:
        """Give *client* the session, whoever owns it."""
        gone = self.expire(now).events
        if self._owned_by(client):
            self._move(Event.OWNER_HEARD, client)
            return Decision(events=gone)
        previous, connection = self.owner, self._connection
        self._move(Event.TAKEN_OVER, client)
        decision = self._gained(client, previous, Reason.TAKEN_OVER, note=note, before=gone)
        if connection is None:
            return decision
        said = f"{client.owner.shown} took session {self.session} over"
        lost = Lost(connection, f"{said}: {note}" if note else said)
        return Decision(events=decision.events, lost=lost, size=decision.size)

    def release(self, client: Client) -> Decision:
        """Leave the session to whoever claims it next; nothing if it is not the client's."""
        if not self._owned_by(client):
            return Decision()
        return self._freed(Event.GIVEN_UP, Reason.RELEASED)

    def remember_size(self, client: Client, size: Size) -> Size | None:
        """Return what the session's size is to be now; None while *client* only observes."""
        self._sizes[client.connection] = size
        return size if self._owned_by(client) else None

    # -- what connections do

    def returned(self, client: Client, *, now: float) -> Decision:
        """A client has connected: if it owns the session, it does so by this connection."""
        gone = self.expire(now).events
        if self._owned_by(client):
            self._move(Event.OWNER_HEARD, client)
        return Decision(events=gone)

    def goodbye(self, connection: int) -> Decision:
        """A connection left on purpose."""
        self._sizes.pop(connection, None)
        if connection != self._connection:
            return Decision()
        return self._freed(Event.GIVEN_UP, Reason.GOODBYE)

    def broke(self, connection: int, *, now: float) -> Decision:
        """A connection ended without goodbye: its client has some time to come back."""
        self._sizes.pop(connection, None)
        if connection == self._connection:
            self._move(Event.BROKE)
            self._deadline = now + GRACE
        return Decision()

    # -- what happens by itself

    def ended(self) -> Decision:
        """The session is over; saying so twice is fine."""
        self._sizes.clear()
        return self._freed(Event.ENDED, Reason.ENDED)

    def deadline(self) -> float | None:
        """When `expire` must be called; None while nothing is timed."""
        return self._deadline

    def expire(self, now: float) -> Decision:
        """Free the session if its owner's time to come back has run out."""
        if self._deadline is None or now < self._deadline:
            return Decision()
        return self._freed(Event.EXPIRED, Reason.EXPIRED)

    # -- what outlives the daemon

    def to_dict(self) -> dict[str, str]:
        """Return what `after_restart` needs; write it down whenever there was an event."""
        facts = {"state": self.state.value}
        if self.owner is not None:
            facts |= {"client_id": self.owner.client_id, "label": self.owner.label}
        return facts

    @classmethod
    def after_restart(cls, session: str, facts: Mapping[str, str], *, now: float) -> "Ownership":
        """Return the claim as a new daemon finds it: the time to come back begins anew."""
        self = cls(session)
        if facts.get("state") == State.OVER.value:
            self.state = State.OVER
        elif client_id := facts.get("client_id"):
            self.state, self.owner = State.AWAY, Owner(client_id, facts.get("label", ""))
        self._move(Event.RESTARTED)
        self._deadline = now + GRACE if self.state is State.AWAY else None
        return self

    # -- in one place

    def _move(self, event: Event, asker: Client | None = None) -> None:
        step = advance(self.state, event)
        self.state = step.state
        if step.owner is Whose.NOBODY:
            self.owner = None
        if asker is not None and (step.owner is Whose.ASKER or self._is_newer(asker)):
            self.owner = asker.owner
            self._connection = asker.connection
        if self.state is not State.HELD:
            self._connection = None
        if self.state is not State.AWAY:
            self._deadline = None

    def is_held_by(self, client_id: str, connection: int) -> bool:
        """Whether a claim or takeover by this connection would change nothing."""
        return (
            self._connection == connection
            and self.owner is not None
            and (self.owner.client_id == client_id)
        )

    def _is_newer(self, asker: Client) -> bool:
        """Whether the owner speaks on another connection, not on one that was replaced."""
        bound = self._connection
        return self._owned_by(asker) and (bound is None or asker.connection > bound)

    def _owned_by(self, client: Client) -> bool:
        return self.owner is not None and self.owner.client_id == client.client_id

    def _gained(
        self,
        client: Client,
        previous: Owner | None,
        reason: Reason,
        *,
        note: str = "",
        before: tuple[OwnerChanged, ...],
    ) -> Decision:
        changed = OwnerChanged(self.session, self.owner, previous, reason, note)
        return Decision(events=(*before, changed), size=self._sizes.get(client.connection))

    def _freed(self, event: Event, reason: Reason) -> Decision:
        previous = self.owner
        self._move(event)
        if previous is None:
            return Decision()
        return Decision(events=(OwnerChanged(self.session, None, previous, reason),))

    def _refusal(self, now: float) -> OwnerRequired:
        assert self.owner is not None  # nobody is refused a free session
        shown = self.owner.shown
        if self._deadline is not None:
            shown += f" (away, keeps it for {math.ceil(self._deadline - now)} s)"
        return OwnerRequired(session=self.session, owner=shown)
