"""Which blocks of a log end where, and their checksums, computed once."""

from zlib import crc32

import pytest

from holdfast.daemon.blocks import KNOWN, Blocks, passed
from holdfast.session.held import BLOCK


@pytest.mark.parametrize(
    ("start", "end", "ends"),
    [
        (0, 0, []),
        (0, BLOCK - 1, []),
        (0, BLOCK, [BLOCK]),
        (BLOCK - 1, BLOCK, [BLOCK]),
        (BLOCK, BLOCK, []),  # it was passed before
        (BLOCK, 2 * BLOCK - 1, []),
        (BLOCK, 2 * BLOCK, [2 * BLOCK]),
        (1, 3 * BLOCK + 1, [BLOCK, 2 * BLOCK, 3 * BLOCK]),
        (5 * BLOCK + 7, 5 * BLOCK + 9, []),
    ],
)
def test_which_blocks_a_step_passes(start: int, end: int, ends: list[int]) -> None:
    assert list(passed(start, end)) == ends


class Log:
    """A log that counts how often it is read, and gives little at a time."""

    def __init__(self) -> None:
        self.reads: list[int] = []

    def read(self, offset: int, limit: int) -> bytes:
        self.reads.append(offset)
        return bytes([offset // BLOCK % 251]) * min(limit, 100_000)


def test_a_block_is_read_once_for_all() -> None:
    log = Log()
    blocks = Blocks(log.read)

    crcs = [blocks.crc(3 * BLOCK) for _ in range(10)]

    assert set(crcs) == {crc32(b"\x02" * BLOCK)}
    assert log.reads == [2 * BLOCK, 2 * BLOCK + 100_000, 2 * BLOCK + 200_000]


@pytest.mark.slow  # a gibibyte, a second
def test_what_is_known_is_bounded_and_the_oldest_goes() -> None:
    log = Log()
    blocks = Blocks(log.read)
    for number in range(1, KNOWN + 2):
        blocks.crc(number * BLOCK)
    log.reads.clear()

    blocks.crc(2 * BLOCK)
    blocks.crc((KNOWN + 1) * BLOCK)
    assert log.reads == []

    blocks.crc(BLOCK)
    assert log.reads[0] == 0
