"""`hold doctor` finds what was planted below it, and says what to do. T15 to T19, T22, T32."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.cli.doctor import CHECKS
from tests.store.disks import small_disk
from tests.support.diagnosis import SANE, found, power_off, the_one
from tests.support.hold import Hold

pytestmark = pytest.mark.slow

# -- nothing is wrong


def test_nothing_is_broken_and_nothing_is_begun_where_nothing_runs(hold: Hold) -> None:
    findings = found(hold)

    assert {each["check"] for each in findings} == {check.name for check in CHECKS}
    assert hold.processes() == []
    assert list(hold.home.iterdir()) == []


def test_nothing_is_broken_where_something_runs(hold: Hold) -> None:
    hold.start("--", "cat")

    findings = found(hold)

    assert {each["level"] for each in findings} <= {"ok", "warning"}
    assert [each for each in findings if each["check"] in ("daemon", "keeper", "lock")]


def test_people_are_told_in_lines_with_an_arrow_for_each_fix(hold: Hold) -> None:
    hold.ok("daemon", "start")
    (hold.home / "run").chmod(0o755)

    done = hold.run("doctor", input=b"", **SANE)

    text = done.stdout.decode()
    assert (done.returncode, done.stderr) == (1, b"")
    assert re.search(r"(?m)^broken +directories .*open to other users\n +-> chmod 700 ", text)
    assert re.search(r"(?m)^1 thing is broken, \d+ warnings?$", text)
    (hold.home / "run").chmod(0o700)


def test_on_a_terminal_no_word_is_cut_in_two(hold: Hold) -> None:
    looked = hold.terminal("doctor", size=(60, 24))

    lines = looked.end()[0].decode().replace("\r", "").splitlines()

    assert lines[-1] in ("all is well", "nothing is broken, 1 warning")
    assert max(len(re.sub("\x1b[^m]*m", "", line)) for line in lines) <= 60
    assert any(line.startswith(" " * 20) for line in lines)


# -- directories, settings, sockets, lock


def test_a_directory_that_others_may_enter(hold: Hold) -> None:
    """T16. And doing what the fix says mends it."""
    hold.ok("daemon", "start")
    (hold.home / "state").chmod(0o750)

    fix = the_one(found(hold, broken=True), "directories", "broken", "open to other users")["fix"]

    assert os.system(fix) == 0
    found(hold)


def test_a_runtime_directory_that_is_a_link(hold: Hold, tmp_path: Path) -> None:
    """T16."""
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (hold.home / "run").symlink_to(tmp_path / "elsewhere")

    the_one(found(hold, broken=True), "directories", "broken", "a link")

    (hold.home / "run").unlink()


def test_a_home_that_cannot_be_made(hold: Hold) -> None:
    (hold.home / "file").write_text("in the way")

    findings = found(hold, broken=True, HOLDFAST_HOME=str(hold.home / "file" / "home"))

    named = [each for each in findings if each["check"] == "directories"]
    assert [each["level"] for each in named] == ["broken", "broken"]


def test_sockets_that_a_killed_keeper_has_left(hold: Hold) -> None:
    """T16."""
    hold.ok("daemon", "start")
    power_off(hold)

    findings = [each for each in found(hold) if each["check"] == "sockets"]

    assert [each["level"] for each in findings] == ["warning", "warning"]
    assert all("nobody listens" in each["what"] for each in findings)


def test_a_socket_that_was_deleted_and_the_fix_that_brings_it_back(hold: Hold) -> None:
    """T16."""
    hold.ok("daemon", "start")
    (hold.home / "run" / "hold.sock").unlink()

    the_one(found(hold), "sockets", "warning", "was deleted")

    hold.ok("ls")
    assert {each["level"] for each in found(hold) if each["check"] == "sockets"} == {"ok"}


def test_a_file_where_a_socket_belongs(hold: Hold) -> None:
    (hold.home / "run").mkdir(mode=0o700)
    (hold.home / "run" / "hold.sock").write_text("")

    the_one(found(hold, broken=True), "sockets", "broken", "is no socket")


def test_a_lock_that_was_deleted_under_the_keeper(hold: Hold) -> None:
    hold.ok("daemon", "start")
    (hold.home / "state" / "keeper.lock").unlink()

    the_one(found(hold, broken=True), "lock", "broken", "was deleted")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[session]\nlimits = 4\n", "limits"),
        ("[session]\nlimit = 'many'\n", "many"),
        ("[session\n", "not TOML"),
    ],
)
def test_a_config_file_that_cannot_be_used(hold: Hold, text: str, what: str) -> None:
    """T15. It is found before the next daemon is."""
    hold.ok("daemon", "start")
    (hold.home / "config.toml").write_text(text)

    one = the_one(found(hold, broken=True), "settings", "broken", "config.toml:")

    assert what in one["what"] + one["fix"]


def test_all_settings_that_cannot_be_used_are_found_at_once(hold: Hold) -> None:
    (hold.home / "config.toml").write_text("[session]\nlimits = 4\nlimit = 'many'\n")

    findings = found(hold, broken=True, HOLDFAST_DAEMON_IDLE="soon")

    whats = [each["what"] for each in findings if each["check"] == "settings"]
    assert len(whats) == 3
    assert all(any(word in what for what in whats) for word in ("limits", "many", "soon"))


def test_a_variable_that_cannot_be_used(hold: Hold) -> None:
    findings = found(hold, broken=True, HOLDFAST_DAEMON_IDLE="soon")

    the_one(findings, "settings", "broken", "HOLDFAST_DAEMON_IDLE")


def test_a_home_that_is_no_place_leaves_the_rest_to_be_asked(hold: Hold) -> None:
    findings = found(hold, broken=True, HOLDFAST_HOME="here")

    the_one(findings, "settings", "broken", "HOLDFAST_HOME")
    assert {each["check"] for each in findings} >= {"limits", "terminal"}


def test_a_config_file_that_others_may_write(hold: Hold) -> None:
    (hold.home / "config.toml").write_text("")
    (hold.home / "config.toml").chmod(0o666)

    the_one(found(hold), "settings", "warning", "may write")


def test_a_token_that_others_may_read(hold: Hold) -> None:
    (hold.home / "state").mkdir(mode=0o700)
    (hold.home / "state" / "token").write_text("secret")
    (hold.home / "state" / "token").chmod(0o644)

    the_one(found(hold, broken=True), "token", "broken", "open to other users")

    (hold.home / "state" / "token").unlink()


# -- the journal, the disk


def torn(journal: Path) -> None:
    with journal.open("r+b") as file:
        file.seek(4096 * 2)
        file.write(b"\xff" * 4096)


@pytest.mark.parametrize(
    "damage",
    [torn, lambda journal: journal.write_bytes(b"rubbish" * 1000)],
    ids=["a page", "everything"],
)
def test_a_damaged_journal(hold: Hold, damage: Callable[[Path], None]) -> None:
    """T19. It is left as it is, for the daemon to keep what can be read."""
    hold.start("--", "true")
    hold.ok("daemon", "stop", "--yes")
    journal = hold.home / "state" / "journal.db"
    damage(journal)
    before = journal.read_bytes()

    the_one(found(hold, broken=True), "journal", "broken", "is damaged")

    assert journal.read_bytes() == before
    hold.ok("daemon", "restart")
    the_one(found(hold), "journal", "warning", "kept aside")


def test_output_that_fills_its_budget(hold: Hold) -> None:
    hold.start("--", "true")
    hold.ok("daemon", "stop", "--yes")
    (log,) = (hold.home / "state" / "sessions").glob("*/*.log")
    with log.open("ab") as file:
        file.truncate(2 << 20)

    the_one(found(hold, HOLDFAST_SESSION_BUDGET="2 MiB"), "disk", "warning", "of its budget")


def test_a_disk_that_is_full(hold: Hold, tmp_path: Path) -> None:
    """T18."""
    with small_disk(tmp_path / "disk", 4 << 20) as disk:
        findings = found(hold, broken=True, HOLDFAST_HOME=str(disk))

    the_one(findings, "disk", "broken", "is full")
