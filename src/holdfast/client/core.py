"""A client over as many connections as it takes: every rule, and no socket, clock or thread.

The grammar of every core here: tell it what happened, `drain` what is to be written, call
`expire` at its deadlines. A shell connects when `dial_at` says so; once `is_greeted` it runs
what has to be done before anybody else may use the connection, and then calls `offer`.
"""

from collections.abc import Callable
from typing import Protocol

from msgspec.structs import replace

from holdfast.client.attempts import Attempts, Kind, Policy, State
from holdfast.client.calls import Call, Calls, Result
from holdfast.errors import HoldfastError, LocalProtocolError, NotConnected
from holdfast.protocol.client_end import ClientEnd, EventReceived, ReplyReceived, Welcomed
from holdfast.protocol.connection import ConnectionEnded, DataReceived
from holdfast.protocol.frames import Buffer
from holdfast.protocol.messages import Goodbye, Hello, Message, Welcome
from holdfast.protocol.state import State as Connection

CLOSED = "the daemon closed the connection"
PATIENCE = 1.0  # seconds for a welcome before the keeper is asked; a restart takes 0.2
Heard = DataReceived | Message


class Standing(Protocol):
    """What goes on over many connections: a viewer, a subscription, somebody who types."""

    def begin(self) -> None:
        """A connection is offered: ask for what is wanted."""

    def hear(self, heard: Heard) -> None:
        """Something was told; perhaps it is about this."""

    def lost(self, error: HoldfastError) -> None:
        """The connection is gone."""

    def over(self, error: HoldfastError) -> None:
        """No other will follow by itself."""


class Core:
    """One client."""

    def __init__(
        self,
        hello: Hello,
        *,
        policy: Policy,
        jitter: Callable[[], float],
        changed: Callable[[State], None],
        now: float,
    ) -> None:
        self._hello = hello
        self._attempts = Attempts(policy=policy, jitter=jitter, changed=changed, now=now)
        self._calls = Calls()
        self._standing: list[Standing] = []
        self._end: ClientEnd | None = None
        self._next_number = 1
        self._doubt_at: float | None = None
        self.is_greeted = False
        """The daemon has let us in; `offer` or `ended` is to follow."""
        self.welcome: Welcome | None = None
        self.connections = 0
        """How many were offered."""

    # -- the connection

    @property
    def client_id(self) -> str:
        return self._hello.client_id

    @property
    def state(self) -> State:
        return self._attempts.state

    @property
    def dial_at(self) -> float | None:
        """When to connect; None while nothing is to be done."""
        return self._attempts.dial_at

    def dialing(self) -> None:
        """Somebody connects now."""
        self._attempts.dialing()

    def connected(self, token: str, now: float) -> None:
        """There is a connection; the hello goes out with the next `drain`."""
        hello = replace(self._hello, token=token)
        self._end = ClientEnd(hello, now=now, first_number=self._next_number)
        self._calls.connected(self._end)
        self._doubt_at = now + PATIENCE

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection; a shell that has one nevertheless closes it."""
        return self._end is not None

    @property
    def is_welcomed(self) -> bool:
        """Whether the daemon has greeted us on this connection."""
        return self._end is not None and self._is_open(self._end)

    def is_late(self, now: float) -> bool:
        """Whether the daemon has not greeted us in time; `ended` is to follow."""
        deadline = self._end.deadline() if self._end is not None else None
        return deadline is not None and now >= deadline

    def is_doubtful(self, now: float) -> bool:
        """Whether the keeper is to be asked if a daemon comes up at all; `doubted` follows."""
        return self._doubt_at is not None and now >= self._doubt_at

    def doubted(self) -> None:
        """The keeper is being asked; it has no more to say on this connection."""
        self._doubt_at = None

    def offer(self, now: float) -> None:
        """Everybody may use the connection."""
        self.is_greeted = False
        self.connections += 1
        self._attempts.online(now)
        self._calls.offered()
        for standing in [*self._standing]:
            standing.begin()

    def ended(self, error: HoldfastError, now: float) -> None:
        """The attempt has failed, or the connection is over; the shell closes its socket."""
        end, self._end = self._end, None
        self._doubt_at = None
        if end is not None:
            self._next_number = end.next_number
        # What prepared a connection that was never offered is over with it.
        may_repeat, self.is_greeted = self.is_online, False
        self._attempts.ended(error, now)
        reason = error.reason if isinstance(error, NotConnected) else error.what
        gone = error if self.state.is_over else NotConnected(reason=reason)
        self._let_go(gone, may_repeat=may_repeat)

    def retry_now(self, now: float) -> None:
        """Try at once, also after giving up."""
        self._attempts.retry_now(now)

    def close(self, *, goodbye: bool = True) -> None:
        """It is over; *goodbye* is said with the next `drain`."""
        self._attempts.close()
        if goodbye and self._end is not None and self._is_open(self._end):
            self._end.notify(Goodbye())
        self._let_go(NotConnected(reason=self.state.reason))

    def _let_go(self, error: HoldfastError, *, may_repeat: bool = False) -> None:
        is_over = self.state.is_over
        if is_over:
            self._calls.fail_all(error)
        else:
            self._calls.lost(error, may_repeat=may_repeat)
        for standing in [*self._standing]:
            (standing.over if is_over else standing.lost)(error)

    # -- what arrives

    def feed(self, data: Buffer, now: float) -> None:
        if self._end is not None:
            self._end.feed(data)
            self._hear(self._end, now)

    def feed_end(self, now: float) -> None:
        if self._end is not None:
            self._end.feed_end()
            self._hear(self._end, now)

    def _hear(self, end: ClientEnd, now: float) -> None:
        while self._end is end and (event := end.next_event()) is not None:
            if isinstance(event, ReplyReceived):
                self._calls.answered(event.number, event.result)
            elif isinstance(event, Welcomed):
                self.welcome, self.is_greeted = event.welcome, True
                self._doubt_at = None
            elif isinstance(event, ConnectionEnded):
                self.ended(event.error or NotConnected(reason=CLOSED), now)
            else:
                heard = event.message if isinstance(event, EventReceived) else event
                for standing in [*self._standing]:
                    standing.hear(heard)

    # -- what is asked

    @property
    def is_online(self) -> bool:
        return self.state.kind is Kind.ONLINE

    @property
    def gone(self) -> HoldfastError | None:
        """Why no connection comes by itself any more; None while one may."""
        if not self.state.is_over:
            return None
        return self.state.error or NotConnected(reason=self.state.reason)

    @property
    def online_since(self) -> float | None:
        return self._attempts.online_since

    def call(self, call: Call, *, early: bool = False) -> None:
        """Make a call; *early* ones are of who prepares a connection for the others."""
        if (gone := self.gone) is not None:
            call.settle(gone)
            return
        may_send = self.is_online or (early and self.is_greeted)
        self._calls.make(call, may_send=may_send, reason=self.state.reason or "it is not up yet")

    def ask(self, message: Message, done: Callable[[Result], None]) -> None:
        """Ask on this connection; what is cut off is heard of by `lost`."""
        call = Call(message)
        call.done = lambda: done(call.result) if call.result is not None else None
        self.call(call)

    def notify(self, message: Message) -> None:
        """Say something that wants no reply, if there is a connection."""
        if self._end is not None and self._is_open(self._end):
            self._end.notify(message)

    def add(self, standing: Standing) -> None:
        self._standing.append(standing)
        if self.is_online:
            standing.begin()
        elif (gone := self.gone) is not None:
            standing.over(gone)

    def remove(self, standing: Standing) -> None:
        if standing in self._standing:
            self._standing.remove(standing)

    # -- what is written, and time

    def drain(self) -> list[Buffer]:
        return self._end.drain() if self._end is not None else []

    @property
    def calls_deadline(self) -> float | None:
        """When to call `expire`."""
        return self._calls.deadline()

    @property
    def greeting_deadline(self) -> float | None:
        """When to look whether the daemon `is_doubtful`, or `is_late`."""
        if self._doubt_at is not None:
            return self._doubt_at
        return self._end.deadline() if self._end is not None else None

    def expire(self, now: float) -> None:
        self._calls.expire(now)

    @staticmethod
    def _is_open(end: ClientEnd) -> bool:
        return end.state is Connection.OPEN


def only_calls() -> LocalProtocolError:
    """Return the error of who wants more than calls from a connection that is being prepared."""
    problem = "in on_reconnect a client makes calls; output, typing and events begin after it"
    return LocalProtocolError(problem=problem)


def not_prepared(error: Exception) -> HoldfastError:
    """Return the reason of an attempt that failed in `on_reconnect`."""
    if isinstance(error, HoldfastError):
        return error
    return NotConnected(reason=f"on_reconnect failed: {error!r}")
