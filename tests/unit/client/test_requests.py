"""What the verbs ask for, whatever kind of words they are given."""

from pathlib import Path

import pytest

from holdfast.client import requests
from holdfast.client.requests import Place
from holdfast.protocol.messages import Ping


def create(cwd: Place | None) -> bytes:
    asked = requests.create(
        ["sh"],
        cwd=cwd,
        env={},
        size=(80, 24),
        name="",
        key="",
        restore="",
        ephemeral=False,
    )
    return asked.cwd


@pytest.mark.parametrize("cwd", ["/tmp", b"/tmp", Path("/tmp")], ids=["str", "bytes", "Path"])
def test_a_directory_may_be_a_text_bytes_or_a_path(cwd: Place) -> None:
    assert create(cwd) == b"/tmp"


def test_without_a_directory_it_is_the_one_of_this_process() -> None:
    assert create(None) == bytes(Path.cwd())


def test_a_call_waits_as_long_as_it_is_told_and_fails_at_once_if_it_is_not() -> None:
    ping = Ping()

    at_once = requests.call_of(ping, wait=False, timeout=None, now=5.0)
    assert (at_once.waits, at_once.deadline) == (False, 15.0)
    for_ever = requests.call_of(ping, wait=True, timeout=None, now=5.0)
    assert (for_ever.waits, for_ever.deadline) == (True, None)
    awhile = requests.call_of(ping, wait=False, timeout=2.0, now=5.0)
    assert (awhile.waits, awhile.deadline) == (True, 7.0)
