"""What is kept, as one list: every byte is in it once, with the newest reason."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.formats.kept import Holes, Kept, Missing, kept_list
from holdfast.formats.segments import Range
from holdfast.formats.timeline import Hole, HoleReason

PRUNED, CLEARED, TORN = HoleReason.PRUNED, HoleReason.CLEARED, HoleReason.TORN

some_holes = st.lists(st.builds(Hole, st.integers(0, 40), st.integers(0, 15), st.integers(1, 3)))


@pytest.mark.parametrize(
    ("holes", "said"),
    [
        ([], []),
        ([Hole(5, 0, PRUNED)], []),
        ([Hole(0, 8, PRUNED), Hole(8, 8, PRUNED)], [(0, 16, "pruned")]),
        ([Hole(0, 8, PRUNED), Hole(0, 16, PRUNED)], [(0, 16, "pruned")]),
        ([Hole(0, 8, PRUNED), Hole(8, 8, TORN)], [(0, 8, "pruned"), (8, 16, "torn")]),
        ([Hole(0, 9, PRUNED), Hole(3, 9, TORN)], [(0, 3, "pruned"), (3, 12, "torn")]),
        ([Hole(3, 3, CLEARED), Hole(0, 9, TORN)], [(0, 9, "torn")]),
        ([Hole(5, 5, 5), Hole(0, 7, 99)], [(0, 7, "other"), (7, 10, "overflowed")]),
    ],
)  # fmt: skip
def test_of_two_reasons_the_newer_counts(
    holes: list[Hole], said: list[tuple[int, int, str]]
) -> None:
    assert list(Holes(holes)) == [Missing(*one) for one in said]


@given(some_holes)
def test_holes_are_what_painting_byte_for_byte_would_give(records: list[Hole]) -> None:
    painted: dict[int, str] = {}
    for hole in records:
        for at in range(hole.offset, hole.offset + hole.length):
            painted[at] = HoleReason(hole.reason).name.lower()
    holes = Holes(records)

    assert {at: one.reason for one in holes for at in range(one.start, one.end)} == painted
    assert holes.end == max(painted, default=-1) + 1
    for one, other in pairwise(holes):
        assert one.end < other.start or (one.end == other.start and one.reason != other.reason)
    for at in range(60):
        found = [one.reason for one in holes.between(at, at + 1)]
        assert found == ([painted[at]] if at in painted else [])


@given(st.lists(st.integers(0, 40), unique=True).map(sorted), some_holes, st.integers(0, 10))
def test_every_byte_is_in_the_list_once(edges: list[int], records: list[Hole], more: int) -> None:
    ranges = [Range(*edge) for edge in zip(edges[::2], edges[1::2], strict=False)]
    end = (ranges[-1].end if ranges else 0) + more
    holes = Holes(records)

    listed = kept_list(ranges, holes, end)

    at = 0
    for piece in listed:
        assert piece.start == at < piece.end
        at = piece.end
    assert at == max(end, holes.end)
    assert all(one[2:] != other[2:] for one, other in pairwise(listed))
    for piece in listed:
        for at in range(piece.start, piece.end):
            hole = next(iter(holes.between(at, at + 1)), None)
            there = any(kept.start <= at < kept.end for kept in ranges)
            # Both: a removal was cut short. The record was its decision.
            reason = hole.reason if hole else "lost"
            expected = Kept if there and not hole else Missing
            assert type(piece) is expected
            assert piece[2:] in ((), (reason,))
