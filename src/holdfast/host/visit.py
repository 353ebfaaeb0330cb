"""What one tab does with the daemon: a client of its own, and the calls that its page makes.

Who may type is the daemon's business, as for every client. What happens to sessions is pushed
when the daemon tells it; nothing is asked on a timer.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from weakref import WeakValueDictionary

from holdfast.client.aio import connect
from holdfast.client.attempts import Kind
from holdfast.client.session import Session
from holdfast.errors import (
    HoldfastError,
    LimitReached,
    NotFound,
    RoleForbidden,
)
from holdfast.host import calls, packets
from holdfast.host.calls import Payload
from holdfast.host.flow import WINDOW
from holdfast.host.listing import Change
from holdfast.host.view import PATIENCE, View
from holdfast.host.view import Page as Screen
from holdfast.host.watching import Watching
from holdfast.protocol.messages import SessionInfo

VIEWS = 64  # terminals of a page; each may have a window of bytes on its way
A_MOMENT = 2.0  # seconds; a killed daemon is back in 0.2
SIZE = (80, 24)  # of a session whose page does not say
ALLOWED = "look, attach and read"


class Who(NamedTuple):
    """A tab, as it has introduced itself."""

    client_id: str
    scope: str
    """full, read or share."""
    session: str = ""
    """The only one it may see; none for all."""

    @property
    def role(self) -> str:
        return "control" if self.scope == "full" else "stream"


class Place(NamedTuple):
    """Where this host runs."""

    environ: Mapping[str, str]
    directory: Path
    shell: str
    chosen: str = ""
    """The session of the command that the host was given."""


class Page(Screen, Protocol):
    """What the page is told."""

    def keep(self, change: Change) -> None:
        """Tell it what holds from now on; said again to a page that begins anew."""


class Visit:
    """A page's client."""

    def __init__(self, who: Who, place: Place, page: Page) -> None:
        self._who = who
        self._place = place
        self._page = page
        self._client = connect(
            role=who.role,
            kind="browser",
            label=f"browser {who.client_id[:6]}",
            client_id=who.client_id,
            environ=place.environ,
            ready=False,
        )
        self._is_open = False
        self._views: dict[int, View] = {}
        self._asked: dict[int, packets.Attach] = {}  # the newest wish for each view
        # Whoever asks something of a session begins behind who has asked before.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._handles: dict[str, asyncio.Task[Session]] = {}
        self._watching: Watching | None = None

    async def open(self) -> None:
        """Begin; the daemon need not be there yet."""
        await self._client.__aenter__()
        self._is_open = True
        chosen = self._who.session or self._place.chosen
        self._watching = Watching(self._client, self._page, self._who.session, chosen)

    async def close(self, *, goodbye: bool) -> None:
        """Let go of everything. Without *goodbye* what it owns waits for it to come back."""
        for view in self._views.values():
            view.stop()
        if self._watching is not None:
            await self._watching.close()
        for task in self._handles.values():
            task.cancel()
        if self._is_open:
            await self._client.close(goodbye=goodbye)

    @property
    def views(self) -> int:
        """How many terminals it shows."""
        return len(self._views)

    def retry(self) -> None:
        """The page is looked at again: do not wait for the next attempt."""
        if self._client.state.kind in (Kind.WAITING, Kind.GAVE_UP):
            self._client.retry_now()

    async def call(self, event: str, payload: object) -> object:
        """Do what the page asks and return the answer."""
        asked = CALLS[event]
        if asked.changes and self._who.role != "control":
            raise RoleForbidden(operation=event, role=self._who.scope, allowed=ALLOWED)
        request = calls.read(event, payload)
        only = self._who.session
        if only and getattr(request, "session", only) != only:
            raise NotFound(session=request.session)
        name = getattr(request, "session", "")
        async with self._turns.setdefault(name, asyncio.Lock()):
            await self._patiently()
            if name:
                await self._session(name)
        # From here to its first message to the daemon nothing waits, so what was typed first
        # arrives first; that a program takes long to read it holds up nobody.
        return await asked.do(self, request)

    def acknowledged(self, payload: object) -> None:
        """The page has parsed more: nothing to wait for, and nothing to answer."""
        request: packets.Ack = calls.read("ack", payload)
        view = self._views.get(request.view)
        if view is not None:
            view.ack(request.offset)

    async def _patiently(self) -> None:
        """Wait a moment for the daemon while it may just be coming; a call then says it is not."""
        if self._client.state.kind in (Kind.CONNECTING, Kind.LOST):
            with contextlib.suppress(HoldfastError):
                await self._client.online(timeout=A_MOMENT)

    # -- looking

    async def attach(self, request: packets.Attach) -> Payload:
        await self.detach(packets.Detach(view=request.view))
        if len(self._asked) >= VIEWS:
            raise LimitReached(resource="terminals in a tab", limit=VIEWS, remedy="close some")
        self._asked[request.view] = request
        try:
            return await self._attach(request)
        except BaseException:
            if self._asked.get(request.view) is request:
                del self._asked[request.view]
            raise

    async def _attach(self, request: packets.Attach) -> Payload:
        session = await self._session(request.session)
        controls = self._who.role == "control"
        if controls:
            # First, so that the picture has the size in which it will be shown.
            await self._fit(await session.refresh(timeout=PATIENCE), request)
        if self._asked.get(request.view) is not request:
            raise NotFound(session=request.session).said(
                "the view was given up before it was there", "nothing is to be done"
            )
        output = session.output(
            request.since,
            held=calls.tail_of(request),
            # Who loads a log from its beginning wants all of it, however long that takes.
            policy="lossless" if request.since == 0 else "latest",
            window=WINDOW,
            scrollback=request.scrollback,
            terminal=False,  # the page answers no query of a program: the reader does, once
        )
        view = self._views[request.view] = View(request, output, self._page)
        try:
            answer = await view.begin()
        except BaseException:
            if self._views.get(request.view) is view:
                del self._views[request.view]
            await view.close()
            raise
        attached = output.attached
        if controls and attached is not None:
            await self._fit(attached.session, request)  # it may have been restored
        view.go_on()
        return answer

    async def _fit(self, info: SessionInfo, request: packets.Attach) -> None:
        """Give the terminal the page's size, unless that is not ours to do."""
        fits = (info.cols, info.rows) == (request.cols, request.rows)
        if fits or info.mirrored or info.state != "running" or not (info.owned or not info.owner):
            return
        with contextlib.suppress(HoldfastError):  # somebody was faster, or it has ended
            await Session(self._client, info).resize(request.cols, request.rows)

    async def detach(self, request: packets.Detach) -> Payload:
        self._asked.pop(request.view, None)  # it may not be there yet
        view = self._views.pop(request.view, None)
        if view is not None:
            await view.close()
        return {}

    # -- changing

    async def input(self, request: packets.Input) -> Payload:
        session = await self._session(request.session)
        for view in self._views.values():
            if view.session == request.session:
                view.typed()
        await session.write(request.data)
        return {}

    async def resize(self, request: packets.Resize) -> Payload:
        session = await self._session(request.session)
        return self._changed(await session.resize(request.cols, request.rows))

    async def create(self, request: packets.Create) -> Payload:
        place = self._place
        session = await self._client.create(
            *(request.argv or [place.shell]),
            name=request.name,
            cwd=request.cwd or place.directory,
            env=calls.session_environment(place.environ),
            size=(request.cols or SIZE[0], request.rows or SIZE[1]),
        )
        return self._changed(session.info)

    async def rename(self, request: packets.Rename) -> Payload:
        return self._changed(await (await self._session(request.session)).rename(request.name))

    async def kill(self, request: packets.Kill) -> Payload:
        return self._changed(await (await self._session(request.session)).kill(now=request.now))

    async def claim(self, request: packets.OfSession) -> Payload:
        return self._changed(await (await self._session(request.session)).claim())

    async def takeover(self, request: packets.OfSession) -> Payload:
        return self._changed(await (await self._session(request.session)).takeover())

    async def release(self, request: packets.OfSession) -> Payload:
        return self._changed(await (await self._session(request.session)).release())

    async def restore(self, request: packets.OfSession) -> Payload:
        session = await self._session(request.session)
        await session.refresh()  # which life is to be followed by another
        return self._changed(await session.restore())

    async def forget(self, request: packets.OfSession) -> Payload:
        await (await self._session(request.session)).forget()
        return {}

    def _changed(self, info: SessionInfo) -> Payload:
        if self._watching is not None:
            self._watching.saw(info)
        return calls.session_payload(info)

    async def _session(self, name: str) -> Session:
        """Return a session, asked for once: what is typed into it keeps its order."""
        task = self._handles.get(name)
        if task is None:
            task = asyncio.ensure_future(self._client.attach(name, timeout=PATIENCE))
            self._handles[name] = task
            task.add_done_callback(partial(self._asked_for, name))
        return await asyncio.shield(task)

    def _asked_for(self, name: str, task: asyncio.Task[Session]) -> None:
        if task.cancelled() or task.exception() is not None:
            del self._handles[name]  # perhaps it is there next time


class Asked(NamedTuple):
    """One thing a page may ask."""

    do: Callable[[Visit, Any], Awaitable[object]]
    changes: bool = True


CALLS = {
    "attach": Asked(Visit.attach, changes=False),
    "detach": Asked(Visit.detach, changes=False),
    "input": Asked(Visit.input),
    "resize": Asked(Visit.resize),
    "create": Asked(Visit.create),
    "rename": Asked(Visit.rename),
    "kill": Asked(Visit.kill),
    "claim": Asked(Visit.claim),
    "takeover": Asked(Visit.takeover),
    "release": Asked(Visit.release),
    "restore": Asked(Visit.restore),
    "forget": Asked(Visit.forget),
}
