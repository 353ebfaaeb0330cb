"""A log is a row of segments: files named by the offset of their first byte.

Where one segment ends and the next begins later, bytes are missing: a hole. Nothing
else says what is kept, so nothing can disagree with the files.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

# Retention drops whole segments, so this is how far a log may exceed what it was given:
# 3 % of the default 256 MiB. Twice as large and small budgets are missed by far; half
# as large and a listing of the directory, which every jump of a viewer needs, doubles.
SEGMENT_SIZE = 8 * 1024 * 1024

HIGHEST_OFFSET = 2**64 - 1  # the timeline and the wire give an offset eight bytes
_NAME = re.compile(r"([0-9]{20})\.log")  # 20 digits hold the highest offset


class Segment(NamedTuple):
    """One file of a log."""

    first: int
    size: int


class Range(NamedTuple):
    """A run of bytes without a hole; `end` is the offset behind its last byte."""

    start: int
    end: int


def segment_name(first: int) -> str:
    """Return the file name of the segment that begins at *first*; names sort like offsets."""
    if not 0 <= first <= HIGHEST_OFFSET:
        raise ValueError(f"no segment can begin at offset {first}")
    return f"{first:020}.log"


def first_offset(name: str) -> int | None:
    """Return where the segment of that name begins, or None if no segment is called so."""
    match = _NAME.fullmatch(name)
    first = int(match[1]) if match else HIGHEST_OFFSET + 1
    return first if first <= HIGHEST_OFFSET else None


def segment_holding(firsts: Sequence[int], offset: int) -> int | None:
    """Return the index of the only segment that can hold *offset*; *firsts* is sorted."""
    index = bisect_right(firsts, offset) - 1
    return index if index >= 0 else None


def kept_ranges(segments: Sequence[Segment]) -> list[Range]:
    """Return what segments, sorted by their first offset, keep between them.

    Where two overlap, which no writer does, the later one counts, as it does for
    `segment_holding`.
    """
    ranges: list[Range] = []
    for index, segment in enumerate(segments):
        end = segment.first + segment.size
        if index + 1 < len(segments):
            end = min(end, segments[index + 1].first)
        if end <= segment.first:
            continue
        if ranges and ranges[-1].end == segment.first:
            ranges[-1] = Range(ranges[-1].start, end)
        else:
            ranges.append(Range(segment.first, end))
    return ranges


def next_kept(ranges: Sequence[Range], offset: int) -> int | None:
    """Return the first kept offset that is not before *offset*, or None behind the last."""
    for kept in ranges:
        if offset < kept.end:
            return max(offset, kept.start)
    return None
