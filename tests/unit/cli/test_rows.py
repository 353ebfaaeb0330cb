"""The table of `hold ls`: what it says, and that it fits."""

import io
from typing import Any

import pytest
from msgspec.structs import replace

from holdfast.cli import columns, rows
from holdfast.protocol.messages import SessionInfo
from tests.unit.cli.test_render import ALIVE, NOW


def table(sessions: list[SessionInfo], width: int, home: str = "/home/ada") -> list[str]:
    cells = [rows.row(each, now=NOW, home=home) for each in sessions]
    return columns.lines_of(columns.fitted(rows.COLUMNS, cells, width), width)


FULL = replace(
    ALIVE, owner="terminal pts/3", viewers=2, title="make - 3 of 7", last_line="[3/7] cc -o hold"
)
ENDED = replace(ALIVE, id="a1b2", name="", pid=None, state="exited", exit_code=1)


def test_into_a_pipe_goes_everything() -> None:
    assert table([replace(FULL, owner="me"), ENDED], 0) == [
        "ID      NAME   STATE     OWNER  VIEWERS  TITLE             CWD    AGE  LAST LINE",
        "k3v9qd  build  running   me     2        make - 3 of 7     ~/src  3 h  [3/7] cc -o hold",
        "a1b2    -      exited 1  -      -        sh -c 'make all'  ~/src  3 h  -",
    ]


def test_on_a_terminal_empty_columns_are_left_out() -> None:
    assert table([replace(ALIVE, name="")], 100) == [
        "ID      STATE    TITLE             CWD    AGE",
        "k3v9qd  running  sh -c 'make all'  ~/src  3 h",
    ]


@pytest.mark.parametrize("width", [20, 40, 60, 79, 80, 90, 132])
def test_it_fits_every_terminal(width: int) -> None:
    long = replace(FULL, name="n" * 50, cwd="/srv/" + "d" * 60 + "/end", last_line="l" * 300)

    lines = table([FULL, long, ENDED], width)

    assert max(columns.cells(line) for line in lines) <= width
    assert [line[:4] for line in lines] == ["ID  ", "k3v9", "k3v9", "a1b2"]


def test_of_a_directory_the_end_is_kept() -> None:
    lines = table([replace(FULL, cwd="/a/very/long/way/down/to/the/project")], 80)

    assert "…" in lines[1]
    assert "project  3 h" in lines[1]


def test_wide_characters_take_two_cells() -> None:
    lines = table([replace(ALIVE, name="建てる"), replace(ALIVE, name="e\u0301te")], 100)

    assert columns.cells("建てる") == 6
    assert {columns.cells(line[: line.index("running")]) for line in lines[1:]} == {8 + 6 + 2}


@pytest.mark.parametrize("field", ["name", "cwd", "argv", "stalled", "title", "owner", "last_line"])
def test_nothing_in_a_table_reaches_the_terminal_as_a_control(field: str) -> None:
    evil = "\x1b]0;x\x07\r\n\x9b6n"
    given: Any = [evil] if field == "argv" else evil

    lines = table([replace(ALIVE, **{field: given})], 0)

    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)
    assert "\\x1b]0;x" in lines[1]


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environ", "stream", "coloured"),
    [
        ({"TERM": "xterm"}, Tty(), True),
        ({"TERM": "xterm", "NO_COLOR": ""}, Tty(), True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, Tty(), False),
        ({"TERM": "dumb"}, Tty(), False),
        ({}, Tty(), False),
        ({"TERM": "xterm"}, io.StringIO(), False),
    ],
)
def test_colour_is_for_terminals_whose_user_wants_it(
    environ: dict[str, str], stream: io.StringIO, coloured: bool
) -> None:
    assert columns.is_coloured(stream, environ) is coloured


@pytest.mark.parametrize(
    ("changes", "style"),
    [
        ({}, "green"),
        ({"stalled": "disk-full"}, "yellow"),
        ({"state": "exited", "exit_code": 0}, "dim"),
        ({"state": "exited", "exit_code": 1}, "red"),
        ({"state": "exited", "exit_signal": 9}, "red"),
        ({"state": "lost"}, "red"),
        ({"state": "something new"}, ""),
    ],
)
def test_styles(changes: dict[str, Any], style: str) -> None:
    assert rows.style_of(replace(ALIVE, **changes)) == style
