"""Clearing: everything before a cut goes, at once or not at all."""

import resource
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.formats.kept import Kept, Missing
from holdfast.formats.segments import segment_name
from holdfast.store import LogReader, LogWriter, kept, verify
from holdfast.store.clear import SEARCHED_BYTES, clear, screenful_cut
from holdfast.store.forget import forget
from holdfast.store.removal import finish
from holdfast.store.retention import drop
from tests.store.disks import limited
from tests.store.kills import killed_before
from tests.store.scenes import assert_honest, assert_settled, printed, timeline_of, truth
from tests.store.test_log import pattern

Piece = Kept | Missing


@pytest.mark.parametrize("cut", [0, 1, 999, 1000, 1001, 2500, 2999, 3000])
def test_what_lies_before_the_cut_is_gone_and_the_rest_is_there(tmp_path: Path, cut: int) -> None:
    printed(tmp_path, 3000)
    with timeline_of(tmp_path) as timeline:
        assert clear(tmp_path, timeline, cut) == cut

    expected: list[Piece] = [Missing(0, cut, "cleared"), Kept(cut, 3000)]
    assert kept(tmp_path) == [piece for piece in expected if piece.start < piece.end]
    assert_settled(tmp_path)
    assert verify(tmp_path) is None


def test_a_writer_goes_on_while_its_log_is_cut(tmp_path: Path) -> None:
    with LogWriter(tmp_path, segment_size=1000) as log, LogReader(tmp_path) as reader:
        log.write(pattern(0, 700))
        assert reader.read(0, 10) == pattern(0, 10)
        log.seal()
        with timeline_of(tmp_path) as timeline:
            log.write(pattern(700, 800))
            clear(tmp_path, timeline, 650)
        log.write(pattern(800, 900))

        assert reader.read(650, 1000) == pattern(650, 900)
    assert_settled(tmp_path)


def test_the_segment_being_written_is_not_touched(tmp_path: Path) -> None:
    printed(tmp_path, 500, seal=False)
    with timeline_of(tmp_path) as timeline, pytest.raises(ValueError, match="is being written"):
        clear(tmp_path, timeline, 100)
    assert kept(tmp_path) == [Kept(0, 500)]


def test_other_holes_keep_their_reasons_and_segments_their_age(tmp_path: Path) -> None:
    printed(tmp_path, 4000)
    before = (tmp_path / segment_name(2000)).stat().st_mtime_ns
    with timeline_of(tmp_path) as timeline:
        drop(tmp_path, timeline, 1000)
        clear(tmp_path, timeline, 2500)

    assert kept(tmp_path) == [
        Missing(0, 1000, "pruned"), Missing(1000, 2500, "cleared"), Kept(2500, 4000),
    ]  # fmt: skip
    assert (tmp_path / segment_name(2500)).stat().st_mtime_ns == before


def test_without_room_for_the_rest_nothing_is_changed(tmp_path: Path) -> None:
    printed(tmp_path, 3000)
    full = limited(resource.RLIMIT_FSIZE, 100)
    with timeline_of(tmp_path) as timeline, full, pytest.raises(OSError, match="File too large"):
        clear(tmp_path, timeline, 1500)

    assert kept(tmp_path) == [Kept(0, 3000)]
    assert_settled(tmp_path)


def clearing(directory: Path) -> None:
    with timeline_of(directory) as timeline:
        clear(directory, timeline, 2500)


def forgetting(directory: Path) -> None:
    with timeline_of(directory) as timeline:
        forget(directory, timeline, 1500, 2500)


def forgetting_twice(directory: Path) -> None:
    with timeline_of(directory) as timeline:
        forget(directory, timeline, 2300, 2400)
        forget(directory, timeline, 2100, 2700)


REMOVALS: dict[str, tuple[Callable[[Path], None], list[list[tuple[int, int]]]]] = {
    "clear": (clearing, [[(0, 4000)], [(2500, 4000)]]),
    "forget": (forgetting, [[(0, 4000)], [(0, 1500), (2500, 4000)]]),
    "twice": (
        forgetting_twice,
        [[(0, 4000)], [(0, 2300), (2400, 4000)], [(0, 2100), (2700, 4000)]],
    ),
}


@pytest.mark.parametrize("name", REMOVALS)
@pytest.mark.parametrize("again", [0, 1, 3])
def test_killed_at_any_step_the_list_is_an_old_or_the_new_one(
    tmp_path: Path, name: str, again: int
) -> None:
    removal, states = REMOVALS[name]
    seen = []
    for step in count(1):
        directory = printed(tmp_path / str(step), 4000)
        killed = killed_before(step, partial(removal, directory))
        state = truth(kept(directory))
        assert state in states
        seen.append(states.index(state))
        assert_honest(directory)
        if again:
            killed_before(again, partial(finish, directory))
            assert_honest(directory)
        finish(directory)
        assert truth(kept(directory)) == state
        assert_settled(directory)
        if not killed:
            break
        with LogWriter(directory) as log:
            assert log.end == 4000
        removal(directory)
        assert truth(kept(directory)) == states[-1]
        assert_settled(directory)
    assert step > 6
    assert seen == sorted(seen)
    assert set(seen) == set(range(len(states)))


# -- where to cut


def screen(directory: Path, data: bytes, rows: int, cols: int) -> int:
    with LogWriter(directory) as log, LogReader(directory) as reader:
        log.write(data)
        return screenful_cut(reader, log.end, rows, cols)


def test_a_cut_is_at_a_line_start_a_screenful_back(tmp_path: Path) -> None:
    lines = [b"line %06d 89012345\r\n" % number for number in range(1000)]

    cut = screen(tmp_path, b"".join(lines), 24, 20)

    assert cut == (1000 - 24) * len(lines[0])


@given(
    st.lists(st.binary(max_size=30) | st.just(b"\n"), max_size=60).map(b"".join),
    st.integers(1, 5),
    st.integers(1, 9),
)
def test_behind_a_cut_there_is_always_a_screenful(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, rows: int, cols: int
) -> None:
    cut = screen(tmp_path_factory.mktemp("screen"), data, rows, cols)

    starts = [0] + [at + 1 for at in range(len(data)) if data[at : at + 1] == b"\n"]
    fitting = [
        at for at in starts if data.count(b"\n", at) >= rows and len(data) - at >= rows * cols
    ]
    assert cut == max(fitting, default=0)


def test_without_lines_nothing_is_cut(tmp_path: Path) -> None:
    assert screen(tmp_path, b"\n" * 100 + b"x" * (SEARCHED_BYTES + 100_000), 24, 80) == 0


def test_a_hole_is_a_place_to_cut(tmp_path: Path) -> None:
    with LogWriter(tmp_path) as log, LogReader(tmp_path) as reader:
        log.write(b"old\n" * 100)
        log.skip_to(1000)
        log.write(b"new\n" * 3)
        assert screenful_cut(reader, log.end, 24, 80) == 1000
