"""What programs say of themselves: known at once, told now and then."""

from typing import Any

import pytest

from holdfast.daemon.record import Record
from holdfast.daemon.said import BELL_EVERY, TITLE_EVERY, Said, directory_of
from holdfast.protocol.reading import Noted, Rang
from holdfast.session.lifecycle import State
from holdfast.types import Size
from tests.support.hand_loop import HandLoop


class Scene:
    """A session that lives, and what is told of it."""

    def __init__(self, title: str = "") -> None:
        self.loop = HandLoop()
        self.record = Record("s", ["sh"], "/", Size(80, 24), 0.0, state=State.RUNNING, title=title)
        self.told: list[tuple[str, Any]] = []
        self.said = Said(
            self.loop.as_loop,
            known={"s": self.record}.get,
            event=self.event,
            changed=lambda _record: None,
            host="here",
        )

    def event(self, _record: Record, kind: str, _when: float, **facts: Any) -> None:
        (fact,) = facts.values()
        self.told.append((kind, fact))

    def titled(self, *titles: str) -> None:
        for title in titles:
            self.said.noted(Noted("s", 1, title))


def test_a_wheel_in_a_title_is_known_at_once_and_told_now_and_then() -> None:
    scene = Scene()
    scene.titled("-", "\\", "|", "/")
    assert (scene.record.title, scene.told) == ("/", [("title", "-")])

    scene.loop.advance(3 * TITLE_EVERY)

    assert scene.told == [("title", "-"), ("title", "/")]


def test_what_was_told_before_is_not_told_again() -> None:
    scene = Scene(title="work")
    scene.titled("work")
    scene.titled("play", "work")
    scene.loop.advance(3 * TITLE_EVERY)

    assert scene.told == [("title", "play"), ("title", "work")]


def test_a_title_is_one_line_and_not_endless() -> None:
    scene = Scene()
    scene.titled("a\x1b[2Jb\nc" + "d" * 10_000)

    assert scene.record.title.startswith("a[2Jbcddd")
    assert len(scene.record.title) <= 512


def test_bells_are_counted_together() -> None:
    scene = Scene()
    for _ in range(10):
        scene.said.rang(Rang("s", 1, 3))
    scene.loop.advance(5 * BELL_EVERY)

    assert scene.told == [("bell", 3), ("bell", 27)]


def test_of_who_is_unknown_nothing_is_told() -> None:
    scene = Scene()
    scene.said.rang(Rang("x", 1, 3))
    scene.said.noted(Noted("x", 1, "t"))

    assert scene.told == []


@pytest.mark.parametrize(
    ("told", "directory"),
    [
        ("file://here/a%20b", "/a b"),
        ("file:///a", "/a"),
        ("file://localhost/a", "/a"),
        ("/a", "/a"),
        ("file://elsewhere/a", ""),
        ("file://here/a%00b", ""),
        ("https://here/a", ""),
        ("file://[", ""),
        ("", ""),
    ],
)
def test_a_directory_is_one_of_this_machine(told: str, directory: str) -> None:
    assert directory_of(told, "here") == directory
