"""Events of a client: one subscription on each connection, for all who listen. Pure."""

from collections import deque
from collections.abc import Callable
from functools import partial

from holdfast.client.calls import Result
from holdfast.client.core import Core, Heard
from holdfast.errors import HoldfastError, NotConnected
from holdfast.protocol.messages import CaughtUp, Event, Get, SessionInfo, Subscribe, Subscribed

# Events that wait for one who listens. Beyond them the rest is not heard: the daemon keeps
# them, and they are asked for again once these are taken.
ROOM = 10_000


class Listener:
    """One who hears every event after a number, or from now on, once and in order."""

    def __init__(self, since: int | None, session: str, drained: Callable[[], None]) -> None:
        self.cursor = since
        """The number up to which everything was heard; None until that is known."""
        self.session = session
        """Whose events, none for all: an id once `is_found`, until then perhaps a name."""
        self.is_found = not session
        self.missed = False
        """Some after the number may be no longer kept; `oldest` is the first that is."""
        self.oldest = 0
        self.is_begun = False
        """What is told now follows what was heard before."""
        self.is_full = False
        self.was_begun = False
        self.is_caught_up = False
        """Everything was heard that had happened when it began to listen."""
        self.error: HoldfastError | None = None
        self.changed: Callable[[], None] = lambda: None
        self._events: deque[Event] = deque()
        self._drained = drained

    @property
    def has_news(self) -> bool:
        return bool(self._events) or self.error is not None

    def take(self) -> Event | None:
        if not self._events:
            return None
        event = self._events.popleft()
        if self.is_full and not self._events:
            self.is_full = False
            self._drained()
        return event

    def begin(self, subscribed: Subscribed) -> None:
        self.is_begun = self.was_begun = True
        self.oldest = subscribed.oldest
        if self.cursor is None:
            self.cursor = subscribed.newest
        elif subscribed.missed:
            self.missed = True
        self.changed()

    def hear(self, told: Event | CaughtUp) -> None:
        if not self.is_begun or self.cursor is None:
            return  # told by a subscription before, for others
        if isinstance(told, CaughtUp):
            self.cursor = max(self.cursor, told.number)
            self.is_caught_up = True
        elif told.number <= self.cursor:
            return  # told for somebody who was further behind
        elif self.session in ("", told.session):
            if len(self._events) >= ROOM:
                self.is_full, self.is_begun = True, False
                return
            self.cursor = told.number
            self._events.append(told)
        else:
            self.cursor = told.number
        self.changed()

    def fail(self, error: HoldfastError) -> None:
        self.error = error
        self.changed()


class Follow:
    """The subscription; it exists while somebody listens."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._listeners: list[Listener] = []
        self._newest = 0  # the number of subscriptions asked for

    def listen(self, since: int | None, session: str) -> Listener:
        """Return somebody who hears from now on; forget it with `leave`."""
        listener = Listener(since, session, self._go_on)
        self._listeners.append(listener)
        if len(self._listeners) == 1:
            self._core.add(self)
        else:
            self._go_on()
        return listener

    def leave(self, listener: Listener) -> None:
        self._listeners.remove(listener)
        if not self._listeners:
            self._core.remove(self)

    # -- for the core

    def begin(self) -> None:
        """Subscribe for all who have room, from where the last of them is."""
        for listener in self._listeners:
            if not listener.is_found:
                self._core.ask(Get(session=listener.session), partial(self._found, listener))
        wanting = [each for each in self._listeners if each.is_found and not each.is_full]
        if not wanting:
            return
        known = [each.cursor for each in wanting if each.cursor is not None]
        sessions = {each.session for each in wanting}
        session = sessions.pop() if len(sessions) == 1 else ""
        asked = Subscribe(since=min(known, default=None), session=session)
        self._newest += 1
        self._core.ask(asked, partial(self._answered, self._newest, wanting))

    def hear(self, heard: Heard) -> None:
        if isinstance(heard, Event | CaughtUp):
            for listener in self._listeners:
                listener.hear(heard)

    def lost(self, _error: HoldfastError) -> None:
        pass  # it begins again where each of them is

    def over(self, error: HoldfastError) -> None:
        for listener in self._listeners:
            listener.fail(error)

    def _go_on(self) -> None:
        if self._core.is_online:
            self.begin()

    def _found(self, listener: Listener, result: Result) -> None:
        if listener.is_found or listener not in self._listeners:
            return
        if isinstance(result, SessionInfo):
            listener.session, listener.is_found = result.id, True
            self._go_on()
        elif isinstance(result, HoldfastError) and not isinstance(result, NotConnected):
            listener.fail(result)

    def _answered(self, number: int, asked: list[Listener], result: Result) -> None:
        if number != self._newest:
            return  # another has replaced it already, and may leave out what this one announced
        for listener in asked:
            if isinstance(result, Subscribed):
                listener.begin(result)
            elif isinstance(result, HoldfastError) and not isinstance(result, NotConnected):
                listener.fail(result)
