"""The timeline on disk: a chain without a hole, whatever interrupted it."""

import errno
import resource
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from holdfast.errors import Internal, NewerFormat
from holdfast.formats.segments import segment_name
from holdfast.formats.timeline import (
    HEADER_SIZE,
    RECORD_SIZE,
    Epoch,
    Header,
    Hole,
    Inserted,
    Life,
    Record,
    Resize,
    Tick,
    decode,
    encode,
    encode_header,
)
from holdfast.store import LogReader, LogWriter, TimelineWriter, verify
from holdfast.store.timeline import (
    EPOCH_RECORDS,
    LOOK_BACK,
    TICK_BYTES,
    TICK_NS,
    WAITING_RECORDS,
)
from tests.store.disks import limited, open_files, small_disk

NOW = 1_700_000_000_000_000_000
SLICE = 32 * 1024
RESIZE = Resize(0, NOW, 80, 24)


def output(size: int) -> bytes:
    return b"".join(n.to_bytes(4, "big") for n in range(size // 4))


FLOOD = output(2 * TICK_BYTES + 5 * SLICE)


class Session:
    """A log and its timeline, as the daemon has them."""

    opened: ClassVar[list["Session"]] = []

    def __init__(self, directory: Path, segment_size: int = 1 << 20) -> None:
        self.directory = directory
        self.log = LogWriter(directory, segment_size=segment_size)
        self.reader = LogReader(directory)
        self.timeline = TimelineWriter(directory, self.reader)
        self.opened.append(self)

    def print(self, data: bytes, now_ns: int) -> None:
        offset = self.log.end
        assert self.log.write(data) == len(data)
        self.timeline.feed(offset, data, now_ns)

    def crash(self) -> "Session":
        """Return the session as the next daemon finds it."""
        self.close()
        return Session(self.directory)

    def close(self) -> None:
        for part in (self.log, self.reader, self.timeline):
            part.close()

    def records(self) -> list[Record]:
        return decode((self.directory / "timeline").read_bytes()).records

    def ticks(self) -> list[Tick]:
        return [record for record in self.records() if isinstance(record, Tick)]


@pytest.fixture(autouse=True)
def _no_file_stays_open() -> Iterator[None]:
    yield
    while Session.opened:
        Session.opened.pop().close()


def chain(ticks: list[Tick]) -> list[tuple[int, int]]:
    return [(tick.offset, tick.crc) for tick in ticks]


def test_a_new_timeline_has_an_epoch_of_its_own(tmp_path: Path) -> None:
    epochs = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        session = Session(tmp_path / name)
        epochs.add(session.timeline.epoch)
        path = tmp_path / name / "timeline"
        assert path.read_bytes() == encode_header(Header(session.timeline.epoch))
        assert path.stat().st_mode & 0o777 == 0o600
        assert session.crash().timeline.epoch == session.timeline.epoch
    assert len(epochs) == 2


# -- when a tick is written


def test_a_tick_comes_50_ms_after_the_first_byte_it_covers(tmp_path: Path) -> None:
    session = Session(tmp_path)
    assert session.timeline.deadline_ns() is None

    session.print(b"one", NOW)
    session.print(b"two", NOW + TICK_NS - 1)
    assert session.ticks() == []
    assert session.timeline.deadline_ns() == NOW + TICK_NS

    session.timeline.flush(NOW + TICK_NS)
    assert session.ticks() == [Tick(6, NOW + TICK_NS - 1, zlib.crc32(b"onetwo"))]
    assert session.timeline.deadline_ns() is None


def test_a_tick_that_is_due_is_written_with_the_next_bytes(tmp_path: Path) -> None:
    session = Session(tmp_path)
    session.print(b"one", NOW)
    session.print(b"two", NOW + TICK_NS)
    session.print(b"three", NOW + TICK_NS + 1)

    assert session.ticks() == [Tick(6, NOW + TICK_NS, zlib.crc32(b"onetwo"))]
    assert session.timeline.deadline_ns() == NOW + 2 * TICK_NS + 1


def test_a_flood_is_ticked_every_256_kib(tmp_path: Path) -> None:
    session = Session(tmp_path)
    data = output(2 * TICK_BYTES + SLICE)
    for at in range(0, len(data), SLICE):
        session.print(data[at : at + SLICE], NOW)

    assert chain(session.ticks()) == [
        (TICK_BYTES, zlib.crc32(data[:TICK_BYTES])),
        (2 * TICK_BYTES, zlib.crc32(data[TICK_BYTES : 2 * TICK_BYTES])),
    ]


@pytest.mark.parametrize("now", [NOW - 1, NOW - 3600 * 10**9, 0, -1])
def test_a_clock_set_back_delays_no_tick(tmp_path: Path, now: int) -> None:
    session = Session(tmp_path)
    session.print(b"one", NOW)
    session.print(b"two", now)

    assert session.ticks() == [Tick(6, now, zlib.crc32(b"onetwo"))]


@pytest.mark.parametrize("offset", [0, 1, 2, 3])
def test_bytes_fed_twice_count_once(tmp_path: Path, offset: int) -> None:
    session = Session(tmp_path)
    session.print(b"abc", NOW)
    session.log.write(b"def")
    session.timeline.feed(offset, b"abcdef"[offset:], NOW)
    session.timeline.feed(0, b"abcdef", NOW)
    session.timeline.flush(NOW)

    assert session.ticks() == [Tick(6, NOW, zlib.crc32(b"abcdef"))]


def test_bytes_left_out_are_read_from_the_log(tmp_path: Path) -> None:
    session = Session(tmp_path)
    session.log.write(b"missed")
    session.print(b"seen", NOW)
    session.timeline.flush(NOW)

    assert session.ticks() == [Tick(10, NOW, zlib.crc32(b"missedseen"))]


def test_bytes_that_are_not_in_the_log_are_a_bug_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(Internal, match="up to 5"):
        Session(tmp_path).timeline.feed(5, b"x", NOW)


def test_other_records_are_written_at_once_in_order(tmp_path: Path) -> None:
    session = Session(tmp_path)
    listed: list[Life | Resize | Inserted | Hole] = [Life(0, NOW, 1), RESIZE, Inserted(0, 5, NOW)]
    listed.append(Hole(5, 10, 3))
    for record in listed:
        session.timeline.append(record)

    assert session.records() == listed


# -- crashes


@pytest.mark.parametrize("crash_at", range(0, len(FLOOD) + 1, SLICE))
def test_after_a_crash_the_chain_is_the_one_of_an_uninterrupted_writer(
    tmp_path: Path, crash_at: int
) -> None:
    steady, crashed = tmp_path / "steady", tmp_path / "crashed"
    for directory in (steady, crashed):
        directory.mkdir()
    uninterrupted, session = Session(steady), Session(crashed)
    for at in range(0, len(FLOOD), SLICE):
        uninterrupted.print(FLOOD[at : at + SLICE], NOW)
        if at < crash_at:
            session.print(FLOOD[at : at + SLICE], NOW)
    uninterrupted.timeline.flush(NOW)
    session.log.write(FLOOD[crash_at:])  # logged, and never fed
    session = session.crash()
    session.timeline.catch_up(NOW)

    assert session.ticks() == uninterrupted.ticks()
    assert verify(crashed) is None


def test_catching_up_ticks_to_the_end_of_the_log(tmp_path: Path) -> None:
    session = Session(tmp_path)
    data = output(3 * TICK_BYTES + 100)
    session.log.write(data)
    session = session.crash()
    session.timeline.catch_up(NOW)

    assert session.timeline.offset == len(data)
    assert [tick.offset for tick in session.ticks()] == [
        TICK_BYTES,
        2 * TICK_BYTES,
        3 * TICK_BYTES,
        3 * TICK_BYTES + 100,
    ]
    assert verify(tmp_path) is None
    before = session.ticks()
    session.crash().timeline.catch_up(NOW)
    assert session.ticks() == before


def test_catching_up_passes_over_a_hole_with_a_tick_on_each_side(tmp_path: Path) -> None:
    for first, data in ((10, b"a" * 10), (50, b"b" * 10)):
        (tmp_path / segment_name(first)).write_bytes(data)
    session = Session(tmp_path)
    session.timeline.catch_up(NOW)

    a, b = zlib.crc32(b"a" * 10), zlib.crc32(b"b" * 10)
    assert chain(session.ticks()) == [(10, 0), (20, a), (50, 0), (60, b)]
    assert verify(tmp_path) is None
    (tmp_path / segment_name(50)).write_bytes(b"b" * 9 + b"c")
    assert verify(tmp_path) == 50


@pytest.mark.parametrize("tail", range(1, RECORD_SIZE))
def test_a_torn_record_is_cut_and_kept_aside(tmp_path: Path, tail: int) -> None:
    session = Session(tmp_path)
    session.print(b"one", NOW)
    session.timeline.flush(NOW)
    path = tmp_path / "timeline"
    good, torn = path.read_bytes(), encode(RESIZE)[:tail]
    path.write_bytes(good + torn)

    session = session.crash()

    assert path.read_bytes() == good
    assert session.timeline.torn == tmp_path / "timeline.torn-1"
    assert session.timeline.torn.read_bytes() == torn
    assert session.timeline.torn.stat().st_mode & 0o777 == 0o600
    session.print(b"two", NOW)
    session.timeline.flush(NOW)
    assert chain(session.ticks()) == [(3, zlib.crc32(b"one")), (6, zlib.crc32(b"two"))]


def test_every_torn_tail_gets_a_file_of_its_own(tmp_path: Path) -> None:
    session = Session(tmp_path)
    for number in (1, 2, 3):
        with (tmp_path / "timeline").open("ab") as file:
            file.write(bytes([number]))
        session = session.crash()
        assert (tmp_path / f"timeline.torn-{number}").read_bytes() == bytes([number])
    assert session.crash().timeline.torn is None


@pytest.mark.parametrize("damage", [b"x", b"x" * 31, bytes(32), b"x" * 100])
def test_a_timeline_without_a_header_is_kept_aside_and_made_anew(
    tmp_path: Path, damage: bytes
) -> None:
    session = Session(tmp_path)
    session.print(b"printed", NOW)
    (tmp_path / "timeline").write_bytes(damage)

    session = session.crash()
    session.timeline.catch_up(NOW)

    assert (tmp_path / "timeline.torn-1").read_bytes() == damage
    assert chain(session.ticks()) == [(7, zlib.crc32(b"printed"))]


def test_a_damaged_record_ends_the_chain_and_catching_up_mends_it(tmp_path: Path) -> None:
    session = Session(tmp_path)
    for at in range(5):
        session.print(b"bytes", NOW + at)
        session.timeline.flush(NOW + at)
    path = tmp_path / "timeline"
    whole = bytearray(path.read_bytes())
    at = HEADER_SIZE + 2 * RECORD_SIZE
    whole[at + 9] ^= 1
    path.write_bytes(whole)
    assert verify(tmp_path) == 10

    session = session.crash()
    session.timeline.catch_up(NOW)

    assert (tmp_path / "timeline.torn-1").read_bytes() == whole[at:]
    assert [tick.offset for tick in session.ticks()] == [5, 10, 25]
    assert verify(tmp_path) is None


@pytest.mark.parametrize("resizes", [0, 1, LOOK_BACK // RECORD_SIZE - 1, LOOK_BACK // RECORD_SIZE])
def test_the_last_tick_is_found_however_far_back(tmp_path: Path, resizes: int) -> None:
    session = Session(tmp_path)
    for _ in range(3):
        session.print(b"bytes", NOW)
        session.timeline.flush(NOW)
    with (tmp_path / "timeline").open("ab") as file:
        file.write(encode(RESIZE) * resizes)

    assert session.crash().timeline.offset == 15


def test_a_bad_stretch_longer_than_the_look_back_is_cut_as_a_whole(tmp_path: Path) -> None:
    session = Session(tmp_path)
    session.print(b"bytes", NOW)
    session.timeline.flush(NOW)
    good = (tmp_path / "timeline").read_bytes()
    (tmp_path / "timeline").write_bytes(good + bytes(3 * LOOK_BACK + 5))

    session = session.crash()

    assert (tmp_path / "timeline").read_bytes() == good
    assert session.timeline.offset == 5
    assert (tmp_path / "timeline.torn-1").stat().st_size == 3 * LOOK_BACK + 5


def test_a_newer_timeline_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    newer = encode_header(Header(bytes(16), 2)) + b"something else"
    (tmp_path / "timeline").write_bytes(newer)

    before = open_files()
    with LogReader(tmp_path) as log, pytest.raises(NewerFormat):
        TimelineWriter(tmp_path, log)
    assert open_files() == before
    assert (tmp_path / "timeline").read_bytes() == newer


# -- full disks


@pytest.mark.parametrize("room", range(RECORD_SIZE))
def test_a_tick_for_which_there_is_no_room_waits_and_covers_more(tmp_path: Path, room: int) -> None:
    session = Session(tmp_path)
    session.timeline.append(RESIZE)
    size = (tmp_path / "timeline").stat().st_size
    with limited(resource.RLIMIT_FSIZE, size + room):
        session.print(b"one", NOW)
        session.timeline.flush(NOW + TICK_NS)
        failed = session.timeline.failed
        assert failed is not None
        assert failed.errno in (errno.EFBIG, errno.ENOSPC)
        # Tried again, but never in a busy loop.
        assert session.timeline.deadline_ns() == NOW + 2 * TICK_NS
        session.print(b"two", NOW + TICK_NS)
        assert (tmp_path / "timeline").stat().st_size == size

    session.print(b"three", NOW + 2 * TICK_NS)

    assert session.records() == [RESIZE, Tick(11, NOW + 2 * TICK_NS, zlib.crc32(b"onetwothree"))]
    assert session.timeline.failed is None
    assert session.timeline.deadline_ns() is None


def test_other_records_wait_for_room_too_and_cost_little(tmp_path: Path) -> None:
    session = Session(tmp_path)
    listed = [Resize(0, NOW, 80, rows) for rows in range(WAITING_RECORDS + 10)]
    with limited(resource.RLIMIT_FSIZE, HEADER_SIZE):
        for record in listed:
            session.timeline.append(record)
        assert session.timeline.deadline_ns() is not None
        session.timeline.flush(NOW)
    session.timeline.flush(NOW)

    assert session.records() == listed[10:]
    assert session.timeline.deadline_ns() is None


def test_a_timeline_is_opened_although_its_torn_tail_cannot_be_kept_yet(tmp_path: Path) -> None:
    session = Session(tmp_path)
    path = tmp_path / "timeline"
    torn = b"t" * 100
    path.write_bytes(path.read_bytes() + torn)
    with limited(resource.RLIMIT_FSIZE, 10):
        session = session.crash()
        assert session.timeline.failed is not None
        session.timeline.append(RESIZE)
        assert path.read_bytes()[HEADER_SIZE:] == torn
        assert not (tmp_path / "timeline.torn-1").exists()

    session.timeline.flush(NOW)

    assert session.records() == [RESIZE]
    assert (tmp_path / "timeline.torn-1").read_bytes() == torn


def test_on_a_full_disk_log_and_timeline_stop_and_go_on_together(tmp_path: Path) -> None:
    data = output(256 * 1024)
    with small_disk(tmp_path / "disk", 128 * 1024) as disk:
        session = Session(disk)
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(64 * 1024))
        stalled = 0
        for now in range(200):
            at = session.log.end
            try:
                count = session.log.write(data[at : min(at + 4000, 100_000)])
            except OSError as error:
                assert error.errno == errno.ENOSPC  # noqa: PT017 - the rule is what follows
                stalled += 1
                ballast.unlink(missing_ok=True)
                continue
            session.timeline.feed(at, data[at : at + count], NOW + now * TICK_NS)
        session.timeline.flush(NOW)
        session.close()

        assert stalled
        with LogReader(disk) as reader:
            assert reader.read(0, 200_000) == data[:100_000]
        assert session.ticks()[-1].offset == 100_000
        assert verify(disk) is None


# -- verify


@pytest.mark.parametrize("at", [0, 1, 4, 5, 9, 10, 14])
def test_verify_finds_a_flipped_byte(tmp_path: Path, at: int) -> None:
    session = Session(tmp_path, segment_size=4)
    for offset in (0, 5, 10):
        session.log.write(b"bytes")
        session.log.write(b"bytes"[session.log.end - offset :])
        session.timeline.feed(offset, b"bytes", NOW)
        session.timeline.flush(NOW)
    assert session.log.end == 15
    assert verify(tmp_path) is None
    path = tmp_path / segment_name(at // 4 * 4)
    data = bytearray(path.read_bytes())
    data[at % 4] ^= 0x20
    path.write_bytes(data)

    assert verify(tmp_path) == at // 5 * 5


def test_verify_passes_over_what_is_not_kept(tmp_path: Path) -> None:
    session = Session(tmp_path, segment_size=5)
    for _ in range(3):
        session.print(b"bytes", NOW)
        session.timeline.flush(NOW)
    (tmp_path / segment_name(0)).unlink()

    assert verify(tmp_path) is None


def test_verify_finds_a_log_that_lost_its_end(tmp_path: Path) -> None:
    session = Session(tmp_path)
    for _ in range(3):
        session.print(b"bytes", NOW)
        session.timeline.flush(NOW)
    (tmp_path / segment_name(0)).write_bytes(b"bytesby")

    assert verify(tmp_path) == 5


def test_verify_cannot_vouch_for_a_log_without_a_timeline(tmp_path: Path) -> None:
    with LogWriter(tmp_path) as log:
        assert verify(tmp_path) is None
        log.write(b"bytes")
        assert verify(tmp_path) == 0


# -- epochs


def test_a_new_epoch_counts_from_its_offset_on_and_is_found_again(tmp_path: Path) -> None:
    session = Session(tmp_path)
    first = session.timeline.epoch
    session.print(b"bytes", NOW)
    second = session.timeline.begin_epoch(7)

    assert second not in (first, session.timeline.begin_epoch(9))
    third = session.timeline.epoch
    assert session.crash().timeline.epoch == third
    header = decode((tmp_path / "timeline").read_bytes()).header
    assert header is not None
    assert header.epoch == first
    assert session.records() == [Epoch(7, second), Epoch(9, third)]


@pytest.mark.parametrize("crash_every", [100, 10_000])
def test_an_epoch_is_found_however_much_was_printed_since(tmp_path: Path, crash_every: int) -> None:
    session = Session(tmp_path)
    epoch = session.timeline.begin_epoch(0)
    for number in range(5 * EPOCH_RECORDS):
        session.print(b"x", NOW)
        session.timeline.flush(NOW)
        if number % crash_every == 0:
            session = session.crash()
            assert session.timeline.epoch == epoch

    assert session.crash().timeline.epoch == epoch
    assert len(session.records()) < 5 * EPOCH_RECORDS + 10


def test_a_damaged_stretch_hides_no_epoch(tmp_path: Path) -> None:
    session = Session(tmp_path)
    epoch = session.timeline.begin_epoch(0)
    for _ in range(1000):
        session.print(b"x", NOW)
        session.timeline.flush(NOW)
    path = tmp_path / "timeline"
    path.write_bytes(path.read_bytes() + bytes(LOOK_BACK // 2 + 300 * RECORD_SIZE))
    good_in_sight = LOOK_BACK // RECORD_SIZE // 2 - 300
    assert 0 < good_in_sight < 1000

    session = session.crash()

    assert (session.timeline.epoch, session.timeline.offset) == (epoch, 1000)


def test_a_new_epoch_waits_for_room_as_other_records_do(tmp_path: Path) -> None:
    session = Session(tmp_path)
    with limited(resource.RLIMIT_FSIZE, HEADER_SIZE):
        epoch = session.timeline.begin_epoch(3)
        assert session.timeline.epoch == epoch
    session.timeline.flush(NOW)

    assert session.records() == [Epoch(3, epoch)]
