"""Pages without a browser, for a host and for terminado: as little work as a client can have."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import msgspec

from benchmarks.peers.programs import COLOURED
from tests.support.home import until

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder().decode
EVENT, ACK = 2, 3
ACKS_A_WINDOW = 4
WINDOW = 256 << 10

TERMINADO = """
import asyncio, sys
import tornado.web
from terminado import NamedTermManager, TermSocket

async def main():
    manager = NamedTermManager(shell_command=["sh", "-c", sys.argv[1]])
    app = tornado.web.Application([(r"/(.*)", TermSocket, {"term_manager": manager})])
    server = app.listen(0, "127.0.0.1")
    print(next(iter(server._sockets.values())).getsockname()[1], flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


class Page(Protocol):
    """A terminal in a page."""

    size: int
    """Bytes that it was shown."""
    tail: bytes

    async def type(self, data: bytes) -> None:
        """Type."""

    async def shown(self, look: Callable[[], bool]) -> None:
        """Wait until what was shown is enough."""

    async def close(self) -> None:
        """Leave."""


class Shown:
    """What both kinds of page count."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._reading: asyncio.Task[None]
        self.size = 0
        self.tail = b""
        self._news = asyncio.Event()

    def pause(self) -> None:
        """Read no more, as a laptop that sleeps."""
        protocol = self._socket._reader._protocol  # nobody else knows its transport
        transport = protocol.transport
        assert transport is not None
        transport.pause_reading()
        self._reading.cancel()

    def show(self, data: bytes) -> None:
        self.size += len(data)
        self.tail = (self.tail + data[-64:])[-64:]
        self._news.set()

    async def shown(self, look: Callable[[], bool]) -> None:
        while not look():
            self._news.clear()
            await self._news.wait()


class HostPage(Shown):
    """A tab of a host, with one view."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, session: str) -> None:
        super().__init__(socket)
        self._session = session
        self._asked = 0
        self._acked = 0
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self.frames = 0
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def open(
        cls, web: aiohttp.ClientSession, url: str, token: str, client_id: str, session: str
    ) -> "HostPage":
        socket = await web.ws_connect(
            f"{url}socket.io/?EIO=4&transport=websocket", max_msg_size=0, compress=0
        )
        await socket.receive()  # engine.io's greeting
        auth = {"protocol": 1, "token": token, "client_id": client_id, "seat": f"s/{session}"}
        await socket.send_bytes(encode({"type": 0, "nsp": "/", "data": auth}))
        answer = decode((await socket.receive()).data)
        assert answer["type"] == 0, answer
        page = cls(socket, session)
        attach = {"view": 1, "session": session, "since": None, "scrollback": 0}
        attached = await page.ask("attach", attach | {"cols": 80, "rows": 24})
        page._acked = max(page._acked, attached["ok"]["offset"])
        return page

    async def ask(self, event: str, payload: object) -> Any:
        self._asked += 1
        answer = self._answers[self._asked] = asyncio.get_running_loop().create_future()
        await self._say(event, payload, self._asked)
        return await answer

    async def type(self, data: bytes) -> None:
        await self._say("input", {"session": self._session, "data": data})

    async def close(self) -> None:
        self._reading.cancel()
        await self._socket.close()

    async def _say(self, event: str, payload: object, number: int | None = None) -> None:
        packet = {"type": EVENT, "nsp": "/", "data": [event, payload]}
        await self._socket.send_bytes(encode(packet | ({} if number is None else {"id": number})))

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                await self._socket.send_str("3")
                continue
            packet = decode(message.data)
            if packet["type"] == ACK:
                self._answers.pop(packet["id"]).set_result(packet["data"][0])
            elif packet["data"][0] == "output":
                await self._see(packet["data"][1])
            elif packet["data"][0] in ("snapshot", "gap"):
                told = packet["data"][1]
                await self._ack(told.get("end", told.get("offset")))

    async def _see(self, told: dict[str, Any]) -> None:
        self.frames += 1
        self.show(told["data"])
        end = told["offset"] + len(told["data"])
        if end - self._acked >= WINDOW // ACKS_A_WINDOW:
            await self._ack(end)

    async def _ack(self, end: int) -> None:
        self._acked = end
        await self._say("ack", {"view": 1, "offset": end})


class TerminadoPage(Shown):
    """A page of terminado."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        super().__init__(socket)
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, web: aiohttp.ClientSession, port: int, name: str) -> "TerminadoPage":
        url = f"http://127.0.0.1:{port}/{name}"
        return cls(await web.ws_connect(url, max_msg_size=0, compress=0))

    async def type(self, data: bytes) -> None:
        await self._socket.send_str(json.dumps(["stdin", data.decode()]))

    async def close(self) -> None:
        self._reading.cancel()
        await self._socket.close()

    async def _read(self) -> None:
        async for message in self._socket:
            kind, text = json.loads(message.data)
            if kind == "stdout":
                self.show(text.encode())


def terminado(command: str) -> "tuple[subprocess.Popen[bytes], int]":
    """Start a terminado whose terminals run *command*; return it with its port."""
    process = subprocess.Popen(
        [sys.executable, "-c", TERMINADO, command],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # it has much to say of pages that go
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def flood_file(directory: Path, size: int) -> Path:
    """Return a file of so many bytes of a coloured flood."""
    path = directory / "flood"
    path.write_bytes(COLOURED * (size // len(COLOURED)))
    return path


async def flooded(page: Page, size: int) -> float:
    """Have a page's program print a file once; return the MB/s at which it was shown."""
    before, begin = page.size, time.perf_counter()
    await page.type(b"\n")
    await page.shown(lambda: page.size - before >= size)
    return size / 1e6 / (time.perf_counter() - begin)


async def echoes(page: Page, count: int, pause: float) -> list[float]:
    """Return the milliseconds from a key to its echo, sorted."""
    taken = []
    for _ in range(count):
        before, begin = page.size, time.perf_counter()
        await page.type(b"x")
        await page.shown(lambda before=before: page.size > before)  # type: ignore[misc]
        taken.append((time.perf_counter() - begin) * 1000)
        await asyncio.sleep(pause)
    return sorted(taken)


def settled(look: Callable[[], int]) -> int:
    """Return a figure once it stands still."""
    seen: list[int] = []

    def stands() -> bool:
        seen.append(look())
        time.sleep(0.05)
        return len(seen) > 3 and max(seen[-3:]) == min(seen[-3:])

    until(stands, "memory to settle")
    return seen[-1]
