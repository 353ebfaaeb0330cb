"""What a program leaves in a terminal beside its modes is taken away again."""

import pytest

from holdfast.protocol.messages import Profile
from holdfast.terminal.traces import Traces

KNOWN = Profile(foreground=(1, 2, 3), background=(255, 254, 253), palette={1: (16, 32, 48)})


@pytest.mark.parametrize(
    ("output", "undone"),
    [
        (b"plain", b""),
        (b"\x1b]2;a title\x07", b""),
        (b"\x1b]8;;http://x/\x1b\\text", b"\x1b]8;;\x1b\\"),
        (b"\x1b]8;id=1;http://x/\x07text\x1b]8;;\x07", b""),
        (b"\x1b]8;;http://x/\x07text\x1b]8;;\x07\x1b]8;;http://y/\x07", b"\x1b]8;;\x1b\\"),
        (b"\x1b]22;crosshair\x07", b"\x1b]22;\x1b\\"),
        (b"\x1b]9;4;1;50\x07", b"\x1b]9;4;0\x1b\\"),
        (b"\x1b]9;4;1;50\x07\x1b]9;4;0;\x07", b""),
        (b"\x1b]11;#ff0000\x07", b"\x1b]11;rgb:ff/fe/fd\x1b\\"),
        (b"\x1b]4;1;rgb:ff/ff/ff\x07", b"\x1b]4;1;rgb:10/20/30\x1b\\"),
        (b"\x1b]11;?\x07\x1b]4;1;?\x07", b""),  # asked, not set
        (b"\x1b]12;red\x07\x1b]4;200;red\x07", b""),  # of those the terminal has said nothing
    ],
)
def test_undo(output: bytes, undone: bytes) -> None:
    traces = Traces()
    traces.profile = KNOWN

    assert traces.feed(output) is bool(undone or b"red" in output)
    assert traces.undo() == undone


def test_the_colours_of_an_unknown_terminal_are_left_alone() -> None:
    traces = Traces()

    traces.feed(b"\x1b]11;#ff0000\x07")

    assert traces.undo() == b""
