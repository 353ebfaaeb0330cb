"""Measure the screen: how soon a viewer sees it, and what a session's screen costs in memory.

`model` is the model and the painter alone, in this process; the other rows go through keeper,
daemon and reader (`peers/screens.py`).
`python benchmarks/screen.py [model|attach|flood|pump|memory]`
"""

import ctypes
import functools
import gc
import os
import random
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.peers import screens
from holdfast.reader import checkpoints
from holdfast.reader.ghostty import GhosttyScreen

SIZE = (120, 40)
LINES = 10_000
SESSIONS = 100
ACTIVE = 10
REPEATS = 15


def plain(lines: int) -> bytes:
    return b"".join(
        b"line %6d of what a build says when it is in a good mood\r\n" % n for n in range(lines)
    )


def coloured(lines: int) -> bytes:
    dice = random.Random(1)
    out = bytearray()
    for number in range(lines):
        for word in range(6):
            red, green, blue = dice.randbytes(3)
            out += b"\x1b[38;2;%d;%d;%dmword %d of %d " % (red, green, blue, word, number)
        out += b"\x1b[m\r\n"
    return bytes(out)


def mixed(lines: int) -> bytes:
    link = "\x1b]8;;https://example.org/\x07link\x1b]8;;\x07"
    line = f"\x1b[1;32m漢字\x1b[m {link} 🙂 \x1b[44mto the end\x1b[K\x1b[m\r\n"
    return (line * lines).encode()


def screen_of(data: bytes) -> GhosttyScreen:
    screen = GhosttyScreen.create(*SIZE)
    screen.feed(data)
    return screen


def milliseconds(work: Callable[[], object], repeats: int = REPEATS) -> list[float]:
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        taken.append((time.perf_counter() - begin) * 1000)
    return sorted(taken)


def say(what: str, taken: list[float], bound: float | None = None) -> None:
    middle, late = taken[len(taken) // 2], taken[int(len(taken) * 0.95)]
    wanted = f"  (wanted: {bound:g})" if bound else ""
    print(
        f"  {what:<44} p50 {middle:8.2f} ms   p95 {late:8.2f} ms   best {taken[0]:8.2f} ms{wanted}"
    )


def pictures(name: str, data: bytes, first: float | None) -> None:
    print(f"{name}: {len(data) / 1e6:.2f} MB, {LINES} lines, {SIZE[0]}x{SIZE[1]}")
    screen = screen_of(data)
    fed = milliseconds(lambda: screen_of(data).close(), 3)
    print(f"  fed at {len(data) / 1e3 / fed[0]:.0f} MB/s")
    say("the screen alone", milliseconds(lambda: screen.snapshot(0), 101), 5)
    cold = []
    for _ in range(REPEATS):
        screen._cache.clear()
        cold += milliseconds(screen.snapshot, 1)
    say("with all scrollback, for the first time", sorted(cold), first)
    say("with all scrollback, from painted pages", milliseconds(screen.snapshot), 20)
    say("its text", milliseconds(lambda: screen.text(None), 5))
    say("a checkpoint", milliseconds(screen.checkpoint, 5))
    checkpoint = screen.checkpoint()
    say("restored from it", milliseconds(lambda: GhosttyScreen.restore(checkpoint).close(), 5))
    sizes = [len(data) / 1e6 for data in (checkpoint, screen.snapshot().data)]
    print(f"  checkpoint {sizes[0]:.2f} MB, picture {sizes[1]:.2f} MB")
    screen.close()


def resident() -> float:
    """Return the memory of this process in MB, after giving back what is free."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def memory() -> None:
    print(f"memory of {SESSIONS} sessions with {LINES} coloured lines each")
    data = coloured(LINES)
    before = resident()
    screens = [screen_of(data) for _ in range(ACTIVE)]
    print(f"  live                    {(resident() - before) / ACTIVE:6.2f} MB each")
    for screen in screens:
        screen.compress()
    compressed = (resident() - before) / ACTIVE
    print(f"  compressed              {compressed:6.2f} MB each")
    checkpoint = len(screens[0].checkpoint()) / 1e6
    print(f"  as checkpoint on disk   {checkpoint:6.2f} MB each")
    for screen in screens:
        screen.close()
    print(f"  after closing           {resident() - before:6.2f} MB in all")
    kept = compressed * ACTIVE / SESSIONS
    print(f"  {ACTIVE} compressed, the others on disk: {kept:.2f} MB each in memory  (wanted: 0.7)")
    both = kept + checkpoint * (SESSIONS - ACTIVE) / SESSIONS
    print(f"  ... the others in memory as checkpoints: {both:.2f} MB each")


def compression() -> None:
    """Compare with what every Python has, which is why checkpoints are made as they are."""
    screen = screen_of(coloured(LINES))
    snapshot = screen._encoded(None)
    for name, compress in (
        ("zlib, level 1", functools.partial(zlib.compress, level=1)),
        ("as checkpoints are made", checkpoints.pack),
    ):
        taken = milliseconds(functools.partial(compress, snapshot), 5)
        sizes = [len(data) / 1e6 for data in (snapshot, compress(snapshot))]
        say(f"{name}: {sizes[0]:.2f} -> {sizes[1]:.2f} MB", taken)
    screen.close()


def model(text: bytes, colours: bytes) -> None:
    pictures("plain", text, 40)
    pictures("coloured", colours, 250)
    pictures("wide, links, backgrounds", mixed(LINES), None)
    memory()
    compression()


ROWS = {
    "model": model,
    "attach": screens.painted,
    "flood": screens.flooded,
    "pump": screens.pumped,
    "memory": screens.remembered,
}


def main() -> None:
    text, colours = plain(LINES), coloured(LINES)
    for name in sys.argv[1:] or ROWS:
        print(f"-- {name}", flush=True)
        ROWS[name](text, colours)


if __name__ == "__main__":
    main()
