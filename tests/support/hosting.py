"""A real host process, and tabs that talk with it as the page does."""

import asyncio
import json
import select
import signal
import subprocess
import sys
import urllib.error
import urllib.request
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import socketio

from tests.support.home import PATIENCE, ROOT, Home

T = TypeVar("T")
TAIL = 64 << 10


class HostProcess:
    """A `hold host`, as a script starts it."""

    def __init__(self, home: Home, *words: str, any_port: bool = True, **variables: str) -> None:
        self.home = home
        self._variables = variables
        self.token = ""
        self._begin(words, ["--port", "0"] if any_port else [])

    def start(self, *words: str) -> None:
        """Start it again, where it was."""
        self.close()
        self._begin(words, ["--port", str(self.port)])

    def _begin(self, words: tuple[str, ...], port: list[str]) -> None:
        options, dashes, program = _split(words)
        if "--port" in options:
            port = []
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "holdfast",
                "host",
                "--json",
                *port,
                *options,
                *dashes,
                *program,
            ],
            env={**self.home.environ, **self._variables},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.announced = self._announced()
        self.url, _, code = self.announced["url"].partition("#/?code=")
        self.code = code

    def _announced(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        line = self.process.stdout.readline() if ready else b""
        if not line:
            self.process.kill()
            _, errors = self.process.communicate()
            raise AssertionError(f"the host said nothing: {errors.decode()}")
        found: dict[str, Any] = json.loads(line)
        return found

    @property
    def link(self) -> str:
        """The address that was printed: it lets one page in."""
        return f"{self.url}#/?code={self.code}"

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    @property
    def port(self) -> int:
        return int(self.url.rstrip("/").rpartition(":")[2].partition("/")[0])

    @property
    def pid(self) -> int:
        return self.process.pid

    # -- HTTP

    def login(self, code: str = "") -> dict[str, Any]:
        """Trade a code for a token, which is used from now on."""
        body = json.dumps({"code": code or self.code}).encode()
        answer = self.get("api/login", body=body)
        self.token = answer["token"]
        return answer

    def get(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.read(path, body))
        return found

    def read(self, path: str, body: bytes | None = None) -> bytes:
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        request = urllib.request.Request(self.url + path, data=body, headers=headers)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            content: bytes = answer.read()
        return content

    def refused(self, path: str, body: bytes | None = None) -> tuple[int, str]:
        """Return status and code of a request that is refused."""
        try:
            self.read(path, body)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())["error"]["code"]
        raise AssertionError(f"{path} was not refused")

    # -- its end

    def ended(self, patience: float = PATIENCE) -> int:
        """Wait for its end and return the exit code."""
        return self.process.wait(patience)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.communicate(timeout=PATIENCE)

    def log(self) -> str:
        return (self.home.paths.state / "host.log").read_text()

    def close(self) -> str:
        """End it if it runs; return what it said on stderr."""
        if self.is_running:
            self.process.terminate()
        elif self.process.stdout is None or self.process.stdout.closed:
            return ""
        try:
            _, errors = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        return errors.decode()


@contextmanager
def running_host(
    home: Home,
    *words: str,
    token: str = "",
    any_port: bool = True,
    logged_in: bool = True,
    **variables: str,
) -> Iterator[HostProcess]:
    """A host that somebody has logged in to, now or before; or whose code is still to be used."""
    host = HostProcess(home, *words, any_port=any_port, **variables)
    try:
        host.token = token
        if logged_in and not token:
            host.login()
        yield host
    finally:
        host.close()
    assert "Traceback" not in host.log(), host.log()


class Refused(Exception):
    """What a call was answered with."""

    def __init__(self, error: Mapping[str, str]) -> None:
        super().__init__(error["what"])
        self.code = error["code"]


class Seen:
    """What one view was sent: bytes from `start` on, without a hole."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.data = bytearray()
        self.gaps: list[tuple[int, int]] = []
        self.snapshots = 0
        self.finished = ""
        self.frames = 0

    @property
    def end(self) -> int:
        return self.start + len(self.data)

    def restart(self, offset: int) -> None:
        self.start, self.data = offset, bytearray()


class Tab:
    """A page without a browser."""

    def __init__(
        self, host: HostProcess, client_id: str = "tab-1", seat: str = "/", token: str = ""
    ) -> None:
        self._host = host
        self._auth = {
            "protocol": 1,
            "token": token or host.token,
            "client_id": client_id,
            "seat": seat,
        }
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.views: dict[int, Seen] = {}
        self.acknowledges = True
        self.is_gone = False
        self._news = asyncio.Event()
        self._socket = socketio.AsyncClient(
            serializer="msgpack",
            reconnection=False,
            websocket_extra_options={"max_msg_size": 0},
        )
        self._socket.on("*", self._hear)
        self._socket.on("disconnect", self._gone)

    # -- its life

    async def open(self, *, ready: bool = True) -> None:
        await self._socket.connect(
            self._host.url,
            socketio_path=self._path(),
            auth=self._auth,
            transports=["websocket"],
            wait_timeout=PATIENCE,
        )
        if ready:
            await self.say("ready")
            await self.until(lambda: self.has("daemon"), "to be told")

    async def refusal(self) -> Any:
        """Try to open, and return what the refusal says."""
        told: list[Any] = []
        self._socket.on("connect_error", told.append)
        try:
            await self.open(ready=False)
        except socketio.exceptions.ConnectionError:
            await self._socket.wait()
            return told[0]
        raise AssertionError("it was let in")

    async def close(self) -> None:
        await self._socket.disconnect()
        await self._socket.eio.wait()  # what it had open is closed by then

    async def cut(self) -> None:
        """Be gone without a word, as a page that is reloaded."""
        await self._socket.eio.ws.close()
        await self._socket.wait()

    def _path(self) -> str:
        base = self._host.url.split("/", 3)[3]
        return f"/{base}socket.io"

    # -- what it says

    async def say(self, event: str, **payload: object) -> None:
        await self._socket.emit(event, payload)

    async def ask(self, event: str, **payload: object) -> Any:
        answer = await self._socket.call(event, payload, timeout=PATIENCE)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["ok"]

    async def create(self, *argv: str, **more: object) -> str:
        created = await self.ask("create", argv=list(argv), cols=80, rows=24, **more)
        return str(created["id"])

    async def shows(self, view: int, text: bytes, count: int = 1) -> None:
        """Wait until a view has shown a text so often."""
        await self.until(lambda: self.views[view].data.count(text) >= count, f"{text!r}")

    async def grows(self, view: int) -> None:
        """Wait until a view is sent more."""
        before = self.views[view].frames
        await self.until(lambda: self.views[view].frames > before, "more output")

    async def knows(self, session: str, **facts: object) -> None:
        """Wait until the tab was told this of a session."""

        def told() -> bool:
            known = self.session(session)
            return bool(known) and all(known[name] == fact for name, fact in facts.items())

        await self.until(told, f"{session} with {facts}")

    async def attach(self, view: int, session: str, since: int | None = 0, **more: Any) -> Any:
        asked = {"cols": 80, "rows": 24, "scrollback": 1000} | more
        # What follows may be here before the answer is read.
        seen = self.views[view] = Seen(since or 0)
        answer = await self.ask("attach", view=view, session=session, since=since, **asked)
        if answer["outcome"] == "snapshot" and not seen.data:
            seen.restart(answer["offset"])
        return answer

    async def resume(self, view: int, session: str, held: bytes, start: int, epoch: str) -> Any:
        """Attach with the tail of what another tab has seen."""
        tail = held[-TAIL:]
        return await self.attach(
            view,
            session,
            start + len(held),
            epoch=epoch,
            length=len(tail),
            crc=zlib.crc32(tail),
        )

    async def type(self, session: str, data: bytes) -> None:
        await self.ask("input", session=session, data=data)

    # -- what it hears

    async def _hear(self, event: str, payload: dict[str, Any]) -> None:
        if event in ("output", "gap", "snapshot", "finished"):
            await self._see(event, payload)
        if event != "output":
            self.events.append((event, payload))
        self._news.set()

    async def _see(self, event: str, payload: dict[str, Any]) -> None:
        number = payload["view"]
        seen = self.views[number]
        if event == "output":
            if not seen.data:
                seen.start = payload["offset"]
            assert payload["offset"] == seen.end, f"{payload['offset']} instead of {seen.end}"
            seen.data += payload["data"]
            seen.frames += 1
        elif event == "gap":
            seen.gaps.append((payload["start"], payload["end"]))
            seen.restart(payload["end"])
        elif event == "snapshot":
            seen.snapshots += 1
            seen.restart(payload["offset"])
        else:
            seen.finished = payload["reason"]
        if self.acknowledges and self._socket.connected:
            await self.say("ack", view=number, offset=seen.end)

    def _gone(self, *_: object) -> None:
        self.is_gone = True
        self._news.set()

    def told(self, event: str) -> list[dict[str, Any]]:
        return [payload for name, payload in self.events if name == event]

    def has(self, event: str) -> bool:
        return any(name == event for name, _ in self.events)

    def last(self, event: str) -> dict[str, Any]:
        """Return what was told last, {} if nothing was."""
        return next((payload for name, payload in reversed(self.events) if name == event), {})

    def names(self) -> list[str]:
        return [name for name, _ in self.events]

    def session(self, session: str) -> dict[str, Any]:
        """Return what is known of a session, {} if nothing is."""
        found = [each for each in self.told("session") if each["id"] == session]
        return found[-1] if found else {}

    async def until(self, look: Callable[[], T | None], what: str, patience: float = PATIENCE) -> T:
        """Return the first true thing that *look* returns; it is asked when something came."""
        try:
            async with asyncio.timeout(patience):
                while True:
                    self._news.clear()
                    if found := look():
                        return found
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"waited {patience:g} s in vain for {what}") from None


@asynccontextmanager
async def open_tab(
    host: HostProcess, client_id: str = "tab-1", seat: str = "/", token: str = ""
) -> AsyncIterator[Tab]:
    """A tab that is told what there is."""
    tab = Tab(host, client_id, seat, token)
    await tab.open()
    try:
        yield tab
    finally:
        await tab.close()


def _split(words: tuple[str, ...]) -> tuple[list[str], list[str], list[str]]:
    if "--" not in words:
        return list(words), [], []
    at = words.index("--")
    return list(words[:at]), ["--"], list(words[at + 1 :])
