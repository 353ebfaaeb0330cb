"""Both clients behind one face, so that one suite holds for both.

The blocking one does each call in a thread of its own, as blocking code in an asynchronous
program would; nothing of the library is replaced.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import holdfast
import holdfast.blocking

TWINS = ("asyncio", "blocking")


def run(work: Coroutine[Any, Any, None], timeout: float = 60.0) -> None:
    """Run a test's coroutine; one that hangs fails."""

    async def bounded() -> None:
        async with asyncio.timeout(timeout):
            await work

    asyncio.run(bounded())


class Bridge:
    """A blocking object whose methods are awaited."""

    def __init__(self, pool: ThreadPoolExecutor, inner: Any) -> None:
        self.pool = pool
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if not callable(found):
            return found

        def later(*arguments: Any, **named: Any) -> Any:
            if name in ("output", "events", "states"):
                return Stream(self.pool, lambda: found(*arguments, **named))
            return self.within(lambda: found(*arguments, **named))

        return later

    async def within(self, work: Callable[[], Any]) -> Any:
        result = await asyncio.get_running_loop().run_in_executor(self.pool, work)
        return (
            Bridge(self.pool, result) if isinstance(result, holdfast.blocking.Session) else result
        )


class Stream:
    """A blocking iterator, iterated over asynchronously."""

    def __init__(self, pool: ThreadPoolExecutor, make: Callable[[], Any]) -> None:
        self.pool = pool
        self.make = make
        self.inner: Any = None
        self.iterator: Iterator[Any]

    async def _within(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.pool, work)

    def __aiter__(self) -> "Stream":
        return self

    async def __anext__(self) -> Any:
        if self.inner is None:
            self.inner = await self._within(self.make)
            self.iterator = iter(self.inner)
        found = await self._within(lambda: next(self.iterator, None))
        if found is None:
            raise StopAsyncIteration
        return found

    async def aclose(self) -> None:
        if self.inner is not None:
            await self._within(self.inner.close)

    @property
    def end(self) -> Any:
        return self.inner.end

    @property
    def attached(self) -> Any:
        return self.inner.attached

    @property
    def missed(self) -> Any:
        return self.inner.missed

    @property
    def mismatches(self) -> Any:
        return self.inner.mismatches


@asynccontextmanager
async def connected(twin: str, **options: Any) -> AsyncIterator[Any]:
    """A client of either kind."""
    if twin == "asyncio":
        async with holdfast.connect(**options) as client:
            yield client
        return
    if callback := options.get("on_reconnect"):
        options["on_reconnect"] = lambda caller: asyncio.run(callback(Early(caller)))
    with ThreadPoolExecutor(1) as pool:
        bridge = Bridge(pool, holdfast.blocking.connect(**options))
        loop = asyncio.get_running_loop()
        bridge.inner = await loop.run_in_executor(pool, bridge.inner.__enter__)
        try:
            yield bridge
        finally:
            await loop.run_in_executor(pool, bridge.inner.close)


class Early:
    """Who prepares a connection of the blocking client, awaited."""

    def __init__(self, caller: Any) -> None:
        self._caller = caller

    async def call(self, *arguments: Any, **named: Any) -> Any:
        return self._caller.call(*arguments, **named)

    async def list(self) -> Any:
        return self._caller.list()

    async def register(self, session: str) -> Any:
        return self._caller.register(session)
