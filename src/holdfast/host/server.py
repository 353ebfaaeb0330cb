"""The HTTP server: on a socket of ours, ended by us, and never held up by who does not read."""

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from ssl import SSLError
from typing import Any, NamedTuple

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

from holdfast.errors import InvalidSetting, IoFailed
from holdfast.host.asgi import App
from holdfast.host.crowd import Crowd
from holdfast.host.packets import MESSAGE_LIMIT

BACKLOG = 128
NEXT_PORTS = 20  # tried when one is busy; beyond it something else is wrong
READ_WITHIN = 1.0  # seconds for what was sent before the end to be read


class Tls(NamedTuple):
    """A certificate and its key, as files."""

    cert: Path
    key: Path


class _Connections(Crowd[asyncio.Transport]):
    """Those of one server; whoever has to go is cut off without a word."""

    def is_silent(self, transport: asyncio.Transport) -> None:
        self._cut(self.wait(transport))

    def is_served(self, transport: asyncio.Transport) -> None:
        self._cut(self.serve(transport))

    def _cut(self, transport: asyncio.Transport | None) -> None:
        if transport is not None:
            transport.abort()


class _Requests(H11Protocol):
    """A connection that makes room for others while it says nothing."""

    def __init__(self, crowd: _Connections, **parts: Any) -> None:
        super().__init__(**parts)
        self._crowd = crowd

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._crowd.is_silent(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.leave(self.transport)
        super().connection_lost(exc)

    def handle_events(self) -> None:
        super().handle_events()
        if self.transport.is_closing() or self not in self.connections:
            self._crowd.leave(self.transport)  # the latter has become a socket
        elif self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            self._crowd.is_silent(self.transport)
        else:
            self._crowd.is_served(self.transport)


class _Socket(WSProtocol):
    """A socket that makes room for others once it was closed: its peer may never answer that."""

    def __init__(self, crowd: _Connections, **parts: Any) -> None:
        super().__init__(**parts)
        self._crowd = crowd

    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.leave(self.transport)
        super().connection_lost(exc)

    async def send(self, message: Any) -> None:
        await super().send(message)
        if self.close_sent and not self.transport.is_closing():
            self._crowd.is_silent(self.transport)


class Server(uvicorn.Server):
    """Runs until told to end; signals are the caller's."""

    def __init__(self, app: App, tls: Tls | None) -> None:
        files = {} if tls is None else {"ssl_certfile": str(tls.cert), "ssl_keyfile": str(tls.key)}
        crowd = _Connections()
        config = uvicorn.Config(
            app,
            loop="none",
            http=partial(_Requests, crowd),  # type: ignore[arg-type]
            ws=partial(_Socket, crowd),  # type: ignore[arg-type]
            ws_max_size=MESSAGE_LIMIT,
            ws_per_message_deflate=False,  # costs more than it saves on a loopback
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            **files,  # type: ignore[arg-type]
        )
        try:
            config.load()
        except (OSError, SSLError) as error:
            raise InvalidSetting(
                argument="--tls-cert",
                value=str(tls.cert) if tls else "",
                problem=f"cannot be used: {error}",
                remedy="give a certificate and its key as PEM files",
            ) from error
        super().__init__(config)
        self.is_up = asyncio.Event()
        """Connections are taken."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()

    async def run_on(self, sock: socket.socket) -> None:
        """Serve until `end`."""
        await self.serve(sockets=[sock])

    def end(self) -> None:
        """Close everything; who does not read within a second is cut off."""
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: uvicorn would raise them again at its end."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close what is open; uvicorn alone would wait for ever for who does not read."""
        cutting = asyncio.get_running_loop().call_later(READ_WITHIN, self._cut)
        try:
            await super().shutdown(sockets)
        finally:
            cutting.cancel()

    def _cut(self) -> None:
        for connection in [*self.server_state.connections]:
            if connection.transport is not None:
                connection.transport.abort()


def listen(address: str, port: int) -> socket.socket:
    """Return a socket bound there; if the port is busy, to the next that is free."""
    ports = range(port, min(port + NEXT_PORTS, 65536)) if port else [0]
    for each in ports:
        try:
            return _bound(address, each)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and each != ports[-1]:
                continue
            is_port = error.errno in (errno.EADDRINUSE, errno.EACCES)
            raise IoFailed(
                action=f"listening on {address} port {each}",
                reason=_reason(error),
                remedy="choose another with --port; 0 is any that is free"
                if is_port
                else "give --listen an address of this machine",
            ) from error
    raise AssertionError("unreachable")


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "the port is busy"
    if isinstance(error, socket.gaierror):
        return str(error.strerror)
    # What `create_server` makes of it says the address once more.
    return os.strerror(error.errno) if error.errno else str(error)


def _bound(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, port), family=family, backlog=BACKLOG)
