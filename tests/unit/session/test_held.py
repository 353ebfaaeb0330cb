"""What a viewer holds: its place, its newest bytes, the checksum of the block it is in."""

import random
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.session.held import BLOCK, PIECES, Held, OutOfOrder
from holdfast.session.resume import TAIL_LIMIT, Tail

EPOCH = b"e" * 16
LOG = random.Random(1).randbytes(3 * BLOCK)


def held(start: int, *cuts: int) -> Held:
    """What somebody holds who began at *start* and got the log in pieces."""
    one = Held(EPOCH, start)
    for end in cuts:
        one.feed(one.offset, LOG[one.offset : end])
    return one


@pytest.mark.parametrize(
    ("start", "cuts", "length"),
    [
        (0, [], 0),
        (500, [], 0),
        (500, [501], 1),
        (500, [600, 700], 200),
        (0, [TAIL_LIMIT - 1], TAIL_LIMIT - 1),
        (0, [TAIL_LIMIT], TAIL_LIMIT),
        (0, [TAIL_LIMIT + 1], TAIL_LIMIT),
        (0, [10, TAIL_LIMIT + 5], TAIL_LIMIT),
        (0, [TAIL_LIMIT, 2 * TAIL_LIMIT - 1], TAIL_LIMIT),
        (0, [3 * BLOCK], TAIL_LIMIT),
        (9, list(range(10, 10 + 3 * TAIL_LIMIT, 1000)), TAIL_LIMIT),
    ],
)
def test_a_tail_is_the_newest_bytes(start: int, cuts: list[int], length: int) -> None:
    end = [start, *cuts][-1]

    assert held(start, *cuts).tail() == Tail(EPOCH, end, length, crc32(LOG[end - length : end]))


def test_a_tail_has_nothing_from_before_a_gap() -> None:
    one = held(0, 1000)
    one.skip(5000)
    assert one.tail() == Tail(EPOCH, 5000, 0, 0)

    one.feed(5000, LOG[5000:5300])

    assert one.tail() == Tail(EPOCH, 5300, 300, crc32(LOG[5000:5300]))


@pytest.mark.parametrize("offset", [0, 99, 101, 1 << 40])
def test_bytes_that_belong_elsewhere_change_nothing(offset: int) -> None:
    one = held(50, 100)

    with pytest.raises(OutOfOrder):
        one.feed(offset, b"xyz")

    assert one.tail() == Tail(EPOCH, 100, 50, crc32(LOG[50:100]))


@given(st.lists(st.integers(0, 2 * TAIL_LIMIT), max_size=12).map(sorted))
def test_it_does_not_matter_how_the_bytes_came(cuts: list[int]) -> None:
    end = [0, *cuts][-1]

    assert held(0, *cuts).tail() == held(0, end).tail()


def test_memory_is_bounded_however_small_the_pieces() -> None:
    one = held(0, *range(100, 2 * BLOCK, 100))

    assert one._size < 2 * TAIL_LIMIT
    assert sum(map(len, one._pieces)) == one._size


# -- checksums of blocks

GOOD = [crc32(LOG[at : at + BLOCK]) for at in range(0, len(LOG), BLOCK)]


@pytest.mark.parametrize(
    ("start", "cuts", "end", "crc", "agrees"),
    [
        (0, [BLOCK], BLOCK, GOOD[0], True),
        (0, [BLOCK], BLOCK, GOOD[0] ^ 1, False),
        (0, [7, BLOCK - 1, BLOCK], BLOCK, GOOD[0] ^ 1, False),
        (0, [BLOCK + 5], BLOCK, GOOD[0] ^ 1, False),
        (0, [2 * BLOCK], 2 * BLOCK, GOOD[1], True),
        (0, [2 * BLOCK], 2 * BLOCK, GOOD[0], False),
        (BLOCK, [2 * BLOCK], 2 * BLOCK, GOOD[1] ^ 1, False),
        # of what is not known nothing can be said
        (0, [BLOCK - 1], BLOCK, 1, True),
        (0, [2 * BLOCK], BLOCK, 1, True),  # only the last one is remembered
        (1, [BLOCK], BLOCK, 1, True),  # a byte of it was never seen
        (1, [2 * BLOCK], 2 * BLOCK, GOOD[1] ^ 1, False),
    ],
)
def test_a_wrong_checksum_is_noticed_if_the_whole_block_was_seen(
    start: int, cuts: list[int], end: int, crc: int, agrees: bool
) -> None:
    assert held(start, *cuts).agrees(end, crc) is agrees


@pytest.mark.parametrize(
    ("to", "agrees"), [(BLOCK - 1, False), (BLOCK, False), (BLOCK + 1, True), (2 * BLOCK - 1, True)]
)
def test_a_block_with_a_gap_in_it_is_not_known(to: int, agrees: bool) -> None:
    one = held(0, BLOCK - 2)
    one.skip(to)
    one.feed(to, LOG[to : 2 * BLOCK])

    assert one.agrees(2 * BLOCK, GOOD[1])
    assert one.agrees(2 * BLOCK, GOOD[1] ^ 1) is agrees


def test_what_is_fed_from_a_buffer_may_be_overwritten() -> None:
    one, buffer = Held(b"", 0), bytearray(b"first")

    one.feed(0, memoryview(buffer))
    buffer[:] = b"other"

    assert one.tail().crc == crc32(b"first")


def test_many_small_pieces_are_held_as_few() -> None:
    one = Held(b"", 0)

    for at in range(10 * PIECES):
        one.feed(at, LOG[at : at + 1])

    assert len(one._pieces) <= PIECES
    assert one.tail().crc == crc32(LOG[: 10 * PIECES])
