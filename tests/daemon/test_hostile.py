"""A hostile crowd beside twenty polite clients: bounded memory, and nobody else's latency."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from holdfast.protocol.messages import Input, Output, Ping
from tests.support.asking import Client
from tests.support.home import ROOT, Home, running_home, until
from tests.support.processes import cpu_seconds, descriptors, resident_kib

pytestmark = pytest.mark.slow

POLITE = 20
ROUNDS = 10


@contextmanager
def hostile(home: Home, session: str) -> Iterator[None]:
    """A crowd of attackers in a process of its own, until the end of the block."""
    with subprocess.Popen(
        [sys.executable, "tests/support/hostile.py", str(home.paths.socket), session],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as crowd:
        assert crowd.stdout is not None
        assert crowd.stdin is not None
        assert crowd.stdout.readline() == b"ready\n"
        try:
            yield
            assert crowd.poll() is None, "the crowd gave up by itself"
        finally:
            crowd.stdin.close()


def ping_times(clients: list[Client]) -> list[float]:
    times = []
    for nonce in range(ROUNDS):
        for client in clients:
            begin = time.perf_counter()
            assert client.call(Ping(nonce=nonce)).nonce == nonce
            times.append(time.perf_counter() - begin)
    return times


def p99(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]


def types_and_sees_it(home: Home, client: Client) -> None:
    session = home.create(client, "sh", "-c", "stty raw -echo; printf r; exec cat")
    until(lambda: home.offset(client, session.id) == 1, "the program to be ready")
    client.call(Input(session=session.id, offset=0, data=b"x"))
    assert client.call(Output(session=session.id, since=1, wait=10)).data == b"x"


def rests(pid: int) -> bool:
    """Whether a process needs next to nothing for a third of a second."""
    spent, begin = cpu_seconds(pid), time.monotonic()
    until(lambda: time.monotonic() - begin > 0.3, "a while to pass")
    return cpu_seconds(pid) - spent < 0.05


@pytest.mark.timeout(120)
def test_a_hostile_crowd_costs_bounded_memory_and_nobody_elses_latency(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, ExitStack() as polite:
        clients = [polite.enter_context(home.client()) for _ in range(POLITE)]
        printed = home.create(clients[0], "sh", "-c", "stty raw; head -c 1000000 /dev/zero")
        home.ended(clients[0], printed.id)
        daemon = home.with_spare()["daemon"]["pid"]
        memory, files = resident_kib(daemon), descriptors(daemon)
        before = p99(ping_times(clients))
        with hostile(home, printed.id):
            beside = p99(ping_times(clients))
            grown = [resident_kib(daemon) - memory]
            types_and_sees_it(home, clients[0])
            ping_times(clients[:5])
            grown.append(resident_kib(daemon) - memory)
        print(f"ping p99 {before * 1e3:.2f} -> {beside * 1e3:.2f} ms, grown by {grown} KiB")

        until(lambda: descriptors(daemon) <= files + 12, "the crowd to be gone", patience=10)
        until(lambda: rests(daemon), "the daemon to rest")
        assert beside < 0.5
        assert max(grown) < 100_000
        assert grown[1] < grown[0] + 20_000  # it has a bound, not a slope
        assert all(client.call(Ping(nonce=9)).nonce == 9 for client in clients)
        assert home.running()["daemon"]["pid"] == daemon
        assert "exception" not in (home.paths.state / "daemon.log").read_text().lower()
