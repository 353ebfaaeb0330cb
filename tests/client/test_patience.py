"""Nobody waits longer than he said, or for what cannot come."""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import holdfast
from holdfast import Kind, blocking
from holdfast.client import aio, sync
from holdfast.errors import LocalProtocolError, NotConnected, TimedOut
from holdfast.protocol.messages import Created
from tests.support.home import Home, running_home

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with running_home(tmp_path / "h") as home:
        yield home


def stop(home: Home) -> None:
    home.hold("daemon", "stop", "--yes")


def test_a_wait_for_an_end_is_over_in_time_without_a_daemon(home: Home) -> None:
    with blocking.connect(environ=home.environ) as client:
        session = client.create("sleep", "600")
        stop(home)
        begin = time.monotonic()
        with pytest.raises(TimedOut):
            session.wait(timeout=0.2)
        assert time.monotonic() - begin < 5


def test_an_asynchronous_wait_is_over_in_time_without_a_daemon(home: Home) -> None:
    async def scene() -> None:
        async with holdfast.connect(environ=home.environ) as client:
            session = await client.create("sleep", "600")
            await asyncio.to_thread(stop, home)
            with pytest.raises(TimedOut):
                await session.wait(timeout=0.2)

    asyncio.run(asyncio.wait_for(scene(), 15))


def test_both_twins_say_in_the_same_way_that_no_connection_came(home: Home) -> None:
    async def scene() -> None:
        async with holdfast.connect(environ=home.environ, autostart=False) as client:
            with pytest.raises(TimedOut):
                await client.online(timeout=0.1)

    asyncio.run(scene())
    with (
        blocking.connect(environ=home.environ, autostart=False) as client,
        pytest.raises(TimedOut),
    ):
        client.online(timeout=0.1)


def test_a_call_that_was_cancelled_is_not_made_later(home: Home) -> None:
    asked = home.create_request("sleep", "600")

    async def scene() -> None:
        async with holdfast.connect(environ=home.environ, autostart=False) as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await client.call(asked, Created, wait=True)
            async with holdfast.connect(environ=home.environ):
                client.retry_now()
                await client.online(timeout=10)
                assert await client.list() == []

    asyncio.run(scene())


@pytest.mark.filterwarnings("error")
def test_whoever_is_cancelled_while_he_connects_leaves_no_socket_open(home: Home) -> None:
    home.hold("ls")

    async def scene(delay: float) -> None:
        connecting = asyncio.create_task(holdfast.connect(environ=home.environ).__aenter__())
        await asyncio.sleep(delay)
        connecting.cancel()
        try:
            await (await connecting).close()
        except asyncio.CancelledError:
            pass

    before = home.open_files(os.getpid())
    for tenths in range(40):  # of a millisecond: connecting takes two
        asyncio.run(scene(tenths / 10_000))
    assert home.open_files(os.getpid()) == before


def test_a_call_fails_with_the_connection_that_it_prepares(home: Home) -> None:
    runs: list[str] = []

    def prepare(caller: sync.Caller) -> None:
        runs.append("")
        if len(runs) == 1:
            session = caller.create("sleep", "600")
            home.next_daemon(home.kill_daemon())
            for _ in range(2):
                with pytest.raises(NotConnected):
                    session.wait()
            raise NotConnected(reason="it is gone")

    with blocking.connect(environ=home.environ, on_reconnect=prepare) as client:
        assert client.state.kind is Kind.ONLINE
        assert len(client.list()) == 1
    assert len(runs) == 2


def test_what_streams_does_not_wait_for_a_connection_that_is_being_prepared(home: Home) -> None:
    refused: list[LocalProtocolError] = []

    def prepare(caller: sync.Caller) -> None:
        session = caller.create("sleep", "600")
        for action in (session.snapshot, lambda: session.write(b"x"), lambda: session.send("x")):
            with pytest.raises(LocalProtocolError) as caught:
                action()
            refused.append(caught.value)

    async def aprepare(caller: aio.Caller) -> None:
        session = await caller.create("sleep", "600")
        for action in (session.snapshot(), session.write(b"x"), session.send("x")):
            with pytest.raises(LocalProtocolError) as caught:
                await action
            refused.append(caught.value)

    async def scene() -> None:
        async with holdfast.connect(environ=home.environ, on_reconnect=aprepare) as client:
            assert client.state.kind is Kind.ONLINE

    with blocking.connect(environ=home.environ, on_reconnect=prepare) as client:
        assert client.state.kind is Kind.ONLINE
    asyncio.run(scene())
    assert len(refused) == 6
