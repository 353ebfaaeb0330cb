"""What `hold wrap` costs next to script(1), which also puts a second terminal in between.

Rows: a key to its echo, one after the other, with a daemon, with a frozen one (SIGSTOP) and without
any; a flood of plain and of coloured text until its end is shown. Each round takes all of them, in
another order, and what is compared is of the same round. `python benchmarks/wrap.py [keys|floods]`
"""

import os
import random
import shlex
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.peers.programs import COLOURED, ECHO, MARK, PLAIN, PRINTER, Programs
from benchmarks.peers.terminal import Terminal, has
from holdfast.protocol.messages import List
from tests.support.home import Home, running_home, until

ROUNDS, KEYS = 30, 200
FLOODS, FLOOD_SIZE = 12, 24 << 20
LATENCY_BAR, THROUGHPUT_BAR, FROZEN_BAR = 2.0, 0.85, 1.25
WRAP = [sys.executable, "-m", "holdfast", "wrap", "-q", "--"]


def main() -> None:
    chosen = sys.argv[1:] or ["keys", "floods"]
    if not has("script"):
        return
    for name in chosen:
        print(f"-- {name}")
        {"keys": keys, "floods": floods}[name]()


@contextmanager
def places() -> Iterator[tuple[Home, Path]]:
    """A home in which a daemon runs, and a directory for other files."""
    with (
        tempfile.TemporaryDirectory() as directory,
        running_home(Path(directory) / "h") as home,
    ):
        home.hold("daemon", "start")
        home.with_spare()
        yield home, Path(directory)


def terminal(home: str, command: list[str]) -> Terminal:
    os.environ["HOLDFAST_HOME"] = home
    return Terminal(command)


def scripted(directory: Path, command: list[str]) -> list[str]:
    return ["script", "-q", "-c", shlex.join(command), str(directory / "typescript")]


# -- keys


def keys() -> None:
    found: dict[str, list[list[float]]] = {}
    with places() as (home, directory), ExitStack() as stack:
        programs = Programs(directory / "programs")
        stack.callback(programs.end)
        echo, mine = programs.command(ECHO), home.environ["HOLDFAST_HOME"]
        daemon = int(home.running()["daemon"]["pid"])
        ways = {
            "bare": stack.enter_context(terminal(mine, echo)),
            "script": stack.enter_context(terminal(mine, scripted(directory, echo))),
            "wrap": stack.enter_context(terminal(mine, [*WRAP, *echo])),
            "wrap, frozen": stack.enter_context(terminal(mine, [*WRAP, *echo])),
            "wrap, alone": stack.enter_context(
                terminal(str(directory / "nothing"), [*WRAP, *echo])
            ),
        }
        programs.ready(len(ways))
        until(lambda: len(home.hold("ls").splitlines()) == 3, "both to be registered")
        for each in ways.values():
            each.settle(0.5)
        for _ in range(ROUNDS):
            for name in random.sample([*ways], len(ways)):
                os.kill(daemon, signal.SIGSTOP if name == "wrap, frozen" else signal.SIGCONT)
                taken = [ways[name].took(b"x", b"x") for _ in range(KEYS)]
                found.setdefault(name, []).append([each * 1e6 for each in taken])
            os.kill(daemon, signal.SIGCONT)
    _say_keys(found)


def _say_keys(found: dict[str, list[list[float]]]) -> None:
    def p(name: str, quantile: int) -> float:
        rounds = [statistics.quantiles(each, n=100)[quantile - 1] for each in found[name]]
        return statistics.median(rounds)

    for name in found:
        print(f"{name:14} p50 {p(name, 50):6.0f} us   p99 {p(name, 99):6.0f} us")
    bare = p("bare", 50)
    script, ours = p("script", 50) - bare, p("wrap", 50) - bare
    ratio = ours / script
    print(
        f"added: script {script:.0f} us, wrap {ours:.0f} us, {ratio:.2f} times "
        f"(bar {LATENCY_BAR:g}): {_verdict(ratio <= LATENCY_BAR)}"
    )
    change = p("wrap, frozen", 99) / p("wrap", 99)
    print(
        f"p99 with the daemon frozen: {change:.2f} times (bar {FROZEN_BAR:g}): "
        f"{_verdict(change <= FROZEN_BAR)}"
    )


# -- floods


def floods() -> None:
    for kind, text in (("plain", PLAIN), ("coloured", COLOURED)):
        found: dict[str, list[float]] = {}
        times = FLOOD_SIZE // len(text)
        with places() as (home, directory), ExitStack() as stack:
            programs = Programs(directory / "programs")
            stack.callback(programs.end)
            file = directory / "text"
            file.write_bytes(text)
            flood, mine = programs.command(PRINTER, file, times), home.environ["HOLDFAST_HOME"]
            ways = {
                "bare": stack.enter_context(terminal(mine, flood)),
                "script": stack.enter_context(terminal(mine, scripted(directory, flood))),
                "wrap": stack.enter_context(terminal(mine, [*WRAP, *flood])),
                "wrap, alone": stack.enter_context(
                    terminal(str(directory / "nothing"), [*WRAP, *flood])
                ),
            }
            programs.ready(len(ways))
            until(lambda: len(home.hold("ls").splitlines()) == 2, "it to be registered")
            for number in range(FLOODS + 1):
                for name in random.sample([*ways], len(ways)):
                    took = ways[name].took(b"x", MARK % (number + 1))
                    if number:  # the first warms up
                        found.setdefault(name, []).append(times * len(text) / took / 1e6)
                    _caught_up(home)
        _say_floods(kind, found)


def _caught_up(home: Home) -> None:
    """Wait until the daemon has the copy, which is of no concern to whoever is measured next."""
    with home.client() as client:
        (info,) = [each for each in client.call(List()).sessions if each.mirrored]
        seen = -1
        while seen != info.offset:
            seen = info.offset
            time.sleep(0.1)
            (info,) = [each for each in client.call(List()).sessions if each.mirrored]


def _say_floods(kind: str, found: dict[str, list[float]]) -> None:
    for name, rates in found.items():
        print(f"{kind:9} {name:12} {statistics.median(rates):5.0f} MB/s")
    pairs = zip(found["wrap"], found["script"], strict=True)
    ratio = statistics.median(ours / script for ours, script in pairs)
    print(
        f"{kind:9} wrap is {ratio:.2f} of script (bar {THROUGHPUT_BAR}): "
        f"{_verdict(ratio >= THROUGHPUT_BAR)}"
    )


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


if __name__ == "__main__":
    main()
