"""One request or socket of an ASGI application, in memory."""

import asyncio
import json
from types import TracebackType
from typing import Any, Self

import msgpack

from holdfast.host.asgi import App, Message, Scope

HERE = "127.0.0.1:7717"
PATIENCE = 10.0


def scope_of(kind: str, path: str, *, headers: dict[str, str] | None = None) -> Scope:
    sent = {"host": HERE, **(headers or {})}
    return {
        "type": kind,
        "method": "GET",
        "path": path,
        "query_string": b"code=SECRET",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.items()],
        "client": ("127.0.0.9", 50000),
        "extensions": {"websocket.http.response": {}},
    }


class Answer:
    """What came back."""

    def __init__(self, sent: list[Message]) -> None:
        starts = [one for one in sent if one["type"].endswith("http.response.start")]
        (start,) = starts
        self.status: int = start["status"]
        self.headers = {name.decode(): value.decode() for name, value in start["headers"]}
        self.body = b"".join(one.get("body", b"") for one in sent)

    @property
    def code(self) -> str:
        """The code of the error."""
        error: dict[str, str] = json.loads(self.body)["error"]
        assert set(error) == {"code", "what", "fix"}
        return error["code"]


def ask(
    app: App,
    path: str,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: tuple[bytes, ...] = (b"",),
) -> Answer:
    """Make one request and return its answer."""
    sent: list[Message] = []
    pieces = list(body)

    async def receive() -> Message:
        if not pieces:
            return {"type": "http.disconnect"}
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = scope_of("http", path, headers=headers)
    scope["method"] = method
    asyncio.run(asyncio.wait_for(_run(app, scope, receive, send), PATIENCE))
    return Answer(sent)


async def _run(app: App, *parts: Any) -> None:
    await app(*parts)


class SocketPeer:
    """A socket that is open: the page's side of it. Use it as a context manager."""

    def __init__(self, app: App, path: str = "/socket.io/", **headers: str) -> None:
        self._app = app
        self._scope = scope_of("websocket", path, headers=headers)
        self._to_host: asyncio.Queue[Message] = asyncio.Queue()
        self._from_host: asyncio.Queue[Message] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self._to_host.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.create_task(
            _run(self._app, self._scope, self._to_host.get, self._from_host.put)
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._to_host.put_nowait({"type": "websocket.disconnect", "code": 1006})
        await asyncio.wait_for(self._task, PATIENCE)

    def say(self, content: str | bytes) -> None:
        key = "text" if isinstance(content, str) else "bytes"
        self._to_host.put_nowait({"type": "websocket.receive", key: content})

    def pack(self, kind: int, data: object = None, **more: object) -> None:
        """Say a packet of socket.io."""
        self.say(msgpack.packb({"type": kind, "nsp": "/", "data": data, **more}))

    async def next(self) -> Message:
        """Return the next thing the host sends."""
        return await asyncio.wait_for(self._from_host.get(), PATIENCE)

    async def closed(self) -> int:
        """Wait until the host closes it; return the code."""
        while (message := await self.next())["type"] != "websocket.close":
            pass
        code: int = message["code"]
        return code
