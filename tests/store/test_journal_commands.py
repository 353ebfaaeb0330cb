"""Records of commands in the journal: one of an id, in order, bounded, and gone when forgotten."""

from pathlib import Path

import pytest

from holdfast.store import Journal, command_rows
from tests.store.journals import PATIENCE, contents, opened


def keep(journal: Journal, command: str, line: str, at: float, session: str = "aaaa") -> None:
    journal.put_command(session, command, at, {"line": line}).result(PATIENCE)


def lines(journal: Journal, last: int = 0, session: str = "aaaa") -> list[object]:
    return [facts["line"] for facts in journal.commands(session, last)]


def test_records_come_back_in_the_order_in_which_they_began(tmp_path: Path) -> None:
    with opened(tmp_path / "journal.db") as journal:
        for command, at in (("b", 2.0), ("a", 1.0), ("d", 3.0), ("c", 3.0)):
            keep(journal, command, command, at)
        keep(journal, "x", "of another", 1.0, "bbbb")

        assert lines(journal) == ["a", "b", "d", "c"]
        assert lines(journal, 2) == ["d", "c"]
        assert journal.count_commands("aaaa") == 4


def test_the_same_id_again_replaces_the_record(tmp_path: Path) -> None:
    with opened(tmp_path / "journal.db") as journal:
        keep(journal, "1", "mak", 1.0)
        keep(journal, "2", "ls", 2.0)
        keep(journal, "1", "make", 1.0)

        assert lines(journal) == ["make", "ls"]


def test_the_oldest_go_when_there_are_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_rows, "COMMANDS_KEPT", 3)
    with opened(tmp_path / "journal.db") as journal:
        for at in range(5):
            keep(journal, str(at), str(at), float(at))
        keep(journal, "x", "of another", 0.0, "bbbb")

        assert lines(journal) == ["2", "3", "4"]
        assert lines(journal, session="bbbb") == ["of another"]


def test_what_is_removed_is_nowhere_in_the_files(tmp_path: Path) -> None:
    with opened(tmp_path / "journal.db") as journal:
        for number in range(50):
            keep(journal, str(number), f"export TOKEN=secret-{number}-{'x' * 200}", number)
        journal.remove_commands("aaaa", ["7", "8", "unknown"]).result(PATIENCE)
        journal.purge().result(PATIENCE)

        assert len(lines(journal)) == 48
        kept = b"".join(contents(tmp_path).values())
        assert b"secret-7-" not in kept
        assert b"secret-9-" in kept
        journal.remove_session("aaaa").result(PATIENCE)
        journal.purge().result(PATIENCE)
        assert b"secret" not in b"".join(contents(tmp_path).values())


def test_a_damaged_journal_gives_its_commands_to_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        for number in range(20):
            keep(journal, str(number), f"make {number}", number)
    data = bytearray(path.read_bytes())
    data[16:100] = bytes(84)  # of its header
    path.write_bytes(data)

    with opened(path) as journal:
        assert journal.damaged is not None
        assert lines(journal) == [f"make {number}" for number in range(20)]
        assert journal.salvaged["commands"] == 20
