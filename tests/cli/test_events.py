"""`hold events`: what happened, in words, for scripts, and on and on."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.hold import HOLD, TIMEOUT, Hold

pytestmark = pytest.mark.slow


@contextmanager
def following(hold: Hold, *words: str) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [*HOLD, "events", *words, "--follow"], env=hold.environ, stdout=subprocess.PIPE, text=True
    ) as follower:
        try:
            yield follower
        finally:
            follower.kill()


def line_of(follower: "subprocess.Popen[str]") -> str:
    assert follower.stdout is not None
    return follower.stdout.readline()


def test_people_read_when_what_happened_to_whom(hold: Hold) -> None:
    session = hold.start("-n", "build", "--", "sh", "-c", "exit 7")
    with following(hold, "--since", "0") as follower:
        lines = [line_of(follower) for _ in range(2)]

    clock = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    for line, words in zip(lines, ("started", "ended with code 7"), strict=True):
        assert re.fullmatch(rf"{clock}  build \({session}\)  {words}\n", line)
    assert hold.ok("events") == "".join(lines)


def test_scripts_read_one_object_a_line(hold: Hold) -> None:
    session = hold.start("--", "true")
    other = hold.start("--", "true")
    for each in (session, other):
        hold.ok("output", each, "--follow")
    with following(hold, other, "--json", "--since", "0") as follower:
        found = [event_of(follower) for _ in range(2)]

    assert [each["kind"] for each in found] == ["created", "exit"]
    assert {each["session"] for each in found} == {other}
    assert found[1]["facts"]["code"] == 0
    kept = [json.loads(line) for line in hold.ok("events", "--json", other).splitlines()]
    newest = str(kept[-1]["number"])
    assert hold.ok("events", "--json", "--since", newest, other) == ""
    assert "owned" not in hold.ok("events", other)


def event_of(follower: "subprocess.Popen[str]") -> dict[str, Any]:
    """Return the next event that is not about who owns what."""
    while True:
        event: dict[str, Any] = json.loads(line_of(follower))
        if event["kind"] != "owner_changed":
            return event


def test_who_follows_notices_no_death_of_the_daemon(hold: Hold) -> None:
    session = hold.start("--", "cat")
    with following(hold, "--json", "--since", "0") as follower:
        found = [event_of(follower)]
        for _ in range(3):
            os.kill(hold.status()["daemon"]["pid"], signal.SIGKILL)
            another = hold.start("--", "cat")
            found.append(event_of(follower))
            assert (found[-1]["kind"], found[-1]["session"]) == ("created", another)
        hold.ok("kill", session)
        found.append(event_of(follower))

    numbers = [each["number"] for each in found]
    assert numbers == sorted(set(numbers))
    assert (found[-1]["kind"], found[-1]["session"]) == ("exit", session)


def test_who_follows_does_not_start_again_what_was_stopped(hold: Hold) -> None:
    hold.start("--", "cat")
    with following(hold, "--since", "0") as follower:
        line_of(follower)
        hold.ok("daemon", "stop", "--yes")

        assert follower.wait(TIMEOUT) == 7
    assert hold.processes() == []


def test_no_such_session(hold: Hold) -> None:
    assert hold.run("events", "nobody").returncode == 3
