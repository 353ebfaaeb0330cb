"""How a keeper begins: one per user, in a place that is its user's alone."""

import fcntl
import json
import os
import signal
import socket
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from holdfast.keeper import launch
from holdfast.keeper.processes import command
from tests.support.flood import Flood
from tests.support.home import Home, children_of, running_home, until

pytestmark = pytest.mark.slow


def start(home: Home) -> None:
    home.paths.prepare(os.getuid())
    launch.start(launch.spec(home.paths, home.environ))


@pytest.mark.parametrize("count", [2, 8])
def test_of_keepers_started_at_once_one_wins_and_the_others_use_it(
    tmp_path: Path, count: int
) -> None:
    """T16."""
    with running_home(tmp_path / "h") as home:
        home.paths.prepare(os.getuid())

        with ThreadPoolExecutor(count) as pool:
            list(pool.map(lambda _: start(home), range(count)))

        until(lambda: len(home.keepers()) == 1, "one keeper to be left")
        with home.client() as client:
            home.ended(client, home.create(client, "true").id)


def test_clients_that_start_it_at_once_are_all_served(tmp_path: Path) -> None:
    """T16."""
    with running_home(tmp_path / "h") as home:
        with ThreadPoolExecutor(6) as pool:
            found = list(pool.map(lambda _: home.hold("ls", "--json"), range(6)))

        assert [json.loads(one) for one in found] == [[]] * 6
        assert len(home.keepers()) == 1


def test_starting_again_touches_nothing(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client():
        before = home.with_spare()

        start(home)

        assert home.with_spare() == before


def test_dead_sockets_and_a_stale_lock_are_replaced(tmp_path: Path) -> None:
    """T16."""
    with running_home(tmp_path / "h") as home:
        home.paths.prepare(os.getuid())
        for name in ("hold.sock", "daemon.sock", "keeper.sock"):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.bind(str(home.paths.runtime / name))
        (home.paths.state / "keeper.lock").write_text("{}")

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: start(home), range(4)))

        home.running()


def test_whoever_has_the_pid_of_an_old_note_is_left_in_peace(tmp_path: Path) -> None:
    """T16: the lock is taken, and its new owner has not written its own note yet."""
    with running_home(tmp_path / "h") as home, subprocess.Popen(["sleep", "1000"]) as innocent:
        home.paths.prepare(os.getuid())
        note = {"pid": innocent.pid, "host": socket.gethostname(), "runtime": "/nowhere"}
        lock = home.paths.state / "keeper.lock"
        lock.write_text(json.dumps(note))
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX)

            start(home)

        with pytest.raises(subprocess.TimeoutExpired):
            innocent.wait(0.2)
        innocent.kill()


@pytest.mark.parametrize("note", [b"", b"\xff\xfe", b"{}", b'{"pid": "many"}', b"[" * 5000])
def test_a_lock_with_rubbish_in_it_is_a_lock(tmp_path: Path, note: bytes) -> None:
    with running_home(tmp_path / "h") as home:
        home.paths.prepare(os.getuid())
        (home.paths.state / "keeper.lock").write_bytes(note)
        start(home)
        before = home.running()["keeper"]["pid"]
        (home.paths.state / "keeper.lock").write_bytes(note)

        start(home)

        assert home.running()["keeper"]["pid"] == before


@pytest.mark.parametrize("name", ["hold.sock", "daemon.sock", "keeper.sock"])
def test_what_is_no_socket_is_not_touched(tmp_path: Path, name: str) -> None:
    """T16."""
    with running_home(tmp_path / "h") as home:
        home.paths.prepare(os.getuid())
        (home.paths.runtime / name).write_text("precious")

        said = home.failing("daemon", "start")

        assert f"{name} is in the way and is no socket; move it elsewhere" in said
        assert (home.paths.runtime / name).read_text() == "precious"
        (home.paths.runtime / name).unlink()
        home.hold("daemon", "start")


@pytest.mark.parametrize(
    "names", [["hold.sock"], ["daemon.sock"], ["keeper.sock"], ["daemon.sock", "hold.sock"]]
)
def test_deleted_sockets_are_bound_again(tmp_path: Path, names: list[str]) -> None:
    """T16: any command that finds nobody asks the keeper to look after them."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        before = home.running()
        for name in names:
            (home.paths.runtime / name).unlink()

        start(home)

        def all_there() -> bool:
            return all((home.paths.runtime / name).exists() for name in names)

        until(all_there, "the sockets")
        after = home.running()
        for part in ("keeper", "daemon"):
            assert after[part]["pid"] == before[part]["pid"]
        home.hold("ls")
        flood.grows(client)
        killed = home.kill_daemon()
        until(lambda: home.running()["daemon"]["pid"] != killed, "another daemon")
        home.hold("ls")
        killed = home.kill_keeper()
        until(lambda: home.running()["keeper"]["pid"] != killed, "a successor")
        home.hold("ls")
        flood.finish(client)


def test_a_hold_command_mends_a_deleted_runtime_directory(tmp_path: Path) -> None:
    """T16."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        flood.grows(client)
        home.paths.runtime.rename(tmp_path / "elsewhere")

        home.hold("ls")

        assert stat.S_IMODE(home.paths.runtime.stat().st_mode) == 0o700
        home.ended(client, home.create(client, "true").id)
        flood.finish(client)


def test_a_socket_that_cannot_be_bound_again_is_bound_when_it_can(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        keeper = home.running()["keeper"]["pid"]
        for _ in range(2):
            home.paths.keeper_socket.unlink()
            home.paths.keeper_socket.mkdir()
            os.kill(keeper, signal.SIGHUP)
            flood.grows(client)
            home.paths.keeper_socket.rmdir()
            start(home)
            until(home.answers, "the keeper's socket")
        flood.finish(client)


def test_sockets_are_their_users_alone(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client():
        home.running()
        modes = {
            path.name: stat.S_IMODE(path.stat().st_mode)
            for path in (*home.paths.runtime.glob("*.sock"), home.paths.runtime, home.paths.state)
        }
        assert modes == {
            "hold.sock": 0o600,
            "daemon.sock": 0o600,
            "keeper.sock": 0o600,
            "run": 0o700,
            "state": 0o700,
        }


def test_a_runtime_directory_that_is_a_link_is_refused_with_the_fix(tmp_path: Path) -> None:
    """T16."""
    with running_home(tmp_path / "h") as home:
        (tmp_path / "h").mkdir()
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        home.paths.runtime.symlink_to(tmp_path / "elsewhere")

        said = home.failing("ls")

        assert "is not a directory but a link" in said
        assert f"remove {home.paths.runtime}" in said


def test_a_runtime_directory_that_is_open_is_refused_with_the_fix(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        home.paths.runtime.mkdir(parents=True)
        home.paths.runtime.chmod(0o755)

        said = home.failing("ls")

        assert f"chmod 700 {home.paths.runtime}" in said


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a directory away")
def test_a_runtime_directory_of_somebody_else_is_refused_with_the_fix(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        home.paths.runtime.mkdir(parents=True, mode=0o700)
        os.chown(home.paths.runtime, 12345, 12345)

        said = home.failing("ls")

        assert "belongs to user 12345" in said
        assert "HOLDFAST_HOME" in said


def test_a_missing_home_is_named(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        del home.environ["HOLDFAST_HOME"]
        home.environ.pop("HOME", None)
        home.environ.pop("XDG_STATE_HOME", None)

        said = home.failing("ls")

        home.environ["HOLDFAST_HOME"] = str(tmp_path / "h")
        assert "variable HOME" in said
        assert "set HOME, or HOLDFAST_HOME" in said
        assert "Traceback" not in said


def test_a_log_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        home.paths.prepare(os.getuid())
        (home.paths.state / "keeper.log").mkdir()

        said = home.failing("daemon", "start")

        assert "keeper.log" in said
        assert "Is a directory" in said


def test_a_daemon_whose_log_cannot_be_written_starts_all_the_same(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        home.paths.prepare(os.getuid())
        (home.paths.state / "daemon.log").mkdir()

        with home.client() as client:
            home.ended(client, home.create(client, "true").id)

        assert "daemon.log" in (home.paths.state / "keeper.log").read_text()


def test_nothing_of_the_starter_is_kept(tmp_path: Path) -> None:
    """Its descriptors, directory and terminal: they would show up in every session."""
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    with running_home(tmp_path / "h") as home:
        home.paths.prepare(os.getuid())
        argv = command(launch.spec(home.paths, home.environ), "keeper")
        subprocess.run(argv, check=True, pass_fds=[writer], stdout=subprocess.DEVNULL)
        os.close(writer)

        assert os.read(reader, 1) == b""  # the last that had it has closed it
        os.close(reader)
        status = home.running()
        for pid in (status["keeper"]["pid"], status["daemon"]["pid"]):
            facts = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
            assert facts[4] == "0"  # no controlling terminal
            assert Path(f"/proc/{pid}/cwd").readlink() == Path("/")
            assert Path(f"/proc/{pid}/fd/0").readlink() == Path("/dev/null")
            assert Path(f"/proc/{pid}/fd/1").readlink().suffix == ".log"
        assert not [pid for pid in children_of(os.getpid()) if pid in home.pids()]


def test_too_many_connections_are_refused_and_the_keeper_goes_on(tmp_path: Path) -> None:
    """T18: no descriptor is free; nothing spins, and what runs is not touched."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        keeper = home.with_spare()["keeper"]["pid"]
        limit = home.open_files(keeper) + 20
        subprocess.run(["prlimit", f"--nofile={limit}", "--pid", str(keeper)], check=True)
        held = []
        for _ in range(60):
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(str(home.paths.keeper_socket))
            held.append(sock)
        until(lambda: any(_is_closed(sock) for sock in held), "one to be turned away")
        flood.grows(client)

        for sock in held:
            sock.close()

        until(home.answers, "an answer")
        assert home.status()["keeper"]["faults"] == 0
        flood.finish(client)


def _is_closed(sock: socket.socket) -> bool:
    sock.setblocking(False)
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\0\0\0\2[]",
        b"\xff" * 8,
        b'\0\0\0\x0d{"op": "what"}',
        b'\0\0\0\x0f{"op": "reexec"',
        b"x",
    ],
)
def test_rubbish_on_its_socket_does_not_harm_it(tmp_path: Path, said: bytes) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        keeper = home.with_spare()["keeper"]["pid"]
        before = home.open_files(keeper)
        for _ in range(5):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(str(home.paths.keeper_socket))
                null = os.open("/dev/null", os.O_RDONLY)
                if said:
                    socket.send_fds(sock, [said], [null])
                os.close(null)

        until(lambda: home.open_files(keeper) <= before, "every descriptor to be closed")
        assert home.status()["keeper"] | {"faults": 0} == home.status()["keeper"]
        home.ended(client, home.create(client, "true").id)
