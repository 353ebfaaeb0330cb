"""Real windows on a display of our own: started, driven over their pipes, looked at, ended."""

import asyncio
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from holdfast.window.asked import Look
from holdfast.window.opening import Opened
from tests.support.home import PATIENCE, ROOT, Home, children_of, until
from tests.support.processes import is_alive

SLOW = 120.0  # seconds for a window to appear: an engine of 200 MB is loaded from a busy disk
ARTIFACTS = ROOT / "artifacts"
OFFSCREEN = {"QT_QPA_PLATFORM": "offscreen"}
BLIND = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


@contextmanager
def x_server() -> Iterator[dict[str, str]]:
    """What a process needs to find a display that nobody sees."""
    to_read, to_write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(to_write), "-screen", "0", "1920x1200x24", "-nolisten", "tcp"],
        pass_fds=[to_write],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_write)
    try:
        with os.fdopen(to_read) as numbers:
            assert select.select([numbers], [], [], PATIENCE)[0], "no X server"
            number = numbers.readline().strip()
        yield {"DISPLAY": f":{number}"}
    finally:
        server.terminate()
        server.wait(PATIENCE)


def environment(home: Home, display: Mapping[str, str]) -> dict[str, str]:
    """Return what a program sees that has this display and no other."""
    seen = {name: value for name, value in home.environ.items() if name not in BLIND}
    return seen | dict(display)


class Driven:
    """A `hold window --drive`, as a script starts it."""

    def __init__(self, home: Home, display: Mapping[str, str], *words: str, **more: str) -> None:
        self.home = home
        self.process = subprocess.Popen(
            [sys.executable, "-m", "holdfast", "window", "--drive", *words],
            env=environment(home, display) | more,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.told: list[dict[str, Any]] = []
        self._asked = 0
        self._hearing = threading.Thread(target=self._hear, daemon=True)
        self._hearing.start()

    def _hear(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.told.append(json.loads(line))

    def until_told(self, **facts: object) -> dict[str, Any]:
        """Wait for a line in which these facts are."""

        def told() -> dict[str, Any] | None:
            for each in list(self.told):
                if facts.items() <= each.items():
                    return each
            assert self.process.poll() is None, f"ended with {self.process.poll()}: {self.errors()}"
            return None

        return until(told, f"{facts} to be told", SLOW)

    def loaded(self) -> "Driven":
        assert self.until_told(event="loaded")["ok"]
        return self

    def do(self, name: str, **facts: object) -> Any:
        """Have the window do something; return what it answers."""
        self._asked += 1
        assert self.process.stdin is not None
        line = json.dumps({"id": self._asked, "do": name, **facts})
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        answer = self.until_told(id=self._asked)
        assert "error" not in answer, answer
        return answer["value"]

    def evaluate(self, script: str) -> Any:
        return self.do("evaluate", script=script)

    def shows(self, text: str) -> None:
        """Wait until the page has this text."""
        script = "document.body ? document.body.innerText : ''"
        try:
            until(lambda: text in self.evaluate(script), f"{text!r}", SLOW)
        except AssertionError as error:
            raise AssertionError(f"{error}; it shows {self.evaluate(script)!r}") from error

    def picture(self, name: str) -> Path:
        """Keep what it looks like as evidence."""
        ARTIFACTS.mkdir(exist_ok=True)
        file = ARTIFACTS / f"{name}.png"
        file.unlink(missing_ok=True)
        assert self.do("screenshot", file=str(file))
        return file

    @property
    def window(self) -> int:
        """The process of the window itself."""
        return next(
            pid
            for pid in children_of(self.process.pid)
            if b"holdfast.window" in Path(f"/proc/{pid}/cmdline").read_bytes()
        )

    def ended(self) -> int:
        return self.process.wait(SLOW)

    def complaint(self) -> str:
        """Wait for the next line on stderr."""
        assert self.process.stderr is not None
        assert select.select([self.process.stderr], [], [], SLOW)[0], "nothing was said"
        return self.process.stderr.readline().decode()

    def errors(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read().decode()

    def close(self) -> int:
        """Close the window as the end of its commands does; return the exit code."""
        if self.process.stdin is not None and not self.process.stdin.closed:
            self.process.stdin.close()
        try:
            return self.ended()
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self._hearing.join(PATIENCE)
            for stream in (self.process.stdout, self.process.stderr):
                if stream is not None:
                    stream.close()


@contextmanager
def window(home: Home, display: Mapping[str, str], *words: str, **more: str) -> Iterator[Driven]:
    """A window that has loaded its page; afterwards it is gone."""
    driven = Driven(home, display, *words, **more)
    try:
        yield driven.loaded()
    finally:
        driven.close()


def engine_processes(window: int) -> set[int]:
    """Return the processes in which the page of a window lives."""
    return {pid for pid in _all() if os.getsid(pid) == window and pid != window}


def gone(pids: set[int]) -> bool:
    return not any(is_alive(pid) for pid in pids)


def _all() -> Iterator[int]:
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            os.getsid(int(directory.name))
        except OSError:
            continue
        yield int(directory.name)


def public(pids: set[int]) -> bytes:
    """Return what everybody (command lines) or the same user (environments) can read of them."""
    found = []
    for pid in pids:
        for name in ("cmdline", "environ"):
            try:
                found.append(Path(f"/proc/{pid}/{name}").read_bytes())
            except OSError:
                continue  # it has just ended
    return b"\0".join(found)


def click_and_type(display: Mapping[str, str], x: int, y: int, text: str) -> None:
    """Do with mouse and keyboard of that display what a hand would."""
    xlib, xtest = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
    xlib.XOpenDisplay.restype = ctypes.c_void_p
    xlib.XStringToKeysym.restype = ctypes.c_ulong
    address = xlib.XOpenDisplay(display["DISPLAY"].encode())
    assert address
    at = ctypes.c_void_p(address)
    xtest.XTestFakeMotionEvent(at, -1, x, y, 0)
    for is_down in (1, 0):
        xtest.XTestFakeButtonEvent(at, 1, is_down, 0)
    for character in text:
        name = {"\n": "Return", " ": "space"}.get(character, character).encode()
        key = xlib.XKeysymToKeycode(at, ctypes.c_ulong(xlib.XStringToKeysym(name)))
        for is_down in (1, 0):
            xtest.XTestFakeKeyEvent(at, key, is_down, 0)
    xlib.XSync(at, 0)
    xlib.XCloseDisplay(at)


def hosts_of(home: Home) -> list[int]:
    """Return the pids of the hosts that run."""
    directory = home.paths.runtime / "hosts"
    pids = [int(file.stem) for file in directory.glob("*.json")] if directory.exists() else []
    return [pid for pid in pids if is_alive(pid)]


def end_hosts(home: Home) -> None:
    """End hosts as their idle rule would."""
    pids = hosts_of(home)
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    until(lambda: gone(set(pids)), "the hosts to end")


class Site:
    """A server of our own with one page and one WebSocket, on a thread of this process.

    Whatever comes over the socket is kept with its time; `push` sends to every page.
    """

    def __init__(self, body: str = "") -> None:
        self.body = body
        self.heard: list[tuple[float, str]] = []
        self.loads = 0
        self._sockets: list[web.WebSocketResponse] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.url = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def push(self, text: str) -> None:
        async def send() -> None:
            for socket in self._sockets:
                await socket.send_str(text)

        asyncio.run_coroutine_threadsafe(send(), self._loop).result(PATIENCE)

    async def _start(self) -> str:
        app = web.Application()
        app.add_routes(
            [web.get("/socket", self._socket), web.get("/", self._page), web.get("/two", self._two)]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        listening = web.TCPSite(self._runner, "127.0.0.1", 0)
        await listening.start()
        port = self._runner.addresses[0][1]
        return f"http://127.0.0.1:{port}/"

    async def _page(self, _: web.Request) -> web.Response:
        self.loads += 1
        return web.Response(text=f"<!doctype html>{self.body}", content_type="text/html")

    async def _two(self, _: web.Request) -> web.Response:
        return web.Response(text="<title>two</title>two", content_type="text/html")

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.append(socket)
        try:
            async for message in socket:
                self.heard.append((time.time(), message.data))
        finally:
            self._sockets.remove(socket)
        return socket


class Page:
    """A window without a host: the process alone, as `hold dev` has it."""

    def __init__(self, url: str, environ: Mapping[str, str], look: Look | None = None) -> None:
        self.opened = Opened(url, look or Look(), environ)
        self._events = self.opened.events()
        self._asked = 0

    def __enter__(self) -> Self:
        self.until(event="loaded")
        return self

    def __exit__(self, *_: object) -> None:
        self.opened.close()

    def until(self, **facts: object) -> dict[str, Any]:
        for event in self._events:
            if facts.items() <= event.items():
                return event
        raise AssertionError(f"gone before {facts}: {self.opened.close()}")

    def ask(self, name: str, **facts: object) -> int:
        """Have it do something without waiting for the answer."""
        self._asked += 1
        self.opened.say(json.dumps({"id": self._asked, "do": name, **facts}).encode())
        return self._asked

    def do(self, name: str, **facts: object) -> Any:
        return self.until(id=self.ask(name, **facts))["value"]

    def evaluate(self, script: str) -> Any:
        return self.do("evaluate", script=script)
