"""A journal in a directory, and what tests do to it from outside."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.store import JSON, Journal

FACTS: dict[str, JSON] = {"argv": ["sh", "\udcff"], "cols": 80, "env": {"LANG": "C"}, "x": None}
PATIENCE = 20.0  # seconds for a commit; only a bug takes longer


@contextmanager
def opened(path: Path) -> Iterator[Journal]:
    journal = Journal.open(path)
    try:
        yield journal
    finally:
        journal.close()


def put(journal: Journal, *sessions: str) -> None:
    """Put a record of each session, the first one the oldest, and wait for the commit."""
    futures = [
        journal.put_session(session, float(age), "running", {"id": session, **FACTS})
        for age, session in enumerate(sessions)
    ]
    for future in futures:
        future.result(PATIENCE)


def tell(journal: Journal, count: int, session: str = "aaaa") -> list[int]:
    """Append events and return their numbers."""
    futures = [journal.append_event(float(n), session, "bell", {"n": n}) for n in range(count)]
    return [future.result(PATIENCE) for future in futures]


def ids(journal: Journal) -> list[JSON]:
    return [facts["id"] for facts in journal.sessions()]


def crashed_copy(path: Path, to: Path) -> Path:
    """Return the journal as SIGKILL would leave it now, in the directory *to*."""
    to.mkdir()
    for suffix in ("", "-wal", "-shm"):
        if Path(f"{path}{suffix}").exists():
            shutil.copyfile(f"{path}{suffix}", to / f"journal.db{suffix}")
    return to / "journal.db"


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}
