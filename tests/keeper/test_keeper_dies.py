"""SIGKILL of the keeper: the daemon holds everything and hands it to a successor."""

import os
import signal
import sys
from pathlib import Path

import pytest

from holdfast.keeper import launch
from holdfast.protocol.messages import Get, Kill, SessionInfo
from tests.support.asking import Client
from tests.support.flood import Flood
from tests.support.home import Home, children_of, running_home, until

pytestmark = pytest.mark.slow

STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
os.write(1, b"ready")
time.sleep(1000)
"""


def successor_of(home: Home, killed: int) -> int:
    """Wait for a keeper that has taken over."""

    def found() -> int | None:
        pid = home.running()["keeper"]["pid"]
        return int(pid) if pid != killed else None

    return until(found, "a successor")


def kill_keeper(home: Home) -> int:
    return successor_of(home, home.kill_keeper())


def stubborn(home: Home, client: Client) -> SessionInfo:
    session = home.create(client, sys.executable, "-I", "-S", "-c", STUBBORN)
    until(lambda: home.output(client, session.id), "the program to be ready")
    return session


def test_programs_daemon_and_output_go_on(tmp_path: Path) -> None:
    """T14, and three times over: a successor is killed like any other."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        floods = [Flood(home, client, pause) for pause in (0, 0.001, 0.01)]
        before = home.with_spare()
        for _ in range(3):
            kill_keeper(home)
            status = home.running()
            assert status["daemon"]["pid"] == before["daemon"]["pid"]
            assert (status["sessions"], status["restarts"]) == (3, 0)
            for flood in floods:
                flood.grows(client)
        for flood in floods:
            assert flood.finish(client).exit_code == 0
        assert home.status()["sessions"] == 0


def test_daemon_and_keeper_killed_in_turns(tmp_path: Path) -> None:
    """T14: an adopted daemon is watched by its pidfd; the one after it is a child again."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        for restarts in (1, 2, 3):
            kill_keeper(home)
            daemon = home.kill_daemon()
            home.another_daemon(daemon)
            status = home.running()
            assert (status["restarts"], status["daemon"]["reason"]) == (restarts, "signal 9")
            flood.grows(client)
        flood.finish(client)


def test_a_restart_of_an_adopted_daemon_loses_nothing(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        kill_keeper(home)

        reply = home.ask("restart", launch=launch.spec(home.paths, home.environ))

        assert reply["ok"], reply
        flood.grows(client)
        flood.finish(client)


def test_exit_codes_and_signals_of_adopted_children_are_known(tmp_path: Path) -> None:
    """They are not the successor's children: the kernel tells through their pidfds."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        gate = tmp_path / "gate"
        os.mkfifo(gate)
        ends = home.create(client, "sh", "-c", f"read line < {gate}; exit 7")
        dies = home.create(client, "sleep", "1000")
        kill_keeper(home)

        gate.write_text("go\n")
        assert dies.pid is not None
        os.kill(dies.pid, signal.SIGUSR1)

        assert home.ended(client, ends.id).exit_code == 7
        assert home.ended(client, dies.id).exit_signal == signal.SIGUSR1
        until(lambda: home.status()["sessions"] == 0, "the keeper to know")


def test_a_child_that_ends_while_no_keeper_lives_is_ended(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        dies = home.create(client, "sleep", "1000")
        status = home.running()
        os.kill(status["daemon"]["pid"], signal.SIGSTOP)
        os.kill(status["keeper"]["pid"], signal.SIGKILL)
        assert dies.pid is not None
        os.kill(dies.pid, signal.SIGUSR1)
        os.kill(status["daemon"]["pid"], signal.SIGCONT)

        assert home.ended(client, dies.id).exit_signal == signal.SIGUSR1
        successor_of(home, status["keeper"]["pid"])


@pytest.mark.parametrize("now", [True, False])
def test_an_adopted_session_can_be_killed(tmp_path: Path, *, now: bool) -> None:
    settings = {"HOLDFAST_SESSION_KILL_GRACE": "0.2s"}
    with running_home(tmp_path / "h", settings) as home, home.client() as client:
        session = stubborn(home, client)
        kill_keeper(home)

        client.call(Kill(session=session.id, now=now))

        assert home.ended(client, session.id).exit_signal == signal.SIGKILL


def test_the_deadline_of_a_kill_outlives_the_keeper(tmp_path: Path) -> None:
    """The program ignores TERM; the successor knows when to KILL."""
    settings = {"HOLDFAST_SESSION_KILL_GRACE": "0.5s"}
    with running_home(tmp_path / "h", settings) as home, home.client() as client:
        session = stubborn(home, client)
        client.call(Kill(session=session.id))

        kill_keeper(home)

        assert home.ended(client, session.id).exit_signal == signal.SIGKILL


def test_the_deadline_of_a_kill_outlives_daemon_and_then_keeper(tmp_path: Path) -> None:
    settings = {"HOLDFAST_SESSION_KILL_GRACE": "1.5s"}
    with running_home(tmp_path / "h", settings) as home, home.client() as client:
        session = stubborn(home, client)
        client.call(Kill(session=session.id))
        daemon = home.kill_daemon()
        until(lambda: home.running()["daemon"]["pid"] != daemon, "another daemon")

        kill_keeper(home)

        assert home.state(client, session.id) == "terminating"
        assert home.ended(client, session.id).exit_signal == signal.SIGKILL


def test_new_sessions_of_a_successor_are_like_any_other(tmp_path: Path) -> None:
    """The limit of open files is that of the first starter, not the keeper's raised one."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        show = ("sh", "-c", "ulimit -Sn; ls /proc/self/fd | tr '\\n' ' '")
        first = home.create(client, *show)
        home.ended(client, first.id)
        kill_keeper(home)
        kill_keeper(home)

        second = home.create(client, *show)

        home.ended(client, second.id)
        assert home.output(client, second.id) == home.output(client, first.id)


def test_a_successor_leaves_no_zombies(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client():
        kill_keeper(home)
        daemon = home.running()["daemon"]["pid"]

        until(lambda: not children_of(daemon), "the starter of the keeper to be reaped")


def test_descriptors_do_not_pile_up_over_successors(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        flood.grows(client)  # now its log is open for reading too
        kill_keeper(home)
        status = home.with_spare()
        daemon = status["daemon"]["pid"]
        before = home.open_files(daemon), home.open_files(status["keeper"]["pid"])
        for _ in range(3):
            kill_keeper(home)
        keeper = home.with_spare()["keeper"]["pid"]

        until(lambda: home.open_files(daemon) <= before[0], "the daemon to have as few as before")
        until(lambda: home.open_files(keeper) <= before[1], "the keeper to have as few as before")
        flood.finish(client)


def test_keeper_killed_while_the_daemon_is_stopped(tmp_path: Path) -> None:
    """T32: nobody else may pump; it goes on where it was when it is continued."""
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            flood = Flood(home, client)
            flood.grows(client)
        status = home.with_spare()
        daemon = status["daemon"]["pid"]
        os.kill(daemon, signal.SIGSTOP)
        os.kill(status["keeper"]["pid"], signal.SIGKILL)
        launch.start(launch.spec(home.paths, home.environ))

        adopting = home.status()["daemon"]
        assert (adopting["state"], adopting["pid"]) == ("adopting", daemon)
        assert "`hold daemon restart`" in adopting["reason"]
        until(lambda: home.pids() == {daemon, *home.keepers()}, "the old spare to end")
        assert len(home.keepers()) == 1

        os.kill(daemon, signal.SIGCONT)
        assert home.running()["daemon"]["pid"] == daemon
        with home.client() as client:
            flood.grows(client)
            flood.finish(client)


def test_one_command_mends_a_stopped_daemon_without_a_keeper(tmp_path: Path) -> None:
    """T32."""
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            flood = Flood(home, client)
            flood.grows(client)
        status = home.running()
        os.kill(status["daemon"]["pid"], signal.SIGSTOP)
        os.kill(status["keeper"]["pid"], signal.SIGKILL)

        home.hold("daemon", "restart")

        assert home.running()["daemon"]["pid"] != status["daemon"]["pid"]
        with home.client() as client:
            flood.grows(client)
            flood.finish(client)


def test_both_killed_together(tmp_path: Path) -> None:
    """The next start works and names what was lost; output is kept; programs got SIGHUP."""
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            mark = tmp_path / "hung-up"
            said = home.create(client, "sh", "-c", f"trap 'touch {mark}; exit' HUP; echo said; cat")
            until(lambda: b"said" in home.output(client, said.id), "its output")
        status = home.with_spare()
        for pid in (status["keeper"]["pid"], status["daemon"]["pid"]):
            os.kill(pid, signal.SIGKILL)

        until(mark.exists, "the program to be hung up")
        with home.client() as client:
            info = client.call(Get(session=said.id))
            assert (info.state, info.recovery) == ("lost", "lost:not-rerun")
            assert b"said" in home.output(client, said.id)
            fresh = home.create(client, "echo", "fresh")
            home.ended(client, fresh.id)


@pytest.mark.parametrize("moment", range(6))
def test_daemon_killed_right_after_the_keeper(tmp_path: Path, moment: int) -> None:
    """T14: before, while and after a successor takes over; whatever is left works."""
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            flood = Flood(home, client)
            flood.grows(client)
        status = home.with_spare()
        daemon = status["daemon"]["pid"]
        os.kill(status["keeper"]["pid"], signal.SIGKILL)
        begun = [
            lambda: True,
            lambda: children_of(daemon),
            lambda: home.keepers() - {status["keeper"]["pid"]},
            home.answers,
            lambda: home.status()["sessions"],
            home.running,
        ]
        for look in begun[: moment + 1]:
            until(look, "the moment to kill")
        os.kill(daemon, signal.SIGKILL)

        with home.client() as client:
            info = client.call(Get(session=flood.id))
            if info.state != "lost":
                flood.finish(client)
            fresh = home.create(client, "sh", "-c", "exit 3")
            assert home.ended(client, fresh.id).exit_code == 3
            until(lambda: home.status()["sessions"] == 0, "nothing to be held")


def test_keeper_killed_while_the_next_daemon_starts(tmp_path: Path) -> None:
    """T14: what was not handed over has ended; the rest is served."""
    for moment in ("starting", "handed"):
        with running_home(tmp_path / moment) as home:
            with home.client() as client:
                Flood(home, client)
            status = home.running()
            os.kill(status["daemon"]["pid"], signal.SIGKILL)

            def fresh(old: int = status["daemon"]["pid"]) -> bool:
                return home.status()["daemon"]["pid"] not in (None, old)

            until(fresh if moment == "starting" else home.running, "the moment to kill")
            os.kill(status["keeper"]["pid"], signal.SIGKILL)

            with home.client() as client:
                session = home.create(client, "sh", "-c", "exit 3")
                assert home.ended(client, session.id).exit_code == 3


def test_a_stranger_on_the_socket_for_successors_changes_nothing(tmp_path: Path) -> None:
    import socket  # noqa: PLC0415

    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        home.running()
        for said in (b"", b"\0\0\0\2{}", b"\xff" * 9):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(str(home.paths.runtime / "daemon.sock"))
                sock.sendall(said)
                sock.shutdown(socket.SHUT_WR)
                assert sock.recv(100) == b""
        flood.grows(client)
        kill_keeper(home)
        flood.finish(client)


def test_a_second_keeper_beside_a_living_one_yields(tmp_path: Path) -> None:
    """T16: somebody deleted the lock file, so the next start takes another one."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        before = home.running()
        (home.paths.state / "keeper.lock").unlink()

        launch.start(launch.spec(home.paths, home.environ))

        until(lambda: home.keepers() == {before["keeper"]["pid"]}, "the second to give way")
        until(home.answers, "the first to bind its socket again")
        assert home.running()["daemon"]["pid"] == before["daemon"]["pid"]
        flood.finish(client)


def test_every_file_of_the_runtime_directory_deleted_and_the_keeper_killed(tmp_path: Path) -> None:
    """T16: the daemon binds the socket by which its successor finds it."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        daemon = home.running()["daemon"]["pid"]
        for file in home.paths.runtime.glob("*.sock"):
            file.unlink()
        os.kill(next(iter(home.keepers())), signal.SIGKILL)

        assert home.running()["daemon"]["pid"] == daemon
        until(home.paths.socket.exists, "the clients' socket")
        flood.finish(client)
