"""Frames do not depend on how the bytes arrive, and never cost more than the limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import LocalProtocolError, RemoteProtocolError
from holdfast.protocol.frames import (
    DATA_HEADER,
    HEADER,
    LIMIT,
    Control,
    Data,
    FrameReader,
    control_frame,
    data_frame,
)

STREAM = control_frame(b"one") + b"".join(data_frame(7, 1 << 40, b"bytes")) + control_frame(b"")
FRAMES = [
    Control(memoryview(b"one")),
    Data(7, 1 << 40, memoryview(b"bytes")),
    Control(memoryview(b"")),
]


def read(reader: FrameReader, *chunks: bytes) -> list[Control | Data]:
    frames = []
    for chunk in chunks:
        reader.feed(chunk)
        while (frame := reader.next_frame()) is not None:
            frames.append(frame)
    return frames


@pytest.mark.parametrize("first", range(len(STREAM) + 1))
@pytest.mark.parametrize("second", [0, 1, 4, 5, 17, 100])
def test_frames_do_not_depend_on_where_the_bytes_are_cut(first: int, second: int) -> None:
    chunks = STREAM[:first], STREAM[first : first + second], STREAM[first + second :]

    assert read(FrameReader(), *chunks) == FRAMES


def test_frames_arrive_byte_by_byte() -> None:
    assert read(FrameReader(), *(bytes([byte]) for byte in STREAM)) == FRAMES


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.binary())),
    st.integers(1, 40),
)
def test_any_data_in_any_chunking(runs: list[tuple[int, int, bytes]], chunk: int) -> None:
    stream = b"".join(b"".join(data_frame(*run)) for run in runs)
    chunks = [stream[at : at + chunk] for at in range(0, len(stream), chunk)]

    assert [tuple(frame) for frame in read(FrameReader(), *chunks)] == runs


def test_a_frame_of_a_later_version_is_skipped_and_counted() -> None:
    reader = FrameReader()

    frames = read(reader, HEADER.pack(3, 99) + b"new" + STREAM)

    assert frames == FRAMES
    assert reader.skipped == 1


@pytest.mark.parametrize("cut", range(1, HEADER.size + 1))
def test_too_long_a_frame_is_refused_from_its_header(cut: int) -> None:
    reader = FrameReader(limit=100)
    header = HEADER.pack(101, 1)

    with pytest.raises(RemoteProtocolError, match="101 bytes, limit 100"):
        read(reader, header[:cut], header[cut:], b"x")
    assert reader.held <= HEADER.size


def test_an_unfinished_frame_never_costs_more_than_the_limit() -> None:
    reader = FrameReader(limit=1000)
    read(reader, HEADER.pack(1000, 1))
    for _ in range(999):
        assert read(reader, b"x") == []

    assert reader.held == HEADER.size + 999
    assert len(read(reader, b"x" + HEADER.pack(0, 1))) == 2
    assert reader.held == 0


def test_a_data_frame_shorter_than_its_address_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="data frame of 3 bytes"):
        read(FrameReader(), HEADER.pack(3, 2) + b"abc")


def test_a_whole_frame_is_a_view_of_what_was_fed() -> None:
    chunk = b"".join(data_frame(1, 0, b"x" * 1000))

    (frame,) = read(FrameReader(), chunk)

    assert frame.payload.obj is chunk


def test_the_payload_of_a_data_frame_is_not_copied() -> None:
    payload = memoryview(bytearray(16 * 1024))

    header, same = data_frame(1, 2, payload)

    assert same is payload
    assert len(header) == DATA_HEADER.size


def test_our_own_frames_obey_the_limit_too() -> None:
    with pytest.raises(LocalProtocolError, match="limit"):
        control_frame(bytes(LIMIT + 1))
    with pytest.raises(LocalProtocolError, match="limit"):
        data_frame(0, 0, bytes(LIMIT))
