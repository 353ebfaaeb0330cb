"""Between messages and the payload of a control frame.

A payload is a msgpack array `[id, kind, body]`: id and kind stand outside the body, so
that a request which this version does not know can still be answered. Requests have an
id above 0 and their reply repeats id and kind; everything else has id 0.
"""

from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import Raw, Struct

from holdfast.errors import BY_CODE, Fact, HoldfastError, RemoteProtocolError, Unfamiliar
from holdfast.protocol import messages
from holdfast.protocol.frames import Buffer, control_frame
from holdfast.protocol.messages import Failure, Message

KIND_LIMIT = 64  # characters of a kind: it is repeated in errors and counters

FACT_LIMIT = 4096  # characters: a path at its longest; an error quotes what was asked for

M = TypeVar("M", bound=Message)


class _Wire(Struct, array_like=True, frozen=True):
    id: int
    kind: str
    body: Raw


class Envelope(NamedTuple):
    """A control message that is opened but not read yet."""

    id: int
    kind: str
    body: Raw


_encoder = msgspec.msgpack.Encoder()
_envelopes = msgspec.msgpack.Decoder(_Wire)
# Any: mypy cannot say that the decoder under a type decodes to that type.
_bodies: dict[type[Message], msgspec.msgpack.Decoder[Any]] = {}

_KINDS: dict[type[Message], str] = {
    messages.Hello: messages.HELLO,
    messages.Welcome: messages.WELCOME,
    messages.Failure: messages.FAILURE,
    **{request.message: kind for kind, request in messages.REQUESTS.items()},
    **{message: kind for kind, message in messages.NOTICES.items()},
    **{message: kind for kind, message in messages.EVENTS.items()},
}


def kind_of(message: Message) -> str:
    """Return the kind under which a message that is not a reply travels."""
    return _KINDS[type(message)]


def encode(number: int, kind: str, message: Message) -> bytes:
    """Return the whole control frame of *message*."""
    return control_frame(_encoder.encode((number, kind, message)))


def open_envelope(payload: Buffer) -> Envelope:
    """Return id, kind and unread body, or raise RemoteProtocolError."""
    try:
        wire = _envelopes.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError(problem=f"no message: {error}") from error
    if wire.id < 0 or len(wire.kind) > KIND_LIMIT:
        raise RemoteProtocolError(problem=f"no message: id {wire.id}, kind {wire.kind[:20]!r}")
    return Envelope(wire.id, wire.kind, wire.body)


def read_body(envelope: Envelope, kind: type[M]) -> M:
    """Return the body as a message of type *kind*; the error names the field at fault."""
    decoder = _bodies.get(kind)
    if decoder is None:
        decoder = _bodies[kind] = msgspec.msgpack.Decoder(kind)
    try:
        message: M = decoder.decode(envelope.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError(problem=f"{envelope.kind}: {error}") from error
    return message


def failure_of(error: HoldfastError) -> Failure:
    """Return the wire form of an error."""
    code = error.peer_code if isinstance(error, Unfamiliar) else error.code
    facts = {name: _sent(fact) for name, fact in error.facts.items()}
    return Failure(code=code, what=_text(error.what), fix=_text(error.fix), facts=facts)


def _sent(fact: Fact) -> Fact:
    if isinstance(fact, list):
        return [_text(word) for word in fact[:FACT_LIMIT]]
    return _text(fact) if isinstance(fact, str) else fact


def _text(text: str) -> str:
    """Return text that can be sent whatever it quotes: no UTF-8, or a megabyte of it."""
    if len(text) > FACT_LIMIT:
        text = f"{text[:FACT_LIMIT]}..."
    return text.encode(errors="backslashreplace").decode()


def error_of(failure: Failure) -> HoldfastError:
    """Return the exception a failure stands for, in the peer's own words."""
    kind = BY_CODE.get(failure.code)
    error: HoldfastError
    try:
        known = kind.fact_names if kind else ()
        facts = {name: failure.facts[name] for name in known if name in failure.facts}
        error = kind(**facts) if kind else Unfamiliar(peer_code=failure.code)
    except TypeError:  # an older peer that did not send a fact we have since learned
        error = Unfamiliar(peer_code=failure.code)
    return error.said(failure.what, failure.fix)
