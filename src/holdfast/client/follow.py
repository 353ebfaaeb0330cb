"""Events of a client: one subscription on each connection, for all who listen. Pure."""

from collections import deque
from collections.abc import Callable

from holdfast.client.calls import Result
from holdfast.client.core import Core, Heard
from holdfast.errors import HoldfastError, NotConnected
from holdfast.protocol.messages import Event, Subscribe, Subscribed


class Listener:
    """One who hears every event after a number, or from now on, once and in order."""

    def __init__(self, since: int | None, session: str) -> None:
        self.cursor = since
        """The number up to which everything was heard; None until that is known."""
        self.missed = False
        """Some after the number may be no longer kept."""
        self.error: HoldfastError | None = None
        self.changed: Callable[[], None] = lambda: None
        self._session = session
        self._events: deque[Event] = deque()

    @property
    def has_news(self) -> bool:
        return bool(self._events) or self.error is not None

    def take(self) -> Event | None:
        return self._events.popleft() if self._events else None

    def begin(self, subscribed: Subscribed) -> None:
        if self.cursor is None:
            self.cursor = subscribed.newest
        elif subscribed.missed:
            self.missed = True

    def hear(self, event: Event) -> None:
        if self.cursor is None or event.number <= self.cursor:
            return  # told for somebody who was further behind
        self.cursor = event.number
        if self._session in ("", event.session):
            self._events.append(event)
            self.changed()

    def fail(self, error: HoldfastError) -> None:
        self.error = error
        self.changed()


class Follow:
    """The subscription; it exists while somebody listens."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._listeners: list[Listener] = []

    def listen(self, since: int | None, session: str) -> Listener:
        """Return somebody who hears from now on; forget it with `leave`."""
        listener = Listener(since, session)
        self._listeners.append(listener)
        if len(self._listeners) == 1:
            self._core.add(self)
        elif self._core.is_online:
            self.begin()
        return listener

    def leave(self, listener: Listener) -> None:
        self._listeners.remove(listener)
        if not self._listeners:
            self._core.remove(self)

    # -- for the core

    def begin(self) -> None:
        known = [each.cursor for each in self._listeners if each.cursor is not None]
        self._core.ask(Subscribe(since=min(known, default=None)), self._answered)

    def hear(self, heard: Heard) -> None:
        if isinstance(heard, Event):
            for listener in self._listeners:
                listener.hear(heard)

    def lost(self, error: HoldfastError) -> None:
        pass  # it begins again where each of them is

    def over(self, error: HoldfastError) -> None:
        for listener in self._listeners:
            listener.fail(error)

    def _answered(self, result: Result) -> None:
        if isinstance(result, Subscribed):
            for listener in self._listeners:
                listener.begin(result)
        elif isinstance(result, HoldfastError) and not isinstance(result, NotConnected):
            self.over(result)
