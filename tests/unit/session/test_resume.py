"""When a viewer may go on where it stopped."""

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.session.resume import TAIL_LIMIT, Resume, Tail, resume

EPOCH, OTHER = b"e" * 16, b"o" * 16
LOG = bytes(range(256)) * 4
OLDEST = 100


def crc_of(start: int, end: int) -> int | None:
    return crc32(LOG[start:end]) if start >= OLDEST else None


def tail(offset: int, length: int = 50, epoch: bytes = EPOCH, crc: int | None = None) -> Tail:
    return Tail(epoch, offset, length, crc32(LOG[offset - length : offset]) if crc is None else crc)


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        (tail(len(LOG)), Resume.EXACT),
        (tail(500), Resume.EXACT),
        (tail(OLDEST, 0), Resume.EXACT),
        (tail(120, 50), Resume.EXACT),  # partly pruned: cannot be compared
        (tail(500, epoch=OTHER), Resume.OTHER_EPOCH),
        (tail(len(LOG) + 1), Resume.BEYOND_END),
        (tail(OLDEST - 1), Resume.NOT_KEPT),
        (tail(500, crc=1), Resume.DIFFERENT),
        (tail(500, 501), Resume.MALFORMED),
        (tail(500, -1), Resume.MALFORMED),
        (Tail(EPOCH, 1 << 20, TAIL_LIMIT + 1, 0), Resume.MALFORMED),
    ],
)
def test_how_a_viewer_goes_on(held: Tail, wanted: Resume) -> None:
    assert resume(held, epoch=EPOCH, oldest=OLDEST, end=len(LOG), crc_of=crc_of) is wanted


@given(st.integers(OLDEST + 64, len(LOG)), st.integers(1, 64), st.integers(0, 63))
def test_one_other_byte_is_noticed(offset: int, length: int, at: int) -> None:
    data = bytearray(LOG[offset - length : offset])
    data[at % length] ^= 1
    held = Tail(EPOCH, offset, length, crc32(data))

    found = resume(held, epoch=EPOCH, oldest=OLDEST, end=len(LOG), crc_of=crc_of)

    assert found is Resume.DIFFERENT
