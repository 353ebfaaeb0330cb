"""The asyncio shell around one client's connection: bytes and time, no rules."""

import asyncio
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from typing import cast

from holdfast import __version__
from holdfast.errors import AuthFailed, HoldfastError, Internal, LocalProtocolError
from holdfast.protocol.connection import ConnectionEnded, DataReceived
from holdfast.protocol.daemon_end import DaemonEnd, HelloReceived, RequestReceived
from holdfast.protocol.frames import LIMIT
from holdfast.protocol.messages import Message, Welcome

Handle = Callable[[DaemonEnd, Message], Awaitable[Message]]
STARTED = time.time()


class ClientProtocol(asyncio.Protocol):
    """Feed the core, do what is asked, write what it says."""

    def __init__(self, handle: Handle, *, uid: int, pid: int, session_limit: int) -> None:
        self._handle = handle
        self._uid = uid
        self._pid = pid
        self._session_limit = session_limit
        self._loop = asyncio.get_running_loop()
        self._core = DaemonEnd(now=self._loop.time())
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._room = asyncio.Event()
        self._room.set()
        self._transport: asyncio.Transport

    # -- what the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are of no common class
        peer = _peer_uid(transport.get_extra_info("socket"))
        if peer is not None and peer != self._uid:
            self._core.refuse(AuthFailed(reason=f"user {peer} is not user {self._uid}"))
        self._settle()

    def data_received(self, data: bytes) -> None:
        self._core.feed(data)
        self._act()

    def eof_received(self) -> bool:
        self._core.feed_end()
        self._act()
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        self._core.feed_end()
        for task in self._tasks:
            task.cancel()
        if self._timer is not None:
            self._timer.cancel()

    def pause_writing(self) -> None:
        # It does not read its replies, so it may not ask for more.
        self._room.clear()
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._room.set()
        self._transport.resume_reading()

    # -- what happened

    def _act(self) -> None:
        while (event := self._core.next_event()) is not None:
            if isinstance(event, HelloReceived):
                self._core.welcome(
                    Welcome(
                        protocol=event.protocol,
                        version=__version__,
                        pid=self._pid,
                        started=STARTED,
                        frame_limit=LIMIT,
                        session_limit=self._session_limit,
                    )
                )
            elif isinstance(event, RequestReceived):
                task = self._loop.create_task(self._answer(event))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            elif isinstance(event, ConnectionEnded | DataReceived):
                continue
        self._settle()

    async def _answer(self, asked: RequestReceived) -> None:
        try:
            # Answers to a client that does not read them would pile up.
            await self._room.wait()
            reply = await self._handle(self._core, asked.message)
            if not self._transport.is_closing():
                self._core.reply(asked.number, reply)
        except Exception as error:  # noqa: BLE001 - one request that fails must
            # not end the connection, nor leave its client without an answer.
            if not self._transport.is_closing():
                self._core.fail(asked.number, self._told(error))
        self._settle()

    def _told(self, error: Exception) -> HoldfastError:
        """Return what a client hears: internals never go to a peer, the log has the traceback."""
        if isinstance(error, HoldfastError) and not isinstance(error, LocalProtocolError):
            return error
        self._loop.call_exception_handler({"message": "request failed", "exception": error})
        return Internal(summary=type(error).__name__)

    def _settle(self) -> None:
        """Write what is to be written, arm the timer, close when it is over."""
        if self._transport.is_closing():
            return
        if buffers := self._core.drain():
            self._transport.writelines(buffers)
        if self._core.should_close:
            self._transport.close()
        if self._timer is not None:
            self._timer.cancel()
        deadline = self._core.deadline()
        self._timer = self._loop.call_at(deadline, self._expire) if deadline is not None else None

    def _expire(self) -> None:
        self._core.expire(self._loop.time())
        self._settle()


def _peer_uid(sock: socket.socket) -> int | None:
    """Return whose process the peer is; None where the system does not tell."""
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    return int(uid)
