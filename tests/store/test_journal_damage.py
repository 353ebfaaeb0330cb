"""A damaged journal: kept aside, read as far as it goes, and no number given twice."""

import logging
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.errors import JournalDamaged
from holdfast.store import JSON, Journal
from tests.store.journals import FACTS, PATIENCE, contents, crashed_copy, ids, opened, put, tell

SESSIONS = [f"s{n:03}" for n in range(200)]
EVENTS = 300


@pytest.fixture(scope="module")
def sound() -> Iterator[dict[str, Path]]:
    """A journal as closing leaves it, and one as SIGKILL does, with rows in both its files."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        path = home / "closed" / "journal.db"
        path.parent.mkdir()
        with opened(path) as journal:
            put(journal, *SESSIONS)
            tell(journal, EVENTS - 100)
        with opened(path) as journal:
            tell(journal, 50)
            journal.note("boot", "first").result(PATIENCE)
            tell(journal, 50)
            killed = crashed_copy(path, home / "killed")
        yield {"closed": path, "killed": killed}


def copied(sound: Path, to: Path) -> Path:
    shutil.copytree(sound.parent, to)
    return to / sound.name


def zeroed(data: bytes, at: int, size: int) -> bytes:
    return data[:at] + bytes(len(data[at : at + size])) + data[at + size :]


def flipped(data: bytes, at: int, bit: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << bit % 8]) + data[at + 1 :]


def cut(data: bytes, at: int, _: int) -> bytes:
    return data[:at]


def torn(data: bytes, at: int, size: int) -> bytes:
    """What a power cut leaves of a file that grew: its length, and nothing in it."""
    return zeroed(data, at, len(data) if size % 2 else size * 512)


@st.composite
def damages(draw: st.DrawFn) -> tuple[str, str, float, int, object]:
    return (
        draw(st.sampled_from(["closed", "killed"])),
        draw(st.sampled_from(["", "-wal", "-shm"])),
        # Anywhere, but often in the header and the first pages, where it hurts most.
        draw(st.one_of(st.floats(0, 1), st.floats(0, 0.01), st.just(0.0))),
        draw(st.integers(1, 64)),
        draw(st.sampled_from([zeroed, flipped, cut, torn])),
    )


@settings(max_examples=150, deadline=None)
@given(damage=damages())
def test_no_damage_stops_a_start_or_takes_a_number_back(
    sound: dict[str, Path], damage: tuple[str, str, float, int, object]
) -> None:
    which, suffix, where, size, harm = damage
    with tempfile.TemporaryDirectory() as directory:
        path = copied(sound[which], Path(directory) / "home")
        victim = Path(f"{path}{suffix}")
        if not victim.exists():
            victim = path
        before = victim.read_bytes()
        assert callable(harm)
        after = harm(before, int(where * (len(before) - 1)), size)
        victim.write_bytes(after)

        with opened(path) as journal:
            assert journal.newest_event() <= EVENTS or journal.damaged is not None
            assert tell(journal, 1)[0] > EVENTS
            found = ids(journal)
            assert set(found) <= set(SESSIONS)
            assert all(facts == {"id": facts["id"], **FACTS} for facts in journal.sessions())
            journal.events(0, 1000)
            journal.noted("boot")
            put(journal, "anew")
            if journal.damaged is not None and victim == path:
                assert journal.damaged.read_bytes() == after
        with opened(path) as journal:
            assert journal.damaged is None
            assert "anew" in ids(journal)


def test_a_journal_that_is_none_is_kept_aside_and_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"no journal at all" * 1000)

    with caplog.at_level(logging.WARNING), opened(path) as journal:
        assert journal.damaged is not None
        assert journal.damaged.name.startswith("journal.db.damaged-20")
        assert journal.damaged.read_bytes() == b"no journal at all" * 1000
        assert (journal.damaged.stat().st_mode & 0o077, ids(journal)) == (0, [])
        assert 0 < journal.pruned_event() < tell(journal, 1)[0]
    assert str(journal.damaged) in caplog.text


def test_two_damaged_within_a_second_are_both_kept(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    for text in (b"one", b"two", b"three"):
        path.write_bytes(text * 1000)
        Journal.open(path).close()

    kept = [data[:3] for name, data in contents(tmp_path).items() if "damaged" in name]
    assert sorted(kept) == [b"one", b"thr", b"two"]


def test_rows_around_a_lost_page_are_salvaged(sound: dict[str, Path], tmp_path: Path) -> None:
    path = copied(sound["closed"], tmp_path / "home")
    data = path.read_bytes()
    # The page that holds the event in the middle, found by what only it says.
    page = data.index(b'{"n":150}') // 4096 * 4096
    path.write_bytes(zeroed(data, page, 4096))

    with opened(path) as journal:
        assert journal.damaged is not None
        assert journal.salvaged["sessions"] == len(SESSIONS)
        assert ids(journal) == SESSIONS
        assert journal.sessions()[0] == {"id": SESSIONS[0], **FACTS}
        numbers = [event.number for event in journal.events(0, 1000)]
        assert journal.salvaged["events"] == len(numbers) > EVENTS / 3
        assert numbers[-1] == EVENTS
        assert journal.noted("boot") == "first"


def test_a_damaged_write_ahead_log_is_copied_aside(sound: dict[str, Path], tmp_path: Path) -> None:
    path = copied(sound["killed"], tmp_path / "home")
    log = Path(f"{path}-wal")
    damaged = flipped(log.read_bytes(), log.stat().st_size // 2, 3)
    log.write_bytes(damaged)

    with opened(path) as journal:
        assert journal.damaged is not None
        assert journal.damaged.read_bytes() == damaged
        assert journal.newest_event() < journal.pruned_event() < tell(journal, 1)[0]
        assert ids(journal) == SESSIONS


def test_a_sound_write_ahead_log_is_no_damage(sound: dict[str, Path], tmp_path: Path) -> None:
    with opened(copied(sound["killed"], tmp_path / "home")) as journal:
        assert journal.damaged is None
        assert journal.newest_event() == EVENTS
        assert journal.noted("boot") == "first"


# -- while it is open


def ruin(path: Path) -> None:
    """Overwrite the file under an open journal, as a failing disk would."""
    # SQLite believes what it remembers of a file until somebody else has written to it.
    other = sqlite3.connect(path)
    with other:
        other.execute("REPLACE INTO meta VALUES ('somebody', 'else')")
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.write(os.urandom(size))


def test_damage_while_it_is_open_has_a_name_and_a_way_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        put(journal, *SESSIONS)
        tell(journal, EVENTS)
        journal.purge().result(PATIENCE)
        ruin(path)
        with pytest.raises(JournalDamaged):
            put(journal, "anew", *SESSIONS)
        with pytest.raises(JournalDamaged):
            journal.note("a", "b").result(PATIENCE)

        journal.begin_anew()

        assert journal.damaged is not None
        put(journal, "anew")
        assert "anew" in ids(journal)
        assert tell(journal, 1)[0] > EVENTS
    with opened(path) as journal:
        assert journal.damaged is None
        assert "anew" in ids(journal)


def test_a_file_that_was_taken_away_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        tell(journal, EVENTS)
        path.rename(tmp_path / "taken")
        with pytest.raises(JournalDamaged, match="not the file any more"):
            put(journal, "aaaa")

        journal.begin_anew()

        put(journal, "aaaa")
        assert tell(journal, 1)[0] > EVENTS
    with opened(path) as journal:
        assert ids(journal) == ["aaaa"]


def test_beginning_anew_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        put(journal, *SESSIONS)
        before = {name: contents(tmp_path)[name] for name in ("journal.db", "journal.db-wal")}
        journal.begin_anew()

        assert journal.damaged is not None
        for name, data in before.items():
            aside = name.replace("journal.db", journal.damaged.name)
            assert (tmp_path / aside).read_bytes() == data
        assert ids(journal) == SESSIONS


def test_rows_of_every_table_and_size_are_salvaged(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    long: dict[str, JSON] = {"text": "\udcff" * 9000}
    with opened(path) as journal:
        put(journal, *SESSIONS)
        for number, text in enumerate(("", "x" * 4000, "x" * 4061, "x" * 4100, "x" * 70_000), 1):
            journal.put_life("s000", number, number / 2, {"text": text})
        journal.append_audit(1.5, "s000", "agent", "kill", long)
        journal.note("boot", "z\u00fc")
        journal.append_event(-7.25, "s000", "bell", long)
        journal.append_event(float(1 << 40), "s000", "bell", {}).result(PATIENCE)
        before = [
            journal.sessions(), journal.lives("s000"), journal.audit("s000", 9),
            journal.noted("boot"), journal.events(0, 9),
        ]  # fmt: skip

        journal.begin_anew()

        assert before == [
            journal.sessions(), journal.lives("s000"), journal.audit("s000", 9),
            journal.noted("boot"), journal.events(0, 9),
        ]  # fmt: skip
        assert journal.salvaged == {
            "sessions": len(SESSIONS), "lives": 5, "audit": 1, "notes": 1, "events": 2,
        }  # fmt: skip


@pytest.mark.parametrize("page", [1, 2, 3, 4, 5, 6])
def test_rows_are_salvaged_without_the_pages_above_them(
    sound: dict[str, Path], tmp_path: Path, page: int
) -> None:
    path = copied(sound["closed"], tmp_path / "home")
    path.write_bytes(zeroed(path.read_bytes(), (page - 1) * 4096, 4096))

    with opened(path) as journal:
        assert journal.damaged is not None
        # A page has 60 rows at most; what lies above the others is not needed.
        assert len(ids(journal)) >= len(SESSIONS) - 60
        assert len(journal.events(0, 1000)) >= EVENTS - 160


def test_damage_that_is_read_has_the_same_name(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        put(journal, *SESSIONS)
        journal.purge().result(PATIENCE)
        ruin(path)
        with pytest.raises(JournalDamaged):
            journal.sessions()
        journal.begin_anew()
        assert journal.sessions() == []


def test_the_newest_three_of_the_damaged_ones_are_kept(tmp_path: Path) -> None:
    """T19: a bad disk would fill itself with copies."""
    path, newest = tmp_path / "journal.db", None
    for number in range(6):
        path.write_bytes(b"rubbish %d" % number * 1000)
        Path(f"{path}-wal").write_bytes(b"rubbish too" * 1000)
        with opened(path) as journal:
            newest = journal.damaged

    kept = [one for one in tmp_path.glob("*.damaged-*") if one.name[-4:] not in ("-wal", "-shm")]
    assert {one.read_bytes()[:9] for one in kept} == {b"rubbish 3", b"rubbish 4", b"rubbish 5"}
    assert newest in kept
    assert len(list(tmp_path.glob("*.damaged-*-wal"))) == 3


def test_the_newest_one_is_kept_although_the_clock_was_set_back(tmp_path: Path) -> None:
    """T20."""
    path = tmp_path / "journal.db"
    for year in range(2090, 2095):
        (tmp_path / f"journal.db.damaged-{year}0101T000000").write_bytes(b"of the future")
    path.write_bytes(b"rubbish" * 1000)
    with opened(path) as journal:
        assert journal.damaged is not None
        assert journal.damaged.exists()
    assert len(list(tmp_path.glob("*.damaged-*"))) == 3
