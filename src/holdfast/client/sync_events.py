"""What happens to sessions, as blocking code hears it."""

from collections.abc import Iterator
from typing import Self

from holdfast.client.follow import Follow, Listener
from holdfast.client.steps import Steps
from holdfast.protocol.messages import Event


class Events:
    """What happens: iterate over it. Each event comes once and in order, across every outage."""

    def __init__(self, steps: Steps, follow: Follow, since: int | None, session: str) -> None:
        self._steps = steps
        self._follow = follow
        self._asked = since, session
        self._listener: Listener | None = None

    @property
    def missed(self) -> bool:
        """Whether some after *since* may be no longer kept; known with the first item."""
        return self._listener is not None and self._listener.missed

    @property
    def oldest(self) -> int:
        """The number of the oldest event that is kept; known with the first item."""
        return self._listener.oldest if self._listener is not None else 0

    def begin(self) -> None:
        """Listen from now on, not only from the first item on."""
        listener = self._heard()
        self._steps.until(lambda: listener.was_begun or listener.error is not None)

    def kept(self) -> Iterator[Event]:
        """Yield what has happened up to now."""
        listener = self._heard()
        while True:
            self._steps.until(lambda: listener.has_news or listener.is_caught_up)
            if not listener.has_news:
                return
            yield next(self)

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        listener = self._heard()
        self._steps.until(lambda: listener.has_news)
        event = listener.take()
        if event is not None:
            return event
        assert listener.error is not None
        raise listener.error

    def close(self) -> None:
        """Listen no longer."""
        listener, self._listener = self._listener, None
        if listener is not None:
            self._follow.leave(listener)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def _heard(self) -> Listener:
        self._steps.refuse_while_preparing()
        if self._listener is None:
            self._listener = self._follow.listen(*self._asked)
        return self._listener
