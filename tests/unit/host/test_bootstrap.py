"""What a page that is ready is told: the latest of everything, once, in order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.host.bootstrap import ORDER, Bootstrap


def replayed(bootstrap: Bootstrap) -> list[tuple[str, str, object]]:
    return [(told.event, told.key, told.payload) for told in bootstrap.replay()]


def full() -> Bootstrap:
    bootstrap = Bootstrap()
    for key in ("one", "two"):
        bootstrap.keep("session", {"id": key}, key=key)
    bootstrap.keep("daemon", "online")
    bootstrap.keep("layout", ["one", "two"])
    bootstrap.keep("init", "init")
    bootstrap.keep("started", "started")
    return bootstrap


def test_who_the_page_talks_to_comes_first_then_state() -> None:
    assert replayed(full()) == [
        ("started", "", "started"),
        ("init", "", "init"),
        ("layout", "", ["one", "two"]),
        ("daemon", "", "online"),
        ("session", "one", {"id": "one"}),
        ("session", "two", {"id": "two"}),
    ]


def test_a_second_reload_gets_the_same_once_more() -> None:
    bootstrap = full()
    first = replayed(bootstrap)
    bootstrap.keep("started", "started")

    assert (replayed(bootstrap), replayed(bootstrap)) == (first, first)


def test_only_the_latest_is_told_and_it_keeps_its_place() -> None:
    bootstrap = full()
    bootstrap.keep("session", "renamed", key="one")

    assert replayed(bootstrap)[-2:] == [
        ("session", "one", "renamed"),
        ("session", "two", {"id": "two"}),
    ]


def test_a_key_can_be_dropped() -> None:
    bootstrap = full()
    bootstrap.drop("session", key="one")
    bootstrap.drop("session", key="never there")

    assert [key for event, key, _ in replayed(bootstrap) if event == "session"] == ["two"]


@pytest.mark.parametrize(("first", "second"), [("welcome", "layout"), ("layout", "welcome")])
def test_there_are_sessions_or_none(first: str, second: str) -> None:
    bootstrap = Bootstrap()
    bootstrap.keep(first, 1)
    bootstrap.keep(second, 2)

    assert replayed(bootstrap) == [(second, "", 2)]


def test_what_happens_is_no_state_and_not_replayed() -> None:
    with pytest.raises(KeyError):
        Bootstrap().keep("output", b"")


def test_what_changes_during_a_replay_does_not_disturb_it() -> None:
    bootstrap, told = full(), []
    for one in bootstrap.replay():
        told.append(one.key)
        bootstrap.drop("session", key=one.key)
        bootstrap.keep("session", "new", key="three")

    assert told == ["", "", "", "", "one", "two", "three"]


@given(st.lists(st.tuples(st.sampled_from(ORDER), st.sampled_from("abc"), st.integers())))
def test_each_latest_payload_comes_exactly_once(kept: list[tuple[str, str, int]]) -> None:
    bootstrap, latest = Bootstrap(), {}
    for event, key, payload in kept:
        bootstrap.keep(event, payload, key=key)
        latest[event, key] = payload
        other = {"welcome": "layout", "layout": "welcome"}.get(event)
        latest = {name: value for name, value in latest.items() if name[0] != other}

    found = replayed(bootstrap)
    assert {(event, key): payload for event, key, payload in found} == latest
    assert len(found) == len(latest)
    places = [ORDER.index(event) for event, _, _ in found]
    assert places == sorted(places)
