"""`hold daemon`: what runs, in every state it can be in."""

import json
import os
import re
import signal

import pytest

from tests.support.hold import Hold

pytestmark = pytest.mark.slow

COUNTER = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done"


def test_nothing_runs(hold: Hold) -> None:
    done = hold.run("daemon", "status", "--json")

    assert done.returncode == 7
    assert json.loads(done.stdout)["daemon"] is None
    assert hold.run("daemon", "stop").returncode == 0


def test_start_status_stop(hold: Hold) -> None:
    said = hold.ok("daemon", "start")
    status = hold.status()

    assert str(status["daemon"]["pid"]) in said
    assert hold.ok("daemon", "start") == said
    assert set(hold.processes()) >= {status["daemon"]["pid"], status["keeper"]["pid"]}
    assert (status["daemon"]["state"], status["restarts"]) == ("running", 0)
    assert status["pump"] in ("splice", "copy")
    assert re.match(r"daemon +running, pid \d+", hold.ok("daemon", "status"))
    hold.ok("daemon", "stop", "--yes")
    assert hold.processes() == []


@pytest.mark.parametrize("words", ["status", "restart", "stop --yes"])
def test_the_keeper_of_somebody_else_is_not_asked(hold: Hold, words: str) -> None:
    """T16: by root it could be, and anybody could answer in a place that is not ours."""
    if os.getuid() == 0:
        hold.ok("daemon", "start")
        os.chown(hold.home / "run", 12345, -1)
        done = hold.run("daemon", *words.split())
        os.chown(hold.home / "run", 0, -1)
        assert hold.status()["restarts"] == 0
    else:  # there is a /run, and it is root's
        done = hold.run("daemon", *words.split(), HOLDFAST_HOME="/")

    assert done.returncode not in (0, 7)
    assert b"which belongs to user" in done.stderr


def test_stop_says_what_lives_and_asks(hold: Hold) -> None:
    hold.start("--", "sleep", "100")
    asked = hold.terminal("daemon", "stop")

    asked.expect("1 session will end")
    asked.expect("[y/N]")
    asked.send("n\n")
    assert asked.end()[1] == 1
    assert len(hold.sessions()) == 1

    asked = hold.terminal("daemon", "stop")
    asked.expect("[y/N]")
    asked.send("y\n")
    assert asked.end()[1] == 0
    assert hold.processes() == []


def numbers(text: str) -> list[int]:
    return [int(line) for line in text.split("\r\n")[:-1]]


@pytest.mark.parametrize("victim", ["daemon", "keeper"])
def test_killed_three_times_and_nothing_is_missing(hold: Hold, victim: str) -> None:
    session = hold.start("--", "sh", "-c", COUNTER)
    before = hold.sessions()[0]["pid"]

    for _ in range(3):
        at = hold.sessions()[0]["offset"]
        os.kill(hold.status()[victim]["pid"], signal.SIGKILL)
        hold.ok("output", session, "--follow", "--until", str(at + 200))

    found = numbers(hold.ok("output", session))
    assert found == list(range(1, len(found) + 1))
    assert hold.sessions()[0]["pid"] == before
    if victim == "daemon":
        assert hold.status()["restarts"] == 3


def test_restart_loses_nothing(hold: Hold) -> None:
    session = hold.start("--", "sh", "-c", COUNTER)
    before = hold.status()["daemon"]["pid"]

    hold.ok("daemon", "restart")

    assert hold.status()["daemon"]["pid"] != before
    at = hold.sessions()[0]["offset"]
    hold.ok("output", session, "--follow", "--until", str(at + 200))
    found = numbers(hold.ok("output", session))
    assert found == list(range(1, len(found) + 1))


def test_a_daemon_that_hangs_is_named_and_replaced(hold: Hold) -> None:
    hold.ok("daemon", "start")
    pid = hold.status()["daemon"]["pid"]
    os.kill(pid, signal.SIGSTOP)

    done = hold.run("ls")

    assert done.returncode == 7
    assert b"stopped by a signal" in done.stderr
    assert b"hold daemon restart" in done.stderr
    hold.ok("daemon", "restart")
    assert hold.sessions() == []


def test_a_daemon_that_cannot_start_is_named(hold: Hold) -> None:
    (hold.home / "config.toml").write_text("[session]\nlimit = 'many'\n")

    done = hold.run("ls")

    assert done.returncode == 7
    assert len(done.stderr.splitlines()) == 2
    assert b"does not start" in done.stderr
    assert b"config.toml:2" in done.stderr
    (hold.home / "config.toml").unlink()
    hold.ok("daemon", "restart")
    assert hold.sessions() == []


def test_a_restart_that_cannot_work_changes_nothing(hold: Hold) -> None:
    hold.ok("daemon", "start")
    before = hold.status()["daemon"]["pid"]
    (hold.home / "config.toml").write_text("[session]\nlimit = 'many'\n")

    done = hold.run("daemon", "restart")

    assert done.returncode == 7
    assert b"the daemon was not restarted" in done.stderr
    assert hold.status()["daemon"]["pid"] == before
