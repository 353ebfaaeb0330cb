"""What the keeper and the pump cost, each beside its floor in the same run.

Rows: bytes to the log with no viewer against a bare `os.read` loop that throws them away;
spawn; recovery of a killed daemon; memory and wake-ups of idle sessions.
`python benchmarks/pump.py [throughput|spawn|recovery|idle]`
"""

import os
import pty
import random
import signal
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from holdfast.protocol.messages import Get, Input, Kill, Ping
from tests.support.home import Home, running_home, until

ROUNDS = 15
FLOOD_BYTES = 48 << 20

PLAIN = b"".join(
    b"line %06d of a plain flood of text that a compiler prints\n" % n for n in range(1000)
)
COLOURED = b"".join(
    b"\x1b[38;5;%dmline\x1b[0m \x1b[1m%06d\x1b[0m of \x1b[3;4ma coloured flood\x1b[0m\n"
    % (n % 256, n)
    for n in range(1000)
)
PRINTER = """
import os, sys, tty
if sys.argv[2] == "raw":
    tty.setraw(1)
text = open(sys.argv[1], "rb").read()
left = int(sys.argv[3])
os.read(0, 1)
while left > 0:
    left -= os.write(1, text)
os.write(1, b"\\nthe-end\\n")
os.read(0, 1)
"""


def main() -> None:
    chosen = sys.argv[1:] or ["throughput", "spawn", "recovery", "idle"]
    for name in chosen:
        print(f"-- {name}")
        {"throughput": throughput, "spawn": spawn, "recovery": recovery, "idle": idle}[name]()


@contextmanager
def fresh_home(**settings: str):  # type: ignore[no-untyped-def]
    with (
        tempfile.TemporaryDirectory() as directory,
        running_home(Path(directory) / "h", settings) as home,
    ):
        yield home


# -- throughput


def throughput() -> None:
    with fresh_home() as home:
        for name, text, mode, bar in (
            ("plain", PLAIN, "cooked", 0.9),
            ("coloured", COLOURED, "cooked", 0.9),
            ("raw", PLAIN, "raw", 0.85),
        ):
            source = home.paths.state.parent / name
            source.parent.mkdir(parents=True, exist_ok=True)
            source.write_bytes(text)
            pairs = [_pair(home, source, mode) for _ in range(ROUNDS)]
            ratio = statistics.median(ours / bare for bare, ours in pairs)
            bare, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
            print(
                f"{name:9} bare read {bare:6.1f} MB/s   to the log {ours:6.1f} MB/s   "
                f"ratio {ratio:.2f} (bar {bar}): {'met' if ratio >= bar else 'MISSED'}"
            )


def _pair(home: Home, source: Path, mode: str) -> tuple[float, float]:
    return _bare(source, mode), logged(home, source, mode)


def _bare(source: Path, mode: str) -> float:
    pid, master = pty.fork()
    if pid == 0:
        os.execv(
            sys.executable, [sys.executable, "-c", PRINTER, str(source), mode, str(FLOOD_BYTES)]
        )
    time.sleep(0.3)  # it is at its first read; both ways begin alike
    start, count, tail = time.perf_counter(), 0, b""
    os.write(master, b"\n")
    while b"the-end" not in tail:
        data = os.read(master, 65536)
        count += len(data)
        tail = tail[-20:] + data[-20:]
    took = time.perf_counter() - start
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(master)
    return count / took / 1e6


def logged(home: Home, source: Path, mode: str) -> float:
    with home.client() as client:
        argv = (sys.executable, "-c", PRINTER, str(source), mode, str(FLOOD_BYTES))
        session = home.create(client, *argv)
        time.sleep(0.3)
        directory = home.paths.state / "sessions" / session.id
        start = time.time()
        client.call(Input(session=session.id, offset=0, data=b"\n"))
        size, end = until(lambda: _ended(directory), "the end of the flood", patience=60)
        client.call(Kill(session=session.id, now=True))
        home.ended(client, session.id)
        for segment in directory.glob("*.log"):
            segment.unlink()
        return size / (end - start) / 1e6


def _ended(directory: Path) -> tuple[int, float] | None:
    """Return size and time of the last write once the flood is over; looking must cost little."""
    time.sleep(0.05)
    last = max(directory.glob("*.log"))
    found = last.stat()
    with last.open("rb") as file:
        file.seek(max(0, found.st_size - 40))
        over = b"the-end" in file.read()
    return (int(last.stem) + found.st_size, found.st_mtime) if over else None


# -- spawn


def spawn() -> None:
    with fresh_home() as home, home.client() as client:
        times, pings = [], []
        for _ in range(60):
            start = time.perf_counter()
            client.call(Ping())
            pings.append(time.perf_counter() - start)
            start = time.perf_counter()
            home.create(client, "/bin/sleep", "60")
            times.append(time.perf_counter() - start)
        _say("request to running", times, bar=10)
        _say("(a ping)", pings)


# -- recovery


def recovery() -> None:
    for count in (1, 50, 200):
        with fresh_home() as home:
            with home.client() as client:
                ids = [home.create(client, "/bin/sleep", "600").id for _ in range(count)]
            spared = [_recover(home, ids, spare=True) for _ in range(15)]
            cold = [_recover(home, ids, spare=False) for _ in range(7)]
            for name, bar, times in (("spare", 50, spared), ("no spare", 400, cold)):
                _say(f"{count} sessions, {name}", [first for first, _ in times], bar=bar)
                _say(
                    "  all of them",
                    [last for _, last in times],
                    bar=300 if times is spared else None,
                )


def _recover(home: Home, ids: list[str], *, spare: bool) -> tuple[float, float]:
    """Seconds from SIGKILL until a client that waits for one session hears of it, and of all."""
    home.ask("try")
    status = home.with_spare()
    pids = [status["daemon"]["pid"]]
    if not spare:
        os.kill(status["daemon"]["spare"], signal.SIGKILL)
        until(lambda: not home.status()["daemon"]["spare"], "the spare to be gone")
    with home.client() as client:
        client.call(Ping())
        start = time.perf_counter()
        os.kill(pids[0], signal.SIGKILL)
        client.call(Get(session=random.choice(ids)))
        first = time.perf_counter() - start
        for each in ids:
            client.call(Get(session=each))
        last = time.perf_counter() - start
        assert client.welcome.pid != pids[0]
    return first, last


# -- idle


def idle() -> None:
    with fresh_home(HOLDFAST_SESSION_LIMIT="1000") as home, home.client() as client:
        home.with_spare()
        keeper, daemon = _pids(home)
        before = _pss(keeper) + _pss(daemon)
        print(f"keeper alone: RSS {_rss(keeper) / 1024:.1f} MB (bar 12)")
        count = 1000
        last = ""
        for _ in range(count):
            last = home.create(client, "/bin/sleep", "600").id
        client.call(Get(session=last))
        after = _pss(keeper) + _pss(daemon)
        print(f"{count} idle sessions: {(after - before) / count:.1f} KB each (bar 10)")
        print(f"keeper: PSS {_pss(keeper) / 1024:.1f} MB (bar 7), RSS {_rss(keeper) / 1024:.1f} MB")
        time.sleep(1)  # the timelines of the last ones catch up
        switches = [_switches(pid) for pid in (keeper, daemon)]
        time.sleep(4)
        woken = [
            _switches(pid) - then for pid, then in zip((keeper, daemon), switches, strict=True)
        ]
        print(f"wake-ups in 4 s: keeper {woken[0]}, daemon {woken[1]} (bar 0)")


def _pids(home: Home) -> tuple[int, int]:
    status = home.running()
    return status["keeper"]["pid"], status["daemon"]["pid"]


def _field(pid: int, file: str, name: str) -> int:
    for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise LookupError(name)


def _pss(pid: int) -> int:
    return _field(pid, "smaps_rollup", "Pss:")


def _rss(pid: int) -> int:
    return _field(pid, "status", "VmRSS:")


def _switches(pid: int) -> int:
    return _field(pid, "status", "voluntary_ctxt_switches:")


def _say(name: str, seconds: list[float], bar: float | None = None) -> None:
    ordered = sorted(second * 1000 for second in seconds)
    median = statistics.median(ordered)
    verdict = (
        "" if bar is None else f"   bar {bar:g} ms at p50: {'met' if median < bar else 'MISSED'}"
    )
    print(f"{name:28} p50 {median:6.1f} ms   max {ordered[-1]:6.1f} ms{verdict}")


if __name__ == "__main__":
    main()
