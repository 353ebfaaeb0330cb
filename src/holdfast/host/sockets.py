"""The sockets of the host, and how many, how long and how much of what is let in to them.

Each is read through `packets.Conversation`: what breaks its rules is closed with 1008 and
named once. Whoever has not been let in has five seconds, and there is room for a bounded
number of them, of whom the oldest makes room for the next: a page says who it is at once, so
a thousand silent sockets shut nobody out.
"""

import asyncio
from collections.abc import Callable

from holdfast.errors import RemoteProtocolError
from holdfast.host.asgi import App, Message, Receive, Scope, Send, peer_of
from holdfast.host.packets import Conversation, Stage

WAITING_LIMIT = 64
LIMIT = 1024  # sockets; each costs about 100 KiB, and a descriptor
PATIENCE = 5.0  # seconds to be let in
FAREWELL = 1.0  # seconds that a peer has for its own goodbye, and for reading ours
VIOLATION, NORMAL = 1008, 1000

Complain = Callable[[str, str], None]
"""Write down what a peer has done wrong: the peer, and what."""


class Sockets:
    """All sockets that are open."""

    def __init__(
        self,
        *,
        complain: Complain,
        limit: int = LIMIT,
        waiting_limit: int = WAITING_LIMIT,
        patience: float = PATIENCE,
    ) -> None:
        self._complain = complain
        self.limit = limit
        self._waiting_limit = waiting_limit
        self._patience = patience
        self._open: dict[Socket, None] = {}

    @property
    def is_full(self) -> bool:
        """Whether there is no room for one more, whoever it is."""
        return len(self._open) >= self.limit

    @property
    def waiting(self) -> int:
        """How many have not been let in."""
        return sum(socket.is_waiting for socket in self._open)

    async def serve(self, app: App, scope: Scope, receive: Receive, send: Send) -> None:
        """Run *app* for one more socket."""
        waiting = [socket for socket in self._open if socket.is_waiting]
        for oldest in waiting[: max(0, len(waiting) - self._waiting_limit + 1)]:
            oldest.give_up("too many sockets wait to be let in")
        socket = Socket(
            receive, send, peer=peer_of(scope), patience=self._patience, complain=self._complain
        )
        self._open[socket] = None
        try:
            await app(scope, socket.receive, socket.send)
        finally:
            del self._open[socket]


class Socket:
    """One of them: what goes in and out."""

    def __init__(
        self, receive: Receive, send: Send, *, peer: str, patience: float, complain: Complain
    ) -> None:
        self._receive, self._send = receive, send
        self._peer, self._complain = peer, complain
        self._conversation = Conversation()
        self._deadline: float | None = asyncio.get_running_loop().time() + patience
        self._timeout: asyncio.Timeout | None = None
        self._problem = f"said nothing for {patience:g} s"
        self._is_ending = self._is_closed = False

    @property
    def is_waiting(self) -> bool:
        """Whether it has not been let in yet; one that is being closed waits for nothing."""
        return self._conversation.stage in (Stage.NEW, Stage.ASKING) and not self._is_closed

    def give_up(self, problem: str) -> None:
        """Close it; it makes room for another."""
        self._problem = problem
        self._set_deadline(asyncio.get_running_loop().time())

    async def receive(self) -> Message:
        """Return the next message that is to be acted on."""
        while not self._is_closed:
            try:
                message = await self._next()
            except TimeoutError:
                await self._expire()
                break
            if message["type"] != "websocket.receive":
                return message
            try:
                content = self._read(message)
            except RemoteProtocolError as error:
                await self._violated(error.problem)
                break
            if isinstance(content, str):
                return {"type": "websocket.receive", "text": content}
            if content is not None:
                return {"type": "websocket.receive", "bytes": content}
        return {"type": "websocket.disconnect", "code": VIOLATION}

    async def send(self, message: Message) -> None:
        """Pass on what the host says; after the end there is nobody to say it to."""
        if self._is_closed:
            return
        if message["type"] == "websocket.close":
            self._is_closed = True
        elif message.get("bytes") is not None:
            self._conversation.answered(message["bytes"])
            self._follow_stage()
        await self._send(message)

    async def _next(self) -> Message:
        async with asyncio.timeout_at(self._deadline) as timeout:
            self._timeout = timeout
            try:
                return await self._receive()
            finally:
                self._timeout = None

    def _read(self, message: Message) -> str | bytes | None:
        text = message.get("text")
        content = self._conversation.feed(message["bytes"] if text is None else text)
        self._follow_stage()
        return content

    def _follow_stage(self) -> None:
        """Give who was let in all the time, and who was refused or said goodbye a moment."""
        if self._conversation.stage is Stage.ACCEPTED:
            self._set_deadline(None)
        elif self._conversation.stage is Stage.OVER and not self._is_ending:
            self._is_ending = True
            self._set_deadline(asyncio.get_running_loop().time() + FAREWELL)

    def _set_deadline(self, when: float | None) -> None:
        self._deadline = when
        if self._timeout is not None:
            self._timeout.reschedule(when)

    async def _expire(self) -> None:
        if self._conversation.stage is Stage.OVER:
            await self._close(NORMAL, "")
        else:
            await self._violated(self._problem)

    async def _violated(self, problem: str) -> None:
        self._complain(self._peer, problem)
        await self._close(VIOLATION, "PROTOCOL_ERROR")

    async def _close(self, code: int, reason: str) -> None:
        self._is_closed = True
        try:
            # Who does not read would keep us here for ever.
            async with asyncio.timeout(FAREWELL):
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
        except (TimeoutError, OSError, RuntimeError):
            pass  # uvicorn raises the last for a socket that has gone meanwhile
