"""`hold dev` from its first moment to its last: what is started, in which order, and ended."""

import asyncio
import os
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.client.aio import connect
from holdfast.dev.backend import Backend
from holdfast.dev.capture import Evidence, capture, write
from holdfast.dev.changes import Change, History
from holdfast.dev.clients import Clients, Problem
from holdfast.dev.folder import Folder
from holdfast.dev.ignore import Ignored
from holdfast.dev.kinds import Pages, Script
from holdfast.dev.ports import LOOPBACK, bind_own
from holdfast.dev.proxy import Proxy
from holdfast.dev.showing import BROWSER, HEADLESS, Look, show
from holdfast.dev.site import Site
from holdfast.dev.upstream import Address
from holdfast.dev.voice import Failed, Voice
from holdfast.dev.watching import watch
from holdfast.dev.web import Web, pages_app

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What `hold dev` is to do."""

    kind: Pages | Script
    environ: Mapping[str, str]
    port: int | None = None
    url: Address | None = None
    """Where the program listens, if that is known."""
    way: str = ""
    """How it is shown; empty is the best there is."""
    look: Look = field(default_factory=Look)
    dotfiles: bool = False
    capture: Path | None = None


async def develop(plan: Plan, voice: Voice) -> bool:
    """Show an app until its window is closed or a signal comes; return whether all is fine.

    Raises Failed, and what the daemon says.
    """
    if plan.capture is not None:
        return await _captured(plan, plan.capture, voice)
    async with AsyncExitStack() as stack:
        stop = _told_to_stop(stack)
        starting = asyncio.create_task(_started(plan, voice, stack))
        await _either(starting, stop)
        if not starting.done():
            await _cancelled(starting)
            return True
        running = starting.result()
        shown, missed = await show(running.url, plan.way, plan.look, plan.environ)
        stack.push_async_callback(shown.close)
        for each in missed:
            voice.note(each)
        where = {HEADLESS: "open", BROWSER: "in your browser:"}.get(shown.way, "in a window:")
        voice.note(f"{where} {running.url}")
        voice.status(f"{running.what}; Ctrl-C ends it")
        closed = asyncio.create_task(shown.closed())
        await _either(closed, stop)
        await _cancelled(closed)
    return True


@dataclass(kw_only=True)
class _Running:
    """What is up."""

    url: str
    what: str


async def _started(plan: Plan, voice: Voice, stack: AsyncExitStack) -> _Running:
    """Bring everything up; *stack* knows how it ends."""
    own = bind_own(plan.port, plan.kind.root)
    stack.callback(own.close)
    origin = f"http://{LOOPBACK}:{own.getsockname()[1]}"
    if isinstance(plan.kind, Pages):
        await _serve_pages(plan, plan.kind, own, voice, stack)
        return _Running(url=f"{origin}/", what=f"watching {plan.kind.root}")
    backend, path = await _serve_app(plan, plan.kind, own, voice, stack)
    what = f"`{backend.name}` is session {backend.session}" if backend.session else "an app"
    return _Running(url=origin + path, what=what)


async def _serve_pages(
    plan: Plan, kind: Pages, own: socket.socket, voice: Voice, stack: AsyncExitStack
) -> None:
    history = History()
    clients = Clients(history, on_restart=lambda: None)
    clients.on_trouble = lambda text: voice.note(f"in the page: {text}")
    site = Site(
        folder=Folder(kind.root, dotfiles=plan.dotfiles),
        ignored=Ignored(kind.root.resolve(), dotfiles=plan.dotfiles),
        history=history,
        clients=clients,
        on_change=lambda change: voice.status(_changed(change, len(clients))),
    )
    stack.callback(site.close)
    await _enter_task(stack, _watched(site, clients, voice))
    await stack.enter_async_context(Web(pages_app(site), clients, own))


async def _watched(site: Site, clients: Clients, voice: Voice) -> None:
    """Watch the folder; if that cannot be done, say so where it is seen."""
    stop = asyncio.Event()  # set when we are cancelled, or the watcher's thread would stay
    try:
        await watch(site.folder.root, site.touched, stop)
    except OSError as error:
        text = f"changes are not seen: {error}"
        voice.note(text)
        clients.set_problem(Problem(title="The folder cannot be watched", text=text))
    finally:
        stop.set()


async def _serve_app(
    plan: Plan, kind: Script, own: socket.socket, voice: Voice, stack: AsyncExitStack
) -> tuple[Backend, str]:
    """Return the app, once it answers, and the path with which it begins."""
    # The daemon is told goodbye last: ending the program is a call to it.
    client = await stack.enter_async_context(
        connect(label="hold dev", environ=plan.environ, kind="dev")
    )
    backend = Backend(kind, plan.url, client, environ=plan.environ)
    backend.voice = voice
    stack.push_async_callback(backend.stop)
    history = History()
    clients = Clients(history, on_restart=backend.restart)
    clients.on_trouble = lambda text: voice.note(f"in the page: {text}")
    proxy = Proxy(history, clients)
    await stack.enter_async_context(Web(proxy, clients, own))
    voice.status(f"starting `{backend.name}`")
    proxy.address = await backend.start()
    path = proxy.address.path
    await _enter_task(stack, backend.keep(proxy, history, clients))
    return backend, path


def _changed(change: Change, pages: int) -> str:
    names = ", ".join(change.paths[:3]) + (" ..." if len(change.paths) > 3 else "")
    shown = "no page is open" if not pages else "1 page" if pages == 1 else f"{pages} pages"
    return f"{names} -> {shown}"


# -- capture


async def _captured(plan: Plan, folder: Path, voice: Voice) -> bool:
    """Start it, look at it, write down what was seen; return whether all was fine."""
    _made(folder)
    evidence, begin = Evidence(), time.monotonic()
    said: list[str] = []

    def kept(tell: Callable[[str], None]) -> Callable[[str], None]:
        def both(text: str) -> None:
            said.append(text)
            tell(text)

        return both

    both = Voice(
        status=kept(voice.status),
        note=kept(voice.note),
        heard=lambda text: said.append(f"| {text}"),
    )
    try:
        async with AsyncExitStack() as stack:
            stop = _told_to_stop(stack)
            work = asyncio.create_task(_looked_at(plan, evidence, both, stack, begin))
            await _either(work, stop)
            if not work.done():
                await _cancelled(work)
                evidence.fault("stopped", "a signal came before the end")
            else:
                work.result()
    except Failed as failed:
        evidence.fault("start", failed.what)
        both.note(failed.what)
        both.note(failed.fix)
    is_fine = write(folder, evidence, said)
    voice.note(f"{'fine' if is_fine else _wrong(evidence)}; see {folder}")
    return is_fine


def _made(folder: Path) -> None:
    """Make the folder for evidence before anything is started for it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        what = f"nothing can be written into {folder}: {error.strerror}"
        raise Failed(what, "give --capture a folder of yours") from error


async def _looked_at(
    plan: Plan, evidence: Evidence, voice: Voice, stack: AsyncExitStack, begin: float
) -> None:
    running = await _started(plan, voice, stack)
    evidence.timings["server"] = round((time.monotonic() - begin) * 1000, 1)
    evidence.url = running.url
    voice.note(f"looking at {running.url}")
    await capture(running.url, plan.look, evidence)


def _wrong(evidence: Evidence) -> str:
    first = evidence.errors[0]["text"].splitlines()[0] if evidence.errors else "no picture"
    more = len(evidence.errors) - 1
    return f"wrong: {first}" + (f" (and {more} more)" if more > 0 else "")


# -- tasks


def _told_to_stop(stack: AsyncExitStack) -> asyncio.Event:
    """Return what is set by a Ctrl-C, a TERM, or a terminal that closes."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def told(number: int) -> None:
        if stop.is_set() and number == signal.SIGINT:
            os._exit(130)  # who presses Ctrl-C twice does not want to wait for anything
        stop.set()

    for number in SIGNALS:
        loop.add_signal_handler(number, told, number)
        stack.callback(loop.remove_signal_handler, number)
    return stop


async def _either(task: "asyncio.Task[Any]", stop: asyncio.Event) -> None:
    """Return when the task is done, or it is told to stop."""
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait([task, stopped], return_when=asyncio.FIRST_COMPLETED)
    await _cancelled(stopped)


async def _enter_task(stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
    """Run something until *stack* ends."""
    stack.push_async_callback(_cancelled, asyncio.create_task(work))


async def _cancelled(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
