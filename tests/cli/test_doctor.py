"""`hold doctor` finds what was planted below it, and says what to do. T15 to T19, T22, T32."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import holdfast
from holdfast.cli.doctor import CHECKS
from holdfast.reader.fence import NOTE, Fence
from tests.store.disks import small_disk
from tests.support.hold import HOLD, Hold
from tests.support.home import until

pytestmark = pytest.mark.slow

SANE = {"LANG": "C.UTF-8", "LC_ALL": "", "LC_CTYPE": ""}
Finding = dict[str, Any]


def found(hold: Hold, *, broken: bool = False, **environ: str) -> list[Finding]:
    """Return every finding; the exit code says whether one is of something broken."""
    done = hold.run("doctor", "--json", input=b"", **(SANE | environ))
    assert done.stderr == b""
    told = json.loads(done.stdout)
    levels = {each["level"] for each in told["findings"]}
    assert (done.returncode, told["ok"], "broken" in levels) == (broken, not broken, broken), told
    return list(told["findings"])


def the_one(findings: list[Finding], check: str, level: str, what: str) -> Finding:
    """Return the finding of a check; whatever is wrong has a fix."""
    named = [each for each in findings if each["check"] == check and each["level"] == level]
    (one,) = [each for each in named if what in each["what"]]
    assert one["fix"], one
    return one


def power_off(hold: Hold) -> None:
    """SIGKILL everything at once, as a machine that goes off."""
    pids = hold.processes()
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            os.kill(pid, number)
    until(lambda: hold.processes() == [], "the last process to be gone")


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def limited(hold: Hold, limit: str) -> list[Finding]:
    """Look with a limit of a shell's."""
    script = f'ulimit {limit}; exec "$0" "$@"'
    words = ["sh", "-c", script, *HOLD, "doctor", "--json"]
    done = subprocess.run(words, env=hold.environ | SANE, capture_output=True, check=False)
    return list(json.loads(done.stdout)["findings"])


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


# -- processes


def test_a_daemon_that_hangs(hold: Hold) -> None:
    """T32. The fix is the one that helps."""
    hold.ok("daemon", "start")
    os.kill(hold.status()["daemon"]["pid"], signal.SIGSTOP)

    fix = the_one(found(hold, broken=True), "daemon", "broken", "stopped by a signal")["fix"]

    assert "`hold daemon restart`" in fix
    hold.ok("daemon", "restart")
    found(hold)


def test_a_keeper_that_hangs(hold: Hold) -> None:
    hold.ok("daemon", "start")
    keeper = hold.status()["keeper"]["pid"]

    with stopped(keeper):
        findings = found(hold, broken=True)

    assert the_one(findings, "lock", "broken", "does not answer")["fix"].endswith(f"-CONT {keeper}")
    found(hold)


def test_a_daemon_that_cannot_start(hold: Hold) -> None:
    """T15. Only the keeper runs, and says why."""
    hold.ok("daemon", "start")
    (hold.home / "config.toml").write_text("[session]\nlimit = 'many'\n")
    os.kill(hold.status()["daemon"]["pid"], signal.SIGKILL)

    def waits() -> bool:
        findings = json.loads(hold.run("doctor", "--json").stdout)["findings"]
        said = [each["what"] for each in findings if each["check"] == "daemon"]
        return "is waiting" in said[0] and "many" in said[0]

    until(waits, "the keeper to have given up for now")
    (hold.home / "config.toml").unlink()
    hold.ok("daemon", "restart")


def test_a_daemon_of_another_version(hold: Hold, tmp_path: Path) -> None:
    """T17."""
    copy = tmp_path / "src"
    shutil.copytree(Path(holdfast.__file__).parents[1], copy)
    words = copy / "holdfast" / "__init__.py"
    words.write_text(re.sub(r'__version__ = ".*"', '__version__ = "0.0.9"', words.read_text()))
    hold.ok("daemon", "start", PYTHONPATH=str(copy))
    until(lambda: hold.status()["daemon"]["spare"], "a spare daemon")

    findings = found(hold)

    assert "restart" in the_one(findings, "daemon", "warning", "is version 0.0.9")["fix"]
    the_one(findings, "daemon", "warning", "the spare daemon")
    hold.ok("daemon", "restart")
    assert {each["level"] for each in found(hold) if each["check"] == "daemon"} == {"ok"}


def test_the_pump_that_copies(hold: Hold) -> None:
    (hold.home / "config.toml").write_text("[session]\npump = 'copy'\n")
    hold.ok("daemon", "start")

    one = the_one(found(hold), "pump", "warning", "copy")

    assert "may lose" in one["what"]


def test_a_session_that_the_reader_does_not_read(hold: Hold) -> None:
    (hold.home / "run").mkdir(mode=0o700)
    for _ in range(2):
        (hold.home / "run" / NOTE).write_bytes(b"!k3v9qd 0 100\n")
        Fence(hold.home / "run", holdfast.__version__).close()

    the_one(found(hold), "reader", "warning", "k3v9qd")


def test_a_reader_that_cannot_be_imported(hold: Hold, tmp_path: Path) -> None:
    (tmp_path / "pyghostty.py").write_text("raise ImportError('no such library: libghostty')")
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])

    findings = found(hold, PYTHONPATH=path, HOLDFAST_READER_ENABLED="on")

    the_one(findings, "reader", "warning", "no such library")


@pytest.mark.parametrize(
    ("limit", "level", "what"),
    [
        ("-n 100", "broken", "file descriptors"),
        ("-n 1000", "warning", "file descriptors"),
        ("-f 1000000", "warning", "no file may be larger"),
    ],
)
def test_limits_that_are_too_low(hold: Hold, limit: str, level: str, what: str) -> None:
    """T18."""
    the_one(limited(hold, limit), "limits", level, what)


# -- around


@pytest.mark.parametrize("name", ["dumb", "no-such-terminal"])
def test_a_terminal_that_nobody_knows(hold: Hold, name: str) -> None:
    the_one(found(hold, TERM=name), "terminal", "warning", repr(name))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("\x1b[?1u\x1b[?62;22c", "kitty keyboard: every key"),
        ("\x1b[?62;22c", "ordinary keys"),
        ("", "answers no questions"),
    ],
)
def test_the_terminal_itself_is_asked(hold: Hold, answer: str, said: str) -> None:
    asking = hold.terminal("doctor")

    asking.expect("\x1b[?u\x1b[c")
    asking.send(answer)

    asking.expect(said)
    asking.end()
    assert asking.modes() == asking.before


def test_a_locale_without_umlauts(hold: Hold) -> None:
    the_one(found(hold, LC_ALL="C"), "locale", "warning", "'C'")


def test_a_shell_that_is_not_there(hold: Hold) -> None:
    the_one(found(hold, broken=True, SHELL="/no/shell"), "shell", "broken", "/no/shell")


def test_a_clock_that_was_set_back(hold: Hold) -> None:
    """T20."""
    hold.ok("daemon", "start")
    hold.ok("daemon", "stop", "--yes")
    ahead = time.time() + 86400 * 3
    os.utime(hold.home / "state" / "journal.db", (ahead, ahead))

    the_one(found(hold), "clock", "warning", "2 d in the future")
