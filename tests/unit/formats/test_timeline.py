"""The timeline's bytes: what is written comes back, and damage is never believed."""

from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import NewerFormat
from holdfast.formats.timeline import (
    FORMAT,
    HEADER_SIZE,
    MAGIC,
    RECORD_SIZE,
    Epoch,
    Header,
    Hole,
    HoleReason,
    Inserted,
    Life,
    Record,
    Resize,
    Tick,
    Timeline,
    decode,
    decode_each,
    encode,
    encode_header,
    holes_in,
    marks_in,
)

GOLDEN = Path(__file__).parents[2] / "golden" / "timeline-1.txt"
HEADER = Header(bytes(range(16)))
SAMPLES: dict[str, Record] = {
    "tick": Tick(0x0102030405060708, 1_700_000_000_000_000_001, 0xDEADBEEF),
    "resize": Resize(4096, 1_700_000_000_000_000_002, 120, 40),
    "life": Life(0, 1_700_000_000_000_000_003, 2),
    "inserted": Inserted(8192, 77, 1_700_000_000_000_000_004),
    "hole": Hole(1 << 40, 1 << 20, HoleReason.FORGOTTEN),
    "epoch": Epoch(1 << 41, bytes(range(16, 32))),
}
RECORDS = list(SAMPLES.values())
WHOLE = encode_header(HEADER) + b"".join(map(encode, RECORDS))

offsets = st.integers(0, 2**64 - 1)
times = st.integers(-(2**63), 2**63 - 1)
small = st.integers(0, 2**32 - 1)
records = st.one_of(
    st.builds(Tick, offsets, times, small),
    st.builds(Resize, offsets, times, small, small),
    st.builds(Life, offsets, times, offsets),
    st.builds(Inserted, offsets, offsets, times),
    st.builds(Hole, offsets, offsets, small),
    st.builds(Epoch, offsets, st.binary(min_size=16, max_size=16)),
)


def golden() -> dict[str, bytes]:
    """The bytes as they were recorded: a name, a tab, hex."""
    lines = GOLDEN.read_text().splitlines()
    pairs = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {name: bytes.fromhex(text) for name, text in pairs}


def of_type(number: int) -> bytes:
    """A whole record of any type, known or not."""
    body = bytes([number]) + bytes(27)
    return body + crc32(body).to_bytes(4, "big")


def test_there_are_golden_bytes_of_the_header_and_every_record_type() -> None:
    assert set(golden()) == {"header", *SAMPLES}
    assert {type(record) for record in RECORDS} == set(Record.__args__)


@pytest.mark.parametrize("name", SAMPLES)
def test_golden_bytes_decode_to_the_same_record(name: str) -> None:
    data = golden()["header"] + golden()[name]

    assert decode(data) == Timeline(HEADER, [SAMPLES[name]], len(data))


def test_this_version_writes_the_golden_bytes() -> None:
    written = {name: encode(record) for name, record in SAMPLES.items()}

    assert written | {"header": encode_header(HEADER)} == golden()


@given(st.binary(min_size=16, max_size=16), st.lists(records))
def test_whatever_is_written_comes_back(epoch: bytes, listed: list[Record]) -> None:
    data = encode_header(Header(epoch)) + b"".join(map(encode, listed))

    back = decode(data)

    assert back == Timeline(Header(epoch), listed, len(data))
    assert [type(record) for record in back.records] == [type(record) for record in listed]


@pytest.mark.parametrize("cut", range(len(WHOLE) + 1))
def test_a_timeline_cut_anywhere_keeps_its_whole_records(cut: int) -> None:
    whole = max(0, cut - HEADER_SIZE) // RECORD_SIZE
    expected = (
        Timeline(None, [], 0)
        if cut < HEADER_SIZE
        else Timeline(HEADER, RECORDS[:whole], HEADER_SIZE + whole * RECORD_SIZE)
    )

    assert decode(WHOLE[:cut]) == expected


@pytest.mark.parametrize("at", range(0, len(WHOLE), RECORD_SIZE))
def test_no_flipped_bit_is_believed(at: int) -> None:
    for bit in range(RECORD_SIZE * 8):
        data = bytearray(WHOLE)
        data[at + bit // 8] ^= 1 << bit % 8

        back = decode(data)

        assert back.good == at
        assert back.records == RECORDS[: max(0, at // RECORD_SIZE - 1)]


def test_a_stretch_of_zeros_is_no_record() -> None:
    assert decode(WHOLE + bytes(4096)).good == len(WHOLE)


@pytest.mark.parametrize("number", [0, 7, 99, 255])
def test_a_record_of_a_later_version_is_skipped(number: int) -> None:
    data = WHOLE + of_type(number) + encode(RECORDS[0])

    assert decode(data) == Timeline(HEADER, [*RECORDS, RECORDS[0]], len(data))


def test_a_newer_format_is_refused_in_words() -> None:
    with pytest.raises(NewerFormat, match=rf"format {FORMAT + 1} .* up to {FORMAT}\nupgrade"):
        decode(encode_header(Header(HEADER.epoch, FORMAT + 1)) + b"who knows")


def test_a_file_of_something_else_is_no_timeline() -> None:
    body = MAGIC.upper() + bytes(20)

    assert decode(body + crc32(body).to_bytes(4, "big") + WHOLE) == Timeline(None, [], 0)


def test_an_epoch_has_its_length() -> None:
    with pytest.raises(ValueError, match="15 bytes"):
        encode_header(Header(bytes(15)))
    with pytest.raises(ValueError, match="17 bytes"):
        encode(Epoch(0, bytes(17)))


@given(st.lists(records), st.sets(st.integers(0, 50)))
def test_each_record_vouches_for_itself(listed: list[Record], damaged: set[int]) -> None:
    sealed = [bytearray(encode(record)) for record in listed]
    for at in damaged & set(range(len(listed))):
        sealed[at][-1] ^= 1
    data = b"".join(sealed)
    saved = [None if at in damaged else record for at, record in enumerate(listed)]

    assert decode_each(data) == saved
    assert decode_each(data + b"torn") == saved
    assert holes_in(data + b"torn") == [r for r in saved if isinstance(r, Hole)]


@pytest.mark.parametrize("count", [1, 2, 4, 28, 31])
def test_a_record_that_was_cut_off_hides_no_hole_before_it(count: int) -> None:
    hole = Hole(10, 20, HoleReason.TORN)
    sealed = encode(hole)

    assert holes_in(sealed + sealed[:count]) == [hole]
    assert holes_in(sealed[:count]) == []


def test_marks_are_found_in_the_order_they_were_written_whatever_lies_between() -> None:
    marks: list[Record] = [
        Life(0, 5, 1),
        Resize(0, 5, 80, 24),
        Resize(9, 6, 90, 30),
        Inserted(12, 4, 7),
        Life(12, 8, 2),
    ]
    others: list[Record] = [Tick(4, 5, 6), Hole(3, 1, 2), Epoch(12, b"e" * 16)]
    records = [record for mark in marks for record in (mark, *others)]
    data = b"".join(map(encode, records))
    damaged = bytearray(encode(Resize(20, 9, 10, 10)))
    damaged[9] ^= 1

    assert marks_in(data + bytes(damaged) + data[:20]) == marks
