"""The asyncio shell around one client's connection: bytes and time, no rules.

What one client may cost: a chunk that was read and not used up, an unfinished frame, the
requests it is owed answers to, and of unread answers the one that filled its socket.
"""

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import cast

from holdfast import __version__
from holdfast.config.peers import peer_uid
from holdfast.daemon.clients import Clients
from holdfast.daemon.events import Subscription
from holdfast.daemon.outlet import Outlet
from holdfast.daemon.viewing import Arriving
from holdfast.errors import AuthFailed, HoldfastError, Internal, LocalProtocolError
from holdfast.metrics.counters import Counters
from holdfast.protocol.connection import ConnectionEnded, DataReceived
from holdfast.protocol.daemon_end import (
    DaemonEnd,
    HelloReceived,
    NoticeReceived,
    RequestReceived,
)
from holdfast.protocol.frames import LIMIT
from holdfast.protocol.messages import (
    Ack,
    Detach,
    Detached,
    Goodbye,
    Hello,
    Input,
    InputTaken,
    Introduce,
    Message,
    Welcome,
)
from holdfast.protocol.state import State

Reply = Message | Callable[[], Message] | Subscription | Arriving
"""What is large and changes is made only once there is room for it. Events and viewers go on."""
Handle = Callable[[DaemonEnd, Message], Awaitable[Reply]]
Type = Callable[[DaemonEnd, Input], "asyncio.Future[int]"]
Heard = HelloReceived | RequestReceived | NoticeReceived | DataReceived | ConnectionEnded
STARTED = time.time()

# Requests of one client that are begun before the others have their turn: a ping takes 30 µs,
# so that 200 floods delay a key by 50 ms. A polite client has one or two at a time.
TURN = 8
INBOX = 256 * 1024  # bytes read at once
KEY_BY_KEY = 0.004  # seconds between two keys of a person, or more; a program types faster
LINGER = 5.0  # seconds for what was said last to be read; then the connection is cut


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What holds for every client of a daemon."""

    handle: Handle
    type: Type
    """Handle input, of which there is more than of anything else."""
    is_known: Callable[[str], bool]
    """Whether everything is known of a session that its input needs."""
    clients: Clients
    uid: int
    pid: int
    session_limit: int
    arrived: Callable[[DaemonEnd], None]
    left: Callable[[DaemonEnd, bool], None]
    """A client's connection is over; True after a goodbye."""
    counters: Counters
    token: str = ""
    inbox: bytearray = field(default_factory=lambda: bytearray(INBOX))
    """What was just read, of whomever: fresh memory for each key would cost as much as the key."""


class ClientProtocol(asyncio.BufferedProtocol):
    """Feed the core, do what is asked, write what it says."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._loop = asyncio.get_running_loop()
        self._core = DaemonEnd(now=self._loop.time())
        self._tasks: set[asyncio.Task[None]] = set()
        self._changing = 0  # requests under way that may change something
        self._timer: asyncio.TimerHandle | None = None
        self._turn: asyncio.Handle | None = None
        self._is_reading = True
        self._typed_at = 0.0
        self._is_echo_coming = False
        self._telling: asyncio.Task[None] | None = None
        self._outlet = Outlet(self._loop, self._core, self._settle)
        self._transport: asyncio.Transport

    # -- what the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are of no common class
        self._outlet.open(self._transport)
        peer = peer_uid(transport.get_extra_info("socket"))
        if peer is not None and peer != self._terms.uid:
            self._core.refuse(AuthFailed(reason=f"user {peer} is not user {self._terms.uid}"))
        else:
            self._terms.clients.enter(self)
        self._settle()

    def get_buffer(self, _sizehint: int) -> bytearray:
        return self._terms.inbox

    def buffer_updated(self, count: int) -> None:
        self._core.feed(bytes(memoryview(self._terms.inbox)[:count]))
        self._act()

    def eof_received(self) -> bool:
        self._core.feed_end()
        self._act()
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        self._terms.clients.left(self)
        self._outlet.close()
        self._core.feed_end()
        self._give_up_requests()
        self._leave(on_purpose=False)
        for handle in (self._timer, self._turn):
            if handle is not None:
                handle.cancel()

    def pause_writing(self) -> None:
        self._outlet.clogged()

    def resume_writing(self) -> None:
        self._outlet.cleared()
        self._read_on()

    # -- what the daemon wants

    def refuse(self, error: HoldfastError) -> None:
        """End this connection and tell its client why; nothing it asked for happens any more."""
        self._core.refuse(error)
        self._give_up_requests()
        self._settle()

    def tell(self, event: Message) -> None:
        """Send an event; one that does not read hears nothing more until it does."""
        if not self._transport.is_closing() and self._has_room:
            self._core.tell(event)
            self._settle()

    # -- what happened

    def _act(self) -> None:
        self._turn = None
        self._is_echo_coming = False
        for _ in range(TURN):
            event = self._core.next_event()
            if event is None:
                break
            self._happened(event)
        self._terms.counters.role_denied += self._core.take_denied()
        if self._is_echo_coming:
            self._outlet.write_with_echo()
        else:
            self._settle()
        self._read_on()

    def _happened(self, event: Heard) -> None:
        if isinstance(event, HelloReceived):
            self._greet(event.hello, event.protocol)
        elif isinstance(event, RequestReceived):
            if isinstance(event.message, Input) and self._can_type(event.message):
                self._type(event.number, event.message)
            else:
                self._begin(self._answer(event))
        elif isinstance(event, NoticeReceived) and isinstance(event.message, Goodbye):
            self._leave(on_purpose=True)
        elif isinstance(event, NoticeReceived) and isinstance(event.message, Ack):
            self._outlet.ack(event.message)
        elif isinstance(event, NoticeReceived) and isinstance(event.message, Introduce):
            self._outlet.introduce(event.message)

    def _leave(self, *, on_purpose: bool) -> None:
        if self._core.connection:
            self._terms.left(self._core, on_purpose)
            self._core.connection = 0  # what it says from now on counts for nothing

    def _begin(self, work: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _greet(self, hello: Hello, protocol: int) -> None:
        wanted = self._terms.token
        if wanted and not hmac.compare_digest(wanted.encode(), hello.token.encode()):
            reason = "this is not the token" if hello.token else "a token is wanted"
            self._core.refuse(AuthFailed(reason=reason))
            return
        number = self._terms.clients.greet(self, hello.client_id, hello.role)
        self._core.connection = number
        self._terms.arrived(self._core)
        self._core.welcome(
            Welcome(
                protocol=protocol,
                version=__version__,
                pid=self._terms.pid,
                started=STARTED,
                frame_limit=LIMIT,
                session_limit=self._terms.session_limit,
            )
        )

    def _can_type(self, asked: Input) -> bool:
        """Whether nothing has to come first: a request of its own, or the session itself."""
        return not self._changing and self._has_room and self._terms.is_known(asked.session)

    def _type(self, number: int, asked: Input) -> None:
        """Type without a task: a key is in the terminal before the loop turns."""
        try:
            taken = self._terms.type(self._core, asked)
        except Exception as error:  # noqa: BLE001 - as below
            self._core.fail(number, self._failure(error))
            return
        if not taken.done():
            self._begin(self._answer_typed(number, taken))
            return
        reason = taken.exception()
        if reason is None:
            self._core.reply(number, InputTaken(end=taken.result()))
            # A program that types waits for each answer; a person waits for the echo.
            before, self._typed_at = self._typed_at, self._loop.time()
            self._is_echo_coming = self._typed_at - before > KEY_BY_KEY
        else:
            self._core.fail(number, self._failure(reason))

    async def _answer_typed(self, number: int, taken: "asyncio.Future[int]") -> None:
        """The terminal is full; others may ask for something meanwhile."""
        try:
            reply = InputTaken(end=await taken)
        except Exception as error:  # noqa: BLE001 - as below
            if not self._transport.is_closing():
                self._core.fail(number, self._failure(error))
        else:
            if not self._transport.is_closing():
                self._core.reply(number, reply)
        self._settle()

    async def _answer(self, asked: RequestReceived) -> None:
        self._changing += 1
        try:
            await self._answer_in_turn(asked)
        finally:
            self._changing -= 1

    async def _answer_in_turn(self, asked: RequestReceived) -> None:
        try:
            # Answers to a client that does not read them would pile up.
            await self._wait_for_room()
            if isinstance(asked.message, Detach):
                reply: Reply = Detached(offset=self._outlet.detach(asked.message.viewer))
            else:
                reply = await self._terms.handle(self._core, asked.message)
            if isinstance(reply, Subscription):
                reply = self._begin_to_tell(reply)
            elif isinstance(reply, Arriving):
                self._begin_to_view(asked, reply)
                return
            elif not isinstance(reply, Message):
                await self._wait_for_room()
                reply = reply()
            if not self._transport.is_closing():
                self._core.reply(asked.number, reply)
        except Exception as error:  # noqa: BLE001 - one request that fails must
            # not end the connection, nor leave its client without an answer.
            failure = self._failure(error)
            if not self._transport.is_closing():
                self._core.fail(asked.number, failure)
        self._settle()

    def _begin_to_view(self, asked: RequestReceived, arriving: Arriving) -> None:
        """Reply, then let the bytes follow: nothing comes between what both agree on."""
        if not self._transport.is_closing():
            reply, follow = arriving.begin(self._outlet)
            self._core.reply(asked.number, reply)
            self._settle()
            follow()

    def _begin_to_tell(self, subscription: Subscription) -> Message:
        """Tell events from now on, instead of those asked for before; return the reply."""
        if self._telling is not None:
            self._telling.cancel()
        self._telling = self._begin(self._tell(subscription))
        return subscription.reply

    async def _tell(self, subscription: Subscription) -> None:
        """Tell page after page: who does not read costs one, and delays nobody."""
        try:
            while not self._transport.is_closing():
                await subscription.ready()
                await self._wait_for_room()
                for message in subscription.take():
                    self._core.tell(message)
                self._settle()
                await asyncio.sleep(0)
        except HoldfastError as error:
            self.refuse(error)

    async def _wait_for_room(self) -> None:
        # Again and again: whoever was woken first may have filled it up.
        while not self._has_room:
            await self._outlet.has_room_for_replies.wait()

    @property
    def _has_room(self) -> bool:
        return self._outlet.has_room_for_replies.is_set()

    def _failure(self, error: BaseException) -> HoldfastError:
        """Return what a client hears: internals never go to a peer, the log has the traceback."""
        if isinstance(error, HoldfastError):
            self._terms.counters.failures[error.code] += 1
        if isinstance(error, HoldfastError) and not isinstance(error, LocalProtocolError):
            return error
        self._loop.call_exception_handler({"message": "request failed", "exception": error})
        return Internal(summary=type(error).__name__)

    def _give_up_requests(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _settle(self) -> None:
        """Write what is to be written, arm the timer, close when it is over."""
        if self._transport.is_closing():
            return
        if buffers := self._core.drain():
            self._outlet.write(buffers)
        if self._timer is None and self._core.state is State.OPEN:
            return  # as nearly always: nothing is timed, nothing is over
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._core.should_close:
            self._transport.close()
            self._timer = self._loop.call_later(LINGER, self._transport.abort)
        elif (deadline := self._core.deadline()) is not None:
            self._timer = self._loop.call_at(deadline, self._expire)

    def _read_on(self) -> None:
        """Read while there is room for answers and everything read before is used up."""
        if self._transport.is_closing():
            return
        has_room, is_behind = self._has_room, self._core.is_behind
        if has_room and is_behind and self._turn is None:
            self._turn = self._loop.call_soon(self._act)
        wanted = has_room and not is_behind
        if wanted is not self._is_reading:
            self._is_reading = wanted
            (self._transport.resume_reading if wanted else self._transport.pause_reading)()

    def _expire(self) -> None:
        self._core.expire(self._loop.time())
        self._settle()
