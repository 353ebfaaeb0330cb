"""Retention: never more than needed, never the live segment, from the fattest first."""

import errno
import os
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.formats.kept import Kept, Missing
from holdfast.formats.segments import segment_name
from holdfast.store import LogReader, LogWriter, TimelineWriter, kept, verify
from holdfast.store.removal import finish
from holdfast.store.retention import (
    BUDGET_BYTES,
    Aged,
    Usage,
    aged_segments,
    default_budget,
    drop,
    evicted,
    retain,
    surplus,
    usage,
)
from tests.store.disks import small_disk
from tests.store.kills import killed_before
from tests.store.scenes import assert_honest, assert_settled, printed, timeline_of
from tests.store.test_log import pattern


def row(sizes: list[int], written: list[float] | None = None) -> list[Aged]:
    """Segments of these sizes, one behind the other."""
    times = written or [0.0] * len(sizes)
    starts = [sum(sizes[:index]) for index in range(len(sizes))]
    return [Aged(*one) for one in zip(starts, sizes, times, strict=True)]


sizes = st.lists(st.integers(1, 20), max_size=8)


# -- deciding


@given(sizes, st.integers(0, 100))
def test_a_log_keeps_what_was_asked_for_and_less_than_a_segment_more(
    listed: list[int], limit: int
) -> None:
    segments = row(listed)
    upto = surplus(segments, limit_bytes=limit, oldest=0.0)

    left = [segment for segment in segments if segment.end > upto]
    kept_bytes = sum(segment.size for segment in left)
    assert kept_bytes >= min(limit, sum(listed))
    assert len(left) < 2 or kept_bytes - left[0].size < limit


def test_what_was_last_written_too_long_ago_goes() -> None:
    segments = row([10, 10, 10, 10], [1.0, 2.0, 3.0, 4.0])

    assert [surplus(segments, limit_bytes=100, oldest=old) for old in (0, 1, 2, 3.5, 9)] == [
        0, 0, 10, 30, 30,
    ]  # fmt: skip


def test_the_segment_being_written_stays_whatever_its_size_and_age() -> None:
    assert surplus(row([100], [1.0]), limit_bytes=0, oldest=9.0) == 0
    assert evicted({"a": row([100]), "b": []}, 0) == {}


@given(st.dictionaries(st.sampled_from("abcde"), sizes), st.integers(0, 200))
def test_a_budget_is_kept_and_no_more_dropped_than_it_needs(
    logs: dict[str, list[int]], budget: int
) -> None:
    segments = {name: row(listed) for name, listed in logs.items()}
    upto = evicted(segments, budget)

    left = {
        name: [one for one in listed if one.end > upto.get(name, 0) or one is listed[-1]]
        for name, listed in segments.items()
    }
    total = sum(one.size for listed in left.values() for one in listed)
    gone = {n: [s for s in listed if s not in left[n]] for n, listed in segments.items()}
    if total > budget:
        assert all(not one.size for listed in left.values() for one in listed[:-1])
    # Nothing was dropped in vain: with any of the last ones back, it would be too much.
    lasts = [listed[-1].size for listed in gone.values() if listed]
    assert not lasts or total + max(lasts) > budget


@given(st.dictionaries(st.sampled_from("abcde"), sizes), st.integers(0, 200))
def test_nobody_loses_anything_while_a_fatter_log_could_give(
    logs: dict[str, list[int]], budget: int
) -> None:
    segments = {name: row(listed) for name, listed in logs.items()}
    upto = evicted(segments, budget)

    def size(name: str) -> int:
        return sum(one.size for one in segments[name] if one.end > upto.get(name, 0))

    for loser in upto:
        before_its_last = max(s.size for s in segments[loser] if s.end <= upto[loser])
        for other in logs:
            gives = any(s.end > upto.get(other, 0) for s in segments[other][:-1])
            if other != loser and gives:
                assert size(other) <= size(loser) + before_its_last


@pytest.mark.parametrize(
    ("free", "budget"), [(0, 0), (100, 10), (80 * 1024**3, BUDGET_BYTES), (2**60, BUDGET_BYTES)]
)
def test_the_default_budget_is_a_tenth_of_the_free_disk_and_bounded(free: int, budget: int) -> None:
    assert default_budget(free) == budget


# -- doing


def test_dropped_segments_leave_a_hole_called_pruned(tmp_path: Path) -> None:
    printed(tmp_path, 3500)
    with timeline_of(tmp_path) as timeline:
        assert retain(tmp_path, timeline, limit_bytes=2000) == 1000
        assert kept(tmp_path) == [Missing(0, 1000, "pruned"), Kept(1000, 3500)]
        assert retain(tmp_path, timeline, limit_bytes=2000) == 0
        assert retain(tmp_path, timeline, limit_bytes=0) == 2500
        assert kept(tmp_path) == [Missing(0, 3500, "pruned")]
    assert_settled(tmp_path)
    assert verify(tmp_path) is None
    with LogWriter(tmp_path) as log:
        assert log.end == 3500


def test_a_log_that_always_drops_is_one_hole_and_one_range(tmp_path: Path) -> None:
    with LogWriter(tmp_path, segment_size=64) as log, LogReader(tmp_path) as reader:
        with TimelineWriter(tmp_path, reader) as timeline:
            for at in range(0, 64 * 500, 32):
                log.write(pattern(at, at + 32))
                retain(tmp_path, timeline, limit_bytes=128)
                assert sum(one.size for one in aged_segments(tmp_path)) < 128 + 64
        assert kept(tmp_path) == [Missing(0, 31872, "pruned"), Kept(31872, 32000)]


def test_age_is_that_of_the_last_write(tmp_path: Path) -> None:
    printed(tmp_path, 3500)
    for first, at in ((0, 100), (1000, 200), (2000, 300)):
        os.utime(tmp_path / segment_name(first), (at, at))
    with timeline_of(tmp_path) as timeline:
        assert retain(tmp_path, timeline, limit_bytes=1 << 30, oldest=250.0) == 2000


def test_dropping_leaves_other_holes_their_reasons(tmp_path: Path) -> None:
    printed(tmp_path, 4000)
    (tmp_path / segment_name(1000)).unlink()
    with timeline_of(tmp_path) as timeline:
        drop(tmp_path, timeline, 3999)

    assert kept(tmp_path) == [
        Missing(0, 1000, "pruned"),
        Missing(1000, 2000, "lost"),
        Missing(2000, 3000, "pruned"),
        Kept(3000, 4000),
    ]


def brought_within(
    directories: dict[str, Path], timelines: dict[str, TimelineWriter], budget: int
) -> dict[str, int]:
    """Bring all logs within the budget; return how many bytes which of them lost."""
    logs = {name: aged_segments(directory) for name, directory in directories.items()}
    return {
        name: drop(directories[name], timelines[name], upto)
        for name, upto in evicted(logs, budget).items()
    }


def test_the_fattest_gives_first_and_the_budget_holds(tmp_path: Path) -> None:
    names = {"fat": 9500, "thin": 1500, "middle": 4600}
    directories = {name: printed(tmp_path / name, size) for name, size in names.items()}
    opened = {name: timeline_of(directory) for name, directory in directories.items()}
    timelines = {name: manager.__enter__() for name, manager in opened.items()}

    assert brought_within(directories, timelines, 100_000) == {}
    assert brought_within(directories, timelines, 10_000) == {"fat": 5000, "middle": 1000}
    assert brought_within(directories, timelines, 10_000) == {}

    for name, manager in opened.items():
        manager.__exit__(None, None, None)
        assert_settled(directories[name])


@pytest.mark.parametrize("twice", [False, True])
def test_killed_while_it_drops_the_list_is_the_old_or_the_new_one(
    tmp_path: Path, twice: bool
) -> None:
    old, new = [Kept(0, 4000)], [Missing(0, 3000, "pruned"), Kept(3000, 4000)]
    seen = set()
    for step in count(1):
        directory = printed(tmp_path / str(step), 4000)

        def dropping(directory: Path = directory) -> None:
            with timeline_of(directory) as timeline:
                drop(directory, timeline, 3000)

        killed = killed_before(step, dropping)
        assert kept(directory) in (old, new)
        seen.add(str(kept(directory)))
        assert_honest(directory)
        if twice:
            killed_before(2, partial(finish, directory))
        finish(directory)
        assert kept(directory) in (old, new)
        assert_settled(directory)
        dropping()
        assert kept(directory) == new
        assert_settled(directory)
        if not killed:
            break
    assert step > 4
    assert len(seen) == 2


def test_on_a_full_disk_a_log_makes_room_for_itself(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 256 * 1024) as disk:
        with LogWriter(disk, segment_size=16 * 1024) as log, LogReader(disk) as reader:
            with TimelineWriter(disk, reader) as timeline:
                while log.end < 1 << 20:
                    data = pattern(log.end, log.end + 4096)
                    try:
                        log.write(data)
                    except OSError as error:
                        assert error.errno == errno.ENOSPC  # noqa: PT017 - the rule follows
                        assert retain(disk, timeline, limit_bytes=200 * 1024) > 0
                timeline.flush(0)
            assert kept(disk)[0].end + 200 * 1024 <= log.end
            assert [piece[2:] for piece in kept(disk)] == [("pruned",), ()]
        assert_honest(disk)


def test_usage_is_what_the_files_have(tmp_path: Path) -> None:
    printed(tmp_path, 2500)
    (tmp_path / "session.json").write_bytes(b"12345")
    (tmp_path / "timeline.torn-1").write_bytes(b"1234567")

    assert usage(tmp_path) == Usage(2500, 32 + 25 * 32, 12)
