"""The daemon's end of a connection: hears a hello and requests, says replies and events."""

from typing import NamedTuple

from holdfast.errors import (
    AlreadyAuthenticated,
    HoldfastError,
    InvalidClientId,
    LimitReached,
    NotAuthenticated,
    RemoteProtocolError,
    RoleForbidden,
    UnknownRequest,
)
from holdfast.protocol import codec
from holdfast.protocol.codec import Envelope
from holdfast.protocol.connection import Connection
from holdfast.protocol.frames import Buffer, Control
from holdfast.protocol.messages import (
    FAILURE,
    HELLO,
    NOTICES,
    REQUESTS,
    WELCOME,
    Goodbye,
    Hello,
    Message,
    Role,
    Welcome,
)
from holdfast.protocol.state import End, State, Step
from holdfast.protocol.version import OURS, Versions, agree
from holdfast.types import CLIENT_ID, LABEL_LIMIT

OWED_LIMIT = 256  # a client that asks faster than it is answered waits; a flood ends here
OWED_BYTES = 8 << 20  # of requests that wait, two of the longest; their sum is what they cost
# Answers that no caller decides on (unknown, forbidden, too many) before what was said must be
# drained: each is ten times as long as the shortest request that earns it.
REFUSALS_AT_ONCE = 64
WAIT = "wait for answers before asking for more"


class HelloReceived(NamedTuple):
    """A client introduced itself; answer with `welcome` or `refuse`."""

    hello: Hello
    protocol: int


class RequestReceived(NamedTuple):
    """A client asks; answer with `reply` or `fail` under the same number."""

    number: int
    message: Message


class NoticeReceived(NamedTuple):
    """A client tells something and wants no reply."""

    message: Message


class Owed(NamedTuple):
    """A request that is being answered."""

    kind: str
    size: int


class DaemonEnd(Connection[HelloReceived | RequestReceived | NoticeReceived]):
    """What a daemon may say and hear on one connection."""

    end = End.DAEMON
    peer = End.CLIENT

    def __init__(self, *, now: float, versions: Versions = OURS) -> None:
        super().__init__(now=now)
        self.role = Role.STREAM
        self.label = ""
        self.connection = 0
        """The number of this connection; later ones have higher numbers."""
        self._versions = versions
        self._owed: dict[int, Owed] = {}
        self._refusals = 0
        self._denied = 0

    # -- act

    def welcome(self, welcome: Welcome) -> None:
        """Let the client in."""
        self._send(Step.WELCOME, 0, WELCOME, welcome)

    def refuse(self, error: HoldfastError) -> None:
        """End the connection, saying why."""
        self._break_off(error)

    def reply(self, number: int, message: Message) -> None:
        """Answer a request."""
        self._send(Step.REPLY, number, self._owed.pop(number).kind, message)

    def fail(self, number: int, error: HoldfastError) -> None:
        """Answer a request with an error."""
        self._owed.pop(number, None)
        self._send(Step.REPLY, number, FAILURE, codec.failure_of(error))

    def tell(self, event: Message) -> None:
        """Send an event."""
        self._send(Step.EVENT, 0, codec.kind_of(event), event)

    @property
    def owed(self) -> int:
        """Requests that were heard and not answered yet."""
        return len(self._owed)

    def take_denied(self) -> int:
        """Return how many requests the role has forbidden since this was last asked."""
        denied, self._denied = self._denied, 0
        return denied

    @property
    def should_close(self) -> bool:
        # After a goodbye the replies still owed are delivered first.
        return super().should_close or (self.state is State.CLOSING and not self._owed)

    # -- drain

    def drain(self) -> list[Buffer]:
        self._refusals = 0
        return super().drain()

    # -- hear

    def _waits_for_an_answer(self) -> bool:
        return self.state is State.GREETED or self._refusals >= REFUSALS_AT_ONCE

    def _heard(self, frame: Control) -> HelloReceived | RequestReceived | NoticeReceived | None:
        envelope = codec.open_envelope(frame.payload)
        if envelope.kind == HELLO:
            return self._heard_hello(envelope)
        if envelope.id:
            return self._heard_request(envelope)
        return self._heard_notice(envelope)

    def _heard_hello(self, envelope: Envelope) -> HelloReceived | None:
        try:
            self._hear(Step.HELLO, HELLO)
        except AlreadyAuthenticated as error:
            self._refuse_request(envelope.id, error)
            return None
        hello = codec.read_body(envelope, Hello)
        protocol = agree(client=hello.protocol, daemon=self._versions)
        _check_names(hello)
        self.client_id, self.role, self.label = hello.client_id, hello.role, hello.label
        return HelloReceived(hello, protocol)

    def _heard_request(self, envelope: Envelope) -> RequestReceived | None:
        number = envelope.id
        try:
            self._hear(Step.REQUEST, envelope.kind)
        except NotAuthenticated as error:
            self._outbox.append(codec.encode(number, FAILURE, codec.failure_of(error)))
            raise
        if number in self._owed:
            raise RemoteProtocolError(problem=f"request {number} is still being answered")
        refusal = self._reason_against(envelope)
        if refusal is not None:
            self._refuse_request(number, refusal)
            return None
        message = codec.read_body(envelope, REQUESTS[envelope.kind].message)
        self._owed[number] = Owed(envelope.kind, len(envelope.body))
        return RequestReceived(number, message)

    def _reason_against(self, envelope: Envelope) -> HoldfastError | None:
        request = REQUESTS.get(envelope.kind)
        if request is None:
            self.skipped += 1
            return UnknownRequest(kind=envelope.kind)
        if request.role is Role.CONTROL and self.role is Role.STREAM:
            self._denied += 1
            return _forbidden(envelope.kind)
        if not self._owed:
            return None
        if len(self._owed) >= OWED_LIMIT:
            return LimitReached(resource="unanswered requests", limit=OWED_LIMIT, remedy=WAIT)
        if sum(owed.size for owed in self._owed.values()) + len(envelope.body) > OWED_BYTES:
            return LimitReached(
                resource="bytes of unanswered requests", limit=OWED_BYTES, remedy=WAIT
            )
        return None

    def _refuse_request(self, number: int, error: HoldfastError) -> None:
        self._refusals += 1
        self.fail(number, error)

    def _heard_notice(self, envelope: Envelope) -> NoticeReceived | None:
        kind = NOTICES.get(envelope.kind)
        self._hear(Step.GOODBYE if kind is Goodbye else Step.NOTICE, envelope.kind)
        if kind is None:
            self.skipped += 1
            return None
        return NoticeReceived(codec.read_body(envelope, kind))

    def _break_off(self, error: HoldfastError) -> None:
        if not self._deaf:
            self._send(Step.FATAL, 0, FAILURE, codec.failure_of(error))
            self._owed.clear()
            self._stop_hearing(error)


def _forbidden(kind: str) -> RoleForbidden:
    allowed = ", ".join(sorted(k for k, r in REQUESTS.items() if r.role is Role.STREAM))
    return RoleForbidden(operation=kind, role=Role.STREAM.value, allowed=allowed)


def _check_names(hello: Hello) -> None:
    if CLIENT_ID.fullmatch(hello.client_id) is None:
        problem = "it is empty" if not hello.client_id else "wrong characters or too long"
        raise InvalidClientId(value=hello.client_id[:LABEL_LIMIT], problem=problem)
    for name, text in (("label", hello.label), ("kind", hello.kind)):
        if len(text) > LABEL_LIMIT or not text.isprintable():
            raise RemoteProtocolError(
                problem=f"hello: {name} must be printable, {LABEL_LIMIT} at most"
            )
