"""The line between two lives brings a terminal back to ordinary, whatever was left on."""

import pytest

from holdfast.session.marker import marker
from holdfast.terminal.modes import Modes

LEFT_ON = (
    b"\x1b[?1049h\x1b[?1h\x1b[?25l\x1b[?7l",
    b"\x1b[?1000h\x1b[?1002h\x1b[?1003h\x1b[?1006h\x1b[?1004h",
    b"\x1b[?2004h\x1b[?2026h\x1b[?2031h",
    b"\x1b[?9h\x1b[?1001h\x1b[?1005h\x1b[?1015h\x1b[?1016h\x1b[?66h\x1b[?5h\x1b[?6h",
    b"\x1b[?47h",
)


@pytest.mark.parametrize("left_on", LEFT_ON)
def test_modes_are_off_again(left_on: bytes) -> None:
    modes = Modes()
    modes.feed(left_on)
    assert modes.undo()

    modes.feed(marker("restored"))

    assert modes.undo() == b""


def test_keys_are_ordinary_again() -> None:
    text = marker("restored")

    assert b"\x1b[=0;1u" in text  # kitty's
    assert b"\x1b[>4m" in text  # xterm's


def test_what_was_cut_in_two_is_ended_first() -> None:
    """A string, say a title, would swallow the line."""
    assert marker("restored").startswith(b"\x18\x1b\\")


def test_the_line_stands_alone_and_shows_nothing_strange() -> None:
    text = marker("restored; /tmp/\x1b]0;x\x07\udcff gone")
    line = text.split(b"\r\n")[1]

    assert "── restored; /tmp/?]0;x?? gone ──".encode() in line
    assert text.endswith(b"\x1b[0m\r\n")


def test_its_length_does_not_depend_on_when_it_is_written() -> None:
    """So an attempt that was cut off and the next one mark the same run."""
    assert len(marker("restored 2026-01-01 00:00:00")) == len(
        marker("restored 2026-11-21 23:59:59")
    )
