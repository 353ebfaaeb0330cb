"""A client that is closed at any moment of its first connection is closed, on each loop."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

import holdfast
from tests.support.home import Home, running_home

pytestmark = pytest.mark.slow

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,  # does not say that a connection is lost that was not made yet
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("goodbye", [True, False], ids=["goodbye", "without a word"])
def test_a_client_can_be_closed_at_any_moment(tmp_path: Path, loop: str, goodbye: bool) -> None:
    async def work(home: Home) -> None:
        for turns in range(8):
            client = holdfast.connect(environ=home.environ, ready=False)
            await client.__aenter__()
            while not client.wire.lines:  # noqa: ASYNC110 - the moment itself; nothing tells of it
                await asyncio.sleep(0)
            for _ in range(turns):
                await asyncio.sleep(0)
            async with asyncio.timeout(20):
                await client.close(goodbye=goodbye)

    with running_home(tmp_path / "h") as home, asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        home.hold("ls")
        runner.run(work(home))
