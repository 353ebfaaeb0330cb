"""Every message survives the wire, and golden bytes decode for ever."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import LocalProtocolError, RemoteProtocolError
from holdfast.protocol import codec, messages
from holdfast.protocol.frames import HEADER, LIMIT, Control, FrameReader
from holdfast.protocol.messages import Introduce, Message, OutputChunk, Ping
from tests.support.samples import SAMPLES, expected_names, frame_of

GOLDEN = Path(__file__).parents[2] / "golden" / "protocol-1.txt"


def opened(frame: bytes) -> codec.Envelope:
    reader = FrameReader(LIMIT)
    reader.feed(frame)
    control = reader.next_frame()
    assert isinstance(control, Control)
    return codec.open_envelope(control.payload)


def test_there_is_a_sample_of_every_message() -> None:
    assert set(SAMPLES) == expected_names()


@pytest.mark.parametrize("name", SAMPLES)
def test_every_message_survives_the_wire(name: str) -> None:
    message = SAMPLES[name]
    number, kind = frame_of(name)

    envelope = opened(codec.encode(number, kind, message))

    assert (envelope.id, envelope.kind) == (number, kind)
    assert codec.read_body(envelope, type(message)) == message


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_sets_every_field(name: str) -> None:
    message = SAMPLES[name]
    unset = [
        field.name
        for field in msgspec.structs.fields(message)
        if not field.required and getattr(message, field.name) == field.default
    ]
    assert unset == []


def golden() -> dict[str, bytes]:
    """The frames as they were recorded: a name, a tab, hex."""
    lines = GOLDEN.read_text().splitlines()
    pairs = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {name: bytes.fromhex(text) for name, text in pairs}


@pytest.mark.parametrize("name", SAMPLES)
def test_golden_bytes_decode_to_the_same_message(name: str) -> None:
    recorded = golden()[name]

    assert codec.read_body(opened(recorded), type(SAMPLES[name])) == SAMPLES[name]


@pytest.mark.parametrize("name", SAMPLES)
def test_this_version_writes_the_golden_bytes(name: str) -> None:
    assert codec.encode(*frame_of(name), SAMPLES[name]) == golden()[name]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_body_cut_anywhere_is_refused_and_never_escapes(name: str) -> None:
    message = SAMPLES[name]
    frame = codec.encode(*frame_of(name), message)
    for cut in range(len(frame) - HEADER.size):
        with pytest.raises(RemoteProtocolError):
            codec.read_body(codec.open_envelope(frame[HEADER.size :][:cut]), type(message))


@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_a_flipped_bit_is_an_error_or_another_message(name: str, data: st.DataObject) -> None:
    message = SAMPLES[name]
    payload = bytearray(codec.encode(*frame_of(name), message)[HEADER.size :])
    at = data.draw(st.integers(0, len(payload) - 1))
    payload[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        back: Message = codec.read_body(codec.open_envelope(payload), type(message))
    except RemoteProtocolError:
        return
    assert type(back) is type(message)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("background", (256, 0, 0)),
        ("background", (-1, 0, 0)),
        ("background", (0, 0)),
        ("palette", {256: (0, 0, 0)}),
        ("palette", {1: "red"}),
        ("attributes", (1,) * 33),
        ("attributes", (1 << 16,)),
        ("device", (1, 2)),
        ("version", "x" * 101),
        ("version", "rm\r"),
        ("version", "rm\n"),
        ("version", "\x1b[201~"),
        ("cell", (0, 9)),
    ],
)
def test_a_terminal_that_says_what_cannot_be_is_refused(field: str, value: object) -> None:
    """What it says is typed into programs one day."""
    body = msgspec.msgpack.encode({"viewer": 1, "profile": {field: value}})

    with pytest.raises(RemoteProtocolError, match=field):
        codec.read_body(codec.Envelope(0, "introduce", msgspec.Raw(body)), Introduce)


def test_a_kind_of_any_length_is_not_repeated_back() -> None:
    with pytest.raises(RemoteProtocolError, match="no message"):
        codec.open_envelope(msgspec.msgpack.encode([1, "k" * 65, {}]))


def test_a_message_over_the_limit_is_our_own_mistake() -> None:
    with pytest.raises(LocalProtocolError, match="limit"):
        codec.encode(1, "output", OutputChunk(offset=0, data=bytes(LIMIT), end=LIMIT, final=False))


def test_fields_at_their_default_cost_nothing_on_the_wire() -> None:
    assert len(codec.encode(1, "ping", Ping())) < 16


def test_replies_are_registered_for_requests_only() -> None:
    kinds = [messages.HELLO, messages.WELCOME, messages.FAILURE]
    assert not set(messages.REQUESTS) & (set(kinds) | set(messages.EVENTS) | set(messages.NOTICES))
