"""How soon a client is back, and how fast it comes by what it has missed.

Rows: a waiting call over a `kill -9` of the daemon, with the keeper's spare present; a backlog of
100 MiB through `session.output(since=0)`, against a thread that sends the same file through a
Unix socket pair in the same run; beside it the same with a checksum at each end, which is what a
viewer is promised. `python benchmarks/client.py [reconnect|resume]`
"""

import asyncio
import os
import signal
import socket
import statistics
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import holdfast
from holdfast import blocking
from holdfast.client.attempts import LASTED
from holdfast.protocol.messages import Ping, Pong, SessionInfo
from tests.support.home import Home, running_home

KILLS = 20
RECONNECT_P50, RECONNECT_P99 = 60.0, 500.0  # ms
ROUNDS = 9
BACKLOG = 100 << 20
RESUME_RATIO = 0.8
PIECE = 128 << 10

PRINTER = """
import os, sys, tty
tty.setraw(1)
text = b"".join(b"line %06d of what a long build prints\\n" % n for n in range(3000))
left = int(sys.argv[1])
while left > 0:
    left -= os.write(1, text[:left])
"""


def main() -> None:
    chosen = sys.argv[1:] or ["reconnect", "resume"]
    for name in chosen:
        print(f"-- {name}")
        {"reconnect": reconnect, "resume": resume}[name]()


@contextmanager
def fresh_home(**settings: str) -> Iterator[Home]:
    with (
        tempfile.TemporaryDirectory() as directory,
        running_home(Path(directory) / "h", settings) as home,
    ):
        yield home


# -- reconnect


def reconnect() -> None:
    with fresh_home() as home:
        times = asyncio.run(_reconnects(home))
        _say("a waiting call, async", times)
        times = _blocking_reconnects(home)
        _say("a waiting call, blocking", times)


async def _reconnects(home: Home) -> list[float]:
    times = []
    async with holdfast.connect(environ=home.environ) as client:
        for _ in range(KILLS):
            await asyncio.sleep(LASTED + 0.1)  # so that the first try is at once
            pid = await asyncio.to_thread(_active, home)
            await client.call(Ping(), Pong)
            start = time.perf_counter()
            os.kill(pid, signal.SIGKILL)
            await client.call(Ping(), Pong, wait=True)
            times.append(time.perf_counter() - start)
    return times


def _blocking_reconnects(home: Home) -> list[float]:
    times = []
    with blocking.connect(environ=home.environ) as client:
        for _ in range(KILLS):
            time.sleep(LASTED + 0.1)
            pid = _active(home)
            client.call(Ping(), Pong)
            start = time.perf_counter()
            os.kill(pid, signal.SIGKILL)
            client.call(Ping(), Pong, wait=True)
            times.append(time.perf_counter() - start)
    return times


def _active(home: Home) -> int:
    """Return the pid of a daemon beside which a spare stands."""
    home.ask("try")
    return int(home.with_spare()["daemon"]["pid"])


# -- resume


def resume() -> None:
    with fresh_home(HOLDFAST_SESSION_KEEP=str(2 * BACKLOG)) as home:
        info = _printed(home)
        segments = sorted((home.paths.state / "sessions" / info.id).glob("*.log"))
        ways: list[tuple[str, Callable[[], float]]] = [
            ("async", lambda: asyncio.run(_resumed(home, info.id))),
            ("blocking", lambda: _blocking_resumed(home, info.id)),
        ]
        ways.append(("checked", lambda: _raw(segments, checked=True)))
        found: dict[str, list[tuple[float, float]]] = {name: [] for name, _ in ways}
        for number in range(ROUNDS + 1):
            for name, way in ways:
                pair = _raw(segments), way()
                if number:  # the first round warms the caches
                    found[name].append(pair)
        for name, pairs in found.items():
            ratio = statistics.median(ours / raw for raw, ours in pairs)
            raw, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
            bar = f" (bar {RESUME_RATIO}): {_verdict(ratio >= RESUME_RATIO)}"
            print(
                f"{BACKLOG >> 20} MiB: raw {raw:5.0f} MB/s   {name:8} {ours:5.0f} MB/s   "
                f"ratio {ratio:.2f}{'' if name == 'checked' else bar}"
            )


def _printed(home: Home) -> SessionInfo:
    """Return a session that has printed the backlog, and has ended."""
    with blocking.connect(environ=home.environ) as client:
        session = client.create(sys.executable, "-c", PRINTER, str(BACKLOG))
        info = session.wait()
        assert (info.offset, info.exit_code) == (BACKLOG, 0), info
        return info


def _raw(segments: list[Path], *, checked: bool = False) -> float:
    """MB/s of a thread that reads the log and sends it, to who receives it and throws it away."""
    sender, receiver = socket.socketpair()
    thread = threading.Thread(target=_send, args=(segments, sender, checked))
    buffer, count, crc = memoryview(bytearray(PIECE)), 0, 0
    start = time.perf_counter()
    thread.start()
    while got := receiver.recv_into(buffer):
        count += got
        crc = zlib.crc32(buffer[:got], crc) if checked else 0
    took = time.perf_counter() - start
    thread.join()
    receiver.close()
    assert count == BACKLOG
    return count / took / 1e6


def _send(segments: list[Path], sender: socket.socket, checked: bool) -> None:
    crc = 0
    with sender:
        for segment in segments:
            with segment.open("rb", buffering=0) as file:
                while data := file.read(PIECE):
                    crc = zlib.crc32(data, crc) if checked else 0
                    sender.sendall(data)


async def _resumed(home: Home, session: str) -> float:
    async with holdfast.connect(environ=home.environ) as client:
        attached = await client.attach(session)
        count, start = 0, time.perf_counter()
        async for item in attached.output(since=0):
            assert isinstance(item, holdfast.Chunk)
            count += len(item.data)
        took = time.perf_counter() - start
    assert count == BACKLOG
    return count / took / 1e6


def _blocking_resumed(home: Home, session: str) -> float:
    with blocking.connect(environ=home.environ) as client:
        attached = client.attach(session)
        count, start = 0, time.perf_counter()
        for item in attached.output(since=0):
            assert isinstance(item, holdfast.Chunk)
            count += len(item.data)
        took = time.perf_counter() - start
    assert count == BACKLOG
    return count / took / 1e6


# -- words


def _say(name: str, seconds: list[float]) -> None:
    ordered = sorted(second * 1000 for second in seconds)
    p50, p99 = statistics.median(ordered), ordered[-1 - len(ordered) // 100]
    print(
        f"{name:26} p50 {p50:6.1f} ms (bar {RECONNECT_P50:g}): {_verdict(p50 < RECONNECT_P50)}   "
        f"p99 {p99:6.1f} ms (bar {RECONNECT_P99:g}): {_verdict(p99 < RECONNECT_P99)}"
    )


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


if __name__ == "__main__":
    main()
