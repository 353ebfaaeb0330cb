"""What the keeper keeps of a session: all of it comes back, and what is empty takes no room."""

import dataclasses
import json

import pytest

from holdfast.daemon.record import Record
from holdfast.types import ExitStatus, Size

USUAL = Record(id="k3v9qd", argv=["sleep", "9"], cwd="/", size=Size(80, 24), created=7.5)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"argv": [], "cwd": "", "created": 0.0},
        {"umask": 0, "life": 0, "restore": ""},
        {"exit": ExitStatus(code=0), "ended": 0.0, "maxrss_kib": 0, "pid": 0},
        {"name": "build", "killed": True, "env": {"set": {"A": ""}}, "short_lives": 2},
    ],
)
def test_a_record_comes_back_as_it_was(told: dict[str, object]) -> None:
    record = dataclasses.replace(USUAL, **told)  # type: ignore[arg-type]
    found = Record.from_blob(record.blob())
    assert found is not None
    assert found.to_json() == {**record.to_json(), "signalled": [0, ""]}


def test_what_says_nothing_is_left_out() -> None:
    assert len(USUAL.blob()) < len(json.dumps(USUAL.to_json())) / 2


def test_the_record_of_a_daemon_that_left_nothing_out_is_read() -> None:
    found = Record.from_blob(json.dumps(USUAL.to_json()))
    assert found is not None
    assert found.blob() == USUAL.blob()
