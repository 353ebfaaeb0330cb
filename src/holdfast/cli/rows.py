"""The lines of `hold ls`.

Drawn before anything that costs is imported: keep it so.
"""

import os
import sys
import time

from holdfast.cli import columns, render
from holdfast.cli.columns import Column
from holdfast.cli.saying import one_line

TYPE_CHECKING = False  # `typing` is one of the things that cost
if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.protocol.messages import SessionInfo

COLUMNS = (
    Column("ID"),
    Column("NAME", 6, gives_way=False),
    Column("STATE", 7, gives_way=False),
    Column("OWNER", 5, gives_way=False),
    Column("VIEWERS"),
    Column("TITLE", 8),
    Column("CWD", 8, keeps_end=True),
    Column("AGE"),
    Column("LAST LINE", 9),
)
WIDE = 32  # cells of what is not on a terminal, so that one long title does not spread them all
STYLES = {"running": "green", "terminating": "yellow", "dormant": "yellow", "lost": "red"}


def lines(sessions: "Sequence[SessionInfo]") -> list[str]:
    """Return heading and rows, as wide as the terminal, or as they need where there is none."""
    size = columns.terminal_size()
    width = size.columns if size else 0
    now, home = time.time(), os.environ.get("HOME", "")
    rows = [row(each, now=now, home=home) for each in sessions]
    table = columns.fitted(COLUMNS, rows, width)
    if width and columns.is_coloured(sys.stdout):
        return _coloured(table, sessions, width)
    return columns.lines_of(table, width)


def _coloured(table: list[list[str]], sessions: "Sequence[SessionInfo]", width: int) -> list[str]:
    """Return the lines with colours, which take no room, so they come after everything is cut."""
    plain = columns.lines_of(table, width)
    at = table[0].index(next(cell for cell in table[0] if cell.startswith("STATE")))
    begin = sum(columns.cells(cell) + columns.GAP for cell in table[0][:at])
    lines = [columns.painted(plain[0], "bold")]
    for line, cells, session in zip(plain[1:], table[1:], sessions, strict=True):
        state = cells[at]
        start = sum(len(cell) + columns.GAP for cell in cells[:at])
        stop = start + len(state)
        if begin + columns.cells(state) > width:
            lines.append(line)  # cut before its state
        else:
            lines.append(line[:start] + columns.painted(state, style_of(session)) + line[stop:])
    return lines


def style_of(session: "SessionInfo") -> str:
    """Return how the state of a session is drawn."""
    if session.state == "exited":
        return "dim" if session.exit_code == 0 else "red"
    return "yellow" if session.stalled else STYLES.get(session.state, "")


def row(session: "SessionInfo", *, now: float, home: str) -> tuple[str, ...]:
    """Return the cells of one session; what a program says of itself cannot draw elsewhere."""
    title = session.title or render.command_line(session.argv)
    return (
        session.id,
        one_line(session.name) or columns.NOTHING,
        render.state_words(session),
        one_line(session.owner or "").removeprefix("terminal ") or columns.NOTHING,
        str(session.viewers or columns.NOTHING),
        columns.cut(one_line(title), WIDE * 2),
        one_line(render.from_home(session.cwd, home)),
        render.age(now - session.created),
        one_line(session.last_line) or columns.NOTHING,
    )
