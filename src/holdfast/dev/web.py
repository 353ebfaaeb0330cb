"""The web server of `hold dev`; the only file that knows Starlette and uvicorn."""

import asyncio
import json
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import uvicorn
from starlette.responses import FileResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from holdfast.dev.clients import Client, Clients
from holdfast.dev.guard import App, Guard, Receive, Scope, Send
from holdfast.dev.injecting import SCRIPT, SOURCE
from holdfast.dev.site import Answer, Site

SOCKET = "/__holdfast__/socket"
OURS = "/__holdfast__/"
HELLO_WITHIN = 5.0  # seconds for a page to say who it is
LARGEST_MESSAGE = 64 << 10  # bytes that a page may say at once
ANOTHER_START = 4001  # close code: load the page again, it is from before
CLOSE_WITHIN = 1.0  # seconds for connections to end by themselves
SCRIPT_HEADERS = {
    "cache-control": "max-age=31536000, immutable",
    "content-type": "text/javascript; charset=utf-8",
}


def pages_app(site: Site) -> App:
    """Return the application that serves a folder."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await WebSocket(scope, receive, send).close(1008)
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        answer = await site.answer(scope["method"], scope["path"], headers)
        await _sent(answer, scope, receive, send)

    return app


async def _sent(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    headers = dict(answer.headers)
    if isinstance(answer.body, Path):
        response: Response = FileResponse(
            answer.body, answer.status, headers, media_type=answer.type
        )
    else:
        # As a header of its own: Starlette would write "charset" behind it once more.
        headers["content-type"] = answer.type
        response = Response(answer.body, answer.status, headers)
    await response(scope, receive, send)


class Web:
    """A running server on a socket of ours."""

    def __init__(self, content: App, clients: Clients, own: socket.socket) -> None:
        self._content = content
        self._clients = clients
        self._socket = own
        self.port: int = own.getsockname()[1]
        config = uvicorn.Config(
            Guard(self._app, self.port),
            http="h11",
            ws="wsproto",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws_max_size=16 << 20,
            ws_per_message_deflate=False,
        )
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        # What goes wrong with one connection is no news for a person.
        logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        return self  # connections wait in the backlog until it is up

    async def __aexit__(self, *_error: object) -> None:
        assert self._task is not None
        self._server.should_exit = True
        done, _ = await asyncio.wait([self._task], timeout=CLOSE_WITHIN)
        if not done:  # a page that does not read would keep us for ever
            for connection in list(self._server.server_state.connections):
                connection.transport.abort()
            for task in list(self._server.server_state.tasks):
                task.cancel()  # one that waits for an app would wait for ever
        await self._task

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if not path.startswith(OURS):
            await self._content(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._page(WebSocket(scope, receive, send), path)
        elif path == SCRIPT:
            await Response(SOURCE, headers=SCRIPT_HEADERS)(scope, receive, send)
        else:
            await Response("nothing here\n", 404)(scope, receive, send)

    async def _page(self, connection: WebSocket, path: str) -> None:
        """Talk with one page until it goes."""
        if path != SOCKET:
            await connection.close(1008)
            return
        await connection.accept()
        client = Client()
        try:
            async with asyncio.timeout(HELLO_WITHIN):
                hello = await _heard(connection)
            if hello.get("kind") != "hello" or not self._clients.may_enter(hello.get("token")):
                await connection.close(ANOTHER_START)
                return
            self._clients.enter(client, hello.get("state"))
            await self._talk(connection, client)
        except (TimeoutError, ValueError, KeyError):
            await connection.close(1008)  # it says nothing, or rubbish
        except (WebSocketDisconnect, RuntimeError):
            pass  # it has gone; a good page comes back by itself
        finally:
            self._clients.leave(client)

    async def _talk(self, connection: WebSocket, client: Client) -> None:
        async with asyncio.TaskGroup() as group:
            speaking = group.create_task(_speak(connection, client))
            try:
                while True:
                    self._clients.heard(await _heard(connection))
            except (WebSocketDisconnect, ValueError, KeyError, RuntimeError):
                speaking.cancel()


async def _heard(connection: WebSocket) -> dict[str, object]:
    text = await connection.receive_text()
    said = json.loads(text) if len(text) <= LARGEST_MESSAGE else None
    if isinstance(said, dict):
        return said
    raise ValueError("rubbish")


async def _speak(connection: WebSocket, client: Client) -> None:
    try:
        while (text := await client.outbox.get()) is not None:
            await connection.send_text(text)
        await connection.close(1013)
    except (WebSocketDisconnect, RuntimeError):
        pass  # it has gone; whoever listens to it sees that, too


class _Server(uvicorn.Server):
    """A server that leaves signals to whoever runs it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
