"""How often a code or a token may be tried."""

import pytest

from holdfast.host.tries import PEERS, Tries


def failing(tries: Tries, peer: str, times: int, now: float = 0.0) -> int:
    """Return how many tries of so many in a row were allowed."""
    allowed = 0
    for _ in range(times):
        if not tries.wait(peer, now):
            allowed += 1
            tries.failed(peer, now)
    return allowed


def test_a_peer_has_a_few_tries_at_once() -> None:
    assert failing(Tries(per_peer=10), "a", 1000) == 10


def test_they_come_back_one_after_the_other() -> None:
    tries = Tries(per_peer=10)
    failing(tries, "a", 10)

    assert tries.wait("a", 0.0) == 6.0
    assert tries.wait("a", 2.0) == pytest.approx(4.0)
    assert [failing(tries, "a", 5, now) for now in (5.0, 6.0, 6.5, 12.0)] == [0, 1, 0, 1]


def test_an_hour_of_guessing_is_a_few_hundred_guesses() -> None:
    tries = Tries()

    assert sum(failing(tries, "a", 3, now / 2) for now in range(7200)) <= 10 + 600


def test_another_peer_is_not_locked_out() -> None:
    tries = Tries(per_peer=10)
    failing(tries, "a", 1000)

    assert tries.wait("b", 0.0) == 0.0


def test_many_peers_together_have_a_bound_too() -> None:
    tries = Tries(per_peer=10, over_all=100)

    assert sum(failing(tries, f"10.0.0.{peer}", 10) for peer in range(250)) == 100


def test_what_is_remembered_is_bounded() -> None:
    tries = Tries(over_all=10**9)
    for peer in range(3 * PEERS):
        tries.failed(str(peer), 0.0)

    assert len(tries._peers) == PEERS


def test_a_clock_that_goes_back_takes_nothing() -> None:
    tries = Tries(per_peer=10)
    tries.failed("a", 100.0)

    assert tries.wait("a", 0.0) == 0.0
