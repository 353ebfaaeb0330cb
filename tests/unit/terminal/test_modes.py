"""What a program switched on is undone, and nothing else is."""

import pytest

from holdfast.terminal.modes import Modes


@pytest.mark.parametrize(
    ("output", "undone"),
    [
        (b"plain \x1b[31mred\x1b[0m", b""),
        (b"\x1b[?1049h", b"\x1b[?1049l"),
        (b"\x1b[?1049h...\x1b[?1049l", b""),
        (b"\x1b[?1000;1006h", b"\x1b[?1000l\x1b[?1006l"),
        (b"\x1b[?25l", b"\x1b[?25h"),
        (b"\x1b[?25l\x1b[?25h", b""),
        (b"\x1b[?2004h\x1b[?1h\x1b[?1049h", b"\x1b[?1049l\x1b[?1l\x1b[?2004l"),
        (b"\x1b[?1049h\x1b[?1000h\x1bc", b""),
        (b"\x1b[>1u", b"\x1b[<99u"),
        # The main screen has keyboard flags of its own, below.
        (b"\x1b[>1u\x1b[?1049h\x1b[>5u", b"\x1b[<99u\x1b[?1049l\x1b[<99u"),
        (b"\x1b[?69h", b"\x1b[?69l"),  # margins at the sides
        (b"\x1b[>4;2m", b"\x1b[>4m"),
        (b"\x1b[>4;2m\x1b[>4m", b""),
        (b"\x1b[?12h\x1b[?9999h", b""),  # harmless, and unknown
    ],
)
def test_undo(output: bytes, undone: bytes) -> None:
    for size in range(1, len(output) + 1):
        modes = Modes()
        for at in range(0, len(output), size):
            modes.feed(output[at : at + size])
        assert modes.undo() == undone


def test_a_flood_of_escapes_costs_no_memory() -> None:
    modes = Modes()
    for _ in range(100):
        modes.feed(b"\x1b[" + b"1" * 1000)

    assert len(modes._cut) <= 64
