"""Paints a row cell by cell: wide characters, clusters, links, and colour without text.

The slow way, for rows that need it; `rows.py` has the fast one.
"""

import re

from holdfast.reader.pages import NARROW, SPACER, TAIL, TEXT, Cell, Page, Row, cells_of
from holdfast.reader.screen_state import Link
from holdfast.reader.styles import PLAIN, RESET, background_only, sgr

CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")
BLANK = Cell(0, 0, 0, NARROW, protected=False, link=0)
PROTECT, UNPROTECT = '\x1b[1"q', '\x1b[0"q'


def link_sequence(link: Link | None) -> str:
    """Return what opens a link, or closes the one that is open."""
    if link is None:
        return "\x1b]8;;\x1b\\"
    name = f"id={printable(link.name)}" if link.name else ""
    return f"\x1b]8;{name};{printable(link.uri)}\x1b\\"


def printable(data: bytes) -> str:
    """Return text of a program without anything a terminal would obey."""
    return CONTROLS.sub("", data.decode("utf-8", "replace"))


def cell_text(page: Page, row: int, col: int, cell: Cell) -> str:
    """Return what is printed for a cell; nothing for one that is empty."""
    if 0x20 <= cell.content < 0x7F and cell.kind == TEXT:
        return chr(cell.content)
    if not cell.is_text or not cell.content:
        return ""
    if cell.content < 0x20 or 0x7F <= cell.content < 0xA0 or 0xD800 <= cell.content < 0xE000:
        return " "
    return chr(cell.content) + page.clusters.get((row, col), "")


def cell_style(page: Page, cell: Cell) -> str:
    if not cell.is_text:
        return background_only(cell.kind, cell.content)
    return page.sequence(cell.style)


def wrap_into(page: Page, row: Row, above: Row | None) -> tuple[str, str]:
    """Return what to print before and after a row for the one above, which is full, to go on in it.

    A terminal fills the new line with the style of the character that began it: so that one
    is printed plainly first, and the row then begins again at its first column.
    """
    cells = _first_cells(row)
    first = cells[0] if cells else BLANK
    spacer = _spacer_style(page, above)
    if spacer == page.styles.get(first.style, PLAIN) and first.content and first.is_text:
        if spacer == PLAIN and not first.link:
            return "", ""  # it begins plainly by itself
        if spacer != PLAIN:  # only so is the cell kept that the wide character left empty
            return "", "" if len(row.cells) == row.width * page.cols else "\x1b[K"
    text = cell_text(page, row.number, 0, first) or " "
    if spacer != PLAIN:
        return f"{sgr(spacer)}{text}\r{RESET}\x1b[{page.cols}X", ""
    return f"{text}\r" + ("" if first.is_text and first.content else "\x1b[X"), ""


def _first_cells(row: Row) -> list[Cell]:
    return cells_of(row._replace(cells=row.cells[: row.width]))


def _spacer_style(page: Page, above: Row | None) -> bytes:
    """Return the style of the cell that a wide character left empty at the end of a row."""
    if above is None or above.width != 8 or len(above.cells) != 8 * page.cols:
        return PLAIN
    last = cells_of(above._replace(cells=above.cells[-8:]))[0]
    return page.styles.get(last.style, PLAIN) if last.span == SPACER else PLAIN


def paint_cells(page: Page, row: Row) -> str:
    """Return a row, from its first column on."""
    brush = _Brush(page, row)
    cells = cells_of(row)
    if row.wraps:
        cells += [BLANK] * (page.cols - len(cells))
    col = 0
    while col < len(cells):
        col += brush.paint(cells, col)
    return brush.finish()


class _Brush:
    """What was painted of a row, and the style, link and protection in force."""

    def __init__(self, page: Page, row: Row) -> None:
        self._page = page
        self._row = row
        self._parts: list[str] = []
        self._last = BLANK
        self._style = RESET

    def paint(self, cells: list[Cell], col: int) -> int:
        """Paint the cell there, and those that go with it; return how many they were."""
        cell = cells[col]
        if cell.span in (TAIL, SPACER):
            return 1  # the wide character before it, or the one below, makes it
        text = cell_text(self._page, self._row.number, col, cell)
        if text:
            self._begin(cell)
            self._parts.append(text)
            if _is_contested(text) and col + 2 < self._page.cols:
                # Terminals differ on how wide these are: the next cell is where it was.
                self._parts.append(f"\x1b[{col + (1 if cell.span == NARROW else 2) + 1}G")
            return 1
        return self._empty(cells, col)

    def finish(self) -> str:
        self._begin(BLANK)
        return "".join(self._parts)

    def _empty(self, cells: list[Cell], col: int) -> int:
        """Paint a run of equal cells without text."""
        cell, end = cells[col], col + 1
        while end < len(cells) and cells[end] == cell:
            end += 1
        length, at_end = end - col, end == self._page.cols
        self._begin(cell)
        if at_end and self._row.wraps:
            self._parts.append(" " * length)  # it must be full to go on below
        elif cell.is_text:
            self._parts.append(f"\x1b[{length}C")
        else:
            self._parts.append(f"\x1b[{length}X" + ("" if at_end else f"\x1b[{length}C"))
        return length

    def _begin(self, cell: Cell) -> None:
        last, self._last = self._last, cell
        if cell.is_text and last.is_text and cell[2:] == last[2:]:
            return
        style = cell_style(self._page, cell)
        if style != self._style:
            self._parts.append(style)
            self._style = style
        if cell.link != last.link:
            self._parts.append(link_sequence(self._page.links.get(cell.link)))
        if cell.protected != last.protected:
            self._parts.append(PROTECT if cell.protected else UNPROTECT)


def _is_contested(text: str) -> bool:
    code = ord(text[0])
    if code < 0x0900 and len(text) == 1:
        return False
    return len(text) > 1 or code >= 0x1F000 or 0x0900 <= code < 0x1100 or 0x2000 <= code < 0x2E80
