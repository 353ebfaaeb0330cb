"""`hold ls`: every session in a line that fits the terminal, once or for as long as you look."""

import os
import signal
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from types import FrameType

from holdfast.cli import columns, door, paging, render
from holdfast.cli.columns import Column
from holdfast.cli.exits import OK, note, one_line
from holdfast.client.plain import Client
from holdfast.protocol.messages import Role, SessionInfo

COLUMNS = (
    Column("ID"),
    Column("NAME", 6),
    Column("STATE", 7),
    Column("OWNER", 5),
    Column("VIEWERS"),
    Column("TITLE", 8),
    Column("CWD", 8, keeps_end=True),
    Column("AGE"),
    Column("LAST LINE", 9),
)
STATE = 2
WIDE = 32  # cells of what is not on a terminal, so that one long title does not spread them all
STYLES = {"running": "green", "terminating": "yellow", "dormant": "yellow", "lost": "red"}
CALM = 0.1  # seconds between two pictures: a script that sends all the time is not watched live
BEGIN, END = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
HOME, REST, DOWN = "\x1b[H", "\x1b[K", "\x1b[J"


def ls(values: Namespace) -> int:
    """List sessions."""
    with door.client(Role.STREAM) as client:
        if values.watch:
            return _watch(client, is_all=values.all, json=values.json)
        sessions = door.sessions(client, ended=values.all, lines=True)
    if values.json:
        print(render.as_json([render.session_fields(each) for each in sessions]))
    elif sessions:
        paging.show("\n".join(_lines(sessions)))
    else:
        note("no sessions; `hold run` starts one with your shell, `hold run -d -- CMD` any program")
    return OK


def _lines(sessions: Sequence[SessionInfo]) -> list[str]:
    size = columns.terminal_size()
    width = size.columns if size else 0
    now, home = time.time(), os.environ.get("HOME", "")
    rows = [row(each, now=now, home=home) for each in sessions]
    table = columns.fitted(COLUMNS, rows, width)
    if width and columns.is_coloured(sys.stdout):
        return _coloured(table, sessions, width)
    return columns.lines_of(table, width)


def _coloured(table: list[list[str]], sessions: Sequence[SessionInfo], width: int) -> list[str]:
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


def style_of(session: SessionInfo) -> str:
    """Return how the state of a session is drawn."""
    if session.state == "exited":
        return "dim" if session.exit_code == 0 else "red"
    return "yellow" if session.stalled else STYLES.get(session.state, "")


def row(session: SessionInfo, *, now: float, home: str) -> tuple[str, ...]:
    """Return the cells of one session; what a program says of itself cannot draw elsewhere."""
    title = session.title or render.command_line(session.argv)
    return (
        session.id,
        one_line(session.name) or columns.NOTHING,
        render.state_words(session),
        one_line(session.owner or "") or columns.NOTHING,
        str(session.viewers or columns.NOTHING),
        columns.cut(one_line(title), WIDE * 2),
        one_line(render.from_home(session.cwd, home)),
        render.age(now - session.created),
        one_line(session.last_line) or columns.NOTHING,
    )


# -- for as long as somebody looks


def _watch(client: Client, *, is_all: bool, json: bool) -> int:
    """Draw the list again whenever something has happened, until Ctrl-C."""
    from holdfast.terminal.rawmode import ToldToLeave, leaving_signals  # noqa: PLC0415

    told = client.events()
    told.begin()
    client.start_nothing()
    picture = _Picture(is_screen=not json and columns.terminal_size() is not None)
    try:
        with leaving_signals(), picture:
            while True:
                sessions = door.sessions(client, ended=is_all, lines=True)
                if json:
                    print(render.as_line([render.session_fields(each) for each in sessions]))
                    sys.stdout.flush()
                else:
                    picture.draw(sessions)
                next(told)
                time.sleep(CALM)
                for _ in told.kept():
                    pass  # one picture for all that has happened meanwhile
    except KeyboardInterrupt:
        return OK  # that is how one leaves
    except ToldToLeave as left:
        return 128 + left.number


class _Picture:
    """The list on a screen of its own, which is given back as it was; or below each other."""

    def __init__(self, *, is_screen: bool) -> None:
        self._is_screen = is_screen
        self._sessions: Sequence[SessionInfo] = ()

    def __enter__(self) -> "_Picture":
        if self._is_screen:
            sys.stdout.write(BEGIN)
            self._before = signal.signal(signal.SIGWINCH, self._resized)
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_screen:
            signal.signal(signal.SIGWINCH, self._before)
            sys.stdout.write(END)
            sys.stdout.flush()

    def draw(self, sessions: Sequence[SessionInfo]) -> None:
        self._sessions = sessions
        lines = _lines(sessions) if sessions else ["no sessions"]
        if not self._is_screen:
            print("\n".join([*lines, ""]), flush=True)
            return
        size = columns.terminal_size()
        lines = [f"hold ls, {time.strftime('%H:%M:%S')}; Ctrl-C leaves", "", *lines]
        if size and len(lines) > size.lines:
            hidden = len(lines) - size.lines + 1
            lines = [*lines[: size.lines - 1], f"... and {hidden} more"]
        sys.stdout.write(HOME + "\r\n".join(line + REST for line in lines) + DOWN)
        sys.stdout.flush()

    def _resized(self, _number: int, _frame: FrameType | None) -> None:
        try:
            self.draw(self._sessions)
        except RuntimeError:
            pass  # it came in the middle of a picture; the next event draws the right one
