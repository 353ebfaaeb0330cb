"""What a viewer holds of a log, however it arrived."""

import zlib

import pytest

from holdfast.session.held import BLOCK, PIECES, Held
from holdfast.session.resume import TAIL_LIMIT

TEXT = bytes(range(256)) * (BLOCK // 128)  # two blocks


@pytest.mark.parametrize("size", [1000, TAIL_LIMIT - 1, TAIL_LIMIT, TAIL_LIMIT + 1, len(TEXT)])
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_the_tail_and_the_checksums_do_not_depend_on_the_pieces(
    size: int, kind: type[bytes] | type[bytearray] | type[memoryview]
) -> None:
    held = Held(b"epoch", 0)

    for at in range(0, len(TEXT), size):
        held.feed(at, kind(TEXT[at : at + size]))

    newest = TEXT[-TAIL_LIMIT:]
    assert held.tail() == (b"epoch", len(TEXT), len(newest), zlib.crc32(newest))
    assert held.agrees(len(TEXT), zlib.crc32(TEXT[-BLOCK:]))
    assert not held.agrees(len(TEXT), 0)


def test_what_is_fed_from_a_buffer_may_be_overwritten() -> None:
    held, buffer = Held(b"", 0), bytearray(b"first")

    held.feed(0, memoryview(buffer))
    buffer[:] = b"other"

    assert held.tail().crc == zlib.crc32(b"first")


def test_many_small_pieces_are_held_as_few() -> None:
    held = Held(b"", 0)

    for at in range(10 * PIECES):
        held.feed(at, TEXT[at : at + 1])

    assert len(held._pieces) <= PIECES
    assert held.tail().crc == zlib.crc32(TEXT[: 10 * PIECES])
