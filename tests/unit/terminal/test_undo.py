"""What has to be undone, learnt from output that is cut anywhere."""

import pytest

from holdfast.terminal.undo import Undo

PAINTED = b"\x1b[31mred\x1b[0m \x1b[?1049h\x1b[?25l\x1b[1;1H~\x1b[?1000;1006h\x1b[38;5;9mx"
UNDONE = b"\x1b[?1049l\x1b[?1000l\x1b[?1006l\x1b[?25h"


@pytest.mark.parametrize("size", range(1, len(PAINTED) + 1))
def test_every_cut_teaches_the_same(size: int) -> None:
    undo = Undo()

    for at in range(0, len(PAINTED), size):
        undo.feed(PAINTED[at : at + size])

    assert undo.sequence == UNDONE
    assert undo.is_full_screen


def test_only_a_change_is_told() -> None:
    undo = Undo()

    assert not undo.feed(b"plain")
    assert not undo.feed(b"\x1b[31mred\x1b[0m")
    assert undo.feed(b"\x1b[?1049h")
    assert not undo.feed(b"\x1b[?1049h more")
    assert undo.feed(b"\x1b[?1049l")
    assert not undo.is_full_screen
    assert undo.sequence == b""
