"""The table of states with every cell spelled out, and when output counts as ended."""

import pytest

from holdfast.errors import InvalidTransition
from holdfast.session.lifecycle import LIVE, OVER, Event, OutputEnd, State, advance

#            spawned  failed  kill asked   child ended  finished vanished slept   restore   found
TABLE = """
starting     running  lost    -            -            -        lost     dormant -         -
running      -        -       terminating  terminating  -        lost     dormant -         -
terminating  -        -       terminating  terminating  exited   lost     -       -         -
dormant      -        -       lost         -            -        -        -       starting  running
exited       -        -       -            -            -        -        dormant starting  running
lost         -        -       -            -            -        -        -       starting  running
"""
EVENTS = (
    Event.SPAWNED,
    Event.SPAWN_FAILED,
    Event.KILL_ASKED,
    Event.CHILD_ENDED,
    Event.FINISHED,
    Event.VANISHED,
    Event.SLEPT,
    Event.RESTORE_ASKED,
    Event.FOUND,
)


def cells() -> list[tuple[State, Event, str]]:
    rows = [line.split() for line in TABLE.strip().splitlines()]
    return [
        (State(row[0]), event, wanted)
        for row in rows
        for event, wanted in zip(EVENTS, row[1:], strict=True)
    ]


def test_the_table_spells_out_every_state_and_event() -> None:
    assert {(state, event) for state, event, _ in cells()} == {(s, e) for s in State for e in Event}


@pytest.mark.parametrize(("state", "event", "wanted"), cells())
def test_a_session_moves_as_the_table_says(state: State, event: Event, wanted: str) -> None:
    if wanted == "-":
        with pytest.raises(InvalidTransition) as caught:
            advance(state, event)
        assert (caught.value.state, caught.value.event) == (state.value, event.value)
    else:
        assert advance(state, event) is State(wanted)


def test_every_state_is_live_over_or_dormant() -> None:
    assert LIVE | OVER | {State.DORMANT} == set(State)
    assert not LIVE & OVER


def test_what_is_lost_comes_back_only_by_a_restore_or_because_it_lives() -> None:
    ways_out = {event for state, event, to in cells() if state is State.LOST and to != "-"}

    assert ways_out == {Event.RESTORE_ASKED, Event.FOUND}


def test_output_ends_a_second_after_the_last_byte() -> None:
    """T30."""
    end = OutputEnd(100.0)

    end.heard(100.7)

    assert end.deadline() == 101.7
    assert not end.is_over(101.69)
    assert end.is_over(101.7)


def test_output_ends_ten_seconds_after_the_child_whatever_still_comes() -> None:
    """T30."""
    end = OutputEnd(100.0)

    for tenth in range(1, 105):
        end.heard(100.0 + tenth / 10)

    assert end.deadline() == 110.0
    assert end.is_over(110.0)


def test_silence_without_a_single_byte_counts_from_the_end_of_the_child() -> None:
    assert OutputEnd(5.0).deadline() == 6.0


def test_the_clock_stands_while_the_disk_takes_nothing() -> None:
    end = OutputEnd(100.0)

    end.stalled(100.5)

    assert end.deadline() is None
    assert not end.is_over(10_000.0)


def test_after_a_stall_both_limits_begin_where_they_stood() -> None:
    end = OutputEnd(100.0)
    end.stalled(102.0)
    end.stalled(150.0)  # said twice, it began once
    end.resumed(202.0)

    assert end.deadline() == 203.0
    for tenth in range(100):
        end.heard(202.0 + tenth / 10)
    assert end.deadline() == 210.0


def test_resuming_what_was_never_stalled_changes_nothing() -> None:
    end = OutputEnd(100.0)

    end.resumed(100.9)

    assert end.deadline() == 101.0
