"""A log that says what is refused, and is not filled with it."""

from holdfast.host.complaints import EVERY, LINES, Complaints


def test_the_first_get_a_line_each_and_the_rest_are_counted() -> None:
    complaints = Complaints(0.0)
    said = [complaints.count(1.0) for _ in range(10_000)]

    assert said.count((True, 0)) == LINES
    assert complaints.count(1.0 + EVERY) == (True, 10_000 - LINES)


def test_a_quiet_minute_leaves_nothing_to_say() -> None:
    complaints = Complaints(0.0)
    complaints.count(0.0)

    assert complaints.count(2 * EVERY) == (True, 0)
