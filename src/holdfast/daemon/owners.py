"""Who owns which session: asks the table of `session.ownership`, and does what it decides.

Each change is written into the session's record, an event and an audit row, and whoever
lost a session is told. Nothing is kept here that a new daemon could not find in the records.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from holdfast.daemon.record import Record
from holdfast.daemon.records import Records
from holdfast.daemon.scribe import Scribe
from holdfast.errors import HoldfastError, OwnerRequired
from holdfast.protocol.daemon_end import DaemonEnd
from holdfast.protocol.messages import Lost, Message, Role
from holdfast.session.claims import Client, Decision, OwnerChanged, Reason
from holdfast.session.ownership import Ownership
from holdfast.types import Size


class Doing(Protocol):
    """What a change of owner leads to in a session."""

    def changed(self, record: Record) -> None:
        """Its record is to be written down."""

    def sized(self, record: Record, size: Size) -> None:
        """Its terminal is to have this size."""

    def refused(self, record: Record, error: Callable[[], HoldfastError]) -> None:
        """What its former owner typed and its program has not got yet is refused."""


class Owners:
    """The claims of all sessions, and the connections they are bound to."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        records: Records,
        scribe: Scribe,
        doing: Doing,
        tell: Callable[[int, Message], None],
    ) -> None:
        self._loop = loop
        self._records = records
        self._scribe = scribe
        self._doing = doing
        self._tell = tell
        self._claims: dict[str, Ownership] = {}
        self._here: dict[str, DaemonEnd] = {}  # the control clients that are connected
        self._timer: asyncio.TimerHandle | None = None
        self.denied = 0
        """Requests refused because somebody else owns the session."""

    # -- what clients ask

    def change(self, client: DaemonEnd, record: Record, *, takeover: bool = False) -> None:
        """Let *client* change a session that is free or its own; raise OwnerRequired.

        A mirrored one stays its client's: others may name it or clear it away, if they insist.
        """
        if record.mirrored and (takeover or self.owner(record) is None):
            return
        self._claim(client, record, Reason.CHANGED, takeover=takeover)

    def registered(self, client: DaemonEnd, record: Record) -> None:
        """Who registers a mirrored session owns it; whoever did before is told."""
        self._do(record, self._of(record).takeover(_asker(client), now=clock(), note="registered"))

    def claim(self, client: DaemonEnd, record: Record) -> None:
        self._claim(client, record, Reason.CLAIMED)

    def created(self, client: DaemonEnd, record: Record) -> None:
        """Who creates a session owns it; who finds one may be refused, and looks on."""
        try:
            self._claim(client, record, Reason.CREATED)
        except OwnerRequired:
            pass

    def takeover(self, client: DaemonEnd, record: Record, reason: str) -> None:
        decision = self._of(record).takeover(_asker(client), now=clock(), note=reason)
        self._do(record, decision)

    def release(self, client: DaemonEnd, record: Record) -> None:
        self._do(record, self._of(record).release(_asker(client)))

    def owns(self, client: DaemonEnd, record: Record) -> bool:
        """Whether a session is the client's; it may be free."""
        owner = self.owner(record)
        return owner is not None and owner[0] == client.client_id

    def may_size(self, client: DaemonEnd, record: Record, size: Size) -> bool:
        """Whether a session is to have the size of this client's terminal; it is remembered."""
        if self.owner(record) is None:
            self._claim(client, record, Reason.CHANGED)
        return self._of(record).remember_size(_asker(client), size) is not None

    def owner(self, record: Record) -> tuple[str, str] | None:
        """Return client id and label of who owns a session."""
        client_id = record.owner.get("client_id")
        return (client_id, record.owner.get("label") or client_id) if client_id else None

    # -- what connections do

    def arrived(self, client: DaemonEnd) -> None:
        """A client is connected: what it owned it owns by this connection."""
        if client.role is Role.CONTROL:
            self._here[client.client_id] = client
        for record in self._owned_by(client):
            self._do(record, self._of(record).returned(_asker(client), now=clock()))

    def left(self, client: DaemonEnd, on_purpose: bool) -> None:
        """A connection is over: at a goodbye its claims are, too."""
        number = client.connection
        if self._here.get(client.client_id) is client:
            del self._here[client.client_id]
        for record in self._owned_by(client):
            claims = self._of(record)
            decision = claims.goodbye(number) if on_purpose else claims.broke(number, now=clock())
            self._do(record, decision)
        self._look_later()

    # -- what happens by itself

    def ended(self, record: Record) -> None:
        """A session is over; its next life begins with a new claim."""
        self._do(record, self._of(record).ended())
        self._claims.pop(record.id, None)
        record.owner = {}

    def resumed(self, record: Record) -> None:
        """A daemon begins with a session that somebody owned: the time to come back is new.

        Unless they are back already: clients do not wait until all sessions are handed over.
        """
        if not record.owner:
            return
        claims = self._of(record)
        if (owner := self._here.get(record.owner.get("client_id", ""))) is not None:
            self._do(record, claims.returned(_asker(owner), now=clock()))
        elif self._timer is None:  # else it is for one that is due sooner
            self._look_later()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- in one place

    def _claim(
        self, client: DaemonEnd, record: Record, reason: Reason, *, takeover: bool = False
    ) -> None:
        claims = self._of(record)
        if claims.is_held_by(client.client_id, client.connection):
            return  # as with nearly every key
        if takeover:
            self._do(record, claims.takeover(_asker(client), now=clock()))
            return
        decision = claims.claim(_asker(client), now=clock(), reason=reason)
        self._do(record, decision)
        if decision.refusal is not None:
            self.denied += 1
            raise decision.refusal

    def _of(self, record: Record) -> Ownership:
        known = self._claims.get(record.id)
        if known is None:
            known = Ownership.after_restart(record.id, record.owner, now=clock())
            self._claims[record.id] = known
        return known

    def _owned_by(self, client: DaemonEnd) -> list[Record]:
        if client.role is not Role.CONTROL:
            return []
        records = self._records.by_id.values()
        return [one for one in records if one.owner.get("client_id") == client.client_id]

    def _do(self, record: Record, decision: Decision) -> None:
        for event in decision.events:
            self._note(record, event)
        if decision.lost is not None:
            lost = Lost(session=record.id, reason=decision.lost.reason)
            self._tell(decision.lost.connection, lost)
            owner = (self.owner(record) or ("", ""))[1]
            self._doing.refused(record, lambda: OwnerRequired(session=record.id, owner=owner))
        if decision.size is not None:
            self._doing.sized(record, decision.size)

    def _note(self, record: Record, event: OwnerChanged) -> None:
        record.owner = self._of(record).to_dict() if event.owner is not None else {}
        who = event.owner.shown if event.owner else ""
        before = event.previous.shown if event.previous else ""
        facts = {"owner": who, "previous": before, "reason": event.reason.value}
        if event.note:
            facts["note"] = event.note
        self._scribe.event(record, "owner_changed", time.time(), **facts)
        self._scribe.audit(record, who or before, "owner_changed", facts)
        self._doing.changed(record)

    def _look_later(self) -> None:
        deadlines = (claims.deadline() for claims in self._claims.values())
        soonest = min((one for one in deadlines if one is not None), default=None)
        self.close()
        if soonest is not None:
            # A timer stands while the machine sleeps, the clock of claims does not: then it
            # is late, and whoever asks before it is answered by the clock.
            self._timer = self._loop.call_later(max(0.0, soonest - clock()), self._expire)

    def _expire(self) -> None:
        for session, claims in list(self._claims.items()):
            record = self._records.by_id.get(session)
            if record is not None:
                self._do(record, claims.expire(clock()))
        self._look_later()


def clock() -> float:
    """Return seconds of a clock that goes on while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _asker(client: DaemonEnd) -> Client:
    return Client(client.client_id, client.label, client.connection)
