"""The table of sessions: written whole, read whatever has happened to it."""

import logging
from pathlib import Path

import pytest

from holdfast.errors import InvalidArgument
from holdfast.store import JSON, SessionTable

BUILD: dict[str, JSON] = {"id": "k3v9", "name": "build", "argv": ["sh", "\udcff"], "cols": 80}
OTHER: dict[str, JSON] = {"id": "a0b1", "name": None, "at": 1.5, "env": {"TERM": "xterm"}}


def test_what_is_put_is_found_again_by_another_table(tmp_path: Path) -> None:
    for record in (BUILD, OTHER):
        SessionTable(tmp_path).put(record)
    table = SessionTable(tmp_path)

    assert table.all() == [OTHER, BUILD]
    assert table.get("k3v9") == BUILD
    assert table.get("none") is None
    assert table.damaged == []


def test_a_record_is_replaced_as_a_whole(tmp_path: Path) -> None:
    table = SessionTable(tmp_path)
    table.put(BUILD | {"long": "x" * 10_000})
    table.put(BUILD)

    assert table.get("k3v9") == BUILD
    assert [path.name for path in table.directory("k3v9").iterdir()] == ["session.json"]


def test_nobody_else_may_look(tmp_path: Path) -> None:
    SessionTable(tmp_path).put(BUILD)

    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "sessions").rglob("*")}
    assert modes == {"k3v9": 0o700, "session.json": 0o600}
    assert (tmp_path / "sessions").stat().st_mode & 0o777 == 0o700


def test_an_empty_state_has_no_sessions(tmp_path: Path) -> None:
    assert SessionTable(tmp_path).all() == []


def test_a_removed_session_is_gone_and_its_log_is_not(tmp_path: Path) -> None:
    table = SessionTable(tmp_path)
    for record in (BUILD, OTHER):
        table.put(record)
    log = table.directory("k3v9") / "00000000000000000000.log"
    log.touch()

    for session in ("k3v9", "a0b1", "a0b1"):
        table.remove(session)

    assert table.all() == []
    assert log.exists()
    assert not table.directory("a0b1").exists()


@pytest.mark.parametrize("session", ["", "..", "a/b", "UPPER", "x", "a" * 33, "good\n"])
def test_an_id_that_is_none_reaches_no_file(tmp_path: Path, session: str) -> None:
    table = SessionTable(tmp_path)

    with pytest.raises(InvalidArgument, match="not a session id"):
        table.put({"id": session})
    with pytest.raises(InvalidArgument, match="not a session id"):
        table.get(session)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"id": "else"}',
        b"[" * 100_000,
        bytes(300),
    ],
    ids=lambda damage: repr(damage[:8]),
)
def test_a_damaged_record_is_set_aside_and_reported(
    tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    table = SessionTable(tmp_path)
    for record in (BUILD, OTHER):
        table.put(record)
    (table.directory("k3v9") / "session.json").write_bytes(damage)

    with caplog.at_level(logging.WARNING):
        assert table.all() == [OTHER]

    aside = table.directory("k3v9") / "session.json.damaged"
    assert aside.read_bytes() == damage
    assert table.damaged == [aside]
    assert "k3v9" in caplog.text
    assert table.get("k3v9") is None


def test_a_write_cut_short_leaves_the_record_that_was(tmp_path: Path) -> None:
    table = SessionTable(tmp_path)
    table.put(BUILD)
    (table.directory("k3v9") / "session.json.new").write_text('{"id": "k3v' + "x" * 1000)

    assert table.all() == [BUILD]
    table.put(BUILD | {"name": "again"})
    assert table.get("k3v9") == BUILD | {"name": "again"}


def test_what_cannot_be_read_stays_and_is_reported(tmp_path: Path) -> None:
    table = SessionTable(tmp_path)
    table.put(OTHER)
    path = table.directory("k3v9") / "session.json"
    path.mkdir(parents=True)

    assert table.all() == [OTHER]
    assert table.damaged == [path]
