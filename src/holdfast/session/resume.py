"""Whether a viewer may go on where it stopped, or what it holds is another story.

It says which bytes it has: an epoch, the offset behind the last one, and the CRC-32 of the
newest of them. Offsets alone would not do: after a power cut the log may have lost bytes that
a viewer has seen, and go on with others under the same offsets in a new epoch.
"""

import enum
from collections.abc import Callable
from typing import NamedTuple

TAIL_LIMIT = 64 * 1024  # bytes whose checksum is compared: some screens, and 20 µs


class Tail(NamedTuple):
    """The newest bytes a viewer holds: *length* of them, up to *offset*."""

    epoch: bytes
    offset: int
    length: int
    crc: int


class Resume(enum.Enum):
    """How a viewer goes on; anything but EXACT needs a snapshot, and says why."""

    EXACT = "exact"
    OTHER_EPOCH = "the log has begun a new epoch since"
    BEYOND_END = "the log does not reach so far"
    NOT_KEPT = "what follows is no longer kept"
    DIFFERENT = "the log holds other bytes"
    MALFORMED = "that is no tail"


CrcOf = Callable[[int, int], int | None]
"""Return the CRC-32 of a run of the log; None if it is not wholly kept."""


def resume(tail: Tail, *, epoch: bytes, oldest: int, end: int, crc_of: CrcOf) -> Resume:
    """Return how a viewer with *tail* goes on in a log that has *oldest* to *end*.

    A tail that is no longer wholly kept cannot be compared; epoch and offset have to do. Who
    comes without an epoch does not have it compared.
    """
    if not 0 <= tail.length <= min(TAIL_LIMIT, tail.offset):
        return Resume.MALFORMED
    if tail.epoch and tail.epoch != epoch:
        return Resume.OTHER_EPOCH
    if tail.offset > end:
        return Resume.BEYOND_END
    if tail.offset < oldest:
        return Resume.NOT_KEPT
    crc = crc_of(tail.offset - tail.length, tail.offset) if tail.length else None
    return Resume.EXACT if crc in (None, tail.crc) else Resume.DIFFERENT
