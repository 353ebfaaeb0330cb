"""Paints rows of cells as text and escape sequences, for a terminal whose lines are empty.

Rows are printed one below the other, each beginning and ending with the plain style: what
a terminal fills a new line with when it scrolls is the style in force. A soft wrap is had
by printing a row full and going on, which is how the program made it.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from holdfast.reader.cells import paint_cells, wrap_into
from holdfast.reader.pages import Page, Row, parse_page
from holdfast.reader.styles import RESET

NEW_LINE = "\r\n"
CONTROLS = re.compile("[\x01-\x1f\x7f-\x9f]")  # none is ever in a cell, and none may get out
EMPTY = re.compile("\0+")
RUNS_OF_1 = re.compile(rb"(.)\1*", re.DOTALL)
RUNS_OF_2 = re.compile(rb"(..)\1*", re.DOTALL)
CODE_POINT = 0x1FFFFF
# Bits of a cell by which it is more than a narrow character with a style.
SPECIAL = {4: 3, 8: 3 | 3 << 42 | 1 << 44 | 0xFFFF << 48}


@dataclass(frozen=True)
class Painted:
    """Neighbouring rows. What joins them to those above depends on how these ended."""

    data: bytes
    continues: bool  # the first row goes on from above, if that one was full
    wraps: bool  # the last row was full
    rows: int


def paint_page(payload: bytes) -> Painted:
    """Paint every row of a page."""
    page = parse_page(payload)
    return paint_rows(page, page.rows)


def paint_rows(page: Page, rows: list[Row]) -> Painted:
    """Paint some neighbouring rows of a page, of which there must be one."""
    parts: list[str] = []
    above: Row | None = None
    for row in rows:
        goes_on = row.continues and (above is None or above.wraps)
        if above is not None and not goes_on:
            parts.append(NEW_LINE)
        before, after = wrap_into(page, row, above) if goes_on else ("", "")
        parts += [before, _paint(page, row), after]
        above = row
    text = "".join(parts)
    return Painted(text.encode("utf-8", "replace"), rows[0].continues, rows[-1].wraps, len(rows))


def simple_text(row: Row) -> str | None:
    """Return the characters of a row of which each is one narrow cell, or None.

    Cells in which nothing was ever written are NUL.
    """
    special = SPECIAL.get(row.width)
    if special and int.from_bytes(row.cells, "little") & _every(special, row.width, len(row.cells)):
        return None
    return _text(row)


def _paint(page: Page, row: Row) -> str:
    """Return a row, from its first column on."""
    text = simple_text(row)
    if text is None:
        return paint_cells(page, row)
    if row.wraps:
        text = text.rstrip("\0")  # the row must be full to go on below: what is empty gets blanks
    painted = _spaced(text) if row.width <= 2 else _runs(page, row, text)
    if row.wraps and len(text) < page.cols:
        painted += " " * (page.cols - len(text))
    return painted


def _text(row: Row) -> str:
    """Return the characters of a row whose cells are text alone, without a loop over them."""
    if row.width == 1:
        text = row.cells.decode("latin-1")
    elif row.width == 2:
        text = row.cells.decode("utf-16-le", "replace")
    else:
        length = len(row.cells)
        codes = int.from_bytes(row.cells, "little") >> 2 & _every(CODE_POINT, row.width, length)
        wide = codes.to_bytes(length, "little")
        if row.width == 8:
            # Every second character is an empty one: the upper half of a cell.
            return CONTROLS.sub(" ", wide.decode("utf-32-le", "replace")[::2])
        text = wide.decode("utf-32-le", "replace")
    return CONTROLS.sub(" ", text)


def _runs(page: Page, row: Row, text: str) -> str:
    """Return the text with its styles: one sequence where it changes."""
    if row.width == 4:
        # The highest byte: the style's six bits, above two of the content that are 0.
        numbers, shift, runs, size = memoryview(row.cells[3::4]), 2, RUNS_OF_1, 1
    else:
        length = len(row.cells)
        styles = int.from_bytes(row.cells, "little") >> 26 & _every(0xFFFF, 8, length)
        numbers = memoryview(memoryview(styles.to_bytes(length, "little")).cast("H")[::4].tobytes())
        numbers, shift, runs, size = numbers.cast("H"), 0, RUNS_OF_2, 2
    out: list[str] = []
    style = 0
    for run in runs.finditer(numbers):
        begin = run.start() // size
        number = numbers[begin] >> shift
        if number != style:
            out.append(page.sequence(number))
            style = number
        out.append(text[begin : run.end() // size])
    if style:
        out.append(RESET)
    return _spaced("".join(out))


def _spaced(text: str) -> str:
    """Step over cells in which nothing was ever written, as the program did."""
    if "\0" not in text:
        return text
    return EMPTY.sub(lambda run: f"\x1b[{len(run[0])}C", text)


@lru_cache(1024)
def _every(mask: int, width: int, length: int) -> int:
    """Return the mask repeated for each cell of a row of so many bytes."""
    return int.from_bytes(mask.to_bytes(width, "little") * (length // width), "little")
