"""Commands as text: newest last, by session, within a budget, with what is left out counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.marks.context import Ran, Told, duration, render
from holdfast.marks.reach import Extent, told_of

COMMANDS = st.builds(
    Ran,
    line=st.text("ab \n\x1b[", max_size=80),
    started=st.floats(0, 2e9),
    ended=st.none() | st.floats(0, 2e9),
    exit_code=st.none() | st.integers(0, 255),
    cwd=st.sampled_from(["", "/src"]),
    output=st.text("xy\n", max_size=300),
)
SESSIONS = st.lists(
    st.builds(Told, st.text("st", max_size=20), st.lists(COMMANDS, max_size=6), st.integers(0, 3)),
    max_size=4,
)


def clock(moment: float) -> str:
    return f"at {moment:g}"


def ran(number: int, output: str = "") -> Ran:
    return Ran(
        line=f"make {number}", started=number, ended=number + 2.5, exit_code=number, output=output
    )


def test_a_command_is_told_whole() -> None:
    command = Ran(
        line="\x1b[1mmake\x1b[0m -j4",
        started=100.0,
        ended=103.5,
        exit_code=2,
        cwd="/src",
        author="terminal pts/3",
        output="\x1b[31mfailed\x1b[0m\r\n",
    )
    text = render([Told("session k3v9", [command])], 1000, clock)

    assert text.text == (
        "# session k3v9\n\n"
        "$ make -j4\n"
        "  exit 2, after 3.5 s, at 100, in /src, typed by terminal pts/3\n"
        "  failed"
    )
    assert (text.commands, text.omitted) == (1, 0)


def test_the_newest_comes_last_by_session_and_in_it() -> None:
    old, new = Told("old", [ran(1), ran(4)]), Told("new", [ran(2), ran(9)])

    text = render([new, old], 5000, clock).text

    wanted = ["# old", "make 1", "make 4", "# new", "make 2", "make 9"]
    assert sorted(wanted, key=text.index) == wanted


def test_what_does_not_fit_is_left_out_from_the_oldest_on_and_counted() -> None:
    text = render([Told("s", [ran(n) for n in range(1, 51)], omitted=7)], 400, clock)

    assert "make 50" in text.text
    assert "make 1\n" not in text.text
    assert text.commands + text.omitted == 57
    assert f"[{text.omitted} older commands left out]" in text.text
    assert len(text.text) <= 400


def test_a_long_output_keeps_head_and_tail_and_leaves_room_for_others() -> None:
    long = "\n".join(f"line {n}" for n in range(10_000))
    text = render([Told("s", [ran(1, "short"), ran(2, long)])], 1000, clock).text

    for part in ("make 1", "short", "make 2", "line 0\n", "line 9999"):
        assert part in text
    assert "lines, " in text
    assert len(text) <= 1000


@pytest.mark.parametrize(
    ("ended", "code", "wanted"),
    [
        (None, None, "still running"),
        (5.0, None, "ended, after 4 s"),
        (1.25, 0, "after 250 ms"),
    ],
)
def test_how_it_ended(ended: float | None, code: int | None, wanted: str) -> None:
    command = Ran(line="x", started=1.0, ended=ended, exit_code=code)

    assert wanted in render([Told("s", [command])], 500, clock).text


@given(SESSIONS, st.integers(1, 2000))
def test_the_budget_is_obeyed_and_every_command_is_told_or_counted(
    sessions: list[Told], budget: int
) -> None:
    text = render(sessions, budget, clock)

    assert len(text.text) <= budget
    all_ = sum(len(told.commands) + told.omitted for told in sessions)
    assert text.commands + text.omitted == all_
    assert "\x1b" not in text.text


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [(-1, "0 ms"), (0.25, "250 ms"), (3.456, "3.46 s"), (75, "1 min 15 s"), (3660, "1 h 1 min")],
)
def test_how_long(seconds: float, wanted: str) -> None:
    assert duration(seconds) == wanted


@pytest.mark.parametrize(
    ("start", "end", "wanted"),
    [
        (0, 5, ["a"]),  # its line is in front of its output
        (15, 16, ["a"]),
        (20, 25, ["b"]),  # between the two outputs: the line of the second
        (12, 31, ["a", "b"]),
        (40, 50, []),
        (60, 61, ["c"]),
        (0, 1 << 60, ["a", "b", "c"]),
    ],
)
def test_which_commands_tell_of_a_range(start: int, end: int, wanted: list[str]) -> None:
    known = [Extent("b", 30, 10), Extent("a", 10, 10), Extent("c", 60, 0)]
    if (start, end) == (40, 50):
        known = known[:2]

    assert told_of(known, start, end) == wanted
