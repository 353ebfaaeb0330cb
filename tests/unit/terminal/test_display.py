"""What would bring the terminal back is told before somebody could be killed."""

import os
from collections.abc import Iterator

import pytest

from holdfast.terminal.display import Display, Place

CANCEL, PEN = b"\x18", b"\x1b[m"


@pytest.fixture
def written() -> Iterator[int]:
    reader, writer = os.pipe()
    yield writer
    os.close(reader)
    os.close(writer)


def test_the_first_output_is_enough_to_be_undone(written: int) -> None:
    """Colours and inserting are no modes, and remain with who is killed all the same."""
    notes: list[bytes] = []
    display = Display(Place(written, is_terminal=True, has_title=True, note_undo=notes.append), "")

    display.show(b"\x1b[31mred")

    assert PEN in notes[-1]
    assert notes[-1].startswith(CANCEL)  # in the midst of a title it would be a part of that


def test_a_link_that_is_open_is_told(written: int) -> None:
    notes: list[bytes] = []
    display = Display(Place(written, is_terminal=True, has_title=True, note_undo=notes.append), "")

    display.show(b"plain")
    display.show(b"\x1b]8;;http://x/")
    display.show(b"\x1b\\text")

    assert b"\x1b]8;;\x1b\\" in notes[-1]


def test_a_terminal_without_titles_is_not_asked_to_keep_one(written: int) -> None:
    notes: list[bytes] = []
    display = Display(Place(written, is_terminal=True, has_title=False, note_undo=notes.append), "")

    display.show(b"\x1b]2;a title\x07")

    assert b"\x1b[23;2t" not in notes[-1]
