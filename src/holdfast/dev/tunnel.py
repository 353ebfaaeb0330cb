"""WebSockets of the app behind our address; the only file that knows wsproto."""

import asyncio

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.utilities import ProtocolError

from holdfast.dev.guard import Receive, Scope, Send
from holdfast.dev.upstream import Address, Headers, opened, without

# What each side says for itself alone.
OF_THE_LINE = (
    b"host", b"connection", b"upgrade", b"origin", b"sec-websocket-key", b"sec-websocket-version",
    b"sec-websocket-extensions", b"sec-websocket-protocol",
)  # fmt: skip
PIECE = 64 << 10
LARGEST_MESSAGE = 16 << 20  # bytes; what a program of hot reload sends is far below


async def tunnel(scope: Scope, receive: Receive, send: Send, address: Address) -> None:
    """Join a page's WebSocket with one of the app, until either ends."""
    await receive()
    try:
        reader, writer = await opened(address)
    except OSError:
        await send({"type": "websocket.close", "code": 1013})
        return
    far = _Far(reader, writer)
    try:
        accepted = await far.begin(scope, address)
        if accepted is None:
            await send({"type": "websocket.close", "code": 1008})
            return
        await send({"type": "websocket.accept", "subprotocol": accepted.subprotocol})
        both = [
            asyncio.create_task(_outward(receive, far)),
            asyncio.create_task(_inward(far, send)),
        ]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)
    except (OSError, ProtocolError):
        pass  # one of the two has gone; the page's own code knows how to come back
    finally:
        writer.transport.abort()


class _Far:
    """The app's side."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._line = WSConnection(ConnectionType.CLIENT)

    async def begin(self, scope: Scope, address: Address) -> AcceptConnection | None:
        """Return what the app says to the page; None if it refuses."""
        headers: Headers = without(scope["headers"], OF_THE_LINE)
        target = scope["raw_path"].decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        asked = Request(
            host=address.authority.decode(),
            target=f"{target}?{query}" if query else target,
            subprotocols=list(scope.get("subprotocols") or ()),
            extra_headers=[*headers, (b"Origin", address.origin)],
        )
        await self.say(asked)
        while True:
            for event in self._line.events():
                if isinstance(event, AcceptConnection):
                    return event
                if isinstance(event, RejectConnection | RejectData | CloseConnection):
                    return None
            await self._feed()

    async def say(self, event: Event) -> None:
        self._writer.write(self._line.send(event))
        await self._writer.drain()

    async def heard(self) -> list[Event]:
        """Return what the app says next."""
        while not (found := list(self._line.events())):
            await self._feed()
        return found

    async def _feed(self) -> None:
        data = await self._reader.read(PIECE)
        self._line.receive_data(data or None)
        if not data:
            raise ConnectionError


async def _outward(receive: Receive, far: _Far) -> None:
    while True:
        said = await receive()
        if said["type"] == "websocket.disconnect":
            await far.say(CloseConnection(code=_code(said.get("code"))))
            return
        if said.get("text") is not None:
            await far.say(TextMessage(data=said["text"]))
        else:
            await far.say(BytesMessage(data=said["bytes"]))


async def _inward(far: _Far, send: Send) -> None:
    parts: list[str | bytes] = []
    try:
        while True:
            for event in await far.heard():
                if isinstance(event, TextMessage | BytesMessage):
                    await _passed(event, parts, send)
                elif isinstance(event, Ping):
                    await far.say(event.response())
                elif isinstance(event, CloseConnection):
                    await send({"type": "websocket.close", "code": _code(event.code)})
                    return
            if sum(map(len, parts)) > LARGEST_MESSAGE:
                await send({"type": "websocket.close", "code": 1009})
                return
    except OSError:
        await send({"type": "websocket.close", "code": 1012})


async def _passed(event: TextMessage | BytesMessage, parts: list[str | bytes], send: Send) -> None:
    """Hand a message on once all of it is here."""
    is_text = isinstance(event, TextMessage)
    parts.append(event.data if isinstance(event.data, str) else bytes(event.data))
    if not event.message_finished:
        return
    if is_text:
        whole: dict[str, object] = {
            "text": "".join(each for each in parts if isinstance(each, str))
        }
    else:
        whole = {"bytes": b"".join(each for each in parts if isinstance(each, bytes))}
    parts.clear()
    await send({"type": "websocket.send", **whole})


def _code(code: object) -> int:
    """Return a code that may be sent: 1005 and its like are only ever concluded."""
    is_sent = isinstance(code, int) and (3000 <= code < 5000 or code in range(1000, 1015))
    return int(str(code)) if is_sent and code not in (1004, 1005, 1006) else 1000
