"""The socket.io server, behind words of ours: who connects, what is said, what is sent.

It knows nothing of tabs and sessions. What is sent is encoded here and put straight into the
socket's queue: the library's own `emit` makes a task of every message. It has no
back-pressure, so whoever sends asks for the `backlog` first.
"""

import asyncio
import logging
from typing import Any, Protocol

import msgspec
import socketio
from engineio.packet import MESSAGE, Packet
from socketio.exceptions import ConnectionRefusedError as Refusal

from holdfast.errors import HoldfastError
from holdfast.host.asgi import Receive, Scope, Send, peer_of
from holdfast.host.engine import hurry, speed_up
from holdfast.host.guard import a_bug, error_map
from holdfast.host.inflight import Calls
from holdfast.host.packets import MESSAGE_LIMIT

PING_EVERY, PING_WITHIN = 25, 20  # seconds; the page sees a host that is cut off by them
EVENT, ACK = 2, 3  # the numbers of socket.io's packets
# Their handlers wait for nothing, so they need no task, and never wait behind what does.
AT_ONCE = ("ack", "ready", "__activity__")
PLACE = "/"  # the only namespace

log = logging.getLogger(__name__)
encode = msgspec.msgpack.Encoder().encode


class _Packet(msgspec.Struct):
    type: int
    data: Any = None
    id: int | None = None


_packets = msgspec.msgpack.Decoder(_Packet)


class Told(Protocol):
    """Who is told what sockets do."""

    async def connected(self, socket: str, auth: object, peer: str) -> None:
        """Somebody wants in; raise the error that refuses it."""

    async def heard(self, socket: str, event: str, payload: object) -> object:
        """Something was said; what is returned is the answer, if one is wanted."""

    async def lost(self, socket: str, reason: str) -> None:
        """The socket is gone."""


class Wire:
    """Every socket of this host."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._server = socketio.AsyncServer(
            async_mode="asgi",
            serializer="msgpack",
            transports=["websocket"],
            cors_allowed_origins=[],  # who may come is decided before a request gets here
            ping_interval=PING_EVERY,
            ping_timeout=PING_WITHIN,
            max_http_buffer_size=MESSAGE_LIMIT,
            logger=_quiet("socketio"),
            engineio_logger=_quiet("engineio"),
        )
        self._server.on("connect", self._connect)
        self._server.on("disconnect", self._disconnect)
        # Events come here without the library's way to them, which costs as much as all of ours.
        self._other = self._server.eio.handlers["message"]
        self._server.eio.on("message", self._message)
        self._greet = self._server.eio.handlers["connect"]
        self._server.eio.on("connect", self._begun)
        self._calls: dict[str, Calls] = {}
        self._engine = socketio.ASGIApp(self._server, socketio_path=None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request to the socket's address."""
        await self._engine(scope, receive, send)

    # -- sending

    def send(self, socket: str, event: str, payload: object) -> bool:
        """Send a message; false when the socket is gone."""
        found = self._found(socket)
        if found is None:
            return False
        data = encode({"type": EVENT, "nsp": PLACE, "data": [event, payload]})
        found.queue.put_nowait(Packet(MESSAGE, data))
        return True

    def backlog(self, socket: str) -> int:
        """Return how many messages wait for a socket that does not take them."""
        found = self._found(socket)
        return found.queue.qsize() if found is not None else 0

    async def close(self, socket: str) -> None:
        """Send the end of the connection behind what was sent; the page does not come back."""
        await self._server.disconnect(socket)

    async def drop(self, socket: str) -> None:
        """Close a socket with whatever waits for it."""
        found = self._found(socket)
        if found is not None:
            while not found.queue.empty():
                found.queue.get_nowait()
                found.queue.task_done()
            await found.close(wait=False)
            hurry(found)

    async def flush(self, patience: float) -> None:
        """Wait until everything was handed to the sockets, or some do not take it."""
        until = asyncio.get_running_loop().time() + patience
        while any(not each.queue.empty() for each in self._server.eio.sockets.values()):
            if asyncio.get_running_loop().time() > until:
                return
            await asyncio.sleep(0.01)

    def _found(self, socket: str) -> Any:
        engine_id = self._server.manager.eio_sid_from_sid(socket, PLACE)
        found = self._server.eio.sockets.get(engine_id)
        return None if found is None or found.closing or found.closed else found

    # -- hearing

    async def _connect(self, socket: str, environ: Scope, auth: object = None) -> None:
        try:
            await self._told.connected(socket, auth, peer_of(environ["asgi.scope"]))
        except HoldfastError as error:
            raise Refusal(error.what, error_map(error)) from error
        except Exception as error:
            log.exception("a connection was not taken")
            bug = a_bug(error)
            raise Refusal(bug.what, error_map(bug)) from error

    async def _disconnect(self, socket: str, reason: str = "") -> None:
        engine_id = self._server.manager.eio_sid_from_sid(socket, PLACE)
        calls = self._calls.pop(engine_id, None)  # which fail when the tab is let go of
        try:
            await self._told.lost(socket, reason)
        except Exception:
            log.exception("a tab was not let go of")
        if calls:
            log.debug("%d calls are given up: their socket is gone", len(calls))

    async def _message(self, engine_id: str, data: bytes) -> None:
        """Do what a packet says, which was read and written anew before it came here."""
        packet = _packets.decode(data)
        if packet.type != EVENT:
            await self._other(engine_id, data)
            return
        socket = self._server.manager.sid_from_eio_sid(engine_id, PLACE)
        if socket is not None and self._server.manager.is_connected(socket, PLACE):
            if packet.data[0] in AT_ONCE:
                await self._serve(socket, packet)
            elif not await self._calls_of(engine_id).begin(self._serve(socket, packet), len(data)):
                log.info("a tab whose calls do not end is dropped")
                await self.drop(socket)

    def _calls_of(self, engine_id: str) -> Calls:
        calls = self._calls.get(engine_id)
        if calls is None:
            calls = self._calls[engine_id] = Calls()
        return calls

    async def _begun(self, engine_id: str, environ: Scope) -> object:
        speed_up(
            self._server.eio.sockets[engine_id],
            PING_EVERY + PING_WITHIN,
            lambda data: Packet(encoded_packet=data),
        )
        return await self._greet(engine_id, environ)

    async def _serve(self, socket: str, packet: "_Packet") -> None:
        event, *payloads = packet.data
        answer = await self._answer(socket, event, payloads[0] if payloads else None)
        found = self._found(socket)
        if found is None:
            log.debug("the reply to %s is dropped: its socket is gone", event)
        elif packet.id is not None:
            data = encode({"type": ACK, "nsp": PLACE, "id": packet.id, "data": [answer]})
            found.queue.put_nowait(Packet(MESSAGE, data))

    async def _answer(self, socket: str, event: str, payload: object) -> object:
        try:
            return await self._told.heard(socket, event, payload)
        except HoldfastError as error:
            return {"error": error_map(error)}
        except Exception as error:
            log.exception("the event %r failed", event)
            return {"error": error_map(a_bug(error))}


def _quiet(name: str) -> logging.Logger:
    """Return a logger that says only what is wrong, and with what, to our own log."""
    logger = logging.getLogger(f"holdfast.host.{name}")
    logger.setLevel(logging.ERROR)
    return logger
