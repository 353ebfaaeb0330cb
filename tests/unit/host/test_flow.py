"""How much of a view is on its way, and in which pieces (P5); time is moved by hand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.host.flow import BUSY_PAUSE, FULL, LARGEST, PAUSE, WINDOW, Flow, Frame


def sizes(frames: list[Frame]) -> list[int]:
    return [len(frame.data) for frame in frames]


def fed(size: int, **kept: int) -> Flow:
    flow = Flow(0, **kept)
    flow.put(bytes(size))
    return flow


# -- credit


def test_no_more_than_a_window_is_on_its_way() -> None:
    flow = fed(10 * WINDOW)

    assert sum(sizes(flow.frames(0.0))) == WINDOW
    assert (flow.frames(1.0), flow.deadline(), flow.room) == ([], None, 0)


@pytest.mark.parametrize(
    ("ack", "in_flight"),
    [(0, 1000), (300, 700), (1000, 0), (1001, 0), (2**53, 0), (-1, 1000)],
)
def test_what_was_parsed_gives_credit_and_nothing_else_does(ack: int, in_flight: int) -> None:
    flow = fed(1000)
    flow.frames(0.0)
    flow.ack(ack)
    flow.ack(min(ack, 300))  # late
    flow.ack(ack)  # twice

    assert flow.in_flight == in_flight
    assert flow.room == WINDOW - in_flight


def test_credit_that_is_too_small_for_a_frame_is_waited_for() -> None:
    flow = fed(2 * WINDOW)
    flow.frames(0.0)
    flow.ack(100)
    assert flow.frames(1.0) == []

    flow.ack(FULL)
    assert sizes(flow.frames(1.0)) == [FULL]


def test_a_gap_needs_no_acknowledgement() -> None:
    flow = fed(1000)
    flow.frames(0.0)
    flow.skip(5_000_000)
    flow.put(bytes(500))
    frames = flow.frames(1.0)

    assert [frame.offset for frame in frames] == [5_000_000]
    flow.ack(5_000_100)
    assert flow.in_flight == 400


def test_behind_a_picture_what_waited_is_dropped() -> None:
    flow = fed(2 * WINDOW)
    flow.frames(0.0)
    flow.skip(10 * WINDOW)
    flow.ack(WINDOW)

    assert (flow.is_empty, flow.frames(1.0), flow.position) == (True, [], 10 * WINDOW)


def test_before_a_gap_what_waits_can_be_sent_however_small() -> None:
    flow = fed(10)
    flow.frames(0.0)
    flow.put(b"late")

    assert (flow.frames(0.0), flow.flush(0.0)) == ([], [Frame(10, b"late")])


# -- pieces


def test_what_comes_after_a_quiet_moment_goes_at_once() -> None:
    assert sizes(fed(5).frames(0.0)) == [5]


def test_what_follows_is_gathered_for_a_moment() -> None:
    flow = fed(5)
    flow.frames(10.0)
    for _ in range(3):
        flow.put(b"more ")
        assert flow.frames(10.0 + PAUSE / 2) == []

    assert flow.deadline() == 10.0 + PAUSE
    assert flow.frames(10.0 + PAUSE) == [Frame(5, b"more more more ")]
    assert flow.deadline() is None


def test_a_full_frame_waits_for_nothing() -> None:
    flow = fed(5)
    flow.frames(0.0)
    flow.put(bytes(FULL))

    assert sizes(flow.frames(0.0)) == [FULL]


def test_a_flood_goes_in_frames_that_are_not_too_large() -> None:
    found = sizes(fed(WINDOW).frames(0.0))

    assert set(found) == {LARGEST}


def second_of_trickle(flow: Flow, *, typed: bool = False) -> int:
    """Return the frames of one second in which a program prints 100 bytes each 10 ms."""
    frames, clock = 0, 0.0
    for step in range(100):
        clock = step / 100
        flow.put(bytes(100))
        if typed:
            flow.type(clock)
        found = flow.frames(clock)
        flow.ack(flow.position)
        frames += len(found)
    return frames


def test_a_trickle_is_ten_frames_a_second_while_the_host_is_busy() -> None:
    flow = Flow(0)
    flow.is_busy = True

    assert second_of_trickle(flow) == 10


def test_it_is_sent_as_it_comes_while_the_host_is_not() -> None:
    assert second_of_trickle(Flow(0)) == 100


def test_the_echo_of_who_types_is_spared_the_pause() -> None:
    flow = Flow(0)
    flow.is_busy = True

    assert second_of_trickle(flow, typed=True) == 100


def test_what_comes_soon_after_the_echo_belongs_to_it() -> None:
    flow = fed(10)
    flow.is_busy = True
    flow.frames(0.0)
    flow.type(PAUSE / 4)
    flow.put(b"ec")
    assert sizes(flow.frames(PAUSE / 4)) == [2]

    flow.put(b"ho")
    assert flow.deadline() == PAUSE / 4 + PAUSE


def test_long_after_it_the_pause_is_back() -> None:
    flow = fed(10)
    flow.is_busy = True
    flow.type(0.0)
    flow.frames(1.0)
    flow.put(b"more")

    assert flow.deadline() == 1.0 + BUSY_PAUSE


step = st.one_of(
    st.tuples(st.just("put"), st.integers(0, 40)),
    st.tuples(st.just("ack"), st.integers(-5, 400)),
    st.tuples(st.just("wait"), st.integers(0, 200)),
    st.tuples(st.just("type"), st.just(0)),
    st.tuples(st.just("busy"), st.integers(0, 1)),
)


@settings(max_examples=500)
@given(st.lists(step, max_size=60), st.integers(1, 60))
def test_every_byte_goes_once_in_order_and_never_more_than_the_window(
    steps: list[tuple[str, int]], window: int
) -> None:
    flow, clock, taken, acked = Flow(0, window=window), 0.0, b"", 0
    printed = bytearray()
    for what, number in [*steps, ("ack", 10**6), ("wait", 500)]:
        if what == "put":
            piece = bytes((len(printed) + at) % 251 for at in range(number))
            printed += piece
            flow.put(piece)
        elif what == "ack":
            acked = max(acked, min(number, len(taken)))
            flow.ack(number)
        elif what == "wait":
            clock += number / 1000
        elif what == "type":
            flow.type(clock)
        else:
            flow.is_busy = bool(number)
        for frame in flow.frames(clock):
            assert frame.offset == len(taken)
            taken += frame.data
        assert len(taken) - acked <= window
        assert flow.in_flight == len(taken) - acked
        deadline = flow.deadline()
        assert deadline is None or deadline > clock
    while taken != printed:
        flow.ack(len(taken))
        clock += 1.0
        frames = flow.frames(clock)
        assert frames, "something waits, and nothing would ever send it"
        taken += b"".join(frame.data for frame in frames)
