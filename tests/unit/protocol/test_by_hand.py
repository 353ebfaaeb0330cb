"""What is written and read by hand is what the real codec writes and reads."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.protocol import by_hand, codec, messages
from holdfast.protocol.frames import Control, FrameReader
from holdfast.protocol.messages import REQUESTS
from tests.support.samples import SAMPLES, frame_of

WRITTEN = st.recursive(
    st.none() | st.booleans() | st.integers(0, (1 << 64) - 1) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
READ = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(WRITTEN)
def test_the_real_codec_reads_what_is_written_by_hand(value: Any) -> None:
    assert msgspec.msgpack.decode(by_hand.pack(value)) == value


@given(READ)
def test_by_hand_is_read_what_the_real_codec_writes(value: Any) -> None:
    assert by_hand.unpack(msgspec.msgpack.encode(value)) == value


@pytest.mark.parametrize("size", [31, 32, 255, 256, 65535, 65536])
def test_every_width_of_a_length_is_read(size: int) -> None:
    for value in ("x" * size, b"x" * size, [0] * size, {str(key): None for key in range(size)}):
        assert by_hand.unpack(msgspec.msgpack.encode(value)) == value


HEARD = (messages.Welcome, messages.Failure, *(each.reply for each in REQUESTS.values()))


@pytest.mark.parametrize("name", [name for name, each in SAMPLES.items() if type(each) in HEARD])
def test_every_answer_can_be_read_by_hand(name: str) -> None:
    number, kind = frame_of(name)
    body = msgspec.msgpack.encode(SAMPLES[name])

    assert by_hand.unpack(msgspec.msgpack.encode((number, kind, msgspec.Raw(body)))) == [
        number,
        kind,
        msgspec.msgpack.decode(body),
    ]


def test_a_frame_is_a_frame() -> None:
    reader = FrameReader()
    reader.feed(by_hand.frame(7, "list", {"ended": True}))
    control = reader.next_frame()

    assert isinstance(control, Control)
    envelope = codec.open_envelope(control.payload)
    assert (envelope.id, envelope.kind) == (7, "list")
    assert msgspec.msgpack.decode(envelope.body) == {"ended": True}


@given(st.binary())
def test_rubbish_is_a_value_or_a_value_error(data: bytes) -> None:
    try:
        by_hand.unpack(data)
    except ValueError:
        pass


@given(READ, st.data())
def test_a_part_of_a_value_is_an_error(value: Any, data: st.DataObject) -> None:
    whole = msgspec.msgpack.encode(value)
    part = whole[: data.draw(st.integers(0, len(whole) - 1))]

    with pytest.raises(ValueError, match=r"message|decode"):
        by_hand.unpack(part)


def test_nesting_without_end_is_an_error() -> None:
    with pytest.raises(ValueError, match="no message"):
        by_hand.unpack(b"\x91" * 100_000)


@pytest.mark.parametrize("value", [-1, 1 << 64, 1.5, object()])
def test_what_is_not_written_by_hand_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="not written by hand"):
        by_hand.pack(value)
