"""What the journal costs: events in a second, a commit waited for, and a start.

Rows: events sustained over the bound at which old ones are dropped, against bare SQLite with
one commit for all; from put to committed; open with 5,000 sessions and 100,000 events, after
closing and after SIGKILL; forgetting a session for good.
`python benchmarks/journal.py`
"""

import shutil
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

from holdfast.store import JSON, Journal

EVENTS = 150_000
SESSIONS = 5_000
EVENTS_BAR = 10_000  # a second
ROUNDS = 5
FACTS: dict[str, JSON] = {"code": 0, "cwd": "/home/somebody/project", "title": "make test"}
ENVIRONMENT: dict[str, JSON] = {f"VARIABLE_{n}": "x" * 30 for n in range(15)}


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        path = home / "journal.db"
        journal = Journal.open(path)
        throughput(journal, bare(home / "bare.db"))
        latency(journal)
        _put_sessions(journal)
        killed = home / "killed"
        killed.mkdir()
        for suffix in ("", "-wal"):
            shutil.copyfile(f"{path}{suffix}", killed / f"journal.db{suffix}")
        journal.close()
        start("closed", path)
        start("killed", killed / "journal.db")
        purge(path)


def bare(path: Path) -> float:
    """Return the events a second of SQLite alone, which is the floor."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE events (number INTEGER PRIMARY KEY, time, session, facts)")
    begun = time.perf_counter()
    connection.execute("BEGIN")
    for number in range(EVENTS):
        values = (number, 1.0, f"s{number % SESSIONS:05}", "{}" * 40)
        connection.execute("INSERT INTO events VALUES (?, ?, ?, ?)", values)
    connection.execute("COMMIT")
    took = time.perf_counter() - begun
    connection.close()
    return EVENTS / took


def throughput(journal: Journal, floor: float) -> None:
    begun = time.perf_counter()
    future = None
    for number in range(EVENTS):
        future = journal.append_event(1.0, f"s{number % SESSIONS:05}", "exit", FACTS)
        if number % 50_000 == 0:
            future.result()  # more may not wait
    assert future is not None
    future.result()
    rate = EVENTS / (time.perf_counter() - begun)
    verdict = "met" if rate >= EVENTS_BAR else "MISSED"
    print(f"events/s    {rate:9,.0f}   bare SQLite {floor:9,.0f}   (bar {EVENTS_BAR:,}): {verdict}")


def latency(journal: Journal) -> None:
    took = []
    for _ in range(2000):
        begun = time.perf_counter()
        journal.append_event(1.0, "aaaa", "exit", FACTS).result()
        took.append((time.perf_counter() - begun) * 1e6)
    p50, p99 = statistics.median(took), statistics.quantiles(took, n=100)[98]
    print(f"put -> committed   p50 {p50:5.0f} us   p99 {p99:5.0f} us")


def _put_sessions(journal: Journal) -> None:
    futures = [
        journal.put_session(
            f"s{number:05}", float(number), "running", {"id": number, "env": ENVIRONMENT, **FACTS}
        )
        for number in range(SESSIONS)
    ]
    futures[-1].result()


def start(name: str, path: Path) -> None:
    opening, listing = [], []
    for _ in range(ROUNDS if name == "closed" else 1):
        begun = time.perf_counter()
        journal = Journal.open(path)
        opened = time.perf_counter()
        assert len(journal.sessions()) == SESSIONS
        listing.append((time.perf_counter() - opened) * 1e3)
        opening.append((opened - begun) * 1e3)
        journal.close()
    print(
        f"start, {name}   open {statistics.median(opening):5.1f} ms   "
        f"{SESSIONS:,} sessions {statistics.median(listing):5.1f} ms   "
        f"({path.stat().st_size / 1e6:.0f} MB, 100,000 events)"
    )


def purge(path: Path) -> None:
    journal = Journal.open(path)
    begun = time.perf_counter()
    journal.remove_session("s00000")
    journal.purge().result()
    print(f"forget and purge   {(time.perf_counter() - begun) * 1e3:5.0f} ms")
    journal.close()


if __name__ == "__main__":
    main()
