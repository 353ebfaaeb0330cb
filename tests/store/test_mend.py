"""Power cuts: whatever the disk has made of it, what is kept is what was printed."""

import shutil
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.formats.kept import Kept, Missing
from holdfast.formats.segments import Range, segment_name
from holdfast.formats.timeline import Resize, Tick, decode_each
from holdfast.store import LogReader, LogWriter, kept, verify
from holdfast.store.log import segment_firsts
from holdfast.store.mend import ASIDE_BYTES, MOST_BYTES, Mended, mend
from holdfast.store.retention import drop
from tests.store.kills import killed_before
from tests.store.scenes import NOW, assert_honest, printed, timeline_of, truth
from tests.store.test_log import pattern

Damage = Callable[[Path], None]


def segment_at(directory: Path, index: int) -> Path:
    firsts = segment_firsts(directory)
    return directory / segment_name(firsts[index % len(firsts)])


def cut(path: Path, share: float) -> None:
    if path.exists():
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])


def zero(path: Path, share: float, length: int) -> None:
    if path.exists():
        data = bytearray(path.read_bytes())
        at = int(len(data) * share)
        end = min(len(data), at + length)
        data[at:end] = bytes(end - at)
        path.write_bytes(data)


def flip(path: Path, share: float, bit: int) -> None:
    if path.exists() and path.stat().st_size:
        data = bytearray(path.read_bytes())
        data[int((len(data) - 1) * share)] ^= 1 << bit
        path.write_bytes(data)


def extend(path: Path, length: int) -> None:
    with path.open("ab") as file:
        file.write(bytes(length))


shares = st.floats(0, 1)
bits = st.integers(0, 7)
lengths = st.sampled_from([1, 31, 32, 64, 200, 512, 100_000])


def to_log(index: int, harm: Callable[..., None], *details: float) -> Damage:
    return lambda directory: harm(segment_at(directory, index), *details)


def to_timeline(harm: Callable[..., None], *details: float) -> Damage:
    return lambda directory: harm(directory / "timeline", *details)


some_segment = st.integers(-3, 5)
log_damage = st.one_of(
    st.builds(to_log, some_segment, st.just(cut), shares),
    st.builds(to_log, some_segment, st.just(zero), shares, lengths),
    st.builds(to_log, some_segment, st.just(flip), shares, bits),
    st.builds(to_log, some_segment, st.just(Path.unlink)),
    st.builds(to_log, st.just(-1), st.just(extend), lengths),
)
timeline_damage = st.one_of(
    st.builds(to_timeline, st.just(cut), shares),
    st.builds(to_timeline, st.just(zero), shares, lengths),
    st.builds(to_timeline, st.just(flip), shares, bits),
)


class Scenes:
    """The same logs for every example; printing them each time would take longer."""

    made: ClassVar[dict[tuple[int, int, bool], Path]] = {}

    @classmethod
    def copy(cls, target: Path, size: int, tick: int, *, pruned: bool) -> Path:
        scene = (size, tick, pruned)
        if scene not in cls.made:
            source = target.parent / f"scene-{size}-{tick}-{pruned}"
            printed(source, size, tick=tick, seal=False)
            if pruned:
                with timeline_of(source) as timeline:
                    timeline.append(Resize(5, NOW, 80, 24))
                    drop(source, timeline, 2000)
            cls.made[scene] = source
        shutil.rmtree(target, ignore_errors=True)
        return Path(shutil.copytree(cls.made[scene], target))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    Scenes.made.clear()
    return tmp_path_factory.mktemp("mend") / "session"


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def last_tick(directory: Path) -> int:
    path = directory / "timeline"
    records = decode_each(path.read_bytes()[32:]) if path.exists() else []
    return max((record.offset for record in records if isinstance(record, Tick)), default=-1)


def assert_mended(directory: Path, mended: Mended, besides: Sequence[Range] = ()) -> None:
    assert_honest(directory, besides)
    with LogReader(directory) as log:
        assert [tuple(one) for one in log.ranges()] == truth(kept(directory))
        assert log.end() == mended.highest
    before = contents(directory)
    again = mend(directory, NOW)
    assert (again.highest, again.torn, again.failed) == (mended.highest, [], None)
    assert contents(directory) == before


scenes = st.sampled_from([(5250, 100, True), (5250, 130, False), (90, 100, False)])


@settings(max_examples=150, deadline=None)
@given(scenes, st.lists(log_damage, max_size=3), st.lists(timeline_damage, max_size=2))
def test_what_is_kept_after_a_power_cut_was_printed_and_offsets_never_go_back(
    place: Path, scene: tuple[int, int, bool], log: list[Damage], timeline: list[Damage]
) -> None:
    size, tick, pruned = scene
    directory = Scenes.copy(place, size, tick, pruned=pruned)
    for harm in log + timeline:
        if segment_firsts(directory):
            harm(directory)
    witnessed = last_tick(directory)
    with LogReader(directory) as reader:
        end = reader.end()
    if witnessed < 0 and log:
        return  # nobody is left who could know; tested below

    mended = mend(directory, NOW)

    # With a tick damaged beside bytes that were dropped on purpose, the rest of its run cannot
    # be compared; then mending says so.
    besides = mended.unverified if timeline else []
    assert mended.highest >= max(end, witnessed)
    assert_mended(directory, mended, besides)
    if not timeline:
        assert mended.highest >= size
    if not log and not timeline:
        assert (mended.torn, mended.unverified, mended.aside) == ([], [], [])
    # And life goes on, in bytes that the timeline can vouch for.
    with LogWriter(directory, segment_size=1000) as writer, timeline_of(directory) as ticks:
        at = writer.end
        while writer.end < at + 300:
            writer.write(pattern(writer.end, at + 300))
        ticks.catch_up(NOW)
    assert_honest(directory, besides)
    assert mend(directory, NOW).torn == []
    assert truth(kept(directory))[-1][1] == at + 300


@settings(max_examples=60, deadline=None)
@given(shares, shares, st.sampled_from(["cut", "zeros", "none"]), st.booleans())
def test_without_any_timeline_zeros_are_all_that_can_be_recognised(
    place: Path, share: float, timeline: float, damage: str, header: bool
) -> None:
    directory = Scenes.copy(place, 5256, 100, pruned=False)
    if header:
        cut(directory / "timeline", timeline / 1000)
    else:
        (directory / "timeline").unlink()
    last = segment_at(directory, -1)
    if damage == "cut":
        cut(last, share)
    elif damage == "zeros":
        zero(last, share, 1 << 20)

    mended = mend(directory, NOW)

    assert_mended(directory, mended)
    if damage == "none":
        assert truth(kept(directory)) == [(0, 5256)]
        assert mended.unverified == [Range(0, 5256)]


# -- what is found is said


def test_a_tail_that_nobody_vouches_for_is_cut_and_kept_aside(tmp_path: Path) -> None:
    printed(tmp_path, 950, seal=False)
    with (tmp_path / segment_name(0)).open("ab") as file:
        file.write(b"in flight")

    mended = mend(tmp_path, NOW)

    aside = tmp_path / f"{segment_name(950)}.torn-1"
    assert mended == Mended(959, [Range(950, 959)], [], 950, [aside])
    assert aside.read_bytes() == b"in flight"
    assert aside.stat().st_mode & 0o777 == 0o600
    assert kept(tmp_path) == [Kept(0, 950), Missing(950, 959, "torn")]


def test_a_log_that_lost_its_end_goes_on_where_the_timeline_ends(tmp_path: Path) -> None:
    printed(tmp_path, 950, seal=False)
    cut(tmp_path / segment_name(0), 0.5)

    assert mend(tmp_path, NOW).highest == 950
    assert kept(tmp_path) == [Kept(0, 400), Missing(400, 950, "torn")]
    with LogWriter(tmp_path) as log:
        assert log.end == 950


def test_wrong_bytes_in_the_middle_are_taken_out_alone(tmp_path: Path) -> None:
    printed(tmp_path, 3000, seal=False)
    flip(tmp_path / segment_name(1000), 0.55, 3)

    assert mend(tmp_path, NOW).torn == [Range(1500, 1600)]
    assert kept(tmp_path) == [Kept(0, 1500), Missing(1500, 1600, "torn"), Kept(1600, 3000)]


def test_a_damaged_end_of_the_timeline_loses_no_hole(tmp_path: Path) -> None:
    printed(tmp_path, 3000)
    timeline = tmp_path / "timeline"
    sound = timeline.stat().st_size
    with timeline_of(tmp_path) as writer:
        writer.append(Resize(5, NOW, 80, 24))
        drop(tmp_path, writer, 1000)
        epoch = writer.begin_epoch(3000)
    data = bytearray(timeline.read_bytes())
    data[sound + 5] ^= 1
    timeline.write_bytes(data)

    mended = mend(tmp_path, NOW)

    assert mended.aside == [tmp_path / "timeline.torn-1"]
    assert kept(tmp_path) == [Missing(0, 1000, "pruned"), Kept(1000, 3000)]
    with timeline_of(tmp_path) as writer:
        assert writer.epoch == epoch


def test_what_is_kept_aside_is_bounded(tmp_path: Path) -> None:
    printed(tmp_path, 1000, segment_size=8 << 20, seal=False)
    with (tmp_path / segment_name(0)).open("ab") as file:
        file.write(b"x" * 3 * ASIDE_BYTES)

    (aside,) = mend(tmp_path, NOW).aside

    assert aside.stat().st_size == ASIDE_BYTES
    assert truth(kept(tmp_path)) == [(0, 1000)]


def test_a_timeline_that_lost_its_end_costs_no_log(tmp_path: Path) -> None:
    printed(tmp_path, 1000, segment_size=20 << 20, seal=False)
    with (tmp_path / segment_name(0)).open("ab") as file:
        file.write(pattern(1000, 9 << 20))

    mended = mend(tmp_path, NOW)

    assert mended.unverified == [Range(1000, 9 << 20)]
    assert kept(tmp_path) == [Kept(0, 9 << 20)]


def test_only_the_end_of_a_long_log_is_read(tmp_path: Path) -> None:
    size = 3 * MOST_BYTES // 2
    with LogWriter(tmp_path) as log, timeline_of(tmp_path) as timeline:
        piece = pattern(0, 1 << 20)
        while log.end < size:
            log.write(piece)
        timeline.catch_up(NOW)
    flip(tmp_path / segment_name(0), 0.5, 1)

    began = time.process_time()
    mended = mend(tmp_path, NOW)

    print(f"mending {size >> 20} MiB of flood took {time.process_time() - began:.3f} s")
    assert mended.torn == []
    assert mended.checked == MOST_BYTES
    assert verify(tmp_path) is not None  # reads everything


def test_a_quiet_log_is_read_a_minute_and_a_megabyte_back(tmp_path: Path) -> None:
    with LogWriter(tmp_path) as log, timeline_of(tmp_path) as timeline:
        for minute in range(8):
            log.write(bytes(range(1, 256)) * 2056)  # half a megabyte
            timeline.feed(log.end, b"", NOW + minute * 30 * 10**9)
            timeline.flush(NOW + minute * 30 * 10**9)

        assert 1 << 20 <= mend(tmp_path, NOW).checked < log.end // 2


# -- kills and full disks


def test_killed_while_it_mends_the_next_one_completes_it(place: Path) -> None:
    def scene() -> Path:
        directory = Scenes.copy(place, 5250, 100, pruned=True)
        flip(directory / segment_name(3000), 0.55, 3)
        cut(directory / segment_name(5000), 0.7)
        cut(directory / "timeline", 0.99)
        return directory

    directory = scene()
    expected, result = mend(directory, NOW), truth(kept(directory))
    for step in count(1):
        directory = scene()
        killed = killed_before(step, partial(mend, directory, NOW))
        again = mend(directory, NOW)
        assert again.highest == expected.highest
        assert truth(kept(directory)) == result
        assert_mended(directory, again)
        if not killed:
            break
    assert step > 15
