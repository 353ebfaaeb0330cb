"""`hold ls`: every session in a line that fits the terminal, once or for as long as you look."""

import signal
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from types import FrameType
from typing import Self

from holdfast.cli import columns, door, paging, render, rows
from holdfast.cli.exits import OK, note
from holdfast.client.plain import Client
from holdfast.protocol.messages import Role, SessionInfo

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
        paging.show("\n".join(rows.lines(sessions)))
    else:
        note(render.NO_SESSIONS)
    return OK


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

    def __enter__(self) -> Self:
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
        lines = rows.lines(sessions) if sessions else ["no sessions"]
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
