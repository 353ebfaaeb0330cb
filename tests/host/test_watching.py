"""What a page knows of sessions when the daemon cannot say it at once."""

import asyncio
import os
from pathlib import Path

from holdfast.client.aio import connect
from holdfast.config.paths import Paths
from holdfast.errors import HoldfastError, IoFailed
from holdfast.host.listing import Change
from holdfast.host.watching import Watching
from holdfast.protocol import messages as m
from tests.support.home import PATIENCE
from tests.support.samples import SESSION
from tests.support.scripted_daemon import ScriptedDaemon, serves
from tests.support.twins import run


class Page:
    """A page that remembers what it was told."""

    def __init__(self) -> None:
        self.told = asyncio.Event()

    def keep(self, change: Change) -> None:
        if change.event == "layout":
            self.told.set()


def test_a_list_that_failed_is_asked_for_again_though_nothing_happens(tmp_path: Path) -> None:
    """A page showed nothing, or what was, until the next session came or went."""
    environ = {"HOLDFAST_HOME": str(tmp_path)}
    failures = [IoFailed(action="listing", reason="the disk is full")]

    def answer(asked: m.Message) -> m.Message | HoldfastError:
        if isinstance(asked, m.List):
            return failures.pop() if failures else m.Listed(sessions=[SESSION])
        return m.Subscribed(newest=0, oldest=0, missed=False)

    async def work() -> None:
        async with connect(role="stream", environ=environ, autostart=False) as client:
            page = Page()
            watching = Watching(client, page, "", "")
            try:
                async with asyncio.timeout(PATIENCE):
                    await page.told.wait()
            finally:
                await watching.close()

    with ScriptedDaemon(Paths.find(environ, os.getuid()).socket, serves(answer)):
        run(work())
    assert failures == []
