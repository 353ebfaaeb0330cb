"""A full disk: requests fail by name, what was committed stays, and writing goes on later."""

import resource
from pathlib import Path

import pytest

from holdfast.errors import DiskFull, IoFailed
from holdfast.store import Journal
from tests.store.disks import limited, small_disk
from tests.store.journals import PATIENCE, ids, opened, put, tell

SIZE = 1 << 20


def fill(journal: Journal) -> None:
    """Append events until one fails."""
    while True:
        journal.append_event(0.0, "aaaa", "title", {"text": "x" * 20_000}).result(PATIENCE)


def fill_up(ballast: Path) -> None:
    """Take what room there is."""
    with ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_a_full_disk_fails_what_is_put_and_keeps_what_was(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", SIZE) as disk:
        path, ballast = disk / "journal.db", disk / "ballast"
        with opened(path) as journal:
            put(journal, "aaaa", "bbbb")
            ballast.write_bytes(bytes(SIZE // 2))
            with pytest.raises(DiskFull, match=r"journal\.db"):
                fill(journal)
            newest = journal.newest_event()
            assert newest > 1
            assert ids(journal) == ["aaaa", "bbbb"]

            ballast.unlink()

            assert tell(journal, 1) == [newest + 1]
            put(journal, "aaaa", "bbbb", "cccc")
        with opened(path) as journal:
            assert journal.damaged is None
            assert ids(journal) == ["aaaa", "bbbb", "cccc"]
            assert len(journal.events(0, 1000)) == newest + 1


def test_a_journal_closed_on_a_full_disk_has_all_that_was_committed(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", SIZE) as disk:
        path, ballast = disk / "journal.db", disk / "ballast"
        with opened(path) as journal:
            ballast.write_bytes(bytes(SIZE // 2))
            with pytest.raises(DiskFull):
                fill(journal)
            newest = journal.newest_event()
        ballast.unlink()
        with opened(path) as journal:
            assert journal.damaged is None
            assert journal.newest_event() == newest == len(journal.events(0, 1000))


def test_opening_on_a_full_disk_says_so_and_moves_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", SIZE) as disk:
        path, ballast = disk / "journal.db", disk / "ballast"
        with opened(path) as journal:
            put(journal, "aaaa")
        with pytest.raises(OSError, match="space"):
            fill_up(ballast)

        with pytest.raises(DiskFull):
            Journal.open(path)

        assert {file.name for file in disk.iterdir()} <= {
            "ballast", "journal.db", "journal.db-wal", "journal.db-shm",
        }  # fmt: skip
        ballast.unlink()
        with opened(path) as journal:
            assert journal.damaged is None
            assert ids(journal) == ["aaaa"]


def test_a_file_that_may_not_grow_is_an_error_of_the_world(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        put(journal, "aaaa")
        with limited(resource.RLIMIT_FSIZE, 256 * 1024), pytest.raises((DiskFull, IoFailed)):
            fill(journal)
        put(journal, "bbbb")
        assert ids(journal) == ["aaaa", "bbbb"]
    with opened(path) as journal:
        assert journal.damaged is None


def test_purging_without_room_fails_and_loses_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", SIZE) as disk:
        path, ballast = disk / "journal.db", disk / "ballast"
        with opened(path) as journal:
            put(journal, "aaaa")
            for _ in range(10):
                journal.append_event(0.0, "aaaa", "title", {"text": "x" * 20_000}).result(PATIENCE)
            room = SIZE - sum(file.stat().st_size for file in disk.iterdir())
            ballast.write_bytes(bytes(room - 50_000))
            with pytest.raises(DiskFull):
                journal.purge().result(PATIENCE)
            ballast.unlink()
            assert len(journal.events(0, 100)) == 10
            journal.purge().result(PATIENCE)
            assert len(journal.events(0, 100)) == 10
