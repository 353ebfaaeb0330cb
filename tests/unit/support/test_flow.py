"""A flow does to bytes exactly what its faults say, in every chunking, at the time it is told."""

import random

import pytest

from holdfast.protocol.frames import LIMIT, control_frame, data_frame
from tests.support.proxying.flow import BUFFER_LIMIT, NONE, Count, CutPoint, Faults, Flow

FRAMES = [
    control_frame(b"one"),
    control_frame(b""),
    b"".join(data_frame(1, 0, b"three" * 9)),
    control_frame(b"four"),
]
STREAM = b"".join(FRAMES)
BOUNDARIES = [sum(map(len, FRAMES[:count])) for count in range(len(FRAMES) + 1)]
CHUNKS = [1, 2, 3, 4, 5, 6, 7, 11, 1000]


def fed(flow: Flow, data: bytes, chunk: int = 1000, now: float = 0.0) -> bytes:
    """Feed it in pieces and return what left at that time."""
    left = b""
    for at in range(0, len(data), chunk):
        flow.feed(data[at : at + chunk], now)
        left += taken(flow, now)
    return left


def taken(flow: Flow, now: float = 0.0) -> bytes:
    flow.expire(now)
    left = b""
    while data := flow.sendable(now):
        flow.passed(len(data), now)
        left += data
    return left


@pytest.mark.parametrize("chunk", CHUNKS)
def test_without_faults_bytes_pass_as_they_come_and_frames_are_counted(chunk: int) -> None:
    flow = Flow()
    assert fed(flow, STREAM, chunk) == STREAM
    assert flow.heard == flow.passed_on == Count(len(STREAM), 4)


def test_half_a_frame_does_not_wait_for_the_other_half() -> None:
    flow = Flow()
    assert fed(flow, STREAM[:3]) == STREAM[:3]
    assert flow.passed_on == Count(3, 0)


@pytest.mark.parametrize("faults", [NONE, Faults(duplicated=frozenset({1}))])
@pytest.mark.parametrize("chunk", CHUNKS)
def test_what_is_no_frame_passes_unchanged(faults: Faults, chunk: int) -> None:
    rubbish = random.Random(1).randbytes(3000).replace(b"\0", b"\1")
    flow = Flow(faults)
    assert fed(flow, rubbish, chunk) == rubbish
    assert flow.passed_on == Count(3000, 0)


@pytest.mark.parametrize("chunk", CHUNKS)
def test_a_frame_passes_twice(chunk: int) -> None:
    flow = Flow(Faults(duplicated=frozenset({2, 3})))
    one, two, three, four = FRAMES
    assert fed(flow, STREAM, chunk) == one + two + two + three + three + four
    assert flow.passed_on.frames == 6


@pytest.mark.parametrize("chunk", CHUNKS)
def test_a_frame_waits_until_the_next_has_passed(chunk: int) -> None:
    flow = Flow(Faults(held_back=frozenset({1, 3})))
    one, two, three, four = FRAMES
    assert fed(flow, STREAM, chunk) == two + one + four + three


def test_a_frame_with_none_behind_it_passes_before_the_end() -> None:
    flow = Flow(Faults(held_back=frozenset({4})))
    assert fed(flow, STREAM) == STREAM[: BOUNDARIES[3]]
    flow.end(0.0)
    assert not flow.is_done
    assert taken(flow) == FRAMES[3]
    assert flow.is_done


def test_half_a_frame_that_was_needed_whole_passes_before_the_end() -> None:
    flow = Flow(Faults(duplicated=frozenset({1})))
    assert fed(flow, STREAM[:6]) == b""
    flow.end(0.0)
    assert taken(flow) == STREAM[:6]


def test_a_delayed_frame_passes_its_time_after_it_was_whole() -> None:
    flow = Flow(Faults(delay=2.0))
    assert fed(flow, FRAMES[0], now=10.0) == b""
    assert fed(flow, FRAMES[2], chunk=9, now=11.0) == b""
    assert flow.deadline() == 12.0
    assert taken(flow, 11.99) == b""
    assert taken(flow, 12.0) == FRAMES[0]
    assert flow.deadline() == 13.0
    assert taken(flow, 13.0) == FRAMES[2]
    assert flow.deadline() is None


def test_without_its_delay_a_frame_passes_at_once_and_in_its_turn() -> None:
    flow = Flow(Faults(delay=2.0))
    fed(flow, FRAMES[0], now=10.0)
    flow.suffer(NONE)
    assert fed(flow, FRAMES[2], now=10.0) == FRAMES[0] + FRAMES[2]


def test_a_throttled_flow_passes_no_more_than_its_rate() -> None:
    flow, now = Flow(Faults(rate=1000.0)), 0.0
    flow.feed(bytes(range(1, 201)) * 50, now)
    for _ in range(10_000 // 20):
        assert len(taken(flow, now)) == 20
        assert taken(flow, now) == b""
        deadline = flow.deadline()
        now = deadline if deadline is not None else now + 0.02
    assert flow.passed_on.size == 10_000
    assert now == pytest.approx(10.0)


def test_a_throttled_flow_passes_a_byte_at_least() -> None:
    flow = Flow(Faults(rate=0.5))
    assert fed(flow, b"ab") == b"a"
    assert flow.deadline() == 2.0


@pytest.mark.parametrize("chunk", [1, 4, 1000])
def test_a_cut_lets_exactly_so_many_bytes_pass(chunk: int) -> None:
    for size in range(len(STREAM) + 1):
        flow = Flow(Faults(cut=CutPoint(0, size)))
        assert fed(flow, STREAM, chunk) == STREAM[:size]
        assert flow.is_cut


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("frame", range(5))
@pytest.mark.parametrize("further", [0, 1, 3, 12])
def test_a_cut_counts_from_the_end_of_a_frame(chunk: int, frame: int, further: int) -> None:
    flow = Flow(Faults(cut=CutPoint(frame, further)))
    place = BOUNDARIES[frame] + further
    assert fed(flow, STREAM, chunk) == STREAM[:place]
    assert flow.is_cut == (place <= len(STREAM))


def test_a_cut_counts_frames_as_they_pass() -> None:
    flow = Flow(Faults(cut=CutPoint(2, 0), duplicated=frozenset({1})))
    assert fed(flow, STREAM) == FRAMES[0] * 2


def test_a_cut_that_comes_too_late_is_a_cut_at_once() -> None:
    flow = Flow()
    fed(flow, STREAM)
    for point in (CutPoint(0, 3), CutPoint(2, 0)):
        flow.suffer(Faults(cut=point))
        assert flow.is_cut
    flow.suffer(Faults(cut=CutPoint(5, 0)))
    assert not flow.is_cut


def test_what_is_swallowed_is_lost_with_the_end() -> None:
    flow = Flow(Faults(delay=1.0))
    fed(flow, FRAMES[0])
    flow.suffer(Faults(swallows=True))
    assert fed(flow, STREAM, now=5.0) == b""
    flow.end(5.0)
    assert (flow.is_done, flow.deadline()) == (False, None)
    assert flow.heard.size == len(FRAMES[0] + STREAM)
    assert flow.passed_on == Count()


def test_frames_are_still_known_after_some_were_swallowed() -> None:
    flow = Flow(Faults(swallows=True))
    fed(flow, FRAMES[0] + FRAMES[1])
    flow.suffer(Faults(duplicated=frozenset({3})))
    assert fed(flow, FRAMES[2]) == FRAMES[2] * 2


def test_a_frozen_flow_neither_reads_nor_sends_nor_waits() -> None:
    flow = Flow()
    flow.feed(STREAM, 0.0)
    flow.suffer(Faults(frozen=True))
    assert (taken(flow), flow.wants_more, flow.deadline()) == (b"", False, None)
    flow.suffer(NONE)
    assert (flow.wants_more, taken(flow)) == (True, STREAM)


def test_no_more_is_wanted_while_a_buffer_is_full() -> None:
    for faults in (NONE, Faults(delay=1.0)):
        flow, frame = Flow(faults), control_frame(bytes(1 << 16))
        while flow.wants_more:
            flow.feed(frame, 0.0)
        assert BUFFER_LIMIT < flow.waiting <= BUFFER_LIMIT + len(frame)
        taken(flow, 1.0)
        assert flow.wants_more


def test_a_frame_that_is_needed_whole_may_be_larger_than_the_buffer() -> None:
    frame = control_frame(bytes(LIMIT))
    flow = Flow(Faults(duplicated=frozenset({1})))
    for at in range(0, len(frame), 1 << 16):
        assert flow.wants_more
        flow.feed(frame[at : at + (1 << 16)], 0.0)
    assert not flow.wants_more
    assert taken(flow) == frame * 2
