"""What is kept of a directory: its files, and the holes of its timeline, read once."""

import time
from pathlib import Path

import pytest

from holdfast.errors import NewerFormat
from holdfast.formats.kept import Kept, Missing
from holdfast.formats.segments import segment_name
from holdfast.formats.timeline import Header, Hole, HoleReason, Tick, encode, encode_header
from holdfast.store import KeptList, LogReader, LogWriter, TimelineWriter, kept
from holdfast.store.kept import PIECE
from tests.store.test_log import pattern

HEAD = encode_header(Header(bytes(16)))


def test_a_new_log_keeps_nothing_and_lacks_nothing(tmp_path: Path) -> None:
    assert kept(tmp_path) == []
    with LogWriter(tmp_path) as log:
        assert kept(tmp_path) == []
        log.write(b"abc")
    assert kept(tmp_path) == [Kept(0, 3)]


def test_holes_are_said_with_their_reasons(tmp_path: Path) -> None:
    for first in (10, 30, 50):
        (tmp_path / segment_name(first)).write_bytes(pattern(first, first + 10))
    with LogReader(tmp_path) as log, TimelineWriter(tmp_path, log) as timeline:
        timeline.append(Hole(0, 10, HoleReason.PRUNED))
        timeline.append(Hole(25, 5, HoleReason.TORN))
        timeline.append(Hole(35, 2, HoleReason.FORGOTTEN))  # and then a crash
        timeline.append(Hole(60, 4, HoleReason.OVERFLOWED))

    assert kept(tmp_path) == [
        Missing(0, 10, "pruned"),
        Kept(10, 20),
        Missing(20, 25, "lost"),
        Missing(25, 30, "torn"),
        Kept(30, 35),
        Missing(35, 37, "forgotten"),
        Kept(37, 40),
        Missing(40, 50, "lost"),
        Kept(50, 60),
        Missing(60, 64, "overflowed"),
    ]


def test_asked_again_it_says_what_is_new(tmp_path: Path) -> None:
    timeline = tmp_path / "timeline"
    lists = KeptList(tmp_path)
    assert lists.list() == []
    half = encode(Hole(5, 5, HoleReason.PRUNED))
    timeline.write_bytes(HEAD + encode(Hole(0, 5, HoleReason.PRUNED)) + half[:16])
    assert lists.list() == [Missing(0, 5, "pruned")]
    with timeline.open("ab") as file:
        file.write(half[16:])
    assert lists.list() == [Missing(0, 10, "pruned")]
    timeline.write_bytes(HEAD)
    assert lists.list() == []
    timeline.write_bytes(HEAD + half)
    assert lists.list() == [Missing(0, 5, "lost"), Missing(5, 10, "pruned")]
    other = tmp_path / "other"
    other.write_bytes(HEAD + encode(Hole(0, 7, HoleReason.TORN)))
    other.replace(timeline)
    assert lists.list() == [Missing(0, 7, "torn")]
    timeline.unlink()
    assert lists.list() == []


def test_a_damaged_record_hides_no_hole_behind_it(tmp_path: Path) -> None:
    hole = encode(Hole(0, 5, HoleReason.PRUNED))
    (tmp_path / "timeline").write_bytes(HEAD + b"\5" + bytes(31) + hole)

    assert kept(tmp_path) == [Missing(0, 5, "pruned")]


def test_a_newer_timeline_is_refused(tmp_path: Path) -> None:
    (tmp_path / "timeline").write_bytes(encode_header(Header(bytes(16), 2)))
    with pytest.raises(NewerFormat):
        kept(tmp_path)


def test_a_long_timeline_is_searched_fast_and_only_once(tmp_path: Path) -> None:
    tick, hole = encode(Tick(0, 0, 0)), encode(Hole(0, 5, HoleReason.PRUNED))
    piece = tick * (PIECE // 32)
    with (tmp_path / "timeline").open("wb") as file:
        file.write(HEAD)
        for number in range(32):
            file.write(piece if number != 7 else piece[32:] + hole)
    lists = KeptList(tmp_path)

    began = time.process_time()
    first = lists.list()
    searched = time.process_time()
    assert first == lists.list() == [Missing(0, 5, "pruned")]
    again = time.process_time() - searched
    print(f"a timeline of 32 MiB: {searched - began:.3f} s, asked again {again * 1e6:.0f} us")
    assert searched - began < 1  # reading record by record takes 3 s
    assert again < 0.01


# -- sealing and skipping


def test_sealing_begins_a_segment_at_the_end(tmp_path: Path) -> None:
    with LogWriter(tmp_path, segment_size=10) as log, LogReader(tmp_path) as reader:
        log.seal()
        log.write(b"abc")
        log.seal()
        log.seal()
        log.write(b"def")

        assert log.end == reader.end() == 6
        assert reader.read(0, 100) == b"abcdef"
        assert (tmp_path / segment_name(0)).read_bytes() == b"abc"
    with LogWriter(tmp_path, segment_size=10) as log:
        assert log.end == 6


def test_skipped_offsets_are_a_hole(tmp_path: Path) -> None:
    with LogWriter(tmp_path, segment_size=10) as log, LogReader(tmp_path) as reader:
        log.skip_to(0)
        log.write(b"abc")
        log.skip_to(7)
        assert (log.end, reader.end()) == (7, 7)
        log.skip_to(9)
        log.write(b"jk")

        assert reader.ranges() == [(0, 3), (9, 11)]
        assert reader.read(9, 10) == b"jk"
        with pytest.raises(ValueError, match="ends at 11, it cannot go on at 10"):
            log.skip_to(10)
        with TimelineWriter(tmp_path, reader) as timeline:
            timeline.catch_up(0)
            assert timeline.offset == 11
    with LogWriter(tmp_path) as log:
        assert log.end == 11
    assert kept(tmp_path) == [Kept(0, 3), Missing(3, 9, "lost"), Kept(9, 11)]
