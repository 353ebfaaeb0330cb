"""Clients that come back from another process: with what they hold, and with what they own."""

import asyncio
import os
import zlib
from pathlib import Path
from typing import Any

import pytest

from holdfast import Chunk, Kind, Snapshot, Tail
from holdfast.client.view import End
from holdfast.config.paths import Paths
from holdfast.errors import OwnerRequired
from tests.support.home import Home, running_home
from tests.support.twins import TWINS, connected, run

pytestmark = pytest.mark.slow
both = pytest.mark.parametrize("twin", TWINS)

PRINTED = b"hello, it goes on"


def options(home: Home, **more: Any) -> dict[str, Any]:
    return {"environ": home.environ, **more}


async def first_of(stream: Any) -> Any:
    try:
        async for item in stream:
            return item
    finally:
        await stream.aclose()
    raise AssertionError("nothing came")


@both
def test_who_holds_the_right_tail_goes_on_and_who_does_not_gets_a_picture(
    tmp_path: Path, twin: str
) -> None:
    """Bytes of an older run are never continued by others that only have the same offsets."""

    async def work(home: Home) -> None:
        async with connected(twin, **options(home)) as client:
            session = await client.create("printf", PRINTED.decode())
            await session.wait()
            tail = Tail(b"", 5, 5, zlib.crc32(b"hello"))
            item = await first_of(session.output(held=tail))
            assert item == Chunk(5, PRINTED[5:])
            item = await first_of(session.output(held=tail._replace(crc=1)))
            assert isinstance(item, Snapshot)
            assert item.reason
            item = await first_of(session.output(held=tail._replace(epoch=b"other")))
            assert isinstance(item, Snapshot)

    with running_home(tmp_path / "h") as home:
        run(work(home))


@both
def test_who_leaves_without_goodbye_owns_on_until_it_is_back(tmp_path: Path, twin: str) -> None:
    async def work(home: Home) -> None:
        async with connected(twin, **options(home, client_id="page")) as page:
            session = await page.create("cat")
            await page.close(goodbye=False)
            assert page.state.kind is Kind.CLOSED
        async with connected(twin, **options(home)) as other:
            same = await other.attach(session.id)
            with pytest.raises(OwnerRequired):
                await same.rename("mine")
        async with connected(twin, **options(home, client_id="page")) as again:
            same = await again.attach(session.id)
            await same.rename("still mine")
            await again.close()
        async with connected(twin, **options(home)) as other:
            await (await other.attach(session.id)).rename("free")

    with running_home(tmp_path / "h") as home:
        run(work(home))


@both
def test_an_output_says_how_it_was_attached(tmp_path: Path, twin: str) -> None:
    async def work(home: Home) -> None:
        async with connected(twin, **options(home)) as client:
            session = await client.create("printf", PRINTED.decode())
            await session.wait()
            output = session.output()
            async for _ in output:
                pass
            attached = output.attached
            assert attached is not None
            assert (attached.outcome, attached.end, len(attached.epoch)) == (
                "exact",
                len(PRINTED),
                16,
            )

    with running_home(tmp_path / "h") as home:
        run(work(home))


def test_who_need_not_be_ready_does_not_wait_for_a_daemon(tmp_path: Path) -> None:
    """The asyncio client alone: the blocking one only connects while it is waited for."""
    paths = Paths.find({"HOLDFAST_HOME": str(tmp_path / "h")}, os.getuid())

    async def work(home: Home) -> None:
        async with connected("asyncio", **options(home, ready=False)) as client:
            assert client.state.kind is Kind.CONNECTING
            assert await client.list(wait=True) == []

    with running_home(tmp_path / "h") as home:
        assert not paths.socket.exists()
        run(work(home))


def test_output_can_be_taken_without_waiting(tmp_path: Path) -> None:
    """For who has a loop of its own; the blocking client has no other way than to wait."""

    async def work(home: Home) -> None:
        async with connected("asyncio", **options(home)) as client:
            session = await client.create("printf", PRINTED.decode())
            await session.wait()
            news = asyncio.Event()
            taken = []
            async with session.output() as output:
                output.on_news = news.set
                assert output.take() is None
                while output.end is None:
                    news.clear()
                    if (item := output.take()) is None:
                        await news.wait()
                    else:
                        taken.append(item)
                assert output.take() is None
            assert taken == [Chunk(0, PRINTED), End(len(PRINTED), "exited")]

    with running_home(tmp_path / "h") as home:
        run(work(home))
