"""Rows as they are painted, made by hand where no program is known that makes them."""

from holdfast.reader.ghostty import GhosttyScreen
from holdfast.reader.pages import SPACER, WIDE, Page, Row
from holdfast.reader.rows import paint_rows
from holdfast.reader.styles import PLAIN

RED = b"\1\1" + bytes(14)
BLUE_BEHIND = bytes(4) + b"\1\4" + bytes(10)
PAGE = Page(4, {0: PLAIN, 1: RED, 2: BLUE_BEHIND}, {}, [])


def cell(text: str, style: int, *, span: int = 0, width: int = 8) -> bytes:
    code = ord(text) if text else 0
    return (code << 2 | style << 26 | span << 42).to_bytes(width, "little")


def shown(rows: list[Row]) -> list[str]:
    screen = GhosttyScreen.create(4, 3)
    screen.feed(paint_rows(PAGE, rows).data)
    return screen.text()


def test_a_row_with_styled_nothing_at_its_end_goes_on_below() -> None:
    cells = b"".join(cell(text, 1, width=4) for text in ("a", "b", "", ""))
    rows = [Row(0, True, False, 4, cells), Row(1, False, True, 1, b"xyz")]

    assert shown(rows) == ["ab", "xyz", ""]


def test_a_wide_character_goes_on_below_a_cell_of_another_style() -> None:
    above = cell("a", 0) + cell("b", 0) + cell("c", 0) + cell("", 2, span=SPACER)
    below = cell("漢", 1, span=WIDE) + cell("", 1, span=2) + cell("d", 1)
    rows = [Row(0, True, False, 8, above), Row(1, False, True, 8, below)]

    assert shown(rows) == ["abc", "漢d", ""]


def test_control_characters_never_leave_a_cell() -> None:
    rows = [Row(0, False, False, 1, b"a\x1b\x9bb"), Row(1, False, False, 8, cell("\x1b", 1))]

    assert b"\x9b" not in paint_rows(PAGE, rows).data.replace("\u009b".encode(), b"\x9b")
    assert shown(rows) == ["a  b", "", ""]
