"""What happens to sessions, as asyncio code hears it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Self

from holdfast.client.follow import Follow, Listener
from holdfast.client.wire import Wire
from holdfast.protocol.messages import Event


class Events:
    """What happens: iterate over it. Each event comes once and in order, across every outage."""

    def __init__(self, wire: Wire, follow: Follow, since: int | None, session: str) -> None:
        self._wire = wire
        self._follow = follow
        self._asked = since, session
        self._listener: Listener | None = None
        self._news = asyncio.Event()

    @property
    def missed(self) -> bool:
        """Whether some after *since* may be no longer kept; known with the first item."""
        return self._listener is not None and self._listener.missed

    @property
    def oldest(self) -> int:
        """The number of the oldest event that is kept; known with the first item."""
        return self._listener.oldest if self._listener is not None else 0

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        self._wire.refuse_while_preparing()
        if self._listener is None:
            self._listener = self._follow.listen(*self._asked)
            self._listener.changed = self._news.set
            self._wire.settle()
        listener = self._listener
        while True:
            self._news.clear()
            if (event := listener.take()) is not None:
                self._wire.settle()
                return event
            if listener.error is not None:
                raise listener.error
            await self._news.wait()

    async def aclose(self) -> None:
        """Listen no longer."""
        self._leave()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    def __del__(self) -> None:
        self._leave()

    def _leave(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            self._follow.leave(listener)
