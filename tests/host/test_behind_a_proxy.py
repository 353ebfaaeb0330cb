"""A host behind a proxy, which browsers see at another address than it listens at."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import pytest

from holdfast.host import records
from holdfast.host.places import record_directory
from tests.support.home import Home
from tests.support.hosting import open_tab, running_host
from tests.support.twins import run

pytestmark = pytest.mark.slow


class Proxy:
    """Hands connections on, as a mapped port does."""

    def __init__(self) -> None:
        self.port = 0
        self.inner = 0
        self._sinks: set[asyncio.StreamWriter] = set()

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["Proxy"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self
            for sink in self._sinks:
                sink.close()
                with contextlib.suppress(ConnectionError):
                    await sink.wait_closed()

    async def _serve(self, outside: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        inside, there = await asyncio.open_connection("127.0.0.1", self.inner)
        self._sinks |= {back, there}
        await asyncio.gather(_pass_on(outside, there), _pass_on(inside, back))


async def _pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    sink.close()


def test_pages_find_it_where_the_proxy_has_it(home: Home) -> None:
    async def work() -> None:
        async with Proxy().serving() as proxy:
            url = f"http://127.0.0.1:{proxy.port}/term/"
            with running_host(home, "--url", url, "--", "cat", logged_in=False) as host:
                (record,) = records.running(record_directory(home.paths))
                proxy.inner = record.port
                assert (host.url, record.public) == (url, url)
                await asyncio.to_thread(host.login)
                async with open_tab(host) as tab:
                    session = tab.last("layout")["chosen"]
                    assert f"--url {url}" in tab.last("init")["command"]
                    await tab.attach(1, session)
                    await tab.type(session, b"through\n")
                    await tab.shows(1, b"through", 2)
                    link = await asyncio.to_thread(home.hold, "share", session, "--json")
                    assert json.loads(link)["url"].startswith(f"{url}#/share/{session}?code=")

    run(work())


def test_without_being_told_of_a_proxy_it_is_reached_by_none(home: Home) -> None:
    async def work() -> None:
        async with Proxy().serving() as proxy:
            with running_host(home) as host:
                proxy.inner = host.port
                host.url = f"http://127.0.0.1:{proxy.port}/"
                refused = await asyncio.to_thread(host.refused, "api/status")
                assert refused == (403, "PERMISSION_DENIED")

    run(work())
