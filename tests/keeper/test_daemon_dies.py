"""The daemon may die at any time: its keeper has another one, and nobody notices."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from holdfast.protocol.messages import Get, Input
from tests.support.flood import Flood
from tests.support.home import Home, running_home, until

pytestmark = pytest.mark.slow


def next_daemon(home: Home, before: int) -> int:
    """Wait for a daemon that serves and is not *before*."""
    running = until(lambda: _other(home, before), "another daemon")
    return int(running)


def _other(home: Home, before: int) -> int | None:
    daemon = home.running()["daemon"]
    return int(daemon["pid"]) if daemon["pid"] != before else None


def test_a_killed_daemon_is_followed_by_another_that_counts(tmp_path: Path) -> None:
    """T14: the program, its output and the keeper go on; `status` counts the restarts."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        keeper = home.status()["keeper"]["pid"]
        for restarts in (1, 2, 3):
            flood.grows(client)
            killed = home.kill_daemon()
            next_daemon(home, killed)
            status = home.status()
            assert (status["restarts"], status["keeper"]["pid"]) == (restarts, keeper)
            assert status["daemon"]["reason"] == "signal 9"
        flood.finish(client)


def test_the_spare_takes_over_and_another_one_stands_by(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        before = home.with_spare()["daemon"]

        home.kill_daemon()

        assert next_daemon(home, before["pid"]) == before["spare"]
        assert home.with_spare()["daemon"]["spare"] not in (before["pid"], before["spare"])
        flood.finish(client)


def test_a_session_whose_directory_somebody_has_deleted_goes_on(tmp_path: Path) -> None:
    """T16: of its output only what comes from then on is there; its program never notices."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, "/bin/cat")
        shutil.rmtree(home.paths.state / "sessions" / session.id)

        next_daemon(home, home.kill_daemon())

        client.call(Input(session=session.id, offset=0, data=b"still here\n"))
        until(lambda: b"still here" in home.output(client, session.id), "its output")
        assert client.call(Get(session=session.id)).pid == session.pid


def test_a_spare_that_dies_is_no_restart(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client():
        before = home.with_spare()

        os.kill(before["daemon"]["spare"], signal.SIGKILL)

        until(lambda: home.status()["daemon"]["spare"] is None, "the end of the spare")
        after = home.status()
        assert (after["restarts"], after["daemon"]["pid"]) == (0, before["daemon"]["pid"])


def test_an_end_by_sigterm_is_followed_by_a_restart(tmp_path: Path) -> None:
    """Whatever its exit code: only the keeper decides that no daemon is wanted."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        daemon = home.running()["daemon"]["pid"]

        os.kill(daemon, signal.SIGTERM)

        next_daemon(home, daemon)
        assert home.status()["daemon"]["reason"] == "exit code 0"
        flood.finish(client)


def test_a_try_does_not_wait_for_the_time_of_the_next_one(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        killed = 0
        for _ in range(6):  # so often in a row that the next would come after 0.8 s
            killed = _kill_next(home, killed)

        home.ask("try")

        assert home.ask("try")["daemon"]["state"] in ("starting", "running")
        flood.finish(client)


def _kill_next(home: Home, before: int) -> int:
    def there() -> int | None:
        daemon = home.ask("try")["daemon"]
        return daemon["pid"] if daemon["pid"] not in (None, before) else None

    pid = until(there, "a daemon to kill")
    os.kill(pid, signal.SIGKILL)
    until(lambda: home.status()["daemon"]["pid"] != pid, "its end")
    return pid


def test_a_child_that_ends_while_its_next_daemon_starts_is_ended(tmp_path: Path) -> None:
    """T14: described before it ended, handed over after."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        child = home.create(client, "sh", "-c", "read line; exit 7")
        before = home.running()["daemon"]["pid"]
        os.kill(before, signal.SIGKILL)
        # Without a spare the next one imports for 100 ms before it takes anything.
        starting = until(lambda: _starting(home, before), "the next daemon")
        os.kill(starting, signal.SIGSTOP)
        assert child.pid is not None
        os.kill(child.pid, signal.SIGHUP)
        until(lambda: home.status()["sessions"] == 1, "the end of the child")
        os.kill(starting, signal.SIGCONT)

        assert home.ended(client, child.id).exit_signal == signal.SIGHUP
        flood.finish(client)


def _starting(home: Home, before: int) -> int | None:
    pid = home.status()["daemon"]["pid"]
    return int(pid) if pid not in (None, before) else None


def test_a_stopped_daemon_is_named_and_one_command_mends_it(tmp_path: Path) -> None:
    """T32."""
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            flood = Flood(home, client)
            flood.grows(client)
        daemon = home.with_spare()["daemon"]["pid"]
        os.kill(daemon, signal.SIGSTOP)

        until(lambda: home.status()["daemon"]["state"] == "stopped", "the daemon to stop")
        shown = home.hold("daemon", "status", check=False)
        assert f"stopped, pid {daemon}" in shown
        assert "`hold daemon restart`" in shown
        home.hold("daemon", "restart")

        assert home.running()["daemon"]["pid"] != daemon
        with home.client() as client:
            flood.grows(client)
            flood.finish(client)


def test_a_daemon_that_hangs_for_ever_is_named_and_replaced(tmp_path: Path) -> None:
    """T32: it does not even hear SIGTERM, as it waits inside a system call."""
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            flood = Flood(home, client)
            flood.grows(client)
        status = home.with_spare()
        os.mkfifo(home.paths.config_file)  # whoever opens it waits for a writer
        for pid in (status["daemon"]["spare"], status["daemon"]["pid"]):
            os.kill(pid, signal.SIGKILL)

        assert "silent, pid" in home.hold("daemon", "status", check=False)
        home.paths.config_file.unlink()
        home.hold("daemon", "restart")

        with home.client() as client:
            flood.grows(client)
            flood.finish(client)
