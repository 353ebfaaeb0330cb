"""Mirrored sessions in both libraries: registered, sent, known again after a death."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import NotConnected
from holdfast.protocol.messages import CommandRecord, Output
from tests.support.home import Home, running_home
from tests.support.twins import TWINS, connected, run


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with running_home(tmp_path / "h") as running:
        yield running


@pytest.mark.parametrize("twin", TWINS)
def test_a_program_of_ones_own_is_mirrored_and_its_commands_are_told(home: Home, twin: str) -> None:
    async def scene() -> None:
        async with connected(twin, environ=home.environ, kind="wrap") as client:
            mirror = await client.register(
                "m1rr0r", "bash", "-i", cwd="/tmp", size=(100, 30), attributes={"shell": "bash"}
            )
            assert (mirror.outcome, mirror.end) == ("registered", 0)
            await send_all(twin, client, mirror)
            session = await client.attach("m1rr0r")
            assert (session.info.mirrored, session.info.cols) == (True, 100)
            assert [one.line for one in await session.commands(last=5)] == ["make"]
            assert "$ make\n  exit 2" in await session.context(last=1)
            again = await client.register("m1rr0r")
            assert (again.outcome, again.end) == ("re-registered", 12)

    run(scene())
    with home.client() as client:
        assert client.call(Output(session="m1rr0r")).data == b"$ "


async def send_all(twin: str, client: Any, mirror: Any) -> None:
    """Send two bytes, a gap and a record, by the object or, in a thread of its own, its twin."""
    record = CommandRecord(id="1", line="make", started=1.0, ended=2.0, exit_code=2)
    if twin == "asyncio":
        assert await mirror.append(0, b"$ ") == 2
        assert await mirror.skip(2, 12) == 12
        await mirror.record(record)
        ended = await mirror.finish(12, exit_code=0)
    else:
        assert await client.within(lambda: mirror.append(0, b"$ ")) == 2
        assert await client.within(lambda: mirror.skip(2, 12)) == 12
        await client.within(lambda: mirror.record(record))
        ended = await client.within(lambda: mirror.finish(12, exit_code=0))
    assert (ended.state, ended.exit_code, mirror.end) == ("exited", 0, 12)


@pytest.mark.parametrize("twin", TWINS)
def test_who_registers_on_each_connection_goes_on_after_a_death(home: Home, twin: str) -> None:
    data = os.urandom(1000)
    seen: list[tuple[str, int]] = []

    async def register(caller: Any) -> None:
        mirror = await caller.register("m1rr0r")
        seen.append((mirror.outcome, mirror.end))

    async def scene() -> None:
        async with connected(twin, environ=home.environ, on_reconnect=register) as client:
            mirror = await client.register("m1rr0r")
            await _append(client, twin, mirror, 0, data[:500])
            home.another_daemon(home.kill_daemon())
            mirror = await _registered(client)
            assert await _append(client, twin, mirror, mirror.end - 100, data[400:]) == 1000

    run(scene())
    assert seen == [("registered", 0), ("re-registered", 500)]
    with home.client() as client:
        assert home.output(client, "m1rr0r") == data


async def _registered(client: Any) -> Any:
    """Register, on the next connection if the one there is has just been lost."""
    while True:
        try:
            return await client.register("m1rr0r")
        except NotConnected:
            await client.online(timeout=20)


async def _append(client: Any, twin: str, mirror: Any, offset: int, data: bytes) -> Any:
    if twin == "asyncio":
        return await mirror.append(offset, data)
    return await client.within(lambda: mirror.append(offset, data))
