"""A timeline is made shorter under who writes to it, and nobody notices (DESIGN section 4)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from holdfast.formats.kept import Kept, Missing
from holdfast.formats.timeline import (
    EPOCH_SIZE,
    HEADER_SIZE,
    Epoch,
    Hole,
    HoleReason,
    Life,
    Resize,
    Tick,
    decode,
    decode_records,
    encode,
)
from holdfast.store import KeptList, LogReader, LogWriter, TimelineWriter, kept, verify
from holdfast.store.forget import forget
from holdfast.store.marks import marks
from holdfast.store.mend import mend
from holdfast.store.removal import finish
from holdfast.store.retention import retain
from holdfast.store.shortening import is_long, shorten
from holdfast.store.timeline import FRESH_TIMELINE, LONG_BYTES, epoch_of
from tests.store.disks import small_disk
from tests.store.kills import killed_before
from tests.store.scenes import NOW, assert_honest, assert_settled, timeline_of
from tests.store.test_log import pattern, write_all

STEP = 7  # bytes at a time: less than a checksum is long
TICKS = LONG_BYTES // 32 + 100
AIM = LONG_BYTES // 2
FEW = 500  # records, where it is not about how many there are


@pytest.fixture(scope="module")
def long_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a spinner leaves: every tick with STEP bytes, and more of them than are kept."""
    directory = tmp_path_factory.mktemp("long")
    with LogWriter(directory, segment_size=1 << 18) as log, timeline_of(directory) as timeline:
        timeline.append(Resize(0, NOW, 80, 24), Life(0, NOW, 1))
        timeline.begin_epoch(0)
        for at in range(0, STEP * TICKS, STEP):
            data = pattern(at, at + STEP)
            write_all(log, data)
            timeline.feed(at, data, NOW + at * 1_000_000)
            timeline.flush(NOW + at * 1_000_000)
    return directory


def copied(long_log: Path, to: Path) -> Path:
    to.mkdir(exist_ok=True)
    for path in long_log.iterdir():
        if path.suffix == ".log":
            os.link(path, to / path.name)
    (to / "timeline").write_bytes((long_log / "timeline").read_bytes())
    return to


@contextmanager
def few(directory: Path) -> Iterator[TimelineWriter]:
    """The timeline of a log, long with a few records."""
    with (
        LogReader(directory) as log,
        TimelineWriter(directory, log, long_bytes=FEW * 32) as timeline,
    ):
        yield timeline


def size(directory: Path) -> int:
    return (directory / "timeline").stat().st_size


def test_a_spinners_timeline_halves_and_says_the_same(long_log: Path, tmp_path: Path) -> None:
    directory = copied(long_log, tmp_path / "log")
    before = (marks(directory), epoch_of(directory))
    assert is_long(directory)
    with timeline_of(directory) as timeline:
        assert shorten(directory, timeline) > AIM / 2
        assert not is_long(directory)
        timeline.append(Resize(STEP * TICKS, NOW, 90, 30))

    assert size(directory) <= AIM + HEADER_SIZE + 32 * 10
    assert marks(directory) == [*before[0], Resize(STEP * TICKS, NOW, 90, 30)]
    assert epoch_of(directory) == before[1]
    assert verify(directory) is None
    assert mend(directory, NOW).torn == []
    with timeline_of(directory) as timeline:
        assert timeline.offset == STEP * TICKS
    assert_settled(directory)


def test_a_damaged_byte_is_still_found(long_log: Path, tmp_path: Path) -> None:
    directory = copied(long_log, tmp_path / "log")
    with timeline_of(directory) as timeline:
        shorten(directory, timeline)
    first = directory / "00000000000000000000.log"
    data = bytearray(first.read_bytes())
    data[1000] ^= 1
    first.unlink()  # it is linked to the one that others use
    first.write_bytes(data)

    found = verify(directory)
    assert found is not None
    assert found <= 1000 < found + 256 * 1024


def test_what_was_pruned_costs_nothing_any_more(long_log: Path, tmp_path: Path) -> None:
    directory = copied(long_log, tmp_path / "log")
    with timeline_of(directory) as timeline:
        assert retain(directory, timeline, limit_bytes=1000)
        wanted = kept(directory)
        shorten(directory, timeline)
        ticks = decode((directory / "timeline").read_bytes()).records
        dropped = [t for t in ticks if isinstance(t, Tick) and t.offset < wanted[0].end - STEP]
        assert len(dropped) <= 1
    assert kept(directory) == wanted
    assert isinstance(wanted[0], Missing)
    assert verify(directory) is None
    assert_honest(directory)


def test_who_writes_meanwhile_loses_nothing(long_log: Path, tmp_path: Path) -> None:
    directory = copied(long_log, tmp_path / "log")
    epoch = b"E" * EPOCH_SIZE
    with timeline_of(directory) as timeline:
        late: list[Resize | Hole | Epoch] = [
            Resize(1, NOW, 3, 3),
            Hole(5, 2, HoleReason.TORN),
            Epoch(9, epoch),
        ]

        class Busy:
            """A writer whose session does something just before the file is changed."""

            append, disregard = timeline.append, timeline.disregard
            begin_shortening = staticmethod(timeline.begin_shortening)

            def replace(self, fresh: Path, upto: int) -> bool:
                timeline.append(*late)
                return timeline.replace(fresh, upto)

        assert shorten(directory, Busy())
        data = (directory / "timeline").read_bytes()
        assert decode_records(data[-32 * len(late) :])[0] == late
    assert kept(directory)[1] == Missing(5, 7, "torn")
    assert epoch_of(directory) == epoch


def test_one_that_cannot_be_shorter_is_not_tried_again_and_again(tmp_path: Path) -> None:
    sizes = [Resize(1, NOW, n + 1, 24) for n in range(FEW)]
    with LogWriter(tmp_path), few(tmp_path) as timeline:
        timeline.append(*sizes)
        assert timeline.begin_shortening() == FEW * 32 + HEADER_SIZE
        assert timeline.begin_shortening() == 0
        timeline.append(*sizes, sizes[0])
        assert timeline.is_long
        assert shorten(tmp_path, timeline, aim=0) == 0
        assert not timeline.is_long


def test_a_list_of_what_is_kept_notices_another_file_with_the_same_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second file after this one often has its number: it is free again."""
    with LogWriter(tmp_path) as log, timeline_of(tmp_path) as timeline:
        write_all(log, pattern(0, 100))
        timeline.append(*(Hole(at, 1, HoleReason.TORN) for at in range(0, 20, 2)))
        lists = KeptList(tmp_path)
        assert len(lists.list()) == 20
    path = tmp_path / "timeline"
    data = path.read_bytes()
    # Written in place, the number is the same for certain.
    others = encode(Resize(0, NOW, 80, 24)) * 40
    path.write_bytes(data[:HEADER_SIZE] + encode(Hole(0, 50, HoleReason.PRUNED)) + others)

    assert lists.list() == [Missing(0, 50, "pruned"), Kept(50, 100)]


def test_forgetting_leaves_no_checksum_in_a_file_that_came_to_nothing(tmp_path: Path) -> None:
    with LogWriter(tmp_path) as log, timeline_of(tmp_path) as timeline:
        write_all(log, b"secret" * 10)
        log.seal()
        (tmp_path / FRESH_TIMELINE).write_bytes(encode(Tick(4, NOW, 1)))
        forget(tmp_path, timeline, 0, 60)

    assert not (tmp_path / FRESH_TIMELINE).exists()


def test_killed_at_any_point_the_old_or_the_new_one_is_there(tmp_path: Path) -> None:
    """T14: whatever is killed while it is made shorter."""
    for step in count(1):
        directory = tmp_path / str(step)
        directory.mkdir()
        with LogWriter(directory) as log, few(directory) as timeline:
            log.skip_to(1000)
            timeline.append(*(Resize(0, NOW, at, 24) for at in range(FEW)))
            timeline.append(Hole(0, 1000, HoleReason.PRUNED))
        killed = killed_before(step, partial(_shortened, directory))
        assert kept(directory) == [Missing(0, 1000, "pruned")]
        finish(directory)
        assert_settled(directory)
        with few(directory) as timeline:
            timeline.append(Resize(1000, NOW, 81, 24))
        assert marks(directory)[-2:] == [Resize(0, NOW, FEW - 1, 24), Resize(1000, NOW, 81, 24)]
        if not killed:
            assert size(directory) < 32 * 5
            break
    assert step > 5


def _shortened(directory: Path) -> None:
    with few(directory) as timeline:
        assert shorten(directory, timeline)


def test_without_room_for_it_the_old_one_stays_and_is_written_on(tmp_path: Path) -> None:
    """T18: a disk that is full."""
    many = 20 * FEW
    with small_disk(tmp_path / "disk", many * 32 * 3 // 2) as disk:
        with LogWriter(disk), few(disk) as timeline:
            for at in (0, 50, 99):  # two of three stay, and for those there is no room
                timeline.append(*(Resize(at, NOW, n, 24) for n in range(many // 3)))
            timeline.append(Hole(0, 10, HoleReason.TORN))
            before = size(disk)
            with pytest.raises(OSError, match="space"):
                shorten(disk, timeline)
            timeline.append(Resize(99, NOW, 80, 24))
        assert size(disk) == before + 32
        assert not (disk / FRESH_TIMELINE).exists()
