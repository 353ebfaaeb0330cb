"""What one session or client does is not felt by the others, and leaves nothing behind."""

import random
import socket
import time
from pathlib import Path

import pytest

from holdfast.protocol.messages import Get, Input, List, Output, Ping, SessionInfo
from tests.support.asking import Client
from tests.support.home import Home, running_home, until
from tests.support.processes import children, descriptors, resident_kib

pytestmark = pytest.mark.slow


def echo_times(home: Home, client: Client, count: int) -> list[float]:
    """Type and see it printed, again and again; return the seconds of each."""
    session = home.create(client, "sh", "-c", "stty raw -echo; printf r; exec cat")
    until(lambda: client.call(Get(session=session.id)).offset == 1, "the program to be ready")
    times = []
    for n in range(count):
        begin = time.perf_counter()
        client.call(Input(session=session.id, offset=n, data=b"x"))
        assert client.call(Output(session=session.id, since=n + 1, wait=10)).data == b"x"
        times.append(time.perf_counter() - begin)
    return times


def p99(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]


def test_an_echo_is_quick_beside_a_flood(tmp_path: Path) -> None:
    """T31; also while sessions come and go, each of which is written down and synced."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = home.create(client, "yes", "0123456789")
        times = []
        for _ in range(10):
            home.create(client, "true")
            times += echo_times(home, client, 20)
        grown = client.call(Get(session=flood.id)).offset

    assert p99(times) < 0.1, sorted(times)[-10:]
    assert grown > 1 << 20


def come_and_go(home: Home, client: Client, count: int) -> None:
    """Create sessions and wait until nothing of them lives."""
    made: list[SessionInfo] = []
    for n in range(count):
        argv = ("cat",) if n % 10 == 0 else ("sh", "-c", "echo hello; exit 3")
        made.append(home.create(client, *argv))
        if n % 10 == 0:
            client.call(Input(session=made[-1].id, offset=0, data=b"bye\n\x04"))
    for session in made:
        home.ended(client, session.id)
    until(lambda: home.status()["sessions"] == 0, "the keeper to forget them")
    until(lambda: not list((home.paths.runtime / "input").iterdir()), "the pages to go")


def leaves_nothing(home: Home, client: Client, count: int) -> None:
    come_and_go(home, client, 20)  # what is loaded once is loaded now
    status = home.with_spare()
    keeper, daemon = status["keeper"]["pid"], status["daemon"]["pid"]
    before = [(descriptors(pid), children(pid)) for pid in (keeper, daemon)]
    memory = resident_kib(keeper)
    come_and_go(home, client, count)

    def as_before() -> bool:
        # Fewer than before: the connection that asked for the status was still being closed.
        now = [(descriptors(pid), children(pid)) for pid in (keeper, daemon)]
        return all(n[0] <= b[0] and n[1] == b[1] for n, b in zip(now, before, strict=True))

    until(as_before, f"descriptors and children as before: {before}", patience=5)
    assert resident_kib(keeper) - memory < 1000
    assert home.running()["daemon"]["pid"] == daemon


def test_sessions_that_come_and_go_leave_nothing(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        leaves_nothing(home, client, 300)


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_a_thousand_sessions_leave_nothing(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        leaves_nothing(home, client, 1000)


def rubbish(chance: random.Random) -> list[bytes]:
    """Beginnings of conversations that nobody should have."""
    noise = [chance.randbytes(chance.randrange(1, 5000)) for _ in range(20)]
    halves = [b"\0\0\0\x10\x01", b"\0\0", b"\0\0\xff\xff\x01" + bytes(1000)]
    huge = [b"\xff\xff\xff\xff\x01" + bytes(100), b"\0\0\0\0\x01", b"\0\0\0\x01\x63\0" * 500]
    return noise + halves + huge


HUGE = 23  # which of them announces 4 GB


def was_thrown_out(stranger: socket.socket) -> bool:
    stranger.setblocking(False)
    try:
        while stranger.recv(4096):
            pass
    except BlockingIOError:
        return False
    except ConnectionResetError:
        pass
    return True


def test_hostile_clients_are_nobody_elses_trouble(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        home.create(client, "cat")
        daemon = home.with_spare()["daemon"]["pid"]
        before = descriptors(daemon)
        strangers = []
        for data in rubbish(random.Random(1)) + [b""] * 270:
            stranger = socket.socket(socket.AF_UNIX)
            stranger.connect(str(home.paths.socket))
            try:
                stranger.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # thrown out already
            strangers.append(stranger)
        times = echo_times(home, client, 20)
        until(lambda: was_thrown_out(strangers[HUGE]), "the worst to be thrown out")
        for stranger in strangers:
            stranger.close()
        until(lambda: descriptors(daemon) <= before + 8, "the strangers to be gone", patience=8)

        assert p99(times) < 0.5
        assert len(client.call(List()).sessions) == 2
        assert home.running()["daemon"]["pid"] == daemon


def test_a_client_that_never_reads_costs_little(tmp_path: Path) -> None:
    """T1: it asks for 50 MB in one go, and reads none of it."""
    with running_home(tmp_path / "h") as home, home.client() as client, home.client() as greedy:
        session = home.create(client, "sh", "-c", "stty raw; head -c 1000000 /dev/zero")
        home.ended(client, session.id)
        daemon = home.running()["daemon"]["pid"]
        before = resident_kib(daemon)
        for _ in range(200):
            greedy.ask(Output(session=session.id, since=0))
        for nonce in range(20):
            assert client.call(Ping(nonce=nonce)).nonce == nonce
        begin = time.monotonic()
        until(lambda: time.monotonic() - begin > 0.3, "the daemon to do what it does")

        assert resident_kib(daemon) - before < 10_000
        answers = 0
        while answers < 200:
            answers += len(greedy.replies())


def test_followers_that_leave_leave_nothing(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, "cat")
        daemon = home.with_spare()["daemon"]["pid"]
        before = descriptors(daemon)
        for _ in range(50):
            with home.client() as follower:
                follower.ask(Output(session=session.id, since=0, wait=60))
        client.call(Input(session=session.id, offset=0, data=b"x"))

        assert client.call(Output(session=session.id, since=0, wait=5)).data == b"x"
        # The log that was read stays open to be read on, the page of what was typed too.
        until(lambda: descriptors(daemon) <= before + 2, "the followers to be gone")
        assert "exception" not in (home.paths.state / "daemon.log").read_text().lower()
