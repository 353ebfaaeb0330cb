"""`stop`: the sessions, then the daemon, then the keeper; nothing is left."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.keeper import launch
from holdfast.protocol.messages import Get, SessionInfo
from tests.support.asking import Client
from tests.support.flood import Flood
from tests.support.home import Home, running_home, until

pytestmark = pytest.mark.slow

# Says its last word when it is asked to end, and again when that does not count.
STUBBORN = """
import os, signal, time
for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda *_: os.write(1, b"not me "))
os.write(1, b"ready ")
while True:
    time.sleep(1000)
"""
POLITE = "trap 'echo goodbye; exit 0' TERM; echo ready; while :; do read line; done"


def stubborn(home: Home, client: Client) -> SessionInfo:
    session = home.create(client, sys.executable, "-I", "-S", "-c", STUBBORN)
    until(lambda: home.output(client, session.id), "the program to be ready")
    return session


def nothing_is_left(home: Home) -> None:
    until(lambda: not home.pids(), "every program to end")
    assert list(home.paths.runtime.glob("*.sock")) == []


def by_ask(home: Home) -> None:
    assert home.ask("stop", grace=0.3) == {"ok": True}


def by_signal(home: Home) -> None:
    os.kill(home.status()["keeper"]["pid"], signal.SIGTERM)


@pytest.mark.parametrize("stop", [by_ask, by_signal])
def test_last_words_are_kept_and_nothing_is_left(
    tmp_path: Path, stop: Callable[[Home], None]
) -> None:
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            flood = Flood(home, client)
            polite = home.create(client, "sh", "-c", POLITE)
            until(lambda: b"ready" in home.output(client, polite.id), "it to be ready")
            flood.grows(client)
        home.with_spare()

        stop(home)

        nothing_is_left(home)
        with home.client() as client:
            info = client.call(Get(session=polite.id))
            assert (info.state, info.exit_code) == ("exited", 0)
            assert home.output(client, polite.id).endswith(b"goodbye\r\n")
            assert client.call(Get(session=flood.id)).exit_signal == signal.SIGTERM


def test_the_stubborn_are_killed(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            session = stubborn(home, client)
        home.running()

        by_ask(home)

        nothing_is_left(home)
        with home.client() as client:
            assert client.call(Get(session=session.id)).exit_signal == signal.SIGKILL
            assert home.output(client, session.id) == b"ready not me "


def test_adopted_sessions_are_ended_as_well(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            session = stubborn(home, client)
        killed = home.kill_keeper()
        until(lambda: home.running()["keeper"]["pid"] != killed, "a successor")
        home.running()

        by_ask(home)

        nothing_is_left(home)
        with home.client() as client:
            assert client.call(Get(session=session.id)).exit_signal == signal.SIGKILL


def test_while_the_daemon_is_stopped(tmp_path: Path) -> None:
    """T32."""
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            flood = Flood(home, client)
        status = home.with_spare()
        os.kill(status["daemon"]["pid"], signal.SIGSTOP)

        by_ask(home)

        nothing_is_left(home)
        with home.client() as client:
            assert client.call(Get(session=flood.id)).state == "exited"


def test_while_a_successor_waits_for_a_stopped_daemon(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            session = home.create(client, "sleep", "1000")
        status = home.with_spare()
        os.kill(status["daemon"]["pid"], signal.SIGSTOP)
        os.kill(status["keeper"]["pid"], signal.SIGKILL)
        launch.start(launch.spec(home.paths, home.environ))

        by_ask(home)

        nothing_is_left(home)
        with home.client() as client:
            assert client.call(Get(session=session.id)).exit_signal == signal.SIGTERM


def test_while_no_daemon_comes_up(tmp_path: Path) -> None:
    """The programs get their grace all the same."""
    with running_home(tmp_path / "h") as home:
        mark = tmp_path / "ended"
        with home.client() as client:
            polite = home.create(
                client, "sh", "-c", f"trap 'touch {mark}; exit' TERM; echo ready; read line"
            )
            until(lambda: b"ready" in home.output(client, polite.id), "it to be ready")
        home.paths.config_file.write_text("session.limit = 'junk'\n")
        status = home.running()
        for pid in (status["daemon"]["spare"], status["daemon"]["pid"]):
            if pid:
                os.kill(pid, signal.SIGKILL)
        until(lambda: (home.status()["daemon"]["next_try"] or 0) > 0.1, "starts in vain")

        assert home.ask("stop", grace=20) == {"ok": True}  # it ends as soon as the program does

        nothing_is_left(home)
        assert mark.exists()
        home.paths.config_file.unlink()


def test_while_the_daemon_is_being_replaced(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            flood = Flood(home, client)
            flood.grows(client)
        status = home.running()
        os.kill(status["daemon"]["pid"], signal.SIGKILL)

        by_ask(home)

        nothing_is_left(home)
        with home.client() as client:
            assert client.call(Get(session=flood.id)).exit_signal == signal.SIGTERM


def test_hold_says_when_there_is_nothing_to_stop(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        home.hold("daemon", "start")
        home.running()

        home.hold("daemon", "stop")

        nothing_is_left(home)
        home.hold("daemon", "stop")


@pytest.mark.parametrize("grace", [float("nan"), -1, 1e300, "soon", None, []])
def test_a_grace_that_makes_no_sense_harms_nobody(tmp_path: Path, grace: object) -> None:
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            home.create(client, "sleep", "1000")
        home.running()

        reply = home.ask("stop", grace=grace)

        if reply["ok"]:
            nothing_is_left(home)
        else:
            assert home.status()["sessions"] == 1
