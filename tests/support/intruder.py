"""What somebody sends to a host who is not its page: bytes of his own choice."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any, NamedTuple

import aiohttp
import msgpack

from tests.support.home import PATIENCE
from tests.support.hosting import HostProcess

CONNECT, DISCONNECT, EVENT, REFUSED = 0, 1, 2, 4


class Answer(NamedTuple):
    """What came back for a request."""

    status: int
    head: str
    body: bytes

    @property
    def code(self) -> str:
        """The code of the error, "" if it is none."""
        try:
            return str(json.loads(self.body)["error"]["code"])
        except (ValueError, KeyError, TypeError):
            return ""


def request(
    host: HostProcess,
    target: str,
    /,
    *,
    method: str = "GET",
    body: bytes = b"",
    token: str = "",
    **headers: str,
) -> Answer:
    """Send one request as it is written here: nothing is made tidy on the way."""
    named = {"host": f"127.0.0.1:{host.port}", "connection": "close"} | headers
    if token:
        named["authorization"] = f"Bearer {token}"
    if body:
        named["content-length"] = str(len(body))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {text}" for name, text in named.items())]
    with socket.create_connection(("127.0.0.1", host.port), PATIENCE) as sock:
        sock.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        sock.settimeout(PATIENCE)
        data = b""
        while piece := sock.recv(65536):
            data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    return Answer(int(head.split()[1]), head.decode("latin-1").lower(), rest)


def login(host: HostProcess, code: str) -> Answer:
    body = json.dumps({"code": code}).encode()
    return request(host, "/api/login", method="POST", body=body)


class Wire:
    """A WebSocket to the host's socket.io address."""

    def __init__(self, socket_: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket_

    async def introduce(self, token: str, client_id: str = "intruder", seat: str = "/") -> Any:
        """Say who one is; return the packet that answers."""
        auth = {"protocol": 1, "token": token, "client_id": client_id, "seat": seat}
        await self.pack(CONNECT, auth)
        return await self.packet()

    async def pack(self, kind: int, data: object = None, **more: object) -> None:
        fields = {"type": kind, "nsp": "/", "data": data, **more}
        await self.socket.send_bytes(msgpack.packb(fields))

    async def packet(self) -> Any:
        """Return the next packet of socket.io; None when the socket is closed."""
        while True:
            message = await self.socket.receive(PATIENCE)
            if message.type is aiohttp.WSMsgType.BINARY:
                return msgpack.unpackb(message.data)
            if message.type is not aiohttp.WSMsgType.TEXT:
                return None

    async def closed(self) -> int:
        """Wait until the host closes the socket; return the code."""
        while await self.packet() is not None:
            pass
        return self.socket.close_code or 1006


@asynccontextmanager
async def wire(host: HostProcess, **headers: str) -> AsyncIterator[Wire]:
    """A socket that is open, of somebody who has said nothing yet."""
    url = f"{host.url}socket.io/?EIO=4&transport=websocket"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, headers=headers, max_msg_size=0) as opened,
    ):
        yield Wire(opened)


async def refused(host: HostProcess, path: str = "socket.io/", /, **headers: str) -> int:
    """Return the status with which a WebSocket is refused; 101 if it is not."""
    url = f"{host.url}{path}?EIO=4&transport=websocket"
    async with aiohttp.ClientSession() as session:
        try:
            async with session.ws_connect(url, headers=headers):
                return 101
        except aiohttp.WSServerHandshakeError as error:
            return error.status


async def let_in(host: HostProcess, token: str, **named: str) -> str:
    """Return "" if a token lets a socket in, else the code of the refusal."""
    async with wire(host) as opened:
        answer = await opened.introduce(token, **named)
        return "" if answer["type"] == CONNECT else str(answer["data"]["data"]["code"])


async def silent(host: HostProcess) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect and say nothing."""
    return await asyncio.open_connection("127.0.0.1", host.port)


@contextmanager
def crowd(host: HostProcess, count: int, said: Callable[[int], bytes]) -> Iterator[None]:
    """So many connections at once, each of which says its piece and no more."""
    with ExitStack() as stack:
        for number in range(count):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", host.port), PATIENCE))
            one.sendall(said(number))
        yield
