"""Every format the journal ever had becomes the newest one; a newer one is left alone."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from holdfast.errors import IoFailed, NewerFormat
from holdfast.store import Journal, migrations
from tests.store.journals import contents, ids, opened, put, tell

# Files as released versions made them; these texts are never edited.
FORMATS = {
    1: """
        PRAGMA journal_mode = WAL;
        CREATE TABLE meta (name TEXT NOT NULL UNIQUE, value TEXT NOT NULL);
        CREATE TABLE sessions (id TEXT NOT NULL UNIQUE, created REAL NOT NULL,
            state TEXT NOT NULL, facts TEXT NOT NULL);
        CREATE TABLE lives (session TEXT NOT NULL, number INTEGER NOT NULL,
            started REAL NOT NULL, facts TEXT NOT NULL, UNIQUE (session, number));
        CREATE TABLE events (number INTEGER PRIMARY KEY, time REAL NOT NULL,
            session TEXT NOT NULL, kind TEXT NOT NULL, facts TEXT NOT NULL);
        CREATE INDEX events_of_session ON events (session);
        CREATE TABLE audit (number INTEGER PRIMARY KEY, time REAL NOT NULL,
            session TEXT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, facts TEXT NOT NULL);
        CREATE INDEX audit_of_session ON audit (session);
        PRAGMA user_version = 1;
        INSERT INTO meta VALUES ('format', '1'), ('holdfast_version', '0.1.0'),
            ('newest_event', '7'), ('closed', '1'), ('note.boot', 'first');
        INSERT INTO sessions VALUES ('k3v9', 1.5, 'running',
            '1b3d0ad4{"id":"k3v9","argv":["sh","\\udcff"],"of_tomorrow":[1]}');
        INSERT INTO lives VALUES ('k3v9', 1, 1.5, 'c225affa{"number":1}');
        INSERT INTO events VALUES (7, 2.5, 'k3v9', 'created', '561bacaf{"a":1}');
        INSERT INTO audit VALUES (1, 3.5, 'k3v9', 'agent', 'create', '10ff5860{"bytes":0}');
    """,
    2: """
        PRAGMA journal_mode = WAL;
        CREATE TABLE meta (name TEXT NOT NULL UNIQUE, value TEXT NOT NULL);
        CREATE TABLE sessions (id TEXT NOT NULL UNIQUE, created REAL NOT NULL,
            state TEXT NOT NULL, facts TEXT NOT NULL);
        CREATE TABLE lives (session TEXT NOT NULL, number INTEGER NOT NULL,
            started REAL NOT NULL, facts TEXT NOT NULL, UNIQUE (session, number));
        CREATE TABLE events (number INTEGER PRIMARY KEY, time REAL NOT NULL,
            session TEXT NOT NULL, kind TEXT NOT NULL, facts TEXT NOT NULL);
        CREATE INDEX events_of_session ON events (session);
        CREATE TABLE audit (number INTEGER PRIMARY KEY, time REAL NOT NULL,
            session TEXT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, facts TEXT NOT NULL);
        CREATE INDEX audit_of_session ON audit (session);
        CREATE TABLE commands (session TEXT NOT NULL, id TEXT NOT NULL, started REAL NOT NULL,
            facts TEXT NOT NULL, UNIQUE (session, id));
        PRAGMA user_version = 2;
        INSERT INTO meta VALUES ('format', '2'), ('holdfast_version', '0.2.0'),
            ('newest_event', '7'), ('closed', '1'), ('note.boot', 'first');
        INSERT INTO sessions VALUES ('k3v9', 1.5, 'running',
            '1b3d0ad4{"id":"k3v9","argv":["sh","\\udcff"],"of_tomorrow":[1]}');
        INSERT INTO lives VALUES ('k3v9', 1, 1.5, 'c225affa{"number":1}');
        INSERT INTO events VALUES (7, 2.5, 'k3v9', 'created', '561bacaf{"a":1}');
        INSERT INTO audit VALUES (1, 3.5, 'k3v9', 'agent', 'create', '10ff5860{"bytes":0}');
        INSERT INTO commands VALUES ('k3v9', '1', 4.5, 'ec8239c2{"line":"make"}');
    """,
}
NEWER = """
    UPDATE meta SET value = '{number}' WHERE name = 'format';
    UPDATE meta SET value = '7.3.1' WHERE name = 'holdfast_version';
    CREATE TABLE of_tomorrow (x);
    PRAGMA user_version = {number};
"""


def made(path: Path, script: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()
    return path


def shape(path: Path) -> list[tuple[str, ...]]:
    """Return what there is in a file, not minding how it was typed."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name")
    found = [(kind, name, *(sql or "").split()) for kind, name, sql in rows]
    connection.close()
    return found


def newer(path: Path) -> Path:
    made(path, FORMATS[1])
    return made(path, NEWER.format(number=migrations.VERSION + 1))


def killed_newer(tmp_path: Path) -> Path:
    """A journal whose upgrade is known to its write-ahead log alone, with nobody alive."""
    path = made(tmp_path / "made" / "journal.db", FORMATS[1])
    connection = sqlite3.connect(path)
    connection.executescript(NEWER.format(number=migrations.VERSION + 1))
    shutil.copytree(path.parent, tmp_path / "home")
    connection.close()
    (tmp_path / "home" / "journal.db-shm").unlink()
    return tmp_path / "home" / "journal.db"


def test_there_is_a_file_of_every_format() -> None:
    assert sorted(FORMATS) == list(range(1, migrations.VERSION + 1))


@pytest.mark.parametrize("number", FORMATS)
def test_every_format_becomes_the_newest(tmp_path: Path, number: int) -> None:
    old = made(tmp_path / "old.db", FORMATS[number])
    with opened(old) as journal:
        assert journal.damaged is None
        (facts,) = journal.sessions()
        assert facts == {"id": "k3v9", "argv": ["sh", "\udcff"], "of_tomorrow": [1]}
        assert journal.lives("k3v9") == [{"number": 1}]
        assert journal.events(0, 9)[0].facts == {"a": 1}
        assert journal.audit("k3v9", 9)[0].who == "agent"
        assert journal.noted("boot") == "first"
        assert journal.commands("k3v9") == [{"line": "make"}] * (number >= 2)
        assert tell(journal, 1) == [8]
    Journal.open(tmp_path / "new.db").close()

    assert shape(old) == shape(tmp_path / "new.db")


STEPS = (migrations.FIRST, ("ALTER TABLE audit ADD COLUMN at REAL DEFAULT 0",))


def test_only_the_steps_that_are_missing_are_taken(tmp_path: Path) -> None:
    connection = sqlite3.connect(made(tmp_path / "journal.db", FORMATS[1]), isolation_level=None)

    assert migrations.migrate(connection, STEPS)
    assert not migrations.migrate(connection, STEPS)

    assert migrations.version_of(connection) == 2
    assert migrations.noted_format(connection)[0] == 2
    assert connection.execute("SELECT at FROM audit").fetchall() == [(0,)]
    connection.close()


@pytest.mark.parametrize("wrong", ["CREATE TABLE audit (x)", "rubbish", "SELECT no FROM notes"])
def test_a_step_that_fails_leaves_the_format_that_was(tmp_path: Path, wrong: str) -> None:
    path = made(tmp_path / "journal.db", FORMATS[1])
    before = shape(path)
    connection = sqlite3.connect(path, isolation_level=None)

    with pytest.raises(sqlite3.OperationalError):
        migrations.migrate(connection, (*STEPS, (wrong,)))

    assert migrations.version_of(connection) == 1
    connection.close()
    assert shape(path) == before
    with opened(path) as journal:
        assert ids(journal) == ["k3v9"]


def test_a_newer_format_is_refused_and_nothing_changed(tmp_path: Path) -> None:
    path = newer(tmp_path / "home" / "journal.db")
    before = contents(path.parent)

    for refuses in (Journal.open, Journal.check):
        with pytest.raises(NewerFormat, match=r"it has format 3.*\n.*install Holdfast 7\.3\.1"):
            refuses(path)
    assert contents(path.parent) == before


def test_a_newer_format_that_only_the_write_ahead_log_knows_is_refused(tmp_path: Path) -> None:
    path = killed_newer(tmp_path)
    before = contents(path.parent)
    assert sorted(before) == ["journal.db", "journal.db-wal"]

    for refuses in (Journal.open, Journal.check):
        with pytest.raises(NewerFormat, match=r"install Holdfast 7\.3\.1"):
            refuses(path)
    assert contents(path.parent) == before


def test_a_newer_format_is_seen_while_a_daemon_writes_it(tmp_path: Path) -> None:
    path = made(tmp_path / "journal.db", FORMATS[1])
    daemon = sqlite3.connect(path)
    daemon.executescript(NEWER.format(number=migrations.VERSION + 1))
    try:
        with pytest.raises(NewerFormat):
            Journal.check(path)
    finally:
        daemon.close()


@pytest.mark.parametrize(
    "damage",
    [
        *(f"PRAGMA user_version = {number}" for number in (2, 0, -1, 1 << 30)),
        "UPDATE meta SET value = '9' WHERE name = 'format'; PRAGMA user_version = 2",
        "UPDATE meta SET value = '2' WHERE name = 'format'",
        "DELETE FROM meta WHERE name = 'format'",
    ],
)
def test_a_damaged_number_is_not_taken_for_another_format(tmp_path: Path, damage: str) -> None:
    path = made(tmp_path / "journal.db", FORMATS[1] + damage)

    Journal.check(path)
    with opened(path) as journal:
        assert journal.damaged is not None
        assert ids(journal) == ["k3v9"]


def test_a_look_needs_no_journal_and_changes_none(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    Journal.check(path)
    assert contents(tmp_path) == {}

    with opened(path) as journal:
        put(journal, "aaaa")
    before = contents(tmp_path)
    Journal.check(path)
    assert contents(tmp_path) == before


def test_what_cannot_be_read_is_neither_newer_nor_damaged(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.mkdir()

    for refuses in (Journal.open, Journal.check):
        with pytest.raises(IoFailed, match="directory"):
            refuses(path)
    assert path.is_dir()
