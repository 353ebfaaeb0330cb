"""Where a viewer is: what it may be sent, and how far it is behind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.session.cursor import BEHIND, SKIP_BYTES, Cursor, Level, Policy

MIB = 1 << 20
Step = tuple[str, int]


def cursor(position: int = 0, policy: Policy = Policy.LATEST, window: int = 1000) -> Cursor:
    return Cursor(position, policy=policy, window=window)


def taken(*steps: Step, position: int = 0) -> Cursor:
    """A cursor after some steps, all at the same moment."""
    one = cursor(position)
    for what, number in steps:
        if what == "sent":
            one.sent(number, 0.0, one.position + number)
        elif what == "ack":
            one.ack(number, 0.0)
        else:
            one.skip(number)
    return one


# -- the window


@pytest.mark.parametrize(
    ("steps", "position", "acked", "in_flight", "allowance"),
    [
        ([], 0, 0, 0, 1000),
        ([("sent", 300)], 300, 0, 300, 700),
        ([("sent", 1000)], 1000, 0, 1000, 0),
        ([("sent", 1200)], 1200, 0, 1200, 0),  # a piece that was a little more
        ([("sent", 300), ("ack", 100)], 300, 100, 200, 800),
        ([("sent", 300), ("ack", 300)], 300, 300, 0, 1000),
        # late, twice, absurd: none gives a byte more than was sent
        ([("sent", 300), ("ack", 200), ("ack", 100)], 300, 200, 100, 900),
        ([("sent", 300), ("ack", 200), ("ack", 200)], 300, 200, 100, 900),
        ([("sent", 300), ("ack", 301)], 300, 300, 0, 1000),
        ([("sent", 300), ("ack", 2**70)], 300, 300, 0, 1000),
        ([("sent", 300), ("ack", -1)], 300, 0, 300, 700),
        ([("ack", 500)], 0, 0, 0, 1000),
        ([("sent", 300), ("ack", 999), ("sent", 300)], 600, 300, 300, 700),
    ],
)
def test_what_is_on_its_way_is_what_was_sent_and_not_acknowledged(
    steps: list[Step], position: int, acked: int, in_flight: int, allowance: int
) -> None:
    one = taken(*steps)

    assert (one.position, one.acked) == (position, acked)
    assert (one.in_flight, one.allowance) == (in_flight, allowance)


@pytest.mark.parametrize(
    ("in_flight", "count", "is_worth_it"),
    [
        (0, 1, True),
        (999, 1, True),  # all there is fits
        (999, 2, False),
        (1000, 1, False),
        (750, 5000, True),  # a quarter of the window
        (751, 5000, False),
        (751, 249, True),
        (751, 250, False),
    ],
)
def test_it_is_sent_what_there_is_or_a_quarter_of_its_window(
    in_flight: int, count: int, is_worth_it: bool
) -> None:
    assert taken(("sent", in_flight)).has_window_for(count) is is_worth_it


# -- gaps


GAP = [("sent", 100), ("skip", 500)]
TWO = [*GAP, ("skip", 600), ("sent", 50), ("skip", 1000), ("sent", 7)]


@pytest.mark.parametrize(
    ("steps", "acked", "in_flight"),
    [
        # with nothing on its way a gap is over at once
        ([("skip", 500)], 500, 0),
        ([("skip", 500), ("sent", 10)], 500, 10),
        ([("sent", 100), ("ack", 100), ("skip", 500)], 500, 0),
        # with bytes on their way it does not count as one of them
        (GAP, 0, 100),
        ([*GAP, ("sent", 10)], 0, 110),
        ([*GAP, ("sent", 10), ("ack", 50)], 50, 60),
        # at its begin and at its end the same is acknowledged
        ([*GAP, ("sent", 10), ("ack", 100)], 100, 10),
        ([*GAP, ("sent", 10), ("ack", 500)], 500, 10),
        ([*GAP, ("sent", 10), ("ack", 100), ("ack", 500)], 500, 10),
        # inside it nothing more than at its begin
        ([*GAP, ("sent", 10), ("ack", 101)], 100, 10),
        ([*GAP, ("sent", 10), ("ack", 499)], 100, 10),
        ([*GAP, ("sent", 10), ("ack", 503)], 503, 7),
        ([*GAP, ("sent", 10), ("ack", 503), ("ack", 300)], 503, 7),
        ([*GAP, ("sent", 10), ("ack", 9999)], 510, 0),
        # neighbours, and one behind the other
        (TWO, 0, 157),
        ([*TWO, ("ack", 500)], 500, 57),
        ([*TWO, ("ack", 550)], 500, 57),
        ([*TWO, ("ack", 600)], 600, 57),
        ([*TWO, ("ack", 640)], 640, 17),
        ([*TWO, ("ack", 700)], 650, 7),
        ([*TWO, ("ack", 1003)], 1003, 4),
        ([*TWO, ("ack", 1007)], 1007, 0),
        ([*TWO, ("ack", 650), ("ack", 1007), ("skip", 2000)], 2000, 0),
        # everything acknowledged up to a gap, then another gap
        ([*GAP, ("ack", 100), ("skip", 700), ("sent", 5)], 700, 5),
        ([*GAP, ("ack", 100), ("skip", 700), ("sent", 5), ("ack", 703)], 703, 2),
    ],
)
def test_a_gap_is_not_on_its_way(steps: list[Step], acked: int, in_flight: int) -> None:
    one = taken(*steps)

    assert (one.acked, one.in_flight) == (acked, in_flight)


@pytest.mark.parametrize(
    ("steps", "contiguous"),
    [
        ([], 40),
        ([("sent", 100)], 40),
        ([("sent", 100), ("ack", 140)], 40),
        ([("sent", 100), ("skip", 500)], 500),
        ([("sent", 100), ("skip", 500), ("sent", 9)], 500),
    ],
)
def test_every_byte_was_sent_since_the_last_gap(steps: list[Step], contiguous: int) -> None:
    assert taken(*steps, position=40).contiguous == contiguous


STEPS = st.lists(
    st.tuples(st.sampled_from(["sent", "skip", "ack"]), st.integers(-5, 60)), max_size=40
)


@given(STEPS)
def test_in_flight_is_never_anything_but_the_bytes_behind_the_acknowledgement(
    steps: list[Step],
) -> None:
    one, sent = cursor(), set[int]()
    for what, number in steps:
        if what == "sent" and number > 0:
            sent |= set(range(one.position, one.position + number))
            one.sent(number, 0.0, one.position + number)
        elif what == "skip" and number > 0:
            one.skip(one.position + number)
        elif what == "ack":
            one.ack(number * 20, 0.0)
        assert one.in_flight == len([byte for byte in sent if byte >= one.acked])


# -- lag


@pytest.mark.parametrize(
    ("end", "lag"), [(0, 0), (99, 0), (100, 0), (101, 1), (100 + 5 * MIB, 5 * MIB)]
)
def test_the_lag_is_what_was_printed_and_not_sent(end: int, lag: int) -> None:
    assert cursor(100).lag(end) == lag


@pytest.mark.parametrize(
    ("lags", "levels"),
    [
        ([0, 1, BEHIND], [None, None, None]),
        ([BEHIND + 1], [Level.BEHIND]),
        ([SKIP_BYTES], [Level.BEHIND]),
        ([SKIP_BYTES + 1], [Level.FAR]),
        # once behind, it is live when nearly nothing is left
        (
            [BEHIND + 1, BEHIND, BEHIND // 4 + 1, BEHIND // 4],
            [Level.BEHIND, None, None, Level.LIVE],
        ),
        ([SKIP_BYTES + 1, SKIP_BYTES, BEHIND, 0], [Level.FAR, Level.BEHIND, None, Level.LIVE]),
        ([SKIP_BYTES + 1, 0, BEHIND], [Level.FAR, Level.LIVE, None]),
        ([BEHIND + 1, SKIP_BYTES + 1, SKIP_BYTES + 2], [Level.BEHIND, Level.FAR, None]),
    ],
)
def test_a_level_is_told_once(lags: list[int], levels: list[Level | None]) -> None:
    one = cursor(7)

    assert [one.new_level(7 + lag) for lag in lags] == levels
