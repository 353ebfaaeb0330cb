"""How fast a viewer is, and when it is shown the present instead of what it has missed."""

import pytest

from holdfast.session.cursor import (
    MEASURED_OVER,
    SKIP_BYTES,
    SKIP_SECONDS,
    SNAPSHOT_EVERY,
    WINDOW,
    Cursor,
    Policy,
    Speed,
)

KIB, MIB = 1 << 10, 1 << 20


def cursor(window: int = WINDOW) -> Cursor:
    return Cursor(0, policy=Policy.LATEST, window=window)


# -- speed


@pytest.mark.parametrize(
    ("takes", "now", "seconds"),
    [
        ([], 0.0, 0.0),  # nothing is known: it is not slow
        ([], MEASURED_OVER - 0.01, 0.0),
        ([], MEASURED_OVER, float("inf")),  # by now it could have taken something
        ([(100, 0.1)], 0.1, 0.0),
        ([(100, 0.5)], 0.5, 5.0),  # 200 bytes a second
        ([(50, 0.2), (50, 0.5)], 0.5, 5.0),
        ([(100, 0.5), (300, 1.0)], 1.0, 2.5),  # the mean of 200 and 600
        ([(100, 0.5), (100, 0.6)], 0.7, 5.0),  # too soon to say something else
        ([(100, 0.5), (10, 0.6)], 1.0, 50.0),  # 20 bytes a second since
        ([(100, 0.5), (900, 0.6)], 1.0, 5.0),  # not quicker before that is over
        ([(100, 0.5)], 9.5, float("inf")),
    ],
)
def test_speed_is_what_is_taken_in_a_quarter_of_a_second_or_more(
    takes: list[tuple[int, float]], now: float, seconds: float
) -> None:
    speed = Speed()
    speed.begin(0.0)
    for count, when in takes:
        speed.took(count, when)

    assert speed.seconds_for(1000, now) == pytest.approx(seconds)


# -- when it is shown the present


def measured(rate: int, *, policy: Policy = Policy.LATEST) -> Cursor:
    """A cursor at 0 of a viewer that has taken so many bytes in the second that is over."""
    one = Cursor(-rate, policy=policy, window=rate)
    one.sent(rate, 0.0, 1 << 40)
    one.ack(0, 1.0)
    return one


BOUND = int(SKIP_BYTES / SKIP_SECONDS)  # who takes 8 MiB in 2 s


@pytest.mark.parametrize(
    ("rate", "lag", "skips"),
    [
        # 8 MiB behind
        (1000, SKIP_BYTES, False),
        (1000, SKIP_BYTES + 1, True),
        # and 2 s
        (BOUND, SKIP_BYTES + 1, True),
        (BOUND + 10, SKIP_BYTES + 1, False),
        (BOUND * 5, 5 * SKIP_BYTES, False),
        (BOUND * 5, 5 * SKIP_BYTES + 1, True),
    ],
)
def test_it_skips_at_8_mib_and_2_seconds(rate: int, lag: int, skips: bool) -> None:
    assert measured(rate).has_to_skip(lag, 1.0) is skips
    assert not measured(rate, policy=Policy.LOSSLESS).has_to_skip(lag, 1.0)


@pytest.mark.parametrize(
    ("since", "skips"), [(0.0, False), (SNAPSHOT_EVERY - 0.01, False), (SNAPSHOT_EVERY, True)]
)
def test_there_are_ten_pictures_a_second_at_most(since: float, skips: bool) -> None:
    one, end = measured(1000), SKIP_BYTES + 1
    one.pictured(end, 1.0)

    assert one.has_to_skip(2 * end, 1.0 + since) is skips
    assert (one.position, one.lag(2 * end)) == (end, end)


def test_a_slow_viewer_is_known_by_what_it_does_not_take() -> None:
    one, end = cursor(), 100 * MIB
    one.sent(WINDOW // 2, 0.0, end)

    assert not one.has_to_skip(end, MEASURED_OVER - 0.01)
    assert one.has_to_skip(end, MEASURED_OVER)


def test_one_that_has_just_come_is_not_slow() -> None:
    """T38: it may be back from an hour offline, and on a good line."""
    one = cursor()
    assert not one.has_to_skip(100 * MIB, 5000.0)

    one.sent(KIB, 5000.0, 100 * MIB)

    assert not one.has_to_skip(100 * MIB, 5000.1)


@pytest.mark.parametrize("trip", [0.001, 0.3, 3.0])
def test_one_that_had_little_to_take_is_not_slow(trip: float) -> None:
    """T38: echoes over a long line say nothing of its width."""
    one, now = cursor(), 0.0
    for _ in range(1000):
        one.sent(1, now, one.position + 1)
        now += trip
        one.ack(one.position, now)

    assert not one.has_to_skip(one.position + 100 * MIB, now)
    one.sent(KIB, now, 100 * MIB)
    assert not one.has_to_skip(one.position + 100 * MIB, now + 0.01)


@pytest.mark.parametrize(("count", "is_slow"), [(WINDOW // 2, False), (WINDOW, True)])
def test_one_that_was_sent_all_there_is_is_slow_only_if_that_filled_its_window(
    count: int, is_slow: bool
) -> None:
    """T1: it is stopped while a program floods; what it does not take is not even sent."""
    one = cursor()
    one.sent(count // 2, 0.0, count)
    one.sent(count // 2, 0.0, count)

    assert one.has_to_skip(100 * MIB, 60.0) is is_slow


def test_one_that_has_taken_a_window_and_then_had_nothing_to_do_is_not_slow() -> None:
    one = cursor()
    one.sent(WINDOW, 0.0, WINDOW)
    one.ack(WINDOW // 2, 0.1)
    one.ack(WINDOW - 1, 0.1)

    assert not one.has_to_skip(100 * MIB, 60.0)
    one.sent(WINDOW // 2, 60.0, 100 * MIB)
    assert not one.has_to_skip(100 * MIB, 60.1)


def test_the_silence_after_a_picture_says_nothing_of_its_speed() -> None:
    one = cursor()
    one.sent(WINDOW // 2, 0.0, 100 * MIB)
    one.pictured(100 * MIB, 0.1)

    assert not one.has_to_skip(200 * MIB, 60.0)


def test_what_is_left_out_is_not_taken() -> None:
    one = cursor()
    one.sent(1000, 0.0, 100 * MIB)
    one.skip(50 * MIB)
    one.ack(50 * MIB, 1.0)

    assert one.has_to_skip(100 * MIB, 1.0)


@pytest.mark.parametrize("trip", [0.01, 0.1, 0.2, 0.5])
def test_one_that_takes_a_window_at_a_time_is_as_slow_as_it_is(trip: float) -> None:
    one, now = cursor(window=16 * KIB), 0.0
    while now < 1.0:
        one.sent(16 * KIB, now, 100 * MIB)
        now += trip
        one.ack(one.position, now)

    assert one.has_to_skip(100 * MIB, now)
