"""When a client connects, waits and gives up."""

from itertools import pairwise

import pytest

from holdfast.client.attempts import A_WHILE, FOR_EVER, Attempts, Kind, State
from holdfast.errors import (
    AuthFailed,
    DaemonUnreachable,
    HoldfastError,
    NotConnected,
    Superseded,
)


def test_who_goes_back_after_giving_up_is_connecting_at_once() -> None:
    changes: list[State] = []
    attempts = Attempts(policy=FOR_EVER, jitter=lambda: 0.0, changed=changes.append, now=0.0)
    attempts.dialing()
    attempts.online(0.0)
    attempts.ended(Superseded(reason="somebody else"), 1.0)
    assert attempts.state.is_over

    attempts.retry_now(2.0)

    assert (attempts.dial_at, attempts.state.kind) == (2.0, Kind.CONNECTING)
    attempts.dialing()
    attempts.online(2.1)
    told = [state.kind for state in changes]
    assert told == [Kind.ONLINE, Kind.LOST, Kind.GAVE_UP, Kind.CONNECTING, Kind.ONLINE]


def test_a_pause_is_over_when_somebody_wants_that() -> None:
    attempts = Attempts(policy=FOR_EVER, jitter=lambda: 0.0, changed=lambda _: None, now=0.0)
    for now in (0.0, 0.1):
        attempts.dialing()
        attempts.ended(NotConnected(reason="nobody is there"), now)
    assert attempts.state.kind is Kind.WAITING

    attempts.retry_now(0.2)

    assert (attempts.dial_at, attempts.state.kind) == (0.2, Kind.CONNECTING)
    assert attempts.state.attempt == 2


def fails_until_it_gives_up(attempts: Attempts, error: HoldfastError, now: float) -> list[float]:
    """Let every attempt fail at once; return when each was made."""
    tried = []
    while (at := attempts.dial_at) is not None:
        now = max(now, at)
        tried.append(now)
        attempts.dialing()
        attempts.ended(error, now)
    return tried


def for_a_while() -> Attempts:
    return Attempts(policy=A_WHILE, jitter=lambda: 1.0, changed=lambda _: None, now=0.0)


def test_who_waits_before_a_terminal_tries_often_and_not_for_ever() -> None:
    attempts = for_a_while()

    tried = fails_until_it_gives_up(attempts, NotConnected(reason="it dies"), 0.0)

    assert tried[:5] == [0.0, 0.0, 0.01, 0.03, 0.07]
    assert 9 < tried[-1] <= 10
    assert max(later - early for early, later in pairwise(tried)) <= 0.5 + 1e-9
    assert attempts.state.kind is Kind.GAVE_UP


def test_a_daemon_that_cannot_be_reached_at_first_is_told_at_once() -> None:
    attempts = for_a_while()
    gone = DaemonUnreachable(path="/x", reason="No such file")

    assert fails_until_it_gives_up(attempts, gone, 0.0) == [0.0]
    assert attempts.state.error is gone


def test_a_daemon_that_was_there_a_moment_ago_is_waited_for() -> None:
    attempts = for_a_while()
    attempts.dialing()
    attempts.online(0.0)
    attempts.ended(NotConnected(reason="it dies"), 60.0)

    gone = DaemonUnreachable(path="/x", reason="No such file")
    tried = fails_until_it_gives_up(attempts, gone, 60.0)

    assert 69 < tried[-1] <= 70


def test_a_refusal_is_believed_at_once_by_who_waits_before_a_terminal() -> None:
    assert fails_until_it_gives_up(for_a_while(), AuthFailed(reason="no"), 0.0) == [0.0]


def test_a_daemon_that_greets_and_dies_is_waited_for_with_pauses() -> None:
    attempts = for_a_while()
    now, tried = 0.0, []
    for _ in range(40):
        assert attempts.dial_at is not None
        now = max(now, attempts.dial_at)
        tried.append(now)
        attempts.dialing()
        attempts.online(now)
        attempts.ended(NotConnected(reason="it dies"), now)

    assert now > 10
    assert [later - early for early, later in pairwise(tried)][-9:] == pytest.approx([0.5] * 9)
