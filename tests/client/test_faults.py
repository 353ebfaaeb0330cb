"""Both clients above a proxy that breaks the connection: what comes out is the log, once."""

import asyncio
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import holdfast
from holdfast import Chunk, Gap, HandedBack, Kind, Snapshot
from holdfast.config.paths import Paths
from holdfast.errors import TimedOut
from holdfast.protocol import messages as m
from tests.support.home import Home, running_home
from tests.support.proxy import DOWN, Proxy, proxied
from tests.support.twins import TWINS, connected, run

TALK = "stty raw -echo; printf ready; exec cat"


class Scene(NamedTuple):
    """A daemon, a proxy before it, and how to connect through that."""

    home: Home
    proxy: Proxy
    options: dict[str, Any]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    front = {"HOLDFAST_HOME": str(tmp_path / "front")}
    paths = Paths.find(front, os.getuid())
    paths.socket.parent.mkdir(parents=True, mode=0o700)
    with (
        running_home(tmp_path / "h") as home,
        home.client(),
        proxied(home.paths.socket, paths.socket) as proxy,
    ):
        yield Scene(home, proxy, {"environ": front, "autostart": False})


async def talker(client: Any) -> Any:
    """A session that prints what is typed, and nothing else."""
    session = await client.create("sh", "-c", TALK)
    output = session.output()
    async for item in output:
        if item.offset + len(item.data) >= 5:
            break
    await output.aclose()
    return session


async def shows(session: Any, end: bytes) -> bytes:
    """Return what is on the session's screen once it ends like that."""
    while not (shown := await session.snapshot()).data.endswith(end):
        await session.refresh()
    return bytes(shown.data)


@pytest.mark.parametrize("twin", TWINS)
def test_output_is_the_log_whatever_is_cut(scene: Scene, twin: str) -> None:
    """Cuts in frames and between them; connections last, so that each is tried again at once."""
    data, cuts = os.urandom(1 << 20), random.Random(7)

    async def work() -> None:
        async with connected(twin, **scene.options) as client:
            session = await talker(client)
            await session.write(data)
            scene.proxy.connection(-1).cut_after(cuts.randrange(1, 300_000), DOWN)
            received = bytearray()
            output = session.output()
            async for item in output:
                assert isinstance(item, Chunk)
                assert item.offset == len(received)
                received += item.data
                if len(received) == len(data) + 5:
                    break
            await output.aclose()
            assert received == b"ready" + data
            assert output.mismatches == 0
            assert client.state.kind is Kind.ONLINE

    run(work())
    assert scene.proxy.counts().accepted >= 2


@pytest.mark.parametrize("twin", TWINS)
def test_what_was_typed_into_an_outage_is_handed_back(scene: Scene, twin: str) -> None:
    """T26: it is never typed later at a screen that nobody has seen."""

    async def work() -> None:
        async with connected(twin, **scene.options) as client:
            session = await talker(client)
            await session.write(b"before ")
            scene.proxy.gone()
            scene.proxy.every.cut()

            async def comes_back() -> None:
                await asyncio.sleep(4.0)  # longer than what is typed stays fresh
                scene.proxy.back()

            later = asyncio.create_task(comes_back())
            with pytest.raises(HandedBack) as caught:
                await session.write(b"lost")
            await later
            assert caught.value.data == b"lost"
            await session.write(b"after")
            assert await shows(session, b"after") == b"readybefore after"

    run(work())


@pytest.mark.parametrize("twin", TWINS)
def test_what_is_typed_during_a_short_outage_is_typed_once(scene: Scene, twin: str) -> None:
    async def work() -> None:
        async with connected(twin, **scene.options) as client:
            session = await talker(client)
            for number in range(20):
                if number in (5, 12):
                    scene.home.next_daemon(scene.home.kill_daemon())
                await session.write(b"%d " % number)
            text = b"ready" + b"".join(b"%d " % n for n in range(20))
            assert await shows(session, b"19 ") == text

    run(work())


@pytest.mark.parametrize("twin", TWINS)
def test_a_byte_that_is_changed_on_the_way_is_healed_by_a_snapshot(scene: Scene, twin: str) -> None:
    """A frame that comes twice is out of order: nothing of it is shown."""

    async def work() -> None:
        async with connected(twin, **scene.options) as client:
            session = await talker(client)
            scene.proxy.connection(-1).duplicate(4, DOWN)
            output = session.output()
            items: list[Any] = []
            for piece in (b"one ", b"two ", b"three ", b"four ", b"five "):
                await session.write(piece)
            async for item in output:
                items.append(item)
                if b"five" in item.data:
                    break
            await output.aclose()
            assert all(isinstance(item, Chunk | Snapshot | Gap) for item in items)
            text = b"".join(item.data for item in items if isinstance(item, Chunk))
            assert text.count(b"five ") <= 1

    run(work())


@pytest.mark.parametrize("twin", TWINS)
def test_a_call_over_a_frozen_connection_waits_no_longer_than_its_timeout(
    scene: Scene, twin: str
) -> None:
    async def work() -> None:
        async with connected(twin, **scene.options) as client:
            scene.proxy.connection(-1).freeze()
            begun = time.monotonic()
            with pytest.raises(TimedOut):
                await client.call(m.Ping(), m.Pong, timeout=0.5)
            assert time.monotonic() - begun < 5
            scene.proxy.connection(-1).thaw()
            await client.call(m.Ping(), m.Pong, timeout=10)

    run(work())


@pytest.mark.slow
def test_two_hundred_clients_come_back_without_a_stampede(scene: Scene) -> None:
    async def work() -> None:
        clients = [holdfast.connect(**scene.options) for _ in range(200)]
        await asyncio.gather(*(client.__aenter__() for client in clients))
        before = scene.proxy.counts().accepted
        scene.home.next_daemon(scene.home.kill_daemon())
        await asyncio.gather(*(client.call(m.Ping(), m.Pong, timeout=20) for client in clients))
        accepted = scene.proxy.counts().accepted - before
        await asyncio.gather(*(client.close() for client in clients))
        assert 200 <= accepted <= 600

    run(work())


@pytest.mark.parametrize("twin", TWINS)
def test_events_are_told_once_across_a_kill(scene: Scene, twin: str) -> None:
    async def work() -> None:
        async with (
            connected(twin, **scene.options) as client,
            holdfast.connect(**scene.options) as other,
        ):
            session = await talker(other)
            events = client.events(since=0, session=session.id)
            seen: list[object] = []
            for cols in range(101, 107):
                if cols == 104:
                    scene.home.next_daemon(scene.home.kill_daemon())
                size = m.Resize(session=session.id, cols=cols, rows=24)
                await other.call(size, m.SessionInfo, wait=True)
                async for event in events:
                    if event.kind == "resized":
                        seen.append(event.facts["cols"])
                        break
            await events.aclose()
            assert seen == [101, 102, 103, 104, 105, 106]

    run(work())


def test_what_was_cancelled_in_an_outage_is_not_typed_later(scene: Scene) -> None:
    """T26"""

    async def work() -> None:
        async with holdfast.connect(**scene.options) as client:
            session = await talker(client)
            await session.write(b"before ")
            scene.proxy.gone()
            scene.proxy.every.cut()
            async for state in client.states():
                if state.kind is not Kind.ONLINE:
                    break
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await session.write(b"nobody waits for this")
            scene.proxy.back()
            client.retry_now()
            await client.online(timeout=20)
            await session.write(b"after")
            assert await shows(session, b"after") == b"readybefore after"

    run(work())


@pytest.mark.parametrize("twin", TWINS)
def test_events_of_a_session_are_told_by_its_name(scene: Scene, twin: str) -> None:
    async def work() -> None:
        async with connected(twin, **scene.options) as client:
            other = await client.create("true", name="other")
            session = await client.create("true", name="web")
            events = client.events(since=0, session="web")
            kinds = []
            async for event in events:
                assert event.session == session.id != other.id
                kinds.append(event.kind)
                if event.kind == "exit":
                    break
            assert kinds[0] == "created"
            assert not events.missed
            await events.aclose()

    run(work())
