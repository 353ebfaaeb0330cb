"""The journal: what was put comes back, in order, and is committed when it says so."""

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from holdfast.errors import Internal, LimitReached
from holdfast.store import JSON, Audit, Event, Journal, journal_rows, journal_writer
from tests.store.journals import FACTS, PATIENCE, contents, crashed_copy, ids, opened, put, tell


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with opened(tmp_path / "journal.db") as journal:
        yield journal


def changed(path: Path, statement: str, *values: object) -> None:
    """Do to the rows what no journal would."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement, values)
    connection.close()


# -- sessions and lives


def test_facts_come_back_as_they_were_put(tmp_path: Path) -> None:
    with opened(tmp_path / "journal.db") as journal:
        journal.put_session("k3v9", 1.5, "running", FACTS).result(PATIENCE)
        assert journal.sessions() == [FACTS]
    with opened(tmp_path / "journal.db") as journal:
        assert journal.sessions() == [FACTS]
        assert (journal.damaged, journal.salvaged, journal.unreadable) == (None, {}, 0)


def test_facts_are_those_of_the_call(journal: Journal) -> None:
    facts: dict[str, JSON] = {"name": "before"}
    future = journal.put_session("k3v9", 1.5, "running", facts)
    facts["name"] = "after"
    future.result(PATIENCE)

    assert journal.sessions() == [{"name": "before"}]


def test_a_session_put_again_is_replaced_and_keeps_its_place(journal: Journal) -> None:
    put(journal, "aaaa", "bbbb")
    journal.put_session("aaaa", 0.0, "exited", {"id": "aaaa", "code": 3}).result(PATIENCE)

    assert journal.sessions() == [{"id": "aaaa", "code": 3}, {"id": "bbbb", **FACTS}]


def test_sessions_are_listed_oldest_first(journal: Journal) -> None:
    for session, created in (("cccc", 2.0), ("aaaa", 3.0), ("bbbb", 1.0)):
        journal.put_session(session, created, "running", {"id": session}).result(PATIENCE)

    assert ids(journal) == ["bbbb", "cccc", "aaaa"]


def test_lives_are_those_of_one_session_in_order(journal: Journal) -> None:
    for number in (2, 1, 2):
        journal.put_life("aaaa", number, 1.0, {"number": number})
    journal.put_life("bbbb", 1, 1.0, {"number": 7}).result(PATIENCE)

    assert journal.lives("aaaa") == [{"number": 1}, {"number": 2}]
    assert journal.lives("none") == []


def test_a_removed_session_takes_its_lives_and_events_along(journal: Journal) -> None:
    put(journal, "aaaa", "bbbb")
    for session in ("aaaa", "bbbb"):
        journal.put_life(session, 1, 1.0, {})
        tell(journal, 2, session)
    journal.remove_session("aaaa").result(PATIENCE)

    assert ids(journal) == ["bbbb"]
    assert journal.lives("aaaa") == []
    assert [event.number for event in journal.events(0, 10)] == [3, 4]


@pytest.mark.parametrize("rubbish", ["{", "[1]", b"\xff\xfe", b'{"a": "\xe9"}', "[" * 100_000])
def test_a_row_that_cannot_be_parsed_is_skipped_counted_and_reported(
    tmp_path: Path, rubbish: object, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        put(journal, "aaaa", "bbbb")
        tell(journal, 2)
    changed(path, "UPDATE sessions SET facts = ? WHERE id = 'aaaa'", rubbish)
    changed(path, "UPDATE events SET facts = ? WHERE number = 1", rubbish)

    with opened(path) as journal, caplog.at_level(logging.WARNING):
        assert ids(journal) == ["bbbb"]
        assert [event.number for event in journal.events(0, 10)] == [2]
        assert journal.unreadable == 2
    assert "1 rows are unreadable" in caplog.text


# -- events, audit, notes


def test_an_event_has_a_number_higher_than_any_before(journal: Journal) -> None:
    numbers = tell(journal, 3) + tell(journal, 2, "bbbb")

    assert numbers == [1, 2, 3, 4, 5]
    assert (journal.oldest_event(), journal.newest_event()) == (1, 5)


def test_events_are_read_on_from_a_number(journal: Journal) -> None:
    tell(journal, 3)
    tell(journal, 2, "bbbb")

    assert journal.events(1, 2) == [
        Event(2, 1.0, "aaaa", "bell", {"n": 1}),
        Event(3, 2.0, "aaaa", "bell", {"n": 2}),
    ]
    assert [event.number for event in journal.events(0, 10, "bbbb")] == [4, 5]
    assert journal.events(5, 10) == []


def test_only_the_last_events_are_kept(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_rows, "EVENTS_KEPT", 10)
    tell(journal, 25)

    assert [event.number for event in journal.events(0, 100)] == list(range(16, 26))
    assert (journal.oldest_event(), journal.newest_event()) == (16, 25)
    assert journal.pruned_event() == 15


def test_events_of_a_removed_session_are_not_missing(journal: Journal) -> None:
    tell(journal, 3)
    journal.remove_session("aaaa").result(PATIENCE)

    assert journal.pruned_event() == 0


def test_a_page_says_where_to_go_on(journal: Journal) -> None:
    tell(journal, 4)

    assert [journal.event_page(since, 2).upto for since in (0, 1, 2, 3)] == [2, 3, 4, None]


def test_numbers_go_on_after_every_event_was_removed(tmp_path: Path) -> None:
    with opened(tmp_path / "journal.db") as journal:
        tell(journal, 3)
        journal.remove_session("aaaa").result(PATIENCE)
        assert (journal.oldest_event(), journal.newest_event()) == (0, 3)
    with opened(tmp_path / "journal.db") as journal:
        assert journal.newest_event() == 3
        assert tell(journal, 1) == [4]


def test_numbers_leap_when_the_journal_was_not_closed(tmp_path: Path) -> None:
    with opened(tmp_path / "journal.db") as journal:
        tell(journal, 3)
        copy = crashed_copy(tmp_path / "journal.db", tmp_path / "copy")
    with opened(copy) as journal:
        assert journal.newest_event() == 3
        assert tell(journal, 1) == [3 + journal_rows.LEAP]


def test_the_audit_of_a_session_ends_with_the_newest(journal: Journal) -> None:
    for what in ("create", "input", "kill"):
        journal.append_audit(1.0, "aaaa", "terminal pts/3", what, {"bytes": 3})
    journal.append_audit(1.0, "bbbb", "agent", "create", {}).result(PATIENCE)

    found = journal.audit("aaaa", 2)
    assert found[0] == Audit(1.0, "aaaa", "terminal pts/3", "input", {"bytes": 3})
    assert [row.what for row in found] == ["input", "kill"]


def test_only_the_last_audit_rows_are_kept(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_rows, "AUDIT_KEPT", 2)
    for what in ("create", "input", "kill"):
        journal.append_audit(1.0, "aaaa", "agent", what, {}).result(PATIENCE)

    assert [row.what for row in journal.audit("aaaa", 10)] == ["input", "kill"]


def test_a_note_is_replaced_by_the_next(tmp_path: Path) -> None:
    with opened(tmp_path / "journal.db") as journal:
        assert journal.noted("boot") is None
        journal.note("boot", "one")
        journal.note("boot", "zwei: \u00fc").result(PATIENCE)
    with opened(tmp_path / "journal.db") as journal:
        assert journal.noted("boot") == "zwei: \u00fc"


# -- commits


def test_a_journal_that_nobody_uses_wakes_up_for_nothing(journal: Journal) -> None:
    tell(journal, 1)
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "journal"]
    status = Path(f"/proc/self/task/{thread.native_id}/status")
    if not status.exists():
        pytest.skip("only Linux counts how often a thread woke up")

    def wakings() -> str:
        return next(line for line in status.read_text().splitlines() if line.startswith("vol"))

    def is_quiet() -> bool:
        before = wakings()
        threading.Event().wait(0.5)  # time is what is tested
        return wakings() == before

    assert is_quiet() or is_quiet()  # at first it may still be on its way to sleep


def test_a_start_with_many_sessions_is_quick(tmp_path: Path) -> None:
    with opened(tmp_path / "journal.db") as journal:
        put(journal, *(f"s{n:05}" for n in range(5000)))
    begun = time.monotonic()
    with opened(tmp_path / "journal.db") as journal:
        assert len(journal.sessions()) == 5000
        assert time.monotonic() - begun < 1.5  # 0.1 s are usual


def held(journal: Journal) -> threading.Event:
    """Keep the writer busy until the event is set, so that requests queue up."""
    gate, there = threading.Event(), threading.Event()
    done: Future[int] = journal.append_event(0.0, "hold", "gate", {})

    def hold(_: Future[int]) -> None:
        there.set()
        gate.wait(PATIENCE)

    done.add_done_callback(hold)
    assert there.wait(PATIENCE)
    return gate


def test_all_that_waits_is_committed_at_once(tmp_path: Path, journal: Journal) -> None:
    gate = held(journal)
    futures = [journal.append_event(0.0, "aaaa", "bell", {}) for _ in range(100)]
    before = (tmp_path / "journal.db-wal").stat().st_size
    gate.set()
    for future in futures:
        future.result(PATIENCE)

    # One commit writes each page it touched once; a hundred would write 200 at the least.
    pages = ((tmp_path / "journal.db-wal").stat().st_size - before) // 4096
    assert 0 < pages < 20


def test_one_bad_row_fails_alone(journal: Journal) -> None:
    gate = held(journal)
    good = journal.put_session("aaaa", 1.0, "running", {"id": "aaaa"})
    bad = [
        journal.put_session("b\udcff", 1.0, "running", {}),
        journal.put_life("aaaa", 1 << 70, 1.0, {}),
        journal.put_session("cccc", None, "running", {}),  # type: ignore[arg-type]
    ]
    number = journal.append_event(1.0, "aaaa", "bell", {})
    gate.set()

    assert good.result(PATIENCE) is None
    assert number.result(PATIENCE) == 2
    for future in bad:
        assert isinstance(future.exception(PATIENCE), Internal)
    assert ids(journal) == ["aaaa"]


def test_a_request_that_nobody_waits_for_any_more_is_carried_out(journal: Journal) -> None:
    gate = held(journal)
    future = journal.put_session("aaaa", 1.0, "running", {"id": "aaaa"})
    assert not future.cancel()
    gate.set()
    future.result(PATIENCE)

    assert ids(journal) == ["aaaa"]


def test_too_many_requests_are_refused_and_the_others_done(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_writer, "WAITING_REQUESTS", 2)
    gate = held(journal)
    futures = [journal.append_event(0.0, "aaaa", "bell", {}) for _ in range(3)]
    gate.set()

    assert [future.result(PATIENCE) for future in futures[:2]] == [2, 3]
    assert isinstance(futures[2].exception(PATIENCE), LimitReached)


def test_closing_commits_what_waits_and_leaves_one_file(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal.db")
    futures = [journal.append_event(0.0, "aaaa", "bell", {}) for _ in range(1000)]
    journal.close()
    journal.close()

    assert all(future.done() for future in futures)
    assert list(contents(tmp_path)) == ["journal.db"]
    with pytest.raises(Internal, match="closed journal"):
        journal.note("late", "")


def test_nobody_else_may_look(tmp_path: Path, journal: Journal) -> None:
    tell(journal, 1)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}

    assert modes == {"journal.db": 0o600, "journal.db-wal": 0o600, "journal.db-shm": 0o600}


def test_a_journal_that_was_open_to_others_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    Journal.open(path).close()
    path.chmod(0o644)
    with opened(path) as journal:
        tell(journal, 1)
        assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


def test_what_was_forgotten_is_in_no_file(tmp_path: Path) -> None:
    secret = b"correct-horse-battery"
    with opened(tmp_path / "journal.db") as journal:
        put(journal, *(f"other{n}" for n in range(50)))
        for n in range(300):  # of many sizes, so that pages are split and filled anew
            facts: dict[str, JSON] = {"id": "aaaa", "text": secret.decode() * (n % 90 + 1)}
            journal.put_session("aaaa", 1.0, "running", facts)
            journal.append_event(1.0, "aaaa", "title", facts)
            journal.append_event(1.0, "bbbb", "title", {"text": "x" * (n * 7 % 500)})
            journal.put_life("aaaa", n, 1.0, facts).result(PATIENCE)
        assert any(secret in data for data in contents(tmp_path).values())
        journal.remove_session("aaaa")
        journal.purge().result(PATIENCE)

        assert [name for name, data in contents(tmp_path).items() if secret in data] == []
        assert len(ids(journal)) == 50
        assert (tmp_path / "journal.db-wal").stat().st_size == 0
