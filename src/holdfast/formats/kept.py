"""What is kept of a log, as one list: ranges that are there, and holes with their reasons.

A hole record is what makes bytes missing, the files follow: a byte is kept if a segment has
it and no record says that it is gone. So one record of 32 bytes is the moment at which
something is dropped, cleared or forgotten, whatever is killed before the files agree.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from holdfast.formats.segments import Range
from holdfast.formats.timeline import Hole, HoleReason

LOST = "lost"  # nobody recorded it: a file has vanished, or the record of it has
OTHER = "other"  # recorded by a later version, for a reason this one does not know


class Kept(NamedTuple):
    """Bytes that can be read; `end` is the offset behind the last."""

    start: int
    end: int


class Missing(NamedTuple):
    """Bytes that cannot, and why: pruned, cleared, forgotten, torn, overflowed, lost, other."""

    start: int
    end: int
    reason: str


T = TypeVar("T", Kept, Missing, Kept | Missing)


class Holes:
    """The recorded holes of one log, disjoint and in order. Of two reasons the newer counts."""

    def __init__(self, holes: Iterable[Hole] = ()) -> None:
        self._starts: list[int] = []
        self._holes: list[Missing] = []
        for hole in holes:
            self.add(hole)

    def __iter__(self) -> Iterator[Missing]:
        return iter(self._holes)

    @property
    def end(self) -> int:
        """The offset behind the last byte that is known to be missing."""
        return self._holes[-1].end if self._holes else 0

    def add(self, hole: Hole) -> None:
        """Take note of a record that is newer than all before."""
        if hole.length <= 0:
            return
        fresh = Missing(hole.offset, hole.offset + hole.length, _reason(hole.reason))
        # What it touches, and nothing else, is replaced by what is left of that beside it.
        low = max(0, bisect_left(self._starts, fresh.start) - 1)
        high = bisect_right(self._starts, fresh.end)
        old = self._holes[low:high]
        left = [one._replace(end=min(one.end, fresh.start)) for one in old]
        right = [one._replace(start=max(one.start, fresh.end)) for one in old]
        joined = _joined([*left, fresh, *right])
        self._holes[low:high] = joined
        self._starts[low:high] = [one.start for one in joined]

    def only(self, reason: str) -> "Holes":
        """Return the holes of one reason."""
        chosen = Holes()
        chosen._holes = [hole for hole in self._holes if hole.reason == reason]
        chosen._starts = [hole.start for hole in chosen._holes]
        return chosen

    def between(self, start: int, end: int) -> list[Missing]:
        """Return the parts of holes from *start* to *end*."""
        low = max(0, bisect_right(self._starts, start) - 1)
        high = bisect_left(self._starts, end)
        parts = [
            one._replace(start=max(one.start, start), end=min(one.end, end))
            for one in self._holes[low:high]
        ]
        return [part for part in parts if part.start < part.end]


def kept_list(ranges: Sequence[Range], holes: Holes, end: int) -> list[Kept | Missing]:
    """Return what is kept of the bytes from 0 to *end*, without a gap in the list.

    *ranges* are what the segments have. It reaches beyond *end* where a hole does.
    """
    pieces: list[Kept | Missing] = []
    at = 0
    for start, stop in [*ranges, (max(end, holes.end), max(end, holes.end))]:
        pieces += _missing(holes, at, start)
        pieces += [Kept(*part) for part in without(start, stop, holes.between(start, stop))]
        pieces += holes.between(start, stop)
        at = stop
    return _joined(sorted(pieces, key=lambda piece: piece.start))


def without(start: int, end: int, holes: Sequence[Missing]) -> list[Range]:
    """Return what is left from *start* to *end* without *holes*, which are in order."""
    left = []
    for hole in holes:
        if start < min(hole.start, end):
            left.append(Range(start, min(hole.start, end)))
        start = max(start, hole.end)
    if start < end:
        left.append(Range(start, end))
    return left


def _missing(holes: Holes, start: int, end: int) -> list[Missing]:
    recorded = holes.between(start, end)
    lost = [Missing(*part, LOST) for part in without(start, end, recorded)]
    return recorded + lost


def _joined(pieces: Sequence[T]) -> list[T]:
    """Leave out what is empty, and make one of neighbours of one kind."""
    joined: list[T] = []
    for piece in pieces:
        if piece.start >= piece.end:
            continue
        if joined and joined[-1].end == piece.start and joined[-1][2:] == piece[2:]:
            joined[-1] = joined[-1]._replace(end=piece.end)
        else:
            joined.append(piece)
    return joined


def _reason(number: int) -> str:
    try:
        return HoleReason(number).name.lower()
    except ValueError:
        return OTHER
