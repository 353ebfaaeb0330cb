"""Events in words, and as lines for scripts."""

import json

import pytest

from holdfast.cli.events import Names, json_line, words
from holdfast.protocol.messages import Event


def event(kind: str, **facts: object) -> Event:
    return Event(number=5, time=1.5, session="k3v9qd", kind=kind, facts=facts)


@pytest.mark.parametrize(
    ("happened", "said"),
    [
        (event("created", life=1, name="x"), "started"),
        (event("restored", life=3), "started again, life 3"),
        (event("exit", code=7, signal=None), "ended with code 7"),
        (event("exit", code=None, signal=9), "ended by SIGKILL"),
        (event("exit", code=None, signal=250), "ended by signal 250"),
        (event("exit"), "ended, nobody could learn how"),
        (event("lost", recovery="lost:not-rerun"), "lost:not-rerun"),
        (event("dormant"), "waits to be restored"),
        (event("cleared", offset=12), "cleared up to offset 12"),
        (event("forgotten", offset=5, bytes=2048), "2.0 KiB forgotten, from offset 5 on"),
        (event("forgotten", gone=True), "forgotten with all it had printed"),
        (event("resized", cols=80, rows=24), "resized to 80x24"),
        (event("renamed", name="b"), "is called b now"),
        (event("renamed", name=""), "is called by its id now"),
        (event("sang_a_song", title="x", loud=True), "sang a song title=x loud=True"),
    ],
)
def test_words(happened: Event, said: str) -> None:
    assert words(happened) == said


def test_a_session_is_called_what_it_was_last_called() -> None:
    names = Names({})

    assert names.of(event("exit")) == "k3v9qd"
    assert names.of(event("created", name="a")) == "a (k3v9qd)"
    assert names.of(event("renamed", name="b")) == "b (k3v9qd)"
    assert names.of(event("exit")) == "b (k3v9qd)"


def test_a_script_finds_every_field() -> None:
    line = json_line(event("dormant"))

    assert "\n" not in line
    assert json.loads(line) == {
        "number": 5,
        "time": 1.5,
        "session": "k3v9qd",
        "kind": "dormant",
        "facts": {},
    }
