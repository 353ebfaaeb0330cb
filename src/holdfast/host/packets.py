"""What a page may send over its socket: the whole grammar, and nothing that is not in it.

The parsers behind the socket are trusting: of 24 kinds of malformed packets 12 made them log
a traceback and go on, and a page could send the events `connect` and `disconnect` and run
what is meant for real ones. So each message is read here first, by type, and is handed on
*written anew* from what was understood: where two parsers differ - keys that come twice,
extension types, keys that are numbers - only one of them has seen it.

Frames are those of engine.io 4 over a WebSocket: text is its own (`1` close, `3` the answer
to a ping; only servers ping), binary is one socket.io packet in msgpack.
"""

import enum
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta, Raw, Struct

from holdfast.errors import RemoteProtocolError

MESSAGE_LIMIT = 256 << 10  # bytes; a page cuts what is pasted into pieces of INPUT_LIMIT
CONNECT_LIMIT = 4 << 10  # who has not shown a token may not make us hold more
INPUT_LIMIT = 128 << 10  # bytes of one `input`; four of them are no more than a page's window
TAIL_LIMIT = 64 << 10  # bytes that a checksum is over, as in the protocol of the daemon

CLOSE, PONG = "1", "3"

_Id = Annotated[str, Meta(min_length=1, max_length=256)]
_Text = Annotated[str, Meta(max_length=4096)]
_Offset = Annotated[int, Meta(ge=0, le=2**53)]  # as far as a page can count
_View = Annotated[int, Meta(ge=0, lt=2**31)]
# Bounds are wider than what the daemon takes: it says in words what is too much, and here
# a page would only lose its socket.
_Side = Annotated[int, Meta(ge=0, le=10_000)]  # 0 is not known


class Auth(Struct, frozen=True):
    """How a page introduces itself. What is missing is refused in words, by the host."""

    protocol: int = 0
    token: Annotated[str, Meta(max_length=256)] = ""
    client_id: Annotated[str, Meta(max_length=64)] = ""
    seat: Annotated[str, Meta(max_length=64)] = ""


class Nothing(Struct, frozen=True):
    """An event that says all by its name."""


class Attach(Struct, frozen=True):
    """Look at a session from now on, in a view of the page's own number."""

    view: _View
    session: _Id
    cols: _Side
    rows: _Side
    since: _Offset | None = None
    epoch: Annotated[str, Meta(max_length=64)] = ""
    length: Annotated[int, Meta(ge=0, le=TAIL_LIMIT)] = 0
    crc: Annotated[int, Meta(ge=0, lt=2**32)] = 0
    scrollback: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None


class Detach(Struct, frozen=True):
    view: _View


class Ack(Struct, frozen=True):
    """The terminal in the page has parsed everything before *offset*."""

    view: _View
    offset: _Offset


class Input(Struct, frozen=True):
    session: _Id
    data: Annotated[bytes, Meta(max_length=INPUT_LIMIT)]


class Resize(Struct, frozen=True):
    session: _Id
    cols: _Side
    rows: _Side


class Create(Struct, frozen=True):
    cols: _Side
    rows: _Side
    argv: Annotated[list[str], Meta(max_length=1000)] = []
    name: _Text = ""
    cwd: _Text = ""


class Rename(Struct, frozen=True):
    session: _Id
    name: _Text = ""


class Kill(Struct, frozen=True):
    session: _Id
    now: bool = False


class OfSession(Struct, frozen=True):
    """What is asked of a session, by the name of the event."""

    session: _Id


EVENTS: dict[str, type[Struct]] = {
    "ready": Nothing,
    "attach": Attach,
    "detach": Detach,
    "ack": Ack,
    "input": Input,
    "resize": Resize,
    "create": Create,
    "rename": Rename,
    "kill": Kill,
    "claim": OfSession,
    "takeover": OfSession,
    "release": OfSession,
    "restore": OfSession,
    "forget": OfSession,
    "__activity__": Nothing,
}


class Kind(enum.IntEnum):
    """The types of socket.io packets that a page may send."""

    CONNECT = 0
    DISCONNECT = 1
    EVENT = 2


ACCEPTED, REFUSED = 0, 4  # the types that answer a CONNECT


class _Packet(Struct):
    type: int
    nsp: str
    data: Raw = Raw(b"\xc0")
    id: Annotated[int, Meta(ge=0, le=2**53)] | None = None


class _Answer(Struct):
    type: int = -1


class Packet(NamedTuple):
    """What was understood, and the bytes that say just that."""

    kind: Kind
    encoded: bytes
    event: str = ""


_packets = msgspec.msgpack.Decoder(_Packet)
_answers = msgspec.msgpack.Decoder(_Answer)
_auths = msgspec.msgpack.Decoder(Auth | None)
_events = msgspec.msgpack.Decoder(tuple[str, Raw])
_payloads = {event: msgspec.msgpack.Decoder(kind) for event, kind in EVENTS.items()}
_encode = msgspec.msgpack.Encoder().encode


def read_packet(data: bytes) -> Packet:
    """Return what a binary message says; raise RemoteProtocolError for everything else."""
    if len(data) > MESSAGE_LIMIT:
        raise _broken(f"a message of {len(data)} bytes, over {MESSAGE_LIMIT}")
    try:
        return _read(data)
    except msgspec.ValidationError as error:
        raise _broken(f"a packet with a wrong field: {error}") from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise _broken("bytes that are no packet") from error


def _read(data: bytes) -> Packet:
    packet = _packets.decode(data)
    if packet.nsp != "/":
        raise _broken("a packet for another namespace")
    if packet.type == Kind.EVENT:
        return _event(packet)
    if packet.type == Kind.CONNECT:
        if len(data) > CONNECT_LIMIT:
            raise _broken(f"a connect of {len(data)} bytes, over {CONNECT_LIMIT}")
        auth = _auths.decode(packet.data) or Auth()
        return Packet(Kind.CONNECT, _encode({"type": 0, "nsp": "/", "data": auth}))
    if packet.type == Kind.DISCONNECT:
        return Packet(Kind.DISCONNECT, _encode({"type": 1, "nsp": "/"}))
    raise _broken(f"a packet of type {packet.type}")


def _event(packet: _Packet) -> Packet:
    event, raw = _events.decode(packet.data)
    payloads = _payloads.get(event)
    if payloads is None:  # its name is the page's words, and may be as long as a message
        raise _broken(f"an event that is not known: {event[:32]!r}")
    fields: dict[str, object] = {"type": 2, "nsp": "/", "data": [event, payloads.decode(raw)]}
    if packet.id is not None:
        fields["id"] = packet.id
    return Packet(Kind.EVENT, _encode(fields), event)


class Stage(enum.Enum):
    """Where a socket is."""

    NEW = "new"  # nothing was said
    ASKING = "asking"  # it said who it is, and waits
    ACCEPTED = "accepted"
    OVER = "over"  # refused, or it said goodbye: nothing more is read


class Conversation:
    """One socket: who it is comes first, once; events follow only once that was accepted."""

    def __init__(self) -> None:
        self.stage = Stage.NEW

    def feed(self, message: str | bytes) -> str | bytes | None:
        """Return what to hand on, None if it comes too late to matter.

        Raises RemoteProtocolError for what no page of ours sends.
        """
        if isinstance(message, str):
            return self._text(message)
        if self.stage in (Stage.NEW, Stage.ASKING) and len(message) > CONNECT_LIMIT:
            raise _broken(f"{len(message)} bytes before it was let in")
        packet = read_packet(message)
        if self.stage is Stage.OVER:
            return None  # it was under way when it was refused
        if (packet.kind is Kind.CONNECT) is not (self.stage is Stage.NEW):
            raise _broken(f"{packet.kind.name} while {self.stage.value}")
        if packet.kind is Kind.CONNECT:
            self.stage = Stage.ASKING
        elif packet.kind is Kind.DISCONNECT:
            self.stage = Stage.OVER
        elif self.stage is Stage.ASKING:
            raise _broken(f"{packet.event} before it was let in")
        return packet.encoded

    def answered(self, data: bytes) -> None:
        """Take note of what the host sends: whether it lets the socket in, or ends it."""
        kind = _answers.decode(data).type
        if kind == ACCEPTED and self.stage is Stage.ASKING:
            self.stage = Stage.ACCEPTED
        elif kind in (REFUSED, Kind.DISCONNECT):
            self.stage = Stage.OVER

    def _text(self, text: str) -> str | None:
        if text not in (CLOSE, PONG):
            raise _broken("text that is not of engine.io")
        if self.stage is Stage.OVER and text == PONG:
            return None
        if text == CLOSE:
            self.stage = Stage.OVER
        return text


def _broken(problem: str) -> RemoteProtocolError:
    return RemoteProtocolError(problem=problem)
