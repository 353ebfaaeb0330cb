"""Which events are missing, told by what the keeper knows and what the journal has."""

from pathlib import Path

import pytest

from holdfast.daemon.record import Record
from holdfast.daemon.unnoted import Behind, unnoted
from holdfast.session.lifecycle import State
from holdfast.store.journal import Journal
from holdfast.types import Size

LIVES, OVER = State.RUNNING, State.EXITED


def record(state: State, life: int = 1) -> Record:
    return Record(
        id="aaaaaa", argv=[], cwd="/", size=Size(80, 24), created=1.0, state=state, life=life
    )


@pytest.mark.parametrize(
    ("behind", "written", "noted", "missing"),
    [
        (Behind(record(LIVES), None), [], [], ["created"]),
        (Behind(record(LIVES), None), ["created"], [], []),
        (Behind(record(LIVES), None), [], ["created"], []),
        (Behind(record(LIVES), record(LIVES)), [], [], []),
        (Behind(record(OVER), None), [], [], ["created", "exit"]),
        (Behind(record(OVER), record(LIVES)), [], [], ["exit"]),
        (Behind(record(OVER), record(LIVES)), ["exit"], [], []),
        (Behind(record(OVER), record(LIVES)), [], ["exit"], []),
        (Behind(record(OVER), record(OVER)), [], [], []),
        (Behind(record(LIVES, 2), record(OVER, 1)), ["created", "exit"], [], ["restored"]),
        (Behind(record(OVER, 2), record(OVER, 1)), ["exit"], [], ["restored", "exit"]),
    ],
)
def test_what_is_missing(
    tmp_path: Path,
    behind: Behind,
    written: list[str],
    noted: list[str],
    missing: list[str],
) -> None:
    with Journal.open(tmp_path / "journal.db") as journal:
        for kind in written:
            journal.append_event(1.0, "aaaaaa", kind, {"life": 1}).result(20)
        journal.append_event(1.0, "aaaaaa", "resized", {}).result(20)

        found = unnoted(journal, [behind], {("aaaaaa", kind) for kind in noted})

        assert [kind for _, kind in found] == missing
