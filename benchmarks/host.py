"""Measure a host: a flood, an echo, a page that does not read, and 200 tabs; terminado beside it.

The peer is one process with one terminal each; ours are daemon and host, and the program's
output is in a log as well. Both are fed and read by the same client, in turns.
`python benchmarks/host.py [flood|echo|blocked|tabs]`
"""

import asyncio
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

import aiohttp

from benchmarks.peers import pages
from benchmarks.peers.pages import HostPage, TerminadoPage
from benchmarks.peers.place import Place, fresh_place
from tests.support.hosting import HostProcess, running_host
from tests.support.processes import cpu_seconds, resident_kib

FLOOD = 32 << 20  # bytes
ROUNDS = 3
KEYS = 400
PAUSE = 0.005  # seconds between keys
TABS = 200
RATE = 10_000  # bytes a second of each
EACH = 0.1  # seconds between two prints of a program
MEASURED = 8.0  # seconds


class Both(NamedTuple):
    """The same program in a session of ours and in a terminal of the peer."""

    ours: HostPage
    theirs: TerminadoPage
    host: HostProcess
    peer: "subprocess.Popen[bytes]"


@asynccontextmanager
async def both(place: Place, command: str) -> AsyncIterator[Both]:
    session = place.session(["sh", "-c", command])
    peer, port = pages.terminado(command)
    with running_host(place.home) as host:
        async with aiohttp.ClientSession() as web:
            ours = await HostPage.open(web, host.url, host.token, "bench", session)
            theirs = await TerminadoPage.open(web, port, "1")
            try:
                yield Both(ours, theirs, host, peer)
            finally:
                await ours.close()
                await theirs.close()
                peer.kill()
                peer.wait()


async def flood(place: Place) -> None:
    file = pages.flood_file(place.directory, FLOOD)
    size = file.stat().st_size
    command = f"stty raw -echo; while read line; do cat {file}; done"
    async with both(place, command) as found:
        await asyncio.sleep(1)  # shells, and the first picture
        rates: dict[str, list[float]] = {"ours": [], "terminado": []}
        for _ in range(ROUNDS):
            rates["ours"].append(await pages.flooded(found.ours, size))
            rates["terminado"].append(await pages.flooded(found.theirs, size))
    for name, taken in rates.items():
        print(f"  {name:<12} {statistics.median(taken):7.1f} MB/s  ({_each(taken)})")
    ratio = statistics.median(rates["ours"]) / statistics.median(rates["terminado"])
    print(f"  {ratio:.2f} x terminado  (wanted: 1.5)")


async def echo(place: Place) -> None:
    async with both(place, "stty raw -echo; exec cat") as found:
        await asyncio.sleep(1)
        taken: dict[str, list[float]] = {"ours": [], "terminado": []}
        for _ in range(ROUNDS):
            taken["ours"] += await pages.echoes(found.ours, KEYS, PAUSE)
            taken["terminado"] += await pages.echoes(found.theirs, KEYS, PAUSE)
    figures = {name: (_at(each, 0.5), _at(each, 0.99)) for name, each in taken.items()}
    for name, (middle, late) in figures.items():
        print(f"  {name:<12} p50 {middle:6.2f} ms   p99 {late:6.2f} ms")
    ours, theirs = figures["ours"], figures["terminado"]
    print(f"  p50 {ours[0] / theirs[0]:.2f} x (wanted: 1.3), p99 {ours[1] / theirs[1]:.2f} x (1)")


async def blocked(place: Place) -> None:
    file = pages.flood_file(place.directory, FLOOD)
    command = f"stty raw -echo; read line; while :; do cat {file}; done"
    async with both(place, command) as found:
        before = {"ours": resident_kib(found.host.pid), "terminado": resident_kib(found.peer.pid)}
        for page in (found.ours, found.theirs):
            page.pause()
            await page.type(b"\n")
        await asyncio.sleep(5)
        after = {"ours": resident_kib(found.host.pid), "terminado": resident_kib(found.peer.pid)}
    for name, size in before.items():
        print(f"  {name:<12} grew by {(after[name] - size) / 1024:7.1f} MB in 5 s")
    print("  (wanted: 16 MB)")


async def tabs(place: Place) -> None:
    fifos = [place.directory / f"fifo{number}" for number in range(TABS)]
    for fifo in fifos:
        os.mkfifo(fifo)
    sessions = [place.session(["cat", str(fifo)]) for fifo in fifos]
    done = threading.Event()
    feeding = threading.Thread(target=_feed, args=(fifos, done))
    with running_host(place.home) as host:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as web:
            opened = []
            for number, session in enumerate(sessions):
                name = f"bench{number}"
                opened.append(await HostPage.open(web, host.url, host.token, name, session))
            feeding.start()
            await asyncio.sleep(2)
            sizes, frames = sum(page.size for page in opened), sum(page.frames for page in opened)
            used, begin = cpu_seconds(host.pid), time.perf_counter()
            await asyncio.sleep(MEASURED)
            took = time.perf_counter() - begin
            used = cpu_seconds(host.pid) - used
            sizes = sum(page.size for page in opened) - sizes
            frames = sum(page.frames for page in opened) - frames
            memory = resident_kib(host.pid)
            done.set()
            await asyncio.to_thread(feeding.join)
            for page in opened:
                await page.close()
    rate, often = sizes / took / TABS / 1000, frames / took / TABS
    print(f"  {TABS} tabs, each {rate:.1f} KB/s and {often:.1f} frames/s")
    print(f"  {used / took:.0%} of one core  (wanted: 60%), {memory / 1024:.0f} MB")


def _feed(fifos: list[Path], done: threading.Event) -> None:
    """Write into all of them, spread over time as programs are."""
    files = [os.open(fifo, os.O_WRONLY) for fifo in fifos]
    piece = (b"x" * 62 + b"\r\n") * (int(RATE * EACH) // 64)
    begin, turn = time.monotonic(), 0
    while not done.is_set():
        for number, fd in enumerate(files):
            if number % 20 == 0:
                due = begin + turn * EACH + number / len(files) * EACH
                time.sleep(max(0.0, due - time.monotonic()))
            os.write(fd, piece)
        turn += 1
    for fd in files:
        os.close(fd)


def _at(taken: list[float], part: float) -> float:
    return sorted(taken)[int(len(taken) * part)]


def _each(taken: list[float]) -> str:
    return ", ".join(f"{each:.0f}" for each in taken)


ROWS = {"flood": flood, "echo": echo, "blocked": blocked, "tabs": tabs}


def main() -> None:
    for name in sys.argv[1:] or ROWS:
        print(f"-- {name}", flush=True)
        with fresh_place() as place:
            asyncio.run(ROWS[name](place))


if __name__ == "__main__":
    main()
