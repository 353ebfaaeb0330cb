"""A small blocking client: one call at a time, or several replies awaited with `select`.

A daemon may die at any moment, so a call that is cut off is made again on a new
connection wherever that cannot do anything twice. Here that is every request: reads
change nothing, a create or a signal carries a token, input an offset, and a size, a name or
an end that is asked for twice is the same size, name or end.
"""

import os
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self, overload

from msgspec.structs import replace

from holdfast.client.reach import Reach, Reached
from holdfast.client.view import SAID_OF_VIEWERS
from holdfast.config.paths import Paths
from holdfast.errors import DaemonUnreachable, HoldfastError, NotConnected, TimedOut
from holdfast.protocol import codec
from holdfast.protocol import messages as m
from holdfast.protocol.client_end import EventReceived, ReplyReceived
from holdfast.protocol.connection import ConnectionEnded, DataReceived
from holdfast.protocol.messages import REQUESTS, Hello, Message, Role
from holdfast.protocol.version import OURS

CALL_TIMEOUT = 10.0  # seconds; replies take milliseconds, a daemon's restart a few hundred
RECONNECT_FOR = 10.0  # seconds to go on trying; the keeper's longest pause between tries is 5
FIRST_PAUSE, LONGEST_PAUSE = 0.01, 0.5  # seconds between tries
CLOSED = "the daemon closed the connection"
Passing = type[HoldfastError] | tuple[type[HoldfastError], ...]
REPEATABLE = (
    m.Create,
    m.Input,
    m.Send,
    m.Resize,
    m.Kill,
    m.Signal,
    m.Rename,
    m.KillAll,
    m.Restore,
    m.Clear,
    m.Forget,
    m.Claim,
    m.Takeover,
    m.Release,
)


def connect(
    paths: Paths,
    environ: Mapping[str, str],
    *,
    role: Role = Role.CONTROL,
    label: str = "",
    kind: str = "script",
    autostart: bool = True,
) -> "Client":
    """Return a connected client; raise DaemonUnreachable and say why.

    *environ* is what a daemon would be started with, should none be there.
    """
    hello = Hello(protocol=OURS, client_id=random_id(), role=role, label=label, kind=kind)
    return Client(Reach(paths, environ, hello, autostart))


def random_id() -> str:
    """Return an id that nobody else has: for clients and creation tokens."""
    return os.urandom(10).hex()


def is_repeatable(message: Message) -> bool:
    """Whether a request that was cut off may be sent again."""
    return isinstance(message, REPEATABLE) or (REQUESTS[codec.kind_of(message)].role is Role.STREAM)


def stamped(message: Message) -> Message:
    """Return a request with what makes it the same one when it is sent again."""
    if isinstance(message, m.Create) and not message.creation:
        return replace(message, creation=random_id())
    if isinstance(message, m.Signal) and not message.token:
        return replace(message, token=random_id())
    if isinstance(message, m.KillAll) and not message.asked:
        return replace(message, asked=time.time())
    return message


class Client:
    """A connection that comes back by itself. Use it in a `with` block."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self.connections = 1
        """How many there have been; what was asked for on an older one is not on the newest."""
        self._told: list[Message] = []
        self._seen: list[DataReceived | Message] = []
        self._link, self.welcome = self._dial(1, time.monotonic() + RECONNECT_FOR, NotConnected)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye: what this client claimed is free at once."""
        self._link.close()

    @property
    def client_id(self) -> str:
        """The id by which the daemon knows this client on every connection."""
        return self._reach.hello.client_id

    # -- one call at a time

    @overload
    def call(self, message: m.Create, timeout: float = ...) -> m.Created: ...
    @overload
    def call(self, message: m.List, timeout: float = ...) -> m.Listed: ...
    @overload
    def call(self, message: m.Output, timeout: float = ...) -> m.OutputChunk: ...
    @overload
    def call(self, message: m.GetScreen, timeout: float = ...) -> m.Screen: ...
    @overload
    def call(self, message: m.Input, timeout: float = ...) -> m.InputTaken: ...
    @overload
    def call(self, message: m.Send, timeout: float = ...) -> m.Sent: ...
    @overload
    def call(
        self,
        message: m.Get | m.Resize | m.Kill | m.Restore | m.Claim | m.Takeover | m.Release,
        timeout: float = ...,
    ) -> m.SessionInfo: ...
    @overload
    def call(
        self, message: m.Signal | m.Rename | m.Wait, timeout: float = ...
    ) -> m.SessionInfo: ...
    @overload
    def call(self, message: m.KillAll, timeout: float = ...) -> m.KilledAll: ...
    @overload
    def call(self, message: m.Clear | m.Forget, timeout: float = ...) -> m.Erased: ...
    @overload
    def call(self, message: m.Du, timeout: float = ...) -> m.DiskUsed: ...
    @overload
    def call(self, message: m.Subscribe, timeout: float = ...) -> m.Subscribed: ...
    @overload
    def call(self, message: m.GetStats, timeout: float = ...) -> m.Stats: ...
    @overload
    def call(self, message: m.GetMetrics, timeout: float = ...) -> m.Metrics: ...
    @overload
    def call(self, message: m.Ping, timeout: float = ...) -> m.Pong: ...

    def call(self, message: Message, timeout: float = CALL_TIMEOUT) -> Message:
        """Return the reply, or raise the error it failed with.

        A broken connection is mended and the request sent again; NotConnected is raised
        only when that could do something twice.
        """
        message = stamped(message)
        deadline = time.monotonic() + timeout
        give_up = time.monotonic() + RECONNECT_FOR
        while True:
            try:
                return self._call_once(message, deadline, timeout)
            except NotConnected:
                if not is_repeatable(message):
                    raise
            self._reconnect(give_up)
            deadline = max(deadline, time.monotonic() + CALL_TIMEOUT)

    def _call_once(self, message: Message, deadline: float, timeout: float) -> Message:
        number = self.ask(message)
        while self._link.wait(deadline):
            for reply in self.replies():
                if reply.number != number:
                    continue  # of a call that was given up
                if isinstance(reply.result, HoldfastError):
                    raise reply.result
                return reply.result
        raise TimedOut(action=f"the request {codec.kind_of(message)!r}", seconds=timeout)

    # -- several at once

    def fileno(self) -> int:
        return self._link.fileno()

    @property
    def wants_to_write(self) -> bool:
        """`flush` is to be called once the socket takes more."""
        return self._link.wants_to_write

    def flush(self) -> None:
        self._link.flush()

    def ask(self, message: Message) -> int:
        """Send a request and return its number; its reply comes out of `replies`."""
        if not self._link.is_open:
            raise NotConnected(reason=CLOSED)
        return self._link.request(message)

    def replies(self) -> list[ReplyReceived]:
        """Return the replies that have arrived; raise NotConnected at the end.

        After it `reconnect`, and ask again what was not answered.
        """
        found = []
        for event in self._link.receive():
            if isinstance(event, ReplyReceived):
                found.append(event)
                if isinstance(event.result, m.Subscribed):
                    self._told.clear()  # what came before belongs to the subscription before
            elif isinstance(event, DataReceived):
                self._seen.append(event)
            elif isinstance(event, EventReceived):
                is_of_viewer = isinstance(event.message, SAID_OF_VIEWERS)
                (self._seen if is_of_viewer else self._told).append(event.message)
            elif isinstance(event, ConnectionEnded) and not found:
                raise event.error or NotConnected(reason=CLOSED)
        return found

    def told(self) -> list[Message]:
        """Return the events that have arrived, and forget them; they come if subscribed to."""
        told, self._told = self._told, []
        return told

    def seen(self) -> list[DataReceived | Message]:
        """Return what has arrived for viewers, in order, and forget it."""
        seen, self._seen = self._seen, []
        return seen

    def notify(self, message: Message) -> None:
        """Say something that wants no reply; a broken connection is told elsewhere."""
        if self._link.is_open:
            self._link.notify(message)

    def hear(self, timeout: float) -> None:
        """Wait for something to arrive, and drop replies that nobody waits for any more."""
        if self._link.wait(time.monotonic() + timeout):
            self.replies()

    def start_nothing(self) -> None:
        """Do not start a daemon from now on: somebody may have stopped it on purpose."""
        self._reach = self._reach._replace(autostart=False)

    def reconnect(self) -> None:
        """Connect again, as the same client; raise DaemonUnreachable when it takes too long."""
        self._reconnect(time.monotonic() + RECONNECT_FOR)

    def _reconnect(self, give_up: float) -> None:
        first_number = self._link.next_number
        self._link.close()
        self._seen.clear()  # who comes back says what it holds
        self.connections += 1
        passing = (NotConnected, DaemonUnreachable)  # it was there a moment ago
        self._link, self.welcome = self._dial(first_number, give_up, passing)

    def _dial(self, first_number: int, give_up: float, passing: Passing) -> Reached:
        pause = FIRST_PAUSE
        while True:
            try:
                return self._reach.dial(first_number=first_number)
            except passing as error:
                if time.monotonic() + pause > give_up:
                    if isinstance(error, NotConnected):
                        raise self._reach.unreachable(error.reason) from error
                    raise
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
