"""When a client connects, waits and gives up."""

from holdfast.client.attempts import FOR_EVER, Attempts, Kind, State
from holdfast.errors import NotConnected, Superseded


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
