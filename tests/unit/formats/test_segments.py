"""Names of segments, and what a row of them keeps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.formats.segments import (
    HIGHEST_OFFSET,
    Range,
    Segment,
    first_offset,
    kept_ranges,
    next_kept,
    segment_holding,
    segment_name,
)


@pytest.mark.parametrize(
    ("first", "name"),
    [
        (0, "00000000000000000000.log"),
        (8388608, "00000000000008388608.log"),
        (HIGHEST_OFFSET, "18446744073709551615.log"),
    ],
)
def test_a_segment_is_named_by_its_first_offset(first: int, name: str) -> None:
    assert segment_name(first) == name
    assert first_offset(name) == first


@pytest.mark.parametrize(
    "name",
    [
        "",
        "timeline",
        "session.json",
        "0.log",
        "0000000000000000000.log",
        "000000000000000000000.log",
        "00000000000000000000.log.old",
        "00000000000000000000.log\n",
        "-0000000000000000001.log",
        "+0000000000000000001.log",
        "0000000000000000000\u0661.log",
        "18446744073709551616.log",
    ],
)
def test_other_files_are_no_segments(name: str) -> None:
    assert first_offset(name) is None


@pytest.mark.parametrize("first", [-1, HIGHEST_OFFSET + 1])
def test_no_segment_begins_where_no_byte_can_be(first: int) -> None:
    with pytest.raises(ValueError, match=str(first)):
        segment_name(first)


@given(st.integers(0, HIGHEST_OFFSET), st.integers(0, HIGHEST_OFFSET))
def test_names_sort_like_offsets(one: int, other: int) -> None:
    assert (segment_name(one) < segment_name(other)) == (one < other)


@pytest.mark.parametrize(
    ("offset", "index"), [(0, None), (9, None), (10, 0), (19, 0), (20, 1), (29, 1), (30, 2)]
)
def test_the_segment_that_holds_an_offset(offset: int, index: int | None) -> None:
    assert segment_holding([10, 20, 30], offset) == index


@pytest.mark.parametrize(
    ("segments", "ranges"),
    [
        ([], []),
        ([(0, 0)], []),
        ([(5, 10)], [(5, 15)]),
        ([(0, 10), (10, 10), (20, 3)], [(0, 23)]),
        ([(0, 10), (10, 0)], [(0, 10)]),  # just rotated
        ([(0, 9), (10, 10)], [(0, 9), (10, 20)]),  # a torn tail
        ([(0, 10), (50, 5), (55, 5)], [(0, 10), (50, 60)]),
        ([(0, 10), (20, 0), (30, 5)], [(0, 10), (30, 35)]),
        ([(0, 10), (5, 2)], [(0, 7)]),  # overlapping: the later one counts
    ],
)
def test_a_gap_between_segments_is_a_hole(
    segments: list[tuple[int, int]], ranges: list[tuple[int, int]]
) -> None:
    assert kept_ranges([Segment(*segment) for segment in segments]) == ranges


@pytest.mark.parametrize(
    ("offset", "kept"), [(0, 5), (5, 5), (9, 9), (10, 20), (20, 20), (29, 29), (30, None)]
)
def test_the_next_kept_offset(offset: int, kept: int | None) -> None:
    assert next_kept([Range(5, 10), Range(20, 30)], offset) == kept


@given(st.dictionaries(st.integers(0, 60), st.integers(0, 20)), st.integers(0, 90))
def test_a_byte_is_kept_exactly_if_its_segment_has_it(sizes: dict[int, int], offset: int) -> None:
    segments = [Segment(first, sizes[first]) for first in sorted(sizes)]
    index = segment_holding(sorted(sizes), offset)
    has = index is not None and offset < segments[index].first + segments[index].size

    assert (next_kept(kept_ranges(segments), offset) == offset) == has
