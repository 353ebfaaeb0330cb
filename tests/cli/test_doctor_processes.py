"""`hold doctor` finds what is wrong with processes and around them. T15, T18, T22, T32."""

import json
import os
import re
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

import holdfast
from holdfast.reader.fence import NOTE, Fence
from tests.support.diagnosis import found, limited, stopped, the_one
from tests.support.hold import Hold
from tests.support.home import until

pytestmark = pytest.mark.slow

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
