"""The table of a supervised service, its rows spelled out; time is a number."""

import pytest

from holdfast.keeper.service import Process, Service, delay_after

NOW = 1000.0


def process(pid: int = 7, *, started: float = NOW, ready_at: float | None = None) -> Process:
    return Process(pid, channel=None, started=started, ready_at=ready_at)


def serving(*, since: float, started: float | None = None) -> Service:
    started = since if started is None else started
    return Service("daemon", active=process(started=started, ready_at=since))


@pytest.mark.parametrize(
    ("failures", "delay"),
    [
        (0, 0.0),
        (1, 0.0),
        (2, 0.05),
        (3, 0.1),
        (4, 0.2),
        (5, 0.4),
        (6, 0.8),
        (7, 1.6),
        (8, 3.2),
        (9, 5.0),
        (10, 5.0),
        (1_000_000, 5.0),
    ],
)
def test_it_is_started_at_once_then_after_50_ms_up_to_5_s(failures: int, delay: float) -> None:
    assert delay_after(failures) == delay


def died_in_a_row(times: int) -> list[float]:
    """Return the waits after daemons that each served for a second."""
    service, now, waits = Service("daemon"), NOW, []
    for _ in range(times):
        service.active = process(started=now, ready_at=now)
        now += 1.0
        service.ended(service.active, "signal 9", now)
        waits.append(round(service.next_try - now, 3))
        now = service.next_try
    return waits


def test_deaths_in_a_row_wait_longer_and_longer() -> None:
    assert died_in_a_row(10) == [0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


@pytest.mark.parametrize(
    ("served", "failures", "wait"), [(9.9, 5, 0.4), (10.0, 1, 0.0), (3600.0, 1, 0.0)]
)
def test_ten_seconds_of_service_end_a_row(served: float, failures: int, wait: float) -> None:
    service = serving(since=NOW)
    service.failures = 4
    assert service.active is not None

    service.ended(service.active, "signal 9", NOW + served)

    assert (service.failures, service.next_try) == (failures, NOW + served + wait)


def test_the_time_as_a_spare_is_no_service() -> None:
    service = serving(since=NOW, started=NOW - 3600)
    service.failures = 1
    assert service.active is not None

    service.ended(service.active, "signal 11", NOW + 1)

    assert service.failures == 2


def test_one_that_never_served_counts_however_long_it_took() -> None:
    service = Service("daemon", active=process(started=NOW), failures=3)
    assert service.active is not None

    service.ended(service.active, "exit code 1", NOW + 60)

    assert service.failures == 4


def test_every_end_of_the_active_one_is_a_restart_with_its_reason() -> None:
    service = serving(since=NOW)
    assert service.active is not None

    service.ended(service.active, "exit code 0", NOW + 1)

    assert (service.restarts, service.reason) == (1, "exit code 0")
    assert service.active is None


def test_one_that_was_asked_to_end_is_followed_at_once() -> None:
    service = serving(since=NOW)
    service.failures = 6
    assert service.active is not None
    service.active.asked_to_end = True

    service.ended(service.active, "exit code 0", NOW + 1)

    assert (service.failures, service.next_try, service.restarts) == (0, NOW + 1, 1)


@pytest.mark.parametrize(
    ("wanted", "now", "may"),
    [(True, 4.9, False), (True, 5.0, True), (True, 6.0, True), (False, 6.0, False)],
)
def test_it_starts_when_it_is_due_and_wanted(*, wanted: bool, now: float, may: bool) -> None:
    assert Service("daemon", next_try=5.0, wanted=wanted).may_start(now) is may


def test_a_second_active_one_is_never_started() -> None:
    assert not serving(since=NOW).may_start(NOW + 100)


@pytest.mark.parametrize(("after", "may"), [(0.0, False), (0.29, False), (0.3, True), (9.0, True)])
def test_a_spare_comes_300_ms_after_the_active_one_serves(*, after: float, may: bool) -> None:
    service = Service("daemon", active=process())
    assert service.active is not None
    assert not service.may_start_spare(NOW + 100)

    service.became_ready(service.active, NOW)

    assert service.may_start_spare(NOW + after) is may


def test_one_spare_is_enough() -> None:
    service = serving(since=NOW)
    service.spare = process(8)

    assert not service.may_start_spare(NOW + 100)


def test_a_spare_that_ends_is_replaced_after_5_s_and_is_no_restart() -> None:
    spare = process(8)
    service = Service("daemon", active=process(ready_at=NOW), spare=spare)

    service.ended(spare, "exit code 1", NOW + 1)

    assert (service.restarts, service.failures) == (0, 0)
    assert service.spare is None
    assert not service.may_start_spare(NOW + 5.9)
    assert service.may_start_spare(NOW + 6.0)
    assert service.reason == "a spare daemon ended: exit code 1"


def test_a_start_that_the_system_refuses_is_tried_again_but_never_at_once() -> None:
    """T18: no memory, no process, no python any more."""
    service, waits = Service("daemon"), []
    for _ in range(4):
        service.could_not_start("no memory", NOW)
        waits.append(round(service.next_try - NOW, 3))

    assert waits == [0.05, 0.05, 0.1, 0.2]
    assert service.restarts == 0
    assert service.reason == "a daemon could not be started: no memory"


def test_a_spare_that_the_system_refuses_is_tried_again_after_5_s() -> None:
    service = serving(since=NOW)

    service.could_not_start("no memory", NOW + 1)

    assert (service.failures, service.next_spare) == (0, NOW + 6)


def test_a_service_without_a_spare_never_starts_one() -> None:
    service = Service("reader", has_spare=False, active=process(ready_at=NOW))

    assert not service.may_start_spare(NOW + 100)
    assert service.deadline() is None


def test_one_that_says_it_cannot_work_is_not_started_again_and_the_reason_stays() -> None:
    service = Service("reader", has_spare=False, active=process())
    assert service.active is not None

    service.gave_up(service.active, "no library")
    service.ended(service.active, "exit code 0", NOW + 1)

    assert (service.unable, service.reason) == (True, "no library")
    assert not service.may_start(NOW + 100)
    assert service.deadline() is None


@pytest.mark.parametrize(
    ("service", "deadline"),
    [
        (Service("reader", wanted=False), None),
        (Service("daemon", next_try=5.0), 5.0),
        (Service("daemon", active=process()), None),
        (Service("daemon", active=process(ready_at=NOW), next_spare=NOW + 0.3), NOW + 0.3),
        (Service("daemon", active=process(ready_at=NOW), spare=process(8)), None),
        (Service("daemon", active=process(ready_at=NOW), wanted=False), None),
        (Service("daemon", active=Process(7, None, NOW, kill_at=NOW + 5)), NOW + 5),
        (Service("daemon", next_try=5.0, spare=Process(8, None, NOW, kill_at=3.0)), 3.0),
    ],
)
def test_the_keeper_is_woken_only_for_what_is_due(service: Service, deadline: float | None) -> None:
    """T23: with an active one and a spare nothing is timed."""
    assert service.deadline() == deadline
