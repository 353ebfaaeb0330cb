"""T18: the disk is full. Programs wait, nothing is lost, and all goes on when there is room."""

import os
import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from holdfast.errors import DiskFull
from holdfast.protocol.messages import Get, Input, Kill, List, SessionInfo
from holdfast.store import verify
from tests.store.disks import small_disk
from tests.support.asking import Client
from tests.support.home import Home, running_home, until
from tests.support.processes import cpu_seconds, is_alive

pytestmark = pytest.mark.slow

DISK, BALLAST = 6 << 20, 3 << 20
LINES = 500_000  # 4 MB: too much with the ballast, not without
PRINTED = b"".join(b"%d\n" % n for n in range(1, LINES + 1))
SEQ = ("sh", "-c", f"stty raw; seq {LINES}; exit 5")


class Disk:
    """A small disk with something on it that can be thrown away."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"
        self._ballast.write_bytes(bytes(BALLAST))

    def fill(self) -> None:
        """Leave no byte."""
        with (self.path / "rest").open("ab", buffering=0) as rest:
            try:
                while rest.write(bytes(4096)):
                    pass
            except OSError:
                pass

    def free(self) -> None:
        self._ballast.unlink()
        (self.path / "rest").unlink(missing_ok=True)


@contextmanager
def scene(tmp_path: Path) -> Iterator[tuple[Disk, Home, Client]]:
    with (
        small_disk(tmp_path / "disk", DISK) as path,
        running_home(path / "h") as home,
        home.client() as client,
    ):
        yield Disk(path), home, client


def get(client: Client, session: SessionInfo) -> SessionInfo:
    return client.call(Get(session=session.id))


def stalled(home: Home, client: Client) -> SessionInfo:
    """Start a program that prints more than fits, and wait until it does not."""
    session = home.create(client, *SEQ)
    until(lambda: get(client, session).stalled == "disk-full", "the disk to be full")
    return session


def check(home: Home, client: Client, session: SessionInfo) -> None:
    ended = home.ended(client, session.id)
    assert (ended.exit_code, ended.stalled) == (5, None)
    assert home.output(client, session.id) == PRINTED
    assert verify(home.paths.state / "sessions" / session.id) is None


def test_the_program_waits_and_goes_on_by_itself(tmp_path: Path) -> None:
    with scene(tmp_path) as (disk, home, client):
        quiet = home.create(client, "cat")
        session = stalled(home, client)
        daemon = home.running()["daemon"]["pid"]
        offset, cpu = get(client, session).offset, cpu_seconds(daemon)
        time.sleep(1)  # what it does with this second is the question
        now = get(client, session)

        assert (now.offset, now.state) == (offset, "running")
        assert cpu_seconds(daemon) - cpu < 0.2
        listed = {one.id: one.stalled for one in client.call(List()).sessions}
        assert listed == {quiet.id: None, session.id: "disk-full"}
        typed = Input(session=quiet.id, offset=0, data=b"hello")
        assert client.call(typed).end == 5
        disk.free()
        check(home, client, session)
        until(lambda: b"hello" in home.output(client, quiet.id), "the other session to go on")
        assert home.running()["daemon"]["pid"] == daemon


def test_a_daemon_killed_while_the_disk_is_full_loses_nothing(tmp_path: Path) -> None:
    with scene(tmp_path) as (disk, home, client):
        session = stalled(home, client)
        disk.fill()
        for _ in range(2):
            home.next_daemon(home.kill_daemon())
            until(lambda: get(client, session).stalled, "the disk to be found full")
        disk.free()
        check(home, client, session)


def test_nothing_is_started_for_which_there_is_no_room(tmp_path: Path) -> None:
    with scene(tmp_path) as (disk, home, client):
        session = stalled(home, client)
        disk.fill()
        before = home.status()["sessions"]
        for _ in range(3):
            with pytest.raises(DiskFull):
                home.create(client, "touch", str(tmp_path / "started"))
        assert home.status()["sessions"] == before
        assert len(list((home.paths.state / "sessions").iterdir())) == 1
        assert not (tmp_path / "started").exists()
        disk.free()
        check(home, client, session)
        home.ended(client, home.create(client, "touch", str(tmp_path / "started")).id)
        assert (tmp_path / "started").exists()


def test_a_stalled_program_can_be_killed(tmp_path: Path) -> None:
    with scene(tmp_path) as (disk, home, client):
        session = stalled(home, client)
        disk.fill()
        client.call(Kill(session=session.id))
        assert session.pid
        until(lambda: not is_alive(session.pid or 0), "the program to end")
        assert get(client, session).state == "terminating"  # its last words are not safe yet
        disk.free()
        ended = home.ended(client, session.id)
        data = home.output(client, session.id)

        assert ended.exit_signal == signal.SIGTERM
        assert len(data) == ended.offset
        assert PRINTED.startswith(data)


def test_an_end_that_cannot_be_written_down_is_not_forgotten(tmp_path: Path) -> None:
    with scene(tmp_path) as (disk, home, client):
        session = home.create(client, "sh", "-c", "read x; exit 9")
        disk.fill()
        client.call(Input(session=session.id, offset=0, data=b"\n"))
        # Its echo has no room, so its end comes later; the daemon's does not.
        until(lambda: not is_alive(session.pid or 0), "the program to end")
        home.next_daemon(home.kill_daemon())
        disk.free()
        assert home.ended(client, session.id).exit_code == 9
        until(lambda: home.status()["sessions"] == 0, "the keeper to forget it")
        home.next_daemon(home.kill_daemon())

        assert get(client, session).exit_code == 9
        assert get(client, session).recovery != "lost:keeper-and-daemon-ended"


def test_a_limit_of_file_size_is_a_full_disk_too(tmp_path: Path) -> None:
    """Where no small disk can be mounted; the keeper's starter set the limit."""
    with running_home(tmp_path / "h") as home:
        soft = 1 << 20
        pid = os.fork()
        if pid == 0:
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            home.hold("daemon", "start")
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        with home.client() as client:
            session = stalled(home, client)
            assert get(client, session).offset == soft
            home.next_daemon(home.kill_daemon())
            until(lambda: get(client, session).stalled, "the limit to be found again")
            assert home.output(client, session.id) == PRINTED[:soft]
            daemon = home.running()["daemon"]["pid"]
            hard = resource.prlimit(daemon, resource.RLIMIT_FSIZE)[1]
            resource.prlimit(daemon, resource.RLIMIT_FSIZE, (hard, hard))
            check(home, client, session)
