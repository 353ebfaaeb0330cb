"""Who is connected and who sits on which seat; whatever a tab is told or asked goes through here.

It knows no socket: what is sent goes into one callable. Handlers belong to the host, not to a
connection: they are recorded once, by event, and serve whatever tab is active. Each connection
has an epoch, and whoever attaches, detaches or answers names it, so what comes late affects
nothing that is newer.

    attach → active → gone            the newest of its seat: told and heard
                ↘ superseded → gone   told so, and then neither told nor heard
"""

import enum
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from holdfast.errors import UnknownRequest
from holdfast.host.watchdog import Watchdog

logger = logging.getLogger(__name__)

SUPERSEDED = "another tab has taken its place"


class Standing(enum.Enum):
    """What a connection is to the host."""

    ACTIVE = "active"
    SUPERSEDED = "superseded"
    GONE = "gone"


class Tab:
    """One connection of a browser."""

    def __init__(self, *, connection: str, epoch: int, seat: str, client_id: str) -> None:
        self.connection = connection
        """The socket's name for it."""
        self.epoch = epoch
        self.seat = seat
        """`/`, `s/ID`, or empty for a share link, which takes nobody's place."""
        self.client_id = client_id
        self.standing = Standing.ACTIVE
        self.reason = ""
        """Why it is no longer active; the first reason is the one that stays."""

    @property
    def is_active(self) -> bool:
        return self.standing is Standing.ACTIVE


class Attached(NamedTuple):
    """A tab that was let in, and those that it has replaced."""

    tab: Tab
    superseded: list[Tab]


Emit = Callable[[str, str, object], None]
"""Send an event with its payload to a connection. It neither waits nor raises."""
Handler = Callable[[Tab, object], Awaitable[object]]


class Registry:
    """All tabs of one host."""

    def __init__(self, *, emit: Emit, watchdog: Watchdog) -> None:
        self._emitter = emit
        self._watchdog = watchdog
        self._handlers: dict[str, Handler] = {}
        self._tabs: dict[str, Tab] = {}
        self._seats: dict[str, Tab] = {}
        self._epoch = 0

    # -- handlers

    def on(self, event: str, handler: Handler) -> None:
        """Have *handler* answer *event*, of tabs that are here and of those to come."""
        if event in self._handlers:
            raise ValueError(f"{event!r} has a handler already")
        self._handlers[event] = handler

    async def receive(self, connection: str, event: str, payload: object, now: float) -> object:
        """Return what the handler answers; None for who is not, or no longer, listened to."""
        tab = self._tabs.get(connection)
        if tab is None or not tab.is_active:
            logger.debug("%s of a tab that is not active is dropped", event)
            return None
        self._watchdog.heard(now)
        handler = self._handlers.get(event)
        if handler is None:
            raise UnknownRequest(kind=event)
        reply = await handler(tab, payload)
        if tab.standing is not Standing.ACTIVE:  # not the same as before: time has passed
            logger.debug(
                "the reply to %s is dropped: tab %d is %s", event, tab.epoch, tab.standing.value
            )
            return None
        return reply

    # -- who comes and goes

    def attach(self, connection: str, *, seat: str, client_id: str, now: float) -> Attached:
        """Let a tab in; who sat on its seat, or has its client id, is told and heard no more."""
        self._epoch += 1
        tab = Tab(connection=connection, epoch=self._epoch, seat=seat, client_id=client_id)
        replaced = [other for other in self.tabs() if _replaces(tab, other)]
        for other in replaced:
            self._supersede(other, now)
        self._tabs[connection] = tab
        if seat:
            self._seats[seat] = tab
        self._watchdog.attached(now)
        logger.info("tab %d attached to %s", tab.epoch, seat or "a share link")
        return Attached(tab, replaced)

    def detach(self, epoch: int, *, reason: str, now: float) -> Tab | None:
        """The connection of that epoch has ended; returns its tab, None if that is known."""
        found = [tab for tab in self._tabs.values() if tab.epoch == epoch]
        if not found:
            return None
        (tab,) = found
        del self._tabs[tab.connection]
        if tab.is_active:
            self._leave(tab, now)
        tab.standing = Standing.GONE
        tab.reason = tab.reason or reason
        logger.info("tab %d detached: %s", epoch, tab.reason)
        return tab

    def tab_of(self, connection: str) -> Tab | None:
        """Return the tab of a connection, also of one that was superseded."""
        return self._tabs.get(connection)

    def active(self, seat: str) -> Tab | None:
        """Return who sits on a seat."""
        return self._seats.get(seat)

    def tabs(self) -> list[Tab]:
        """Return those that are told things, oldest first."""
        return [tab for tab in self._tabs.values() if tab.is_active]

    # -- what they are told

    def tell(self, tab: Tab, event: str, payload: object) -> None:
        """Tell one tab, if it is still to be told anything."""
        if tab.is_active:
            self._emitter(tab.connection, event, payload)
        else:
            logger.debug("%s for tab %d is dropped: it is %s", event, tab.epoch, tab.standing.value)

    def tell_seat(self, seat: str, event: str, payload: object) -> None:
        """Tell whoever sits on a seat."""
        tab = self._seats.get(seat)
        if tab is None:
            logger.debug("%s is dropped: nobody sits on %s", event, seat)
        else:
            self.tell(tab, event, payload)

    def tell_all(self, event: str, payload: object) -> None:
        """Tell every tab that is active."""
        for tab in self.tabs():
            self.tell(tab, event, payload)

    # -- inside

    def _supersede(self, tab: Tab, now: float) -> None:
        tab.reason = SUPERSEDED
        self.tell(tab, "superseded", {"reason": SUPERSEDED})
        tab.standing = Standing.SUPERSEDED
        self._leave(tab, now)
        logger.info("tab %d superseded", tab.epoch)

    def _leave(self, tab: Tab, now: float) -> None:
        """Take an active tab from its seat."""
        if self._seats.get(tab.seat) is tab:
            del self._seats[tab.seat]
        self._watchdog.detached(now)


def _replaces(tab: Tab, other: Tab) -> bool:
    """Whether a new tab takes another one's place: the same seat, or a copy of the tab.

    A duplicated tab has its client id; the daemon would let only one of them in.
    """
    if not tab.seat or not other.seat:
        return False
    return tab.seat == other.seat or tab.client_id == other.client_id
