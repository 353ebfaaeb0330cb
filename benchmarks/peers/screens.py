"""The screen with all that is around it: attached to through the daemon, beside tmux.

Figures have the client in them: a socket, a handshake-free request, and a picture of up to
3 MiB decoded. Those of tmux have the start of its C client in them, which paints by itself.
"""

import math
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peers.place import verdict
from benchmarks.peers.programs import PLAIN
from benchmarks.peers.terminal import Tmux, has
from benchmarks.pump import logged
from holdfast.protocol.messages import Attach, Attached, Detach, Detached, GetScreen, GetStats
from tests.support.asking import Client
from tests.support.home import Home, running_home, until
from tests.support.looker import Looker
from tests.support.processes import cpu_seconds, resident_kib

SIZE = (120, 40)
SHOW = "import sys, time\nsys.stdout.buffer.write(open(sys.argv[1], 'rb').read())"
STAY = "; sys.stdout.flush(); time.sleep(1e6)"
WORK = "; sys.stdout.flush()\nwhile True: time.sleep(0.5); print('at work', flush=True)"
END = b"here it ends"
FIRST_TIMES = 9
TIMES = 60
FLOOD_BYTES = 512 << 20
FLOOD = """
import os, sys
text = open(sys.argv[1], "rb").read()
for _ in range(int(sys.argv[2])):
    os.write(1, text)
"""
FLOOD_PATIENCE = 60  # seconds for the reader to catch up
PUMP_ROUNDS = 9
SESSIONS, ACTIVE = 100, 10
REST = 40  # seconds; after thirty what rests is compressed


@contextmanager
def read_home(**settings: str) -> Iterator[tuple[Home, Path]]:
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        wanted = {"HOLDFAST_READER_ENABLED": "on", "HOLDFAST_SESSION_LIMIT": "200"} | settings
        with running_home(place / "h", wanted) as home:
            yield home, place


def start(home: Home, client: Client, text: Path, then: str = STAY) -> str:
    words = (sys.executable, "-I", "-S", "-c", SHOW + then, str(text))
    return home.create(client, *words, cols=SIZE[0], rows=SIZE[1]).id


def drawn(client: Client, session: str) -> None:
    asked = GetScreen(session=session)
    until(lambda: END in client.call(asked).data, "all to be drawn", 60)


def kept(home: Home, session: str) -> None:
    """Wait until its screen was written: nothing else is going on then."""
    path = home.paths.state / "sessions" / session / "screen"
    until(path.exists, "the screen to be kept", 60)
    time.sleep(0.2)


def attach(looker: Looker, session: str, scrollback: int | None) -> tuple[float, Attached]:
    """Return the milliseconds until a picture was here, on a connection there was."""
    begin = time.perf_counter()
    asked = Attach(session=session, scrollback=scrollback)
    found: Attached = looker.ask(asked, Attached)
    took = (time.perf_counter() - begin) * 1000
    looker.ask(Detach(viewer=found.viewer), Detached)
    return took, found


def exact(taken: tuple[float, Attached]) -> float:
    """Return how long it took; without a picture in time, as if for ever."""
    return taken[0] if taken[1].fidelity == "exact" else math.inf


def said(what: str, taken: list[float], bar: float, part: float = 0.5) -> None:
    at = sorted(taken)[min(len(taken) - 1, int(len(taken) * part))]
    verdict(f"{what}, p{part * 100:.0f}", at, bar, at_least=False, unit=" ms")


def painted(plain: bytes, coloured: bytes) -> None:
    """Attach to painted, with 10,000 lines of scrollback."""
    with read_home() as (home, place), home.client() as client:
        texts = {"plain": place / "plain", "coloured": place / "coloured"}
        texts["plain"].write_bytes(plain + END)
        texts["coloured"].write_bytes(coloured + END)
        one = start(home, client, texts["plain"])
        many = [start(home, client, texts["coloured"]) for _ in range(FIRST_TIMES)]
        for session in (one, *many):
            drawn(client, session)
            kept(home, session)
        with Looker(home, one, scrollback=0) as looker:
            for name, session in (("plain", one), ("coloured", many[0])):
                alone = [exact(attach(looker, session, 0)) for _ in range(TIMES)]
                said(f"the screen alone ({name})", alone, 5)
            all_plain = [exact(attach(looker, one, 10_000)) for _ in range(TIMES)]
            said("10,000 plain lines", all_plain, 40)
            first = [exact(attach(looker, session, 10_000)) for session in many]
            said("10,000 coloured lines, the first time", first, 250)
            again = [exact(attach(looker, many[0], 10_000)) for _ in range(TIMES)]
            said("10,000 coloured lines, from the cache", again, 20)
        fresh = [_connected(home, one) for _ in range(TIMES)]
        said("with a new connection, the screen alone", fresh, 5)
        if has("tmux"):
            print(f"  tmux, from the start of its client: {_tmux(place, texts['coloured']):.1f} ms")


def _connected(home: Home, session: str) -> float:
    begin = time.perf_counter()
    with Looker(home, session, scrollback=0):
        return (time.perf_counter() - begin) * 1000


def _tmux(place: Path, text: Path) -> float:
    tmux = Tmux(place, SIZE)
    tmux.begin([sys.executable, "-I", "-S", "-c", SHOW + STAY, str(text)])
    try:
        with tmux.glance() as terminal:
            terminal.shows(END)
        taken = []
        for _ in range(TIMES):
            begin = time.perf_counter()
            with tmux.glance() as terminal:
                terminal.shows(END)
                taken.append((time.perf_counter() - begin) * 1000)
    finally:
        tmux.end()
    return statistics.median(taken)


def flooded(_plain: bytes, _coloured: bytes) -> None:
    """Attach during and after a flood."""
    with read_home() as (home, place), home.client() as client:
        text = place / "text"
        text.write_bytes(PLAIN)
        words = (sys.executable, "-I", "-S", "-c", FLOOD, str(text), str(FLOOD_BYTES // len(PLAIN)))
        until(lambda: _reader(client, home), "a reader", 60)
        session = home.create(client, *words, cols=SIZE[0], rows=SIZE[1]).id
        during: list[tuple[float, str]] = []
        while home.state(client, session) == "running":
            during.append(_glance(home, session))
        after: list[tuple[float, str]] = []
        enough = time.monotonic() + FLOOD_PATIENCE
        while len(after) < TIMES or (after[-1][1] != "exact" and time.monotonic() < enough):
            after.append(_glance(home, session))
    said(f"during it ({_counted(during)})", [took for took, _ in during], 50, 0.95)
    said(f"after it ({_counted(after)})", [took for took, _ in after], 50, 0.95)


def _glance(home: Home, session: str) -> tuple[float, str]:
    """Return the milliseconds until somebody was shown something, and how good it was."""
    begin = time.perf_counter()
    with Looker(home, session, scrollback=10_000) as looker:
        return (time.perf_counter() - begin) * 1000, looker.attached.fidelity


def _counted(taken: list[tuple[float, str]]) -> str:
    kinds = [kind for _, kind in taken]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds)))


def pumped(_plain: bytes, _coloured: bytes) -> None:
    """Bytes to the log with a reader and without one, in turns."""
    with read_home() as (with_one, place), read_home(HOLDFAST_READER_ENABLED="off") as (without, _):
        source = place / "text"
        source.write_bytes(PLAIN)
        for home in (with_one, without):
            logged(home, source, "raw")
        pairs = []
        for _ in range(PUMP_ROUNDS):
            off = logged(without, source, "raw")
            on = logged(with_one, source, "raw")
            _idle(with_one)
            pairs.append((on, off))
    on, off = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"  with a reader {on:.0f} MB/s, without {off:.0f} MB/s")
    over = statistics.median(a / b for a, b in pairs)
    verdict("of the pump without a reader", over, 0.9, at_least=True)


def _idle(home: Home) -> None:
    """Wait until the reader has nothing to do, which would be to the cost of the next."""
    pid = home.status()["reader"]["pid"]

    def rests() -> bool:
        before = cpu_seconds(pid)
        time.sleep(0.3)
        return cpu_seconds(pid) - before < 0.05

    until(rests, "the reader to rest", 60)


def remembered(_plain: bytes, coloured: bytes) -> None:
    """Memory of the reader for a hundred sessions of which ten go on."""
    for memory in ("", "112MiB"):
        settings = {"HOLDFAST_READER_MEMORY": memory} if memory else {}
        _remembered(coloured, memory or "256MiB", **settings)


def _remembered(coloured: bytes, memory: str, **settings: str) -> None:
    with read_home(**settings) as (home, place), home.client() as client:
        text = place / "coloured"
        text.write_bytes(coloured + END + b"\r\n")
        until(lambda: _reader(client, home), "a reader", 60)
        pid = _reader(client, home)
        before = resident_kib(pid)
        for number in range(SESSIONS):
            session = start(home, client, text, WORK if number < ACTIVE else STAY)
            drawn(client, session)
        full = resident_kib(pid)
        time.sleep(REST)
        rested = resident_kib(pid)
        each = (rested - before) / SESSIONS / 1024
        sizes = ", ".join(f"{kib / 1024:.0f} MB" for kib in (before, full, rested))
        print(f"  the reader at first, with all, and at rest: {sizes}")
        verdict(f"a session, reader.memory {memory}", each, 0.7, at_least=False, unit=" MB")


def _reader(client: Client, home: Home) -> int:
    if not client.call(GetStats()).reader:
        home.create(client, "echo", "something to read")
    return client.call(GetStats()).reader
