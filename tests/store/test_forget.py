"""Forgetting: the bytes are gone from every file, and no reader is shown what replaced them."""

import os
import threading
import zlib
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from holdfast.errors import OffsetPruned
from holdfast.formats.kept import Kept, Missing
from holdfast.formats.segments import segment_name
from holdfast.formats.timeline import Tick, decode_each
from holdfast.store import LogReader, LogWriter, kept, verify
from holdfast.store.forget import (
    PIECE,
    finish_forgetting,
    forget,
    forget_all,
    samples_of,
    search,
)
from holdfast.store.mend import mend
from holdfast.store.removal import finish
from tests.store.kills import killed_before
from tests.store.scenes import NOW, assert_settled, printed, timeline_of
from tests.store.test_log import pattern

SECRET = b"the password is correct-horse-battery-staple"


RANGES = [(0, 10), (990, 1010), (1000, 2000), (500, 2999), (0, 3000)]


@pytest.mark.parametrize(("start", "end"), RANGES)
def test_a_forgotten_range_is_a_hole_and_the_rest_is_there(
    tmp_path: Path, start: int, end: int
) -> None:
    printed(tmp_path, 3000)
    with timeline_of(tmp_path) as timeline:
        assert forget(tmp_path, timeline, start, end) == end - start

    expected: list[Kept | Missing]
    expected = [Kept(0, start), Missing(start, end, "forgotten"), Kept(end, 3000)]
    assert kept(tmp_path) == [piece for piece in expected if piece.start < piece.end]
    assert_settled(tmp_path)
    assert verify(tmp_path) is None


def test_what_is_forgotten_is_in_no_file_any_more(tmp_path: Path) -> None:
    directory = tmp_path / "sessions" / "k3v9"
    directory.mkdir(parents=True)
    with LogWriter(directory) as log, LogReader(directory) as reader:
        log.write(b"before\n" + SECRET + b"\nafter\n")
        log.seal()
        samples = samples_of(reader, 7, 7 + len(SECRET))
        assert samples == [SECRET[:32], SECRET[32:]]
        assert search(tmp_path, samples) == [directory / segment_name(0)]
        with timeline_of(directory) as timeline:
            forget(directory, timeline, 7, 7 + len(SECRET))

        assert search(tmp_path, samples) == []
        assert reader.read(0, 100) == b"before\n"


def test_what_mending_kept_aside_is_forgotten_too(tmp_path: Path) -> None:
    printed(tmp_path, 1000, seal=False)
    with (tmp_path / segment_name(0)).open("ab") as file:
        file.write(SECRET)
    mend(tmp_path, NOW)
    assert len(search(tmp_path, [SECRET])) == 1

    with timeline_of(tmp_path) as timeline:
        forget(tmp_path, timeline, 1010, 1020)

    assert search(tmp_path, [SECRET]) == []


def test_the_old_file_is_overwritten_and_not_only_unlinked(tmp_path: Path) -> None:
    printed(tmp_path, 1000)
    fd = os.open(tmp_path / segment_name(0), os.O_RDONLY)
    with timeline_of(tmp_path) as timeline:
        forget(tmp_path, timeline, 10, 20)

    assert os.pread(fd, 2000, 0) == bytes(1000)
    os.close(fd)


def test_after_a_kill_what_is_called_forgotten_is_overwritten_at_the_next_start(
    tmp_path: Path,
) -> None:
    outcomes = set()
    for step in count(1):
        directory = printed(tmp_path / str(step), 1000)
        fd = os.open(directory / segment_name(0), os.O_RDONLY)

        def forgetting(directory: Path = directory) -> None:
            with timeline_of(directory) as timeline:
                forget(directory, timeline, 10, 20)

        killed = killed_before(step, forgetting)
        finish(directory)
        is_forgotten = Missing(10, 20, "forgotten") in kept(directory)
        assert os.pread(fd, 2000, 0) == (bytes(1000) if is_forgotten else pattern(0, 1000))
        outcomes.add(is_forgotten)
        os.close(fd)
        if not killed:
            break
    assert outcomes == {False, True}


def typed(directory: Path, size: int) -> Path:
    """A log with a tick for every byte, and one byte that waits for its tick."""
    printed(directory, size, tick=1)
    (directory / "timeline.torn-1").write_bytes((directory / "timeline").read_bytes())
    return directory


def known_runs(path: Path) -> set[int]:
    """The bytes of a typed log that the ticks' checksums give away."""
    records = decode_each(path.read_bytes()[32:])
    ticks = [record for record in records if isinstance(record, Tick)]
    ends = {one.offset: one.crc for one in ticks}
    return {end - 1 for end, crc in ends.items() if crc == zlib.crc32(pattern(end - 1, end))}


def test_forgotten_bytes_cannot_be_read_back_from_checksums(tmp_path: Path) -> None:
    typed(tmp_path, 1000)
    with LogWriter(tmp_path) as log, timeline_of(tmp_path) as timeline:
        log.write(pattern(1000, 1001))
        timeline.feed(1000, pattern(1000, 1001), NOW)
        log.seal()
        forget(tmp_path, timeline, 300, 400)
        forget(tmp_path, timeline, 990, 1001)
        timeline.flush(NOW)

    assert known_runs(tmp_path / "timeline") == {*range(300), *range(400, 990)}
    assert not (tmp_path / "timeline.torn-1").exists()
    assert verify(tmp_path) is None
    assert mend(tmp_path, NOW).torn == []


def test_after_a_kill_checksums_are_taken_out_at_the_next_start(tmp_path: Path) -> None:
    gone: set[int] = set()
    for step in count(1, 3):
        directory = printed(tmp_path / str(step), 40, tick=1)

        def forgetting(directory: Path = directory) -> None:
            with timeline_of(directory) as timeline:
                forget(directory, timeline, 10, 20)

        killed = killed_before(step, forgetting)
        finish(directory)
        gone = set(range(10, 20)) if kept(directory)[1:] else set()
        assert known_runs(directory / "timeline") == set(range(40)) - gone
        assert verify(directory) is None
        if not killed:
            break
    assert gone


def test_a_reader_is_never_shown_the_zeros(tmp_path: Path) -> None:
    with LogWriter(tmp_path, segment_size=4096) as log:
        log.write(pattern(0, 4096 * 8))
        log.seal()
    done = threading.Event()

    def forget_piece_by_piece() -> None:
        with timeline_of(tmp_path) as timeline:
            for at in range(0, 4096 * 8, 512):
                forget(tmp_path, timeline, at, at + 256)
        done.set()

    thread = threading.Thread(target=forget_piece_by_piece)
    thread.start()
    at = 0
    with LogReader(tmp_path) as reader:
        while not done.is_set():
            try:
                data = reader.read(at, 700)
            except OffsetPruned as pruned:
                at = pruned.oldest
                continue
            assert data == pattern(at, at + len(data))
            at = at + len(data) if data else 0
    thread.join()


# -- whole sessions


def test_a_forgotten_session_leaves_nothing(tmp_path: Path) -> None:
    directory = printed(tmp_path / "k3v9", 3000)
    (directory / "input").mkdir()
    (directory / "input" / "page").write_bytes(SECRET)
    (directory / "session.json").write_text("{}")
    descriptors = [os.open(path, os.O_RDONLY) for path in directory.rglob("*") if path.is_file()]

    forget_all(directory)

    assert list(tmp_path.iterdir()) == []
    for fd in descriptors:
        assert not any(os.pread(fd, 10_000, 0))
        os.close(fd)


def test_a_session_that_was_being_forgotten_is_forgotten_after_a_kill(tmp_path: Path) -> None:
    for step in count(1):
        directory = printed(tmp_path / f"s{step:03}", 3000)
        killed = killed_before(step, partial(forget_all, directory))
        if directory.exists():
            assert kept(directory) == [Kept(0, 3000)]
            assert finish_forgetting(tmp_path) == 0
        else:
            killed_before(4, partial(finish_forgetting, tmp_path))
            finish_forgetting(tmp_path)
            assert not list(tmp_path.glob(f"s{step:03}*"))
        if not killed:
            break
    assert step > 10


# -- looking for it


@pytest.mark.parametrize("at", [0, 1, PIECE - 44, PIECE - 20, PIECE - 1, PIECE, 2 * PIECE - 3])
def test_a_sample_is_found_wherever_it_lies(tmp_path: Path, at: int) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(bytes(at) + SECRET + bytes(10))
    (tmp_path / "link").symlink_to("deep/file")
    (tmp_path / "empty").touch()

    assert search(tmp_path, [b"something else", SECRET]) == [tmp_path / "deep" / "file"]
    assert search(tmp_path, [SECRET[1:] + b"x"]) == []
    assert search(tmp_path, []) == search(tmp_path, [b""]) == []


def test_samples_are_few_and_never_what_is_everywhere(tmp_path: Path) -> None:
    with LogWriter(tmp_path) as log, LogReader(tmp_path) as reader:
        log.write(b"-" * 5000 + bytes(range(256)) * 400 + b"\n" * 5000)
        samples = samples_of(reader, 0, log.end)

        assert 40 < len(samples) <= 64
        assert all(len(set(sample)) >= 8 for sample in samples)


def test_a_search_for_nothing_looks_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten thousand sessions have thirty thousand files, and many printed nothing."""
    monkeypatch.setattr(os, "scandir", None)
    assert search(tmp_path, [b"", b""]) == []
