"""What people and scripts see."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from holdfast.cli import render
from holdfast.protocol.messages import DiskUse, SessionInfo
from tests.support.samples import SESSION

NOW = 1_750_000_000.25 + 3 * 3600
ALIVE = SessionInfo(
    id="k3v9qd",
    name="build",
    key="",
    state="running",
    recovery=None,
    pid=4711,
    argv=["sh", "-c", "make all"],
    cwd="/home/ada/src",
    cols=80,
    rows=24,
    offset=0,
    created=1_750_000_000.25,
    last_activity=NOW - 300,
)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "running"),
        ({"stalled": "disk-full"}, "running, disk-full"),
        ({"state": "exited", "exit_code": 0}, "exited 0"),
        ({"state": "exited", "exit_signal": 9}, "exited SIGKILL"),
        ({"state": "exited", "exit_signal": 200}, "exited signal 200"),
    ],
)
def test_states(changes: dict[str, Any], words: str) -> None:
    assert render.state_words(replace(ALIVE, **changes)) == words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "now"),
        (0.9, "now"),
        (1, "1 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (86399, "23 h"),
        (86400 * 400, "400 d"),
    ],
)
def test_ages(seconds: float, text: str) -> None:
    assert render.age(seconds) == text


@pytest.mark.parametrize(
    ("cwd", "home", "shown"),
    [
        ("/home/ada", "/home/ada", "~"),
        ("/home/ada/x", "/home/ada/", "~/x"),
        ("/home/adam", "/home/ada", "/home/adam"),
        ("/x", "", "/x"),
    ],
)
def test_home_is_shortened(cwd: str, home: str, shown: str) -> None:
    assert render.from_home(cwd, home) == shown


def test_the_json_of_a_session_is_a_contract() -> None:
    (found,) = json.loads(render.as_json([render.session_fields(ALIVE)]))

    promised = "id name key state recovery pid argv cwd cols rows offset created last_attached"
    assert set(promised.split()) <= set(found)
    assert found["recovery"] is None
    assert found["last_attached"] is None
    assert found["argv"] == ["sh", "-c", "make all"]


def test_every_field_of_a_session_is_in_its_json() -> None:
    assert set(render.session_fields(SESSION)) == set(SessionInfo.__struct_fields__)


def test_every_field_of_what_is_inside_is_in_the_json_as_well() -> None:
    used = DiskUse(session="k3v9qd", name="", state="running", log=1, other=2, start=0, end=1)

    (found,) = json.loads(render.as_json([used]))

    assert found["missing"] == []
