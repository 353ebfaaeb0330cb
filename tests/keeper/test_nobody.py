"""Keeper and daemon end when nobody needs them, and nobody who comes notices."""

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from holdfast.protocol.messages import Kill, List
from tests.support.home import Home, running_home, until

pytestmark = pytest.mark.slow

SOON = {"HOLDFAST_DAEMON_IDLE": "300ms"}


def log(home: Home, name: str) -> str:
    return (home.paths.state / f"{name}.log").read_text()


def test_keeper_and_daemon_end_when_nobody_needs_them_and_say_so(tmp_path: Path) -> None:
    with running_home(tmp_path / "h", SOON) as home:
        home.hold("daemon", "start")
        keeper = home.running()["keeper"]["pid"]
        ended = os.pidfd_open(keeper)
        until(lambda: not home.pids(), "the last process to end")
        os.close(ended)

        assert "no session and no client: this daemon ends idle=0.3" in log(home, "daemon")
        assert "nothing is left: no session, no client; the keeper ends" in log(home, "keeper")
        assert "Traceback" not in log(home, "daemon") + log(home, "keeper")
        runtime = {path.name for path in Path(home.paths.runtime).iterdir()}
        assert not {name for name in runtime if name.endswith(".sock")}
        assert home.hold("ls") == ""


def test_a_session_or_a_client_keeps_them(tmp_path: Path) -> None:
    with running_home(tmp_path / "h", SOON) as home:
        with home.client() as client:
            pids = home.with_spare()
            session = home.create(client, "sleep", "100")
            time.sleep(0.7)  # the time in which they would end is the experiment
            client.call(Kill(session=session.id, now=True))
            home.ended(client, session.id)
            time.sleep(0.7)
            assert client.call(List()).sessions == []
            assert home.status()["keeper"]["pid"] == pids["keeper"]["pid"]
            assert home.status()["daemon"]["pid"] == pids["daemon"]["pid"]
            session = home.create(client, "sleep", "100")
        time.sleep(0.7)
        assert home.status()["daemon"]["pid"] == pids["daemon"]["pid"]
        home.hold("kill", session.id)
        until(lambda: not home.pids(), "the last process to end")


def test_never_means_never(tmp_path: Path) -> None:
    with running_home(tmp_path / "h", {"HOLDFAST_DAEMON_IDLE": "never"}) as home:
        home.hold("daemon", "start")
        pids = home.running()
        time.sleep(0.7)  # the time in which they would end is the experiment
        assert home.running()["daemon"]["pid"] == pids["daemon"]["pid"]


def test_an_idle_daemon_whose_keeper_has_just_died_waits_for_the_next(tmp_path: Path) -> None:
    with running_home(tmp_path / "h", SOON) as home:
        home.hold("daemon", "start")
        home.kill_keeper()
        until(lambda: not home.pids(), "the last process to end")
        assert home.hold("ls") == ""


def test_who_connects_just_when_the_time_is_up_is_served(tmp_path: Path) -> None:
    """A daemon that was stopped meanwhile hears of both at once when it goes on."""
    with running_home(tmp_path / "h", {"HOLDFAST_DAEMON_IDLE": "1s"}) as home:
        home.hold("daemon", "start")
        status = home.running()
        os.kill(status["daemon"]["pid"], signal.SIGSTOP)
        answers: list[int] = []

        def ask() -> None:
            with home.client() as client:
                answers.append(len(client.call(List()).sessions))

        asking = threading.Thread(target=ask)
        asking.start()
        until(lambda: _backlog(home) > 0, "a client in the backlog")
        time.sleep(1.0)  # by now its time is up
        os.kill(status["daemon"]["pid"], signal.SIGCONT)
        asking.join()

        assert answers == [0]
        assert home.status()["keeper"]["pid"] == status["keeper"]["pid"]


def test_a_command_that_races_with_the_end_never_notices(tmp_path: Path) -> None:
    """From the first moment to the last: before the doors close, in between, and after."""
    with running_home(tmp_path / "h", {"HOLDFAST_DAEMON_IDLE": "50ms"}) as home:
        keepers = set()
        for turn in range(40):
            with home.client() as client:
                assert client.call(List()).sessions == []
                keepers.add(client.welcome.pid)
            time.sleep(0.045 + turn % 30 * 0.001)  # the moment is the experiment
        assert len(keepers) > 5


def test_many_commands_at_once_that_race_with_the_end_never_notice(tmp_path: Path) -> None:
    with running_home(tmp_path / "h", {"HOLDFAST_DAEMON_IDLE": "50ms"}) as home:
        failures: list[BaseException] = []

        def come_and_go(offset: float) -> None:
            try:
                for turn in range(12):
                    with home.client() as client:
                        client.call(List())
                    time.sleep(0.05 + offset + turn * 0.001)  # the moment is the experiment
            except Exception as error:  # noqa: BLE001 - told below, in the test's own thread
                failures.append(error)

        people = [threading.Thread(target=come_and_go, args=(n * 0.002,)) for n in range(4)]
        for person in people:
            person.start()
        for person in people:
            person.join()

        assert failures == []


def _backlog(home: Home) -> int:
    """How many connections wait to be accepted, as the kernel says."""
    words = ["ss", "-xlnH", "src", str(home.paths.socket)]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return sum(int(line.split()[2]) for line in told.splitlines())
