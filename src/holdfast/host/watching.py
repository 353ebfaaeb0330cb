"""What happens to sessions and to the daemon's connection, told to one page as it happens."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Protocol

from holdfast.client.aio import Client
from holdfast.client.attempts import Kind, State
from holdfast.errors import HoldfastError, NotConnected, NotFound
from holdfast.host.listing import Change, Listing
from holdfast.protocol.messages import SessionInfo

TOGETHER = 0.05  # seconds between two looks at what has changed: a burst is one
AGAIN_AFTER = 1.0  # seconds, when the daemon could not say
ONE_BY_ONE = 8  # sessions asked for singly; more are listed


class Page(Protocol):
    """Who shows it."""

    def keep(self, change: Change) -> None:
        """Tell what holds from now on."""


class Watching:
    """Keeps one page's sessions right."""

    def __init__(self, client: Client, page: Page, only: str, chosen: str) -> None:
        self._client = client
        self._page = page
        self._only = only  # of a share link
        self._listing = Listing(chosen)
        self._changed: set[str] = set()
        self._is_all_new = False
        self._news = asyncio.Event()
        loop = asyncio.get_running_loop()
        # The subscription stands before the first list is asked for: nothing falls between.
        work: tuple[Coroutine[None, None, None], ...] = (
            self._hear(),
            self._follow(),
            self._look(),
        )
        self._tasks = [loop.create_task(each) for each in work]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def saw(self, info: SessionInfo) -> None:
        """A call of the page has returned this."""
        self._show(self._listing.update(info))

    # -- what is told

    async def _follow(self) -> None:
        async for state in self._client.states():
            self._page.keep(Change("daemon", "", _payload(state)))
            if state.kind is Kind.ONLINE:
                self._is_all_new = True
                self._news.set()

    async def _hear(self) -> None:
        while True:
            try:
                async with self._client.events(session=self._only) as events:
                    async for event in events:
                        self._changed.add(event.session)
                        self._news.set()
            except HoldfastError:
                # It gave up, and somebody may have it try again; then everything is listed.
                await self._client.wire.until(lambda state: state.kind is Kind.ONLINE)

    # -- what is looked at

    async def _look(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            is_all_new, self._is_all_new = self._is_all_new, False
            changed, self._changed = self._changed, set()
            try:
                await self._look_at(changed, everything=is_all_new)
            except NotConnected:
                continue  # all of it is listed on the next connection
            except HoldfastError:
                # What it was about may be the last that happens for hours: look again unasked.
                self._is_all_new = True
                self._news.set()
                await asyncio.sleep(AGAIN_AFTER)
            await asyncio.sleep(TOGETHER)

    async def _look_at(self, changed: set[str], *, everything: bool) -> None:
        if self._only:
            self._show_all(await self._get(self._only))
        elif everything or len(changed) > ONE_BY_ONE:
            self._show_all(await self._client.list(ended=True))
        else:
            for session in changed:
                for info in await self._get(session):
                    self._show(self._listing.update(info))
                    break
                else:
                    self._show(self._listing.remove(session))

    async def _get(self, session: str) -> list[SessionInfo]:
        try:
            return [(await self._client.attach(session)).info]
        except NotFound:
            return []

    def _show_all(self, infos: Iterable[SessionInfo]) -> None:
        self._show(self._listing.replace(infos))

    def _show(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self._page.keep(change)


def _payload(state: State) -> dict[str, object]:
    return {
        "state": state.kind.value,
        "reason": state.reason,
        "attempt": state.attempt,
        "delay": state.delay,
    }
