"""What of the logs is dropped, and when: by size and age for each, by one budget for all.

Whole sealed segments, from the oldest on, as soon as there is one too many: a segment that
is unlinked before the kernel has written it back never reaches the disk, which is what
happens to most of a flood.
"""

import heapq
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from holdfast.formats.segments import Range, segment_name
from holdfast.formats.timeline import Hole, HoleReason
from holdfast.store.log import segment_firsts
from holdfast.store.timeline import TIMELINE, Recorder

# What all of them keep: enough for 32 floods, and never more than somebody would miss.
BUDGET_BYTES = 8 * 1024**3
SHARE_OF_FREE = 10


class Aged(NamedTuple):
    """A segment as retention sees it; `written` is when it was last written, in seconds."""

    first: int
    size: int
    written: float

    @property
    def end(self) -> int:
        return self.first + self.size


class Usage(NamedTuple):
    """Bytes in the files of one session."""

    log: int
    timeline: int
    rest: int


def default_budget(free_bytes: int) -> int:
    """Return what all logs together may take on a disk with so much room."""
    return min(BUDGET_BYTES, free_bytes // SHARE_OF_FREE)


def surplus(segments: Sequence[Aged], *, limit_bytes: int, oldest: float) -> int:
    """Return the offset before which one log is to be dropped; 0 if it is to be kept.

    A segment goes if what is left has still *limit_bytes*, so that never less is kept than
    was asked for and never a whole segment more; or if it was last written before *oldest*.
    The last one is being written and stays.
    """
    left = sum(segment.size for segment in segments)
    upto = 0
    for segment in segments[:-1]:
        left -= segment.size
        if left < limit_bytes and segment.written >= oldest:
            break
        upto = segment.end
    return upto


def evicted(logs: Mapping[str, Sequence[Aged]], budget_bytes: int) -> dict[str, int]:
    """Return before which offset to drop which log, so that all together keep the budget.

    One segment at a time, the oldest of the log that is the fattest by then: a small log
    loses nothing while a bigger one has anything to give.
    """
    total = sum(segment.size for segments in logs.values() for segment in segments)
    upto: dict[str, int] = {}
    fattest = [(-sum(s.size for s in segments), name, 0) for name, segments in logs.items()]
    heapq.heapify(fattest)
    while fattest and total > budget_bytes:
        size, name, index = heapq.heappop(fattest)
        if index + 1 < len(logs[name]):  # the last one is being written
            segment = logs[name][index]
            total -= segment.size
            upto[name] = segment.end
            heapq.heappush(fattest, (size + segment.size, name, index + 1))
    return upto


def aged_segments(directory: Path) -> list[Aged]:
    """Return the segments of a log as they are now, in order."""
    found = []
    for first in segment_firsts(directory):
        try:
            status = (directory / segment_name(first)).lstat()
        except FileNotFoundError:
            continue  # dropped since it was listed
        found.append(Aged(first, status.st_size, status.st_mtime))
    return found


def retain(directory: Path, timeline: Recorder, *, limit_bytes: int, oldest: float = 0.0) -> int:
    """Drop what one log has too much of or for too long; return how many bytes that was."""
    upto = surplus(aged_segments(directory), limit_bytes=limit_bytes, oldest=oldest)
    return drop(directory, timeline, upto) if upto else 0


def drop(directory: Path, timeline: Recorder, upto: int) -> int:
    """Unlink the sealed segments that end at or before *upto*; return how many bytes went.

    The hole is recorded first. Killed in between, the record stands and the files go at the
    next start or with the next drop; the other way round bytes would be missing and nobody
    could say why. On a full disk the record waits in the writer, and the files go all the
    same: it is they who make room for it.

    Each drop adds a record of its own, which reading joins with its neighbours: 32 bytes
    for each 8 MiB of log, beside the 32 ticks that those 8 MiB have brought already.
    """
    segments = [one for one in aged_segments(directory)[:-1] if one.end <= upto]
    runs = _runs(segments)
    timeline.append(*(Hole(start, end - start, HoleReason.PRUNED) for start, end in runs))
    for segment in segments:
        (directory / segment_name(segment.first)).unlink()
    return sum(segment.size for segment in segments)


def usage(directory: Path) -> Usage:
    """Return how many bytes the files of a session have."""
    log = sum(segment.size for segment in aged_segments(directory))
    sizes = {}
    with os.scandir(directory) as entries:
        for entry in entries:
            try:
                sizes[entry.name] = entry.stat(follow_symlinks=False).st_size
            except FileNotFoundError:
                continue
    logs = {segment_name(first) for first in segment_firsts(directory)}
    rest = sum(size for name, size in sizes.items() if name != TIMELINE and name not in logs)
    return Usage(log, sizes.get(TIMELINE, 0), rest)


def _runs(segments: Iterable[Aged]) -> list[Range]:
    # A hole between two segments keeps the reason it has.
    runs: list[Range] = []
    for segment in segments:
        if runs and runs[-1].end == segment.first:
            runs[-1] = Range(runs[-1].start, segment.end)
        elif segment.size:
            runs.append(Range(segment.first, segment.end))
    return runs
