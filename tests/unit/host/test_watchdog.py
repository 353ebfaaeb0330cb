"""When an abandoned host ends, and why (P8, T20); time is moved by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.config.duration import parse_duration
from holdfast.host.watchdog import NO_ACTIVITY, NO_CONNECTION, Watchdog, interval_for


class Run:
    """A host whose loop asks when it was told to; starts at 0."""

    def __init__(self, timeout: str = "10m") -> None:
        self.now = 0.0
        self.watchdog = Watchdog(parse_duration(timeout), self.now)
        self.reason = ""

    def until(self, when: float) -> "Run":
        while not self.reason:
            deadline = self.watchdog.deadline()
            if deadline is None or deadline > when:
                self.now = when
                break
            self.now = max(self.now, deadline)
            self.reason = self.watchdog.expire(self.now)
        return self

    @property
    def ended(self) -> tuple[float, str]:
        return self.now, self.reason


def test_a_host_that_nobody_opens_ends() -> None:
    assert Run("10m").until(1e6).ended == (600.0, NO_CONNECTION)


@pytest.mark.parametrize("off", ["0", "never", "off", "0s"])
def test_it_can_be_switched_off(off: str) -> None:
    run = Run(off)

    assert run.watchdog.deadline() is None
    assert (run.watchdog.expire(1e9), run.watchdog.idle_at) == ("", None)


def test_while_no_tab_is_there_it_is_since_the_last_one_left() -> None:
    run = Run("60s").until(10.0)
    run.watchdog.attached(10.0)
    run.until(50.0).watchdog.detached(50.0)

    assert run.until(1e6).ended == (110.0, NO_CONNECTION)


def test_while_a_tab_is_there_it_is_since_its_last_event() -> None:
    run = Run("60s")
    run.watchdog.attached(0.0)
    run.until(45.0).watchdog.heard(45.0)

    assert run.until(1e6).ended == (105.0, NO_ACTIVITY)


def test_events_keep_it_alive() -> None:
    run = Run("3s")
    run.watchdog.attached(0.0)
    for second in range(100):
        run.until(float(second)).watchdog.heard(run.now)

    assert (run.reason, run.until(1e6).ended) == ("", (102.0, NO_ACTIVITY))


def test_coming_back_begins_anew() -> None:
    run = Run("60s")
    run.watchdog.attached(0.0)
    run.until(10.0).watchdog.detached(10.0)
    run.until(60.0).watchdog.attached(60.0)

    assert run.until(1e6).ended == (120.0, NO_ACTIVITY)


def test_that_another_tab_leaves_is_no_event_of_the_one_that_stays() -> None:
    run = Run("60s")
    run.watchdog.attached(0.0)
    run.watchdog.attached(5.0)
    run.until(50.0).watchdog.detached(50.0)

    assert run.until(1e6).ended == (65.0, NO_ACTIVITY)


def test_a_burst_counts_like_its_last_event() -> None:
    run = Run("60s")
    run.watchdog.attached(0.0)
    for hundredth in range(100):
        run.watchdog.heard(1 + hundredth / 100)

    assert run.until(1e6).ended == (61.99, NO_ACTIVITY)


def test_a_response_that_is_being_sent_is_activity() -> None:
    run = Run("3s").until(1.0)
    run.watchdog.sending()
    run.watchdog.sending()
    run.until(20.0).watchdog.sent(20.0)
    run.until(31.0).watchdog.sent(31.0)

    assert run.until(1e6).ended == (34.0, NO_CONNECTION)


@pytest.mark.parametrize(
    ("timeout", "interval"),
    [(600.0, 5.0), (10.0, 5.0), (4.0, 2.0), (2.0, 1.0), (1.0, 0.5), (0.1, 0.05)],
)
def test_it_is_checked_twice_within_a_timeout_but_not_all_the_time(
    timeout: float, interval: float
) -> None:
    assert interval_for(timeout) == interval
    assert Watchdog(timeout, 0.0).deadline() == min(interval, timeout)


def test_asked_too_early_it_says_nothing() -> None:
    watchdog = Watchdog(10.0, 0.0)

    assert (watchdog.expire(4.9), watchdog.deadline()) == ("", 5.0)


def test_a_process_that_was_stopped_first_reads_what_has_come() -> None:
    """T20: what the tabs have sent meanwhile lies in its sockets."""
    run = Run("60s")
    run.watchdog.attached(0.0)

    assert run.watchdog.expire(3600.0) == ""
    run.now = 3600.0
    run.until(3601.0).watchdog.heard(3601.0)
    assert run.until(1e6).ended == (3661.0, NO_ACTIVITY)


def test_a_process_that_was_stopped_and_has_heard_nothing_ends_soon() -> None:
    run = Run("60s")
    run.watchdog.expire(3600.0)
    run.now = 3600.0

    assert run.until(1e6).ended == (3605.0, NO_CONNECTION)


@given(
    st.floats(0.05, 1000.0),
    st.lists(st.tuples(st.sampled_from(["attach", "detach", "heard"]), st.floats(0.0, 400.0))),
)
def test_it_ends_within_a_timeout_of_the_last_thing_and_not_before(
    timeout: float, steps: list[tuple[str, float]]
) -> None:
    run, tabs, last = Run(f"{timeout:f}"), 0, 0.0
    timeout = run.watchdog.timeout or 0.0
    for what, pause in steps:
        run.until(run.now + pause)
        if run.reason:
            break
        if what == "attach":
            run.watchdog.attached(run.now)
            tabs, last = tabs + 1, run.now
        elif what == "detach" and tabs == 1:
            run.watchdog.detached(run.now)
            tabs, last = 0, run.now
        elif what == "heard" and tabs:
            run.watchdog.heard(run.now)
            last = run.now
    run.until(1e6)

    assert run.ended == (last + timeout, NO_ACTIVITY if tabs else NO_CONNECTION)
