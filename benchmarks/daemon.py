"""What a viewer gets: bytes a second, and how soon an echo comes, each beside its peers.

Rows: program to log to one client; sixteen clients of one flood; one key and its echo, idle,
beside a flood and beside fifty busy sessions; a viewer that has stopped.
`python benchmarks/daemon.py [throughput|fanout|echo|stopped]`
"""

import os
import signal
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.peers.place import Place, fresh_place, ratio, verdict
from benchmarks.peers.programs import COLOURED, ECHO, FLOOD, MARK, PLAIN, PRINTER, STEADY, Programs
from benchmarks.peers.terminal import Terminal, Tmux, dtach, has
from tests.support.processes import resident_kib

ROUNDS = 7
FLOOD_SIZE, TMUX_SIZE = 48 << 20, 6 << 20  # bytes, so that each takes half a second or more
CLIENTS = 16
MARK_SIZE = len(MARK % 1)
KEYS, KEYS_SECONDS, KEY_PAUSE = 400, 2.0, 0.002
BUSY_SESSIONS, BUSY_RATE = 50, 1e6
STOPPED_BYTES = 1 << 30  # by then it has been overtaken by what is kept
LIMIT = 300  # seconds for everything


def main() -> None:
    signal.alarm(LIMIT)  # a peer that prints nothing more would be waited for for ever
    signal.signal(signal.SIGALRM, _give_up)
    rows = {"throughput": throughput, "fanout": fanout, "echo": echo, "stopped": stopped}
    for name in sys.argv[1:] or rows:
        print(f"-- {name}", flush=True)
        rows[name]()


def _give_up(*_: object) -> None:
    raise TimeoutError(f"not done after {LIMIT} s")


# -- throughput


def throughput() -> None:
    peers = [name for name in ("tmux", "dtach") if has(name)]
    for text_name, text, over_tmux in (("plain", PLAIN, 4), ("coloured", COLOURED, 8)):
        with fresh_place() as place:
            ways = _ways(place, text, peers)
            rates: dict[str, list[float]] = {name: [] for name in ways}
            for number in range(ROUNDS):
                for name, rate in ways.items():
                    rates[name].append(rate(number + 1))
        medians = ", ".join(f"{name} {statistics.median(r):.1f}" for name, r in rates.items())
        print(f"{text_name}, MB/s: {medians}")
        over_bare = ratio(rates["holdfast"], rates["bare"])
        verdict("of a bare read loop (aim 0.85)", over_bare, 0.7, at_least=True)
        if "tmux" in peers:
            over = ratio(rates["holdfast"], rates["tmux"])
            verdict("of tmux", over, over_tmux, at_least=True)


def _ways(place: Place, text: bytes, peers: list[str]) -> dict[str, Callable[[int], float]]:
    """Return what measures MB/s, in bytes that the program printed, for each way."""
    programs = place.programs("printers")
    path, floods, tmux_floods = place.text(text), FLOOD_SIZE // len(text), TMUX_SIZE // len(text)
    flood = programs.command(PRINTER, path, floods)

    def on_terminal(terminal: Terminal, times: int = floods) -> Callable[[int], float]:
        size = times * len(text) / 1e6
        return lambda number: size / terminal.took(b"x", (MARK % number).strip())

    session = place.session(flood)
    programs.ready(1)
    (client,) = place.looking(session)

    def ours(_number: int) -> float:
        client.ask("take", floods * len(text) + MARK_SIZE, "type")
        begin, end = client.answer()
        return floods * len(text) / (end - begin) / 1e6

    ways = {"bare": on_terminal(place.enter(Terminal(flood))), "holdfast": ours}
    programs.ready(2)
    if "tmux" in peers:
        tmux = Tmux(place.directory)
        tmux.begin(programs.command(PRINTER, path, tmux_floods))
        programs.ready(3)
        ways["tmux"] = on_terminal(place.enter(tmux.attach()), tmux_floods)
    if "dtach" in peers:
        terminal = place.enter(dtach(place.directory, flood))
        programs.ready(2 + len(peers))
        terminal.settle()
        ways["dtach"] = on_terminal(terminal)
    return ways


# -- fan-out


def fanout() -> None:
    with fresh_place() as place:
        programs = place.programs("printers")
        times = FLOOD_SIZE // 2 // len(PLAIN)
        size = times * len(PLAIN)
        session = place.session(programs.command(PRINTER, place.text(PLAIN), times))
        programs.ready(1)
        clients, rates = place.looking(session, CLIENTS), []
        for _ in range(ROUNDS):
            for client in reversed(clients):  # the first one types, when all of them look
                client.ask("take", size + MARK_SIZE, "type" if client is clients[0] else "-")
            spans = [client.answer() for client in clients]
            took = max(end for _, end in spans) - spans[0][0]
            rates.append(CLIENTS * size / took / 1e6)
    what = f"{CLIENTS} clients, delivered in total"
    verdict(what, statistics.median(rates), 500, at_least=True, unit=" MB/s")


# -- echo


class Bars(NamedTuple):
    """What p50 and p99 may be, in those of tmux."""

    p50: float
    p99: float


class Neighbours(NamedTuple):
    """What runs beside the session into which is typed, with nobody looking."""

    name: str
    sessions: int
    program: str
    bars: Bars
    settle: float
    """Seconds after which things are as they stay."""


SITUATIONS = (
    Neighbours("idle", 0, FLOOD, Bars(1.5, 1.5), 0),
    Neighbours("beside one flood", 1, FLOOD, Bars(0.35, 0.5), 0.3),
    Neighbours(f"beside {BUSY_SESSIONS} at 1 MB/s", BUSY_SESSIONS, STEADY, Bars(1 / 50, 1 / 20), 1),
)


def echo() -> None:
    with_tmux = has("tmux")
    for situation in SITUATIONS:
        with fresh_place() as place:
            measured = _echoes(place, situation, with_tmux=with_tmux)
        for what, bar in zip(("p50", "p99"), situation.bars, strict=True):
            found = {n: [_percentile(r, what) for r in rounds] for n, rounds in measured.items()}
            medians = ", ".join(
                f"{name} {statistics.median(times) * 1e6:.0f} us" for name, times in found.items()
            )
            print(f"{situation.name}, {what}: {medians}")
            if with_tmux:
                over = ratio(found["holdfast"], found["tmux"])
                verdict(f"{what} of tmux", over, bar, at_least=False)


def _echoes(
    place: Place, situation: Neighbours, *, with_tmux: bool
) -> dict[str, list[list[float]]]:
    text = place.text(PLAIN)
    echoing, ours = place.programs("echoing"), place.programs("ours")
    session = place.session(echoing.command(ECHO))
    echoing.ready(1)
    (client,) = place.looking(session)
    for _ in range(situation.sessions):
        place.session(ours.command(situation.program, text, BUSY_RATE))
    ours.ready(situation.sessions)
    ours.stop()

    def through_holdfast() -> list[float]:
        client.ask("echoes", KEYS, KEYS_SECONDS, KEY_PAUSE)
        return client.answer()

    ways = {"holdfast": (ours, through_holdfast)}
    if with_tmux:
        theirs, terminal = _in_tmux(place, situation, echoing, text)

        def through_tmux() -> list[float]:
            times: list[float] = []
            end = time.monotonic() + KEYS_SECONDS
            while len(times) < KEYS and time.monotonic() < end:
                time.sleep(KEY_PAUSE)
                times.append(terminal.took(b"x", b"x"))
            return times

        ways["tmux"] = (theirs, through_tmux)
    measured: dict[str, list[list[float]]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, (neighbours, measure) in ways.items():
            with neighbours.running(situation.settle):
                measured[name].append(measure())
            time.sleep(situation.settle)  # what they left behind is worked off
    return measured


def _in_tmux(
    place: Place, situation: Neighbours, echoing: Programs, text: Path
) -> tuple[Programs, Terminal]:
    theirs, tmux = place.programs("theirs"), Tmux(place.directory)
    tmux.begin(echoing.command(ECHO))
    echoing.ready(2)
    for _ in range(situation.sessions):
        tmux.window(theirs.command(situation.program, text, BUSY_RATE))
    theirs.ready(situation.sessions)
    theirs.stop()
    return theirs, place.enter(tmux.attach())


def _percentile(times: list[float], what: str) -> float:
    return sorted(times)[int(len(times) * int(what[1:]) / 100)]


# -- a viewer that has stopped


def stopped() -> None:
    with fresh_place() as place:
        programs = place.programs("printers")
        rounds = 16
        times = STOPPED_BYTES // rounds // len(PLAIN)
        size = times * len(PLAIN)
        session = place.session(programs.command(PRINTER, place.text(PLAIN), times))
        programs.ready(1)
        other, one = place.looking(session, 2)
        daemon = place.home.running()["daemon"]["pid"]
        other.ask("take", size + MARK_SIZE, "type")
        one.ask("take", 1 << 40, "-")
        other.answer()  # what is loaded once is loaded now
        os.kill(one.process.pid, signal.SIGSTOP)
        before = most = resident_kib(daemon)
        for _ in range(rounds):
            other.ask("take", size + MARK_SIZE, "type")
            other.answer()
            most = max(most, resident_kib(daemon))
    what = "memory of the daemon, one viewer stopped for 1 GiB"
    verdict(what, (most - before) / 1024, 4, at_least=False, unit=" MB")


if __name__ == "__main__":
    main()
