"""Which connection goes when there are too many."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.host.crowd import Crowd


def crowd(silent: int = 3, limit: int = 5) -> Crowd[str]:
    return Crowd(silent_limit=silent, limit=limit)


def test_the_oldest_that_says_nothing_makes_room() -> None:
    one = crowd()
    gone = [one.wait(name) for name in "abcde"]

    assert gone == [None, None, None, "a", "b"]


def test_who_has_a_request_is_left_alone_by_who_has_none() -> None:
    one = crowd()
    one.wait("a")
    one.serve("a")

    assert "a" not in [one.wait(str(number)) for number in range(100)]


def test_who_has_a_request_takes_the_place_of_who_has_none() -> None:
    one = crowd()
    for name in "abcd":
        one.wait(name)
        one.serve(name)
    one.wait("silent")

    assert (one.wait("e"), one.serve("e")) == ("silent", None)


def test_of_too_many_requests_the_oldest_goes() -> None:
    one = crowd()
    gone = [one.serve(name) for name in "abcdef"]

    assert gone == [None] * 5 + ["a"]


def test_who_has_an_answer_and_waits_is_silent_again() -> None:
    one = crowd()
    for name in "abc":
        one.wait(name)
    one.serve("a")
    one.wait("a")

    assert one.wait("d") == "b"  # a has been heard of later


def test_saying_again_what_holds_changes_nothing() -> None:
    one = crowd()
    for name in "abc":
        one.wait(name)
    one.wait("a")

    assert one.wait("d") == "a"


@given(st.lists(st.tuples(st.sampled_from(["wait", "serve", "leave"]), st.integers(0, 20))))
def test_there_are_never_more_than_there_may_be(steps: list[tuple[str, int]]) -> None:
    one: Crowd[int] = Crowd(silent_limit=3, limit=5)
    here: set[int] = set()
    for what, number in steps:
        if what == "leave":
            one.leave(number)
            here.discard(number)
        else:
            gone = one.wait(number) if what == "wait" else one.serve(number)
            here.add(number)
            if gone is not None:
                assert gone in here
                here.discard(gone)
        assert len(one) == len(here) <= 5
