"""The runs of a log between two ticks of its timeline, from the newest back.

Every record vouches for itself, so a damaged one hides no others. Only the run that it ended
is joined with the next one then, whose CRC-32 does not say so and therefore disagrees.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from holdfast.formats.timeline import (
    HEADER_SIZE,
    RECORD_SIZE,
    Hole,
    Inserted,
    Record,
    Tick,
    decode_one,
)
from holdfast.store.timeline import LOOK_BACK, TIMELINE


class Run(NamedTuple):
    """Bytes of a log, the CRC-32 they should have, and when they were printed.

    Nobody vouches for the tail, behind which no tick has come yet.
    """

    start: int
    end: int
    crc: int | None
    time_ns: int
    is_tail: bool = False


class RunsBack:
    """Iterate over the runs before *end*; `highest` is the highest offset seen on the way.

    Reads no more of the timeline than is asked for, except that `highest` counts once the
    first run was given.
    """

    def __init__(self, directory: Path, end: int) -> None:
        self._path = directory / TIMELINE
        self._end = end
        self.highest = end
        self.ticks = 0

    def __iter__(self) -> Iterator[Run]:
        newer: Tick | None = None
        for record in _records_back(self._path):
            self.highest = max(self.highest, _reach(record))
            if not isinstance(record, Tick):
                continue
            self.ticks += 1
            yield self._between(record, newer)
            newer = record
        yield self._between(None, newer)

    def _between(self, older: Tick | None, newer: Tick | None) -> Run:
        start = older.offset if older else 0
        if newer is None:
            return Run(start, self._end, None, older.time_ns if older else 0, is_tail=True)
        return Run(start, newer.offset, newer.crc, newer.time_ns)


def _records_back(path: Path) -> Iterator[Record]:
    """Yield the records that are not damaged, from the last to the first."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    try:
        at = os.fstat(fd).st_size
        at -= at % RECORD_SIZE
        while at > HEADER_SIZE:
            start = max(HEADER_SIZE, at - LOOK_BACK)
            piece = os.pread(fd, at - start, start)
            for begin in range(len(piece) - RECORD_SIZE, -1, -RECORD_SIZE):
                record = decode_one(piece[begin : begin + RECORD_SIZE])
                if record is not None:
                    yield record
            at = start
    finally:
        os.close(fd)


def _reach(record: Record) -> int:
    """Return the offset up to which a record says that bytes were printed."""
    return record.offset + (record.length if isinstance(record, Hole | Inserted) else 0)
