"""Events, each once and in order, whatever happens to the daemon meanwhile."""

from collections.abc import Iterator

from holdfast.client.blocking import Client
from holdfast.errors import NotConnected
from holdfast.protocol.messages import CaughtUp, Event, Subscribe, Subscribed

LISTEN = 3600.0  # seconds of one wait; nothing happens when it is over


class Subscription:
    """The events after a number, or from now on. Iterate over it, once.

    It subscribes again, with the last number it has, on each new connection of its client,
    which may be used for calls meanwhile. A client has one subscription at a time.
    """

    def __init__(self, client: Client, since: int | None = None, session: str = "") -> None:
        self._client = client
        self._session = session
        subscribed = self._subscribe(since)
        self.missed = subscribed.missed
        """Whether some after *since* may be no longer kept; `oldest` is the first that is."""
        self.oldest = subscribed.oldest
        self.cursor = subscribed.newest if since is None else since
        """The number up to which everything has been yielded."""

    def kept(self) -> Iterator[Event]:
        """Yield what has happened up to now."""
        for each in self._all():
            if isinstance(each, CaughtUp):
                return
            yield each

    def __iter__(self) -> Iterator[Event]:
        """Yield what has happened and what will; this ends only with an error."""
        for each in self._all():
            if isinstance(each, Event):
                yield each

    def _all(self) -> Iterator[Event | CaughtUp]:
        while True:
            for message in self._client.told():
                if isinstance(message, Event | CaughtUp):
                    self.cursor = message.number
                    yield message
            self._go_on()

    def _go_on(self) -> None:
        """Wait for more; a connection that has ended is followed by another."""
        if self._client.connections == self._connection:
            try:
                self._client.hear(LISTEN)
            except NotConnected:
                self._client.reconnect()
        else:
            self._subscribe(self.cursor)

    def _subscribe(self, since: int | None) -> Subscribed:
        subscribed = self._client.call(Subscribe(since=since, session=self._session))
        self._connection = self._client.connections
        return subscribed
