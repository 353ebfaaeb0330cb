"""The client's end of a connection: says hello and requests, hears replies and events."""

from typing import NamedTuple

from holdfast.errors import HoldfastError, RemoteProtocolError
from holdfast.protocol import codec
from holdfast.protocol.codec import Envelope
from holdfast.protocol.connection import Connection
from holdfast.protocol.frames import Control
from holdfast.protocol.messages import (
    EVENTS,
    FAILURE,
    HELLO,
    REQUESTS,
    WELCOME,
    Failure,
    Goodbye,
    Hello,
    Message,
    Welcome,
)
from holdfast.protocol.state import End, State, Step


class Welcomed(NamedTuple):
    """The daemon let us in; requests may be sent from now on."""

    welcome: Welcome


class ReplyReceived(NamedTuple):
    """The answer to request *number*: a message, or the error it failed with."""

    number: int
    result: Message | HoldfastError


class EventReceived(NamedTuple):
    """The daemon tells something."""

    message: Message


class ClientEnd(Connection[Welcomed | ReplyReceived | EventReceived]):
    """What a client may say and hear on one connection. It says hello at once."""

    end = End.CLIENT
    peer = End.DAEMON

    def __init__(self, hello: Hello, *, now: float, first_number: int = 1) -> None:
        super().__init__(now=now)
        self.client_id = hello.client_id
        self.next_number = first_number
        self._asked: dict[int, str] = {}
        self._send(Step.HELLO, 0, HELLO, hello)

    # -- act

    def request(self, message: Message) -> int:
        """Queue a request and return its number; its reply will carry the same."""
        number, kind = self.next_number, codec.kind_of(message)
        self._send(Step.REQUEST, number, kind, message)
        self._asked[number] = kind
        self.next_number += 1
        return number

    def notify(self, message: Message) -> None:
        """Queue a message that wants no reply."""
        step = Step.GOODBYE if isinstance(message, Goodbye) else Step.NOTICE
        self._send(step, 0, codec.kind_of(message), message)

    @property
    def unanswered(self) -> frozenset[int]:
        """Numbers of the requests whose reply has not come."""
        return frozenset(self._asked)

    # -- hear

    def _heard(self, frame: Control) -> Welcomed | ReplyReceived | EventReceived | None:
        envelope = codec.open_envelope(frame.payload)
        if envelope.id:
            return self._heard_reply(envelope)
        if envelope.kind == FAILURE:
            self._hear(Step.FATAL, FAILURE)
            self._stop_hearing(codec.error_of(codec.read_body(envelope, Failure)))
            return None
        if envelope.kind == WELCOME:
            self._hear(Step.WELCOME, WELCOME)
            return Welcomed(codec.read_body(envelope, Welcome))
        return self._heard_event(envelope)

    def _heard_reply(self, envelope: Envelope) -> ReplyReceived | None:
        if self.state in (State.HANDSHAKE, State.GREETED) and envelope.kind == FAILURE:
            return None  # the fatal error that follows says the same
        self._hear(Step.REPLY, envelope.kind)
        asked = self._asked.pop(envelope.id, None)
        if asked is None:
            raise RemoteProtocolError(problem=f"a reply to request {envelope.id}, never sent")
        if envelope.kind == FAILURE:
            failure = codec.read_body(envelope, Failure)
            return ReplyReceived(envelope.id, codec.error_of(failure))
        if envelope.kind != asked:
            raise RemoteProtocolError(problem=f"{envelope.kind!r} in reply to {asked!r}")
        return ReplyReceived(envelope.id, codec.read_body(envelope, REQUESTS[asked].reply))

    def _heard_event(self, envelope: Envelope) -> EventReceived | None:
        self._hear(Step.EVENT, envelope.kind)
        kind = EVENTS.get(envelope.kind)
        if kind is None:
            self.skipped += 1
            return None
        return EventReceived(codec.read_body(envelope, kind))

    def _break_off(self, error: HoldfastError) -> None:
        # A client has nobody to tell but its caller.
        self._stop_hearing(error)
        self._close()
