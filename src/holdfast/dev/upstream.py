"""The app behind our address: one request, handed on and its answer handed back.

The only file that knows h11. Loopback only; a connection for each request, which costs a fraction
of a millisecond and can never be one that the app has just closed.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from holdfast.errors import InvalidArgument

LOOPBACK = ("127.0.0.1", "::1")
OWN_NAMES = ("localhost", "127.0.0.1", "::1", "0.0.0.0", "::")  # noqa: S104 - as programs print them
CONNECT_WITHIN = 2.0
ANSWER_WITHIN = 10.0  # seconds for one try: whoever compiles meanwhile is further at the next
PIECE = 64 << 10

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where an app listens, and with which path it begins."""

    port: int
    name: str = "localhost"
    path: str = "/"
    is_tls: bool = False

    @property
    def authority(self) -> bytes:
        """What the app is called in a Host header."""
        return f"{self.name}:{self.port}".encode()

    @property
    def origin(self) -> bytes:
        return (b"https://" if self.is_tls else b"http://") + self.authority


def address_of(url: str) -> Address:
    """Return what a URL on this machine means; raise InvalidArgument."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise _refused(url, f"is no URL: {error}") from error
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("http", "https") or not host:
        raise _refused(url, "is no URL of a web server")
    if host not in OWN_NAMES and not host.endswith(".localhost"):
        raise _refused(url, "is not on this machine")
    # An app that listens everywhere, or on either loopback address, answers to this name.
    name = host if host.endswith(".localhost") or host == "127.0.0.1" else "localhost"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(port=port, name=name, path=path, is_tls=parts.scheme == "https")


def _refused(url: str, problem: str) -> InvalidArgument:
    remedy = "write it as http://localhost:PORT"
    return InvalidArgument(argument="--url", value=url, problem=problem, remedy=remedy)


async def opened(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connection to the app; raise OSError. Node listens on either of the two."""
    context = None
    if address.is_tls:  # made for this machine by the app itself: nobody could vouch for it
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    refused: OSError = ConnectionRefusedError(f"nothing listens on port {address.port}")
    for host in LOOPBACK:
        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                return await asyncio.open_connection(
                    host, address.port, ssl=context, limit=PIECE * 4
                )
        except OSError as error:
            refused = error
    raise refused


@dataclass(frozen=True, kw_only=True)
class Response:
    """The head of an answer, and what follows it."""

    status: int
    headers: Headers
    body: AsyncIterator[bytes]


@asynccontextmanager
async def asked(
    address: Address, head: tuple[str, bytes, Headers], body: AsyncIterator[bytes]
) -> AsyncIterator[Response]:
    """Ask the app for *head* (method, target, headers); raise OSError."""
    method, target, headers = head
    reader, writer = await opened(address)
    sending: asyncio.Task[None] | None = None
    try:
        line = h11.Connection(h11.CLIENT)
        first = line.send(h11.Request(method=method, target=target, headers=headers))
        writer.write(first or b"")
        await writer.drain()
        sending = asyncio.create_task(_send(line, writer, body))
        answer = await _answer(line, reader)
        yield Response(
            status=answer.status_code,
            headers=list(answer.headers.raw_items()),
            body=_body(line, reader),
        )
    except h11.ProtocolError as error:
        raise ConnectionError(f"the app does not speak HTTP: {error}") from error
    finally:
        if sending is not None:
            sending.cancel()
        writer.transport.abort()


async def answers(address: Address) -> bool:
    """Return whether the app answers anything at all."""
    headers = [(b"Host", address.authority), (b"Accept", b"text/html"), (b"Connection", b"close")]
    try:
        async with (
            asyncio.timeout(ANSWER_WITHIN),
            asked(address, ("GET", address.path.encode(), headers), _nothing()),
        ):
            return True
    except OSError:  # a timeout is one as well
        return False


async def _nothing() -> AsyncIterator[bytes]:
    nothing: tuple[bytes, ...] = ()
    for piece in nothing:
        yield piece


async def _send(
    line: h11.Connection, writer: asyncio.StreamWriter, body: AsyncIterator[bytes]
) -> None:
    try:
        async for piece in body:
            writer.write(line.send(h11.Data(data=piece)) or b"")
            await writer.drain()
        writer.write(line.send(h11.EndOfMessage()) or b"")
    except (OSError, h11.LocalProtocolError):
        pass  # the app has answered without hearing all of it


async def _answer(line: h11.Connection, reader: asyncio.StreamReader) -> h11.Response:
    while True:
        event = line.next_event()
        if isinstance(event, h11.Response):
            return event
        if event is h11.NEED_DATA:
            await _fed(line, reader)
        elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
            raise ConnectionError("the app closed the connection without an answer")


async def _body(line: h11.Connection, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    try:
        while True:
            event = line.next_event()
            if event is h11.NEED_DATA:
                await _fed(line, reader)
            elif isinstance(event, h11.Data):
                yield bytes(event.data)
            else:
                return
    except h11.RemoteProtocolError as error:
        raise ConnectionError(f"the app's answer broke off: {error}") from error


async def _fed(line: h11.Connection, reader: asyncio.StreamReader) -> None:
    line.receive_data(await reader.read(PIECE))


def without(headers: Iterable[tuple[bytes, bytes]], names: Iterable[bytes]) -> Headers:
    """Return the headers but for those, whatever their case."""
    gone = frozenset(names)
    return [(name, value) for name, value in headers if name.lower() not in gone]
