"""The log as files: what the writer puts, readers find, whatever else happens there."""

import errno
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from holdfast.errors import InvalidArgument, IoFailed, OffsetPruned
from holdfast.formats.segments import SEGMENT_SIZE, segment_name
from holdfast.store import LogReader, LogWriter
from tests.store.disks import limited, open_files


def pattern(start: int, end: int) -> bytes:
    """Bytes that say where they belong: every eighth begins a number."""
    first = start // 8
    numbers = b"".join(n.to_bytes(8, "big") for n in range(first, -(-end // 8)))
    return numbers[start - first * 8 : end - first * 8]


def write_all(writer: LogWriter, data: bytes) -> None:
    while data:
        data = data[writer.write(data) :]


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


# -- the writer


def test_a_new_log_begins_at_zero_for_this_user_alone(tmp_path: Path) -> None:
    with LogWriter(tmp_path) as writer:
        fd, position, room = writer.place()

        assert (writer.end, position, room) == (0, 0, SEGMENT_SIZE)
        assert names(tmp_path) == ["00000000000000000000.log"]
        assert (tmp_path / segment_name(0)).stat().st_mode & 0o777 == 0o600
        assert not os.get_inheritable(fd)


@pytest.mark.skipif(not hasattr(os, "splice"), reason="no splice here")
def test_bytes_can_be_spliced_into_a_place(tmp_path: Path) -> None:
    receive, send = os.pipe()
    with LogWriter(tmp_path, segment_size=8) as writer, LogReader(tmp_path) as reader:
        os.write(send, b"0123456789")
        while writer.end < 10:
            fd, position, room = writer.place()
            writer.advance(os.splice(receive, fd, room, offset_dst=position))

        assert reader.read(0, 100) == b"0123456789"
    os.close(receive)
    os.close(send)


def test_a_full_segment_is_followed_by_one_named_by_its_offset(tmp_path: Path) -> None:
    with LogWriter(tmp_path) as writer:
        fd, _, room = writer.place()
        os.pwrite(fd, b"x", SEGMENT_SIZE - 1)
        writer.advance(room - 1)
        assert writer.place() == (fd, SEGMENT_SIZE - 1, 1)
        writer.advance(1)
        # Only when there is a next byte: a session that ends here leaves no empty file.
        assert names(tmp_path) == [segment_name(0)]
        assert writer.place()[1:] == (0, SEGMENT_SIZE)
        assert names(tmp_path) == [segment_name(0), segment_name(SEGMENT_SIZE)]
        assert writer.end == SEGMENT_SIZE


@pytest.mark.parametrize("length", [0, 1, 9, 10, 11, 20, 25])
@pytest.mark.parametrize("more", [1, 10, 15])
def test_writing_goes_on_where_the_log_ends(tmp_path: Path, length: int, more: int) -> None:
    with LogWriter(tmp_path, segment_size=10) as writer:
        write_all(writer, pattern(0, length))
    with LogWriter(tmp_path, segment_size=10) as writer:
        assert writer.end == length
        write_all(writer, pattern(length, length + more))
    with LogReader(tmp_path) as reader:
        assert reader.ranges() == [(0, length + more)]
        assert reader.read(0, 100) == pattern(0, length + more)


def test_bytes_put_but_not_counted_before_a_crash_are_in_the_log(tmp_path: Path) -> None:
    with LogWriter(tmp_path) as writer:
        os.pwrite(writer.place().fd, b"abc", 0)  # and then no advance
    with LogWriter(tmp_path) as writer:
        assert writer.end == 3


def test_a_segment_that_cannot_be_made_is_tried_again(tmp_path: Path) -> None:
    with LogWriter(tmp_path, segment_size=4) as writer:
        assert writer.write(b"full") == 4
        with limited(resource.RLIMIT_NOFILE, 3):
            for _ in range(2):
                with pytest.raises(OSError, match="Too many open files"):
                    writer.place()
                assert writer.end == 4
        assert writer.write(b"more") == 4
    assert names(tmp_path) == [segment_name(0), segment_name(4)]


def test_a_segment_left_empty_by_a_crash_is_used(tmp_path: Path) -> None:
    with LogWriter(tmp_path, segment_size=4) as writer:
        writer.write(b"full")
        (tmp_path / segment_name(4)).touch()

        assert writer.write(b"more") == 4


def test_a_second_writer_s_bytes_are_never_overwritten(tmp_path: Path) -> None:
    with LogWriter(tmp_path, segment_size=4) as writer:
        writer.write(b"full")
        (tmp_path / segment_name(4)).write_bytes(b"theirs")

        with pytest.raises(FileExistsError):
            writer.place()
        assert writer.end == 4
    assert (tmp_path / segment_name(4)).read_bytes() == b"theirs"


def test_a_writer_closes_twice(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path)
    fd = writer.place().fd
    writer.close()
    writer.close()

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_what_fits_before_the_disk_is_full_is_counted(tmp_path: Path) -> None:
    with LogWriter(tmp_path, segment_size=1000) as writer:
        with limited(resource.RLIMIT_FSIZE, 600):
            assert writer.write(pattern(0, 2000)) == 600
            with pytest.raises(OSError, match="File too large") as full:
                writer.write(pattern(600, 2000))
            assert full.value.errno == errno.EFBIG
            assert writer.end == 600
        assert writer.write(pattern(600, 2000)) == 1400
    with LogReader(tmp_path) as reader:
        assert reader.read(0, 2000) == pattern(0, 2000)


def test_an_error_after_a_whole_segment_does_not_lose_its_count(tmp_path: Path) -> None:
    with LogWriter(tmp_path, segment_size=4) as writer:
        with limited(resource.RLIMIT_NOFILE, 3):
            assert writer.write(b"fullmore") == 4
        assert writer.write(b"more") == 4


def test_syncing_reaches_every_segment_that_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    fsync = os.fsync

    def recorded(fd: int) -> None:
        synced.append(os.fstat(fd).st_ino)
        fsync(fd)

    monkeypatch.setattr(os, "fsync", recorded)
    with LogWriter(tmp_path, segment_size=4) as writer:

        def expected(*firsts: int) -> list[int]:
            paths = [tmp_path / segment_name(first) for first in firsts]
            return [path.stat().st_ino for path in [*paths, tmp_path]]

        write_all(writer, b"0123456789")
        writer.sync()
        assert synced == expected(0, 4, 8)
        synced.clear()
        write_all(writer, b"0123")
        (tmp_path / segment_name(0)).unlink()
        writer.sync()
        assert synced == expected(8, 12)


# -- the reader


def logged(directory: Path, *segments: tuple[int, int]) -> LogReader:
    for first, size in segments:
        (directory / segment_name(first)).write_bytes(pattern(first, first + size))
    return LogReader(directory)


@pytest.mark.parametrize("offset", range(31))
def test_any_stretch_of_a_log_can_be_read(tmp_path: Path, offset: int) -> None:
    with logged(tmp_path, (0, 10), (10, 10), (20, 10)) as reader:
        for limit in range(35):
            assert reader.read(offset, limit) == pattern(offset, min(offset + limit, 30))


@pytest.mark.parametrize(
    ("offset", "oldest"), [(0, 10), (9, 10), (20, 40), (39, 40), (45, 60), (59, 60)]
)
def test_what_is_not_kept_is_said_with_what_comes_next(
    tmp_path: Path, offset: int, oldest: int
) -> None:
    with logged(tmp_path, (10, 10), (40, 5), (60, 0)) as reader:
        with pytest.raises(OffsetPruned) as pruned:
            reader.read(offset, 100)
        assert pruned.value.facts == {"wanted": offset, "oldest": oldest}


def test_where_segments_overlap_the_later_one_is_read(tmp_path: Path) -> None:
    (tmp_path / segment_name(0)).write_bytes(b"earlier")
    (tmp_path / segment_name(3)).write_bytes(b"LAT")
    with LogReader(tmp_path) as reader:
        assert reader.read(0, 100) == b"earLAT"
        assert reader.ranges() == [(0, 6)]


def test_a_listing_that_missed_a_segment_makes_no_hole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listings = [[segment_name(0), segment_name(20)]]
    whole = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: listings.pop() if listings else whole(path))
    with logged(tmp_path, (0, 10), (10, 10), (20, 10)) as reader:
        assert reader.ranges() == [(0, 30)]
    assert not listings


def test_a_listing_overtaken_by_retention_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listings = [[segment_name(0), segment_name(10)]]  # both unlinked since
    whole = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: listings.pop() if listings else whole(path))
    with logged(tmp_path, (20, 10)) as reader:
        assert reader.read(25, 100) == pattern(25, 30)
    assert not listings


def test_a_read_stops_before_a_hole(tmp_path: Path) -> None:
    with logged(tmp_path, (0, 10), (15, 10)) as reader:
        assert reader.read(5, 100) == pattern(5, 10)
        assert reader.read(15, 100) == pattern(15, 25)
        assert reader.ranges() == [(0, 10), (15, 25)]


def test_there_is_nothing_to_read_at_the_end_and_nothing_beyond(tmp_path: Path) -> None:
    with logged(tmp_path, (0, 10)) as reader:
        assert reader.read(10, 100) == b""
        with pytest.raises(InvalidArgument, match=r"beyond the end of the log, 10 \(got 11\)"):
            reader.read(11, 100)
        with pytest.raises(InvalidArgument, match="negative"):
            reader.read(-1, 100)


@pytest.mark.parametrize(
    ("segments", "oldest", "end"),
    [([], 0, 0), ([(0, 0)], 0, 0), ([(7, 3)], 7, 10), ([(7, 3), (90, 0)], 7, 90), ([(9, 0)], 9, 9)],
)
def test_the_two_ends_of_a_log(
    tmp_path: Path, segments: list[tuple[int, int]], oldest: int, end: int
) -> None:
    with logged(tmp_path, *segments) as reader:
        assert (reader.oldest, reader.end()) == (oldest, end)
        assert reader.read(end, 1) == b""


def test_a_reader_follows_a_writer_into_new_segments(tmp_path: Path) -> None:
    with LogWriter(tmp_path, segment_size=10) as writer, LogReader(tmp_path) as reader:
        for offset in range(0, 60, 4):
            writer.write(pattern(offset, offset + 4))
            assert reader.end() == offset + 4
            assert reader.read(offset, 100)[:1] == pattern(offset, offset + 1)
        assert reader.read(0, 100) == pattern(0, 60)


def test_pruned_bytes_are_not_shown_although_the_file_is_still_open(tmp_path: Path) -> None:
    with logged(tmp_path, (0, 10), (10, 10)) as reader:
        assert reader.read(0, 5) == pattern(0, 5)
        (tmp_path / segment_name(0)).unlink()

        with pytest.raises(OffsetPruned, match="oldest byte kept is 10"):
            reader.read(0, 5)


def test_forgotten_bytes_are_not_shown_although_the_file_is_still_open(tmp_path: Path) -> None:
    with logged(tmp_path, (0, 10)) as reader:
        reader.read(0, 5)
        (tmp_path / "fresh").write_bytes(pattern(0, 2))
        (tmp_path / segment_name(6)).write_bytes(pattern(6, 10))
        (tmp_path / "fresh").replace(tmp_path / segment_name(0))

        assert reader.read(0, 100) == pattern(0, 2)
        with pytest.raises(OffsetPruned, match="oldest byte kept is 6"):
            reader.read(2, 100)


def test_a_reader_keeps_few_files_open(tmp_path: Path) -> None:
    before = open_files()
    with logged(tmp_path, *((first, 10) for first in range(0, 500, 10))) as reader:
        assert reader.read(0, 1000) == pattern(0, 500)
        assert open_files() - before <= 2
        reader.close()
        reader.close()
        assert open_files() == before


def test_a_log_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with LogReader(tmp_path / "missing") as reader, pytest.raises(IoFailed, match="missing"):
        reader.read(0, 1)


# -- both at once

WRITER = """
import sys
from pathlib import Path
from holdfast.store import LogWriter
directory, total = Path(sys.argv[1]), int(sys.argv[2])
data = b"".join(n.to_bytes(8, "big") for n in range(total // 8))
with LogWriter(directory, segment_size=4096) as writer:
    while writer.end < total:
        writer.write(data[writer.end : writer.end + 1000])
"""


def test_a_reader_beside_a_writing_process_sees_every_byte_once(tmp_path: Path) -> None:
    total = 800_000
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(total)])
    seen = bytearray()
    with LogReader(tmp_path) as reader:
        while len(seen) < total:
            seen += reader.read(len(seen), 3001)
            assert len(reader.ranges()) <= 1
            assert process.poll() in (None, 0)

    assert process.wait() == 0
    assert seen == pattern(0, total)


def test_a_reader_that_retention_overtakes_is_told_and_never_misled(tmp_path: Path) -> None:
    total, kept = 400_000, 16

    def write_and_prune() -> None:
        with LogWriter(tmp_path, segment_size=1024) as writer:
            for offset in range(0, total, 512):
                writer.write(pattern(offset, min(offset + 512, total)))
                if offset % 1024 == 0 and offset >= kept * 1024:
                    (tmp_path / segment_name(offset - kept * 1024)).unlink()

    thread = threading.Thread(target=write_and_prune)
    thread.start()
    at, skipped = 0, (-1, 0)
    with LogReader(tmp_path) as reader:
        while at < total:
            try:
                data = reader.read(at, 777)
            except OffsetPruned as pruned:
                skipped, at = (at, pruned.oldest), pruned.oldest
                assert skipped[0] < skipped[1]
                continue
            assert data == pattern(at, at + len(data))
            at += len(data)
    thread.join()
    assert at == total
