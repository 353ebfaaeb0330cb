"""What a start costs when there is much to know: a long journal, few programs.

Rows: keeper and daemon killed with 5,000 sessions in the journal, 50 of them live, and a new
daemon's first reply; the same with the keeper alive; rows that survive SIGKILL; lifecycle
events a second. `python benchmarks/recovery.py`
"""

import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from holdfast.protocol.messages import List, Ping
from holdfast.store.journal import Journal
from tests.support.home import Home, running_home, until

ENDED = 4950
LIVE = 50
ROUNDS = 5
EVENTS = 50_000


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        with running_home(Path(directory) / "h") as home:
            start(home)
        events(Path(directory) / "events.db")


def start(home: Home) -> None:
    with home.client() as client:
        template = home.create(client, "sh", "-c", "exit 0")
        home.ended(client, template.id)
    home.stop()
    fill(home, template.id)
    with home.client() as client:
        for _ in range(LIVE):
            home.create(client, "/bin/sleep", "600")
    daemon_dies = [time_of(home, keeper_too=False) for _ in range(ROUNDS)]
    say("daemon dies, spare", daemon_dies)
    both_die = [time_of(home, keeper_too=True) for _ in range(ROUNDS)]
    say("keeper and daemon die", both_die, bar=1500)
    with home.client() as client:
        count = len(client.call(List(ended=True)).sessions)
    kept = "met" if count == ENDED + LIVE + 1 else "MISSED"
    print(f"{'sessions after SIGKILL':28} {count} of {ENDED + LIVE + 1}   bar all: {kept}")


def fill(home: Home, template: str) -> None:
    """Put thousands of sessions that have ended into the journal, as a year of use does."""
    home.paths.prepare(os.getuid())
    with Journal.open(home.paths.journal) as journal:
        (facts,) = [row for row in journal.sessions() if row["id"] == template]
        for number in range(ENDED):
            name = f"old{number:05}".translate(str.maketrans("01", "zy"))
            created = 1_750_000_000.0 + number
            row = {**facts, "id": name, "created": created}
            journal.put_session(name, created, "exited", row)
            (home.paths.state / "sessions" / name).mkdir()


def time_of(home: Home, *, keeper_too: bool) -> float:
    """Seconds from SIGKILL to the first reply of the next daemon."""
    status = home.with_spare()
    home.ask("try")
    victims = home.pids() if keeper_too else {status["daemon"]["pid"]}
    if keeper_too:
        for pid in victims:
            os.kill(pid, signal.SIGSTOP)
    began = time.perf_counter()
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    if keeper_too:
        until(lambda: not victims & home.pids(), "them to be gone")
    with home.client() as client:
        client.call(Ping())
    return time.perf_counter() - began


def events(path: Path) -> None:
    with Journal.open(path) as journal:
        began = time.perf_counter()
        told = [
            journal.append_event(float(number), "k3v9qd", "resized", {"cols": 80})
            for number in range(EVENTS)
        ]
        told[-1].result()
        rate = EVENTS / (time.perf_counter() - began)
    met = "met" if rate >= 10_000 else "MISSED"
    print(f"{'lifecycle events':28} {rate:,.0f} a second   bar 10,000: {met}")


def say(name: str, seconds: list[float], bar: float | None = None) -> None:
    median = statistics.median(seconds) * 1000
    verdict = f"   bar {bar:g} ms: {'met' if median < bar else 'MISSED'}" if bar else ""
    print(f"{name:28} p50 {median:6.1f} ms   max {max(seconds) * 1000:6.1f} ms{verdict}")


if __name__ == "__main__":
    main()
