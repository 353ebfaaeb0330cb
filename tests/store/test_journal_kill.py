"""SIGKILL at random moments: what was told is there afterwards, in the order it was told."""

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.store.journals import opened

WRITER = """
import sys
from pathlib import Path
from holdfast.store import Journal

journal = Journal.open(Path(sys.argv[1]))
def tell(kind, name):
    def done(future):
        sys.stdout.write(f"{kind} {name if future.result() is None else future.result()}\\n")
        sys.stdout.flush()
    return done
text = "x" * 300
for n in range(1_000_000):
    session = f"{sys.argv[2]}{n:06}"
    future = journal.put_session(session, float(n), "running", {"id": session})
    future.add_done_callback(tell("session", session))
    future = journal.append_event(float(n), session, "created", {"text": text})
    future.add_done_callback(tell("event", 0))
    if n % 50 == 0:
        future.result()
"""


def told_until_killed(path: Path, name: str, lines: int) -> list[list[str]]:
    """Run a writer, kill it after so many lines, and return what it had told by then."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        told = [writer.stdout.readline() for _ in range(lines)]
        writer.send_signal(signal.SIGKILL)
        told += writer.stdout.readlines()
    return [line.split() for line in told if line.endswith("\n")]


@pytest.mark.slow
def test_what_was_told_before_a_kill_is_there_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    sessions: set[str] = set()
    events: list[int] = []
    luck = random.Random(4)
    for round_ in range(8):
        told = told_until_killed(path, f"r{round_:02}", luck.randrange(1, 3000))
        sessions |= {name for kind, name in told if kind == "session"}
        events += [int(number) for kind, number in told if kind == "event"]

        with opened(path) as journal:
            assert journal.damaged is None
            assert sessions <= {str(facts["id"]) for facts in journal.sessions()}
            kept = [event.number for event in journal.events(0, 1_000_000)]
            assert set(events) <= set(kept)
            assert journal.newest_event() == kept[-1] >= events[-1]
    assert events == sorted(set(events))
    assert len(events) > 1000
