"""The PAGE record: rows of cells, with the tables of styles and links they point into."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from holdfast.reader.model import ScreenError
from holdfast.reader.screen_state import Link, parse_link
from holdfast.reader.styles import PLAIN, STYLE_SIZE, sgr

HEAD = struct.Struct("<HHHHHHII")
ROW = struct.Struct("<BH")
STYLES = struct.Struct(f"<H{STYLE_SIZE}s")  # number, style; none has the number 0
ENTRY = struct.Struct("<HHH")  # row, column, further code points
NARROW, WIDE, TAIL, SPACER = range(4)
TEXT, CLUSTER, INDEXED_BACKGROUND, RGB_BACKGROUND = range(4)


class Row(NamedTuple):
    """One row; cells past the last one written are empty."""

    number: int  # in its page
    wraps: bool  # it was full, and the text goes on below
    continues: bool  # it goes on from above
    width: int  # bytes a cell: 1, 2, 4 or 8
    cells: bytes


class Cell(NamedTuple):
    """One cell, unpacked; only rows that need it are walked like this."""

    kind: int  # text, a cluster, or background only: indexed, RGB
    content: int
    style: int
    span: int
    protected: bool
    link: int

    @property
    def is_text(self) -> bool:
        return self.kind < INDEXED_BACKGROUND


@dataclass
class Page:
    cols: int
    styles: dict[int, bytes]
    links: dict[int, Link]
    rows: list[Row]
    clusters: dict[tuple[int, int], str] = field(default_factory=dict)  # what follows the first
    _sequences: dict[int, str] = field(default_factory=dict)

    def sequence(self, style: int) -> str:
        """Return what makes a style of this page the one in force."""
        found = self._sequences.get(style)
        if found is None:
            found = self._sequences[style] = sgr(self.styles.get(style, PLAIN))
        return found


def parse_page(data: bytes) -> Page:
    try:
        return _parse(data)
    except (struct.error, IndexError) as error:
        raise ScreenError(f"a page of the snapshot is damaged: {error}") from error


def _parse(data: bytes) -> Page:
    cols, rows, style_count, link_count, *_ = HEAD.unpack_from(data)
    at = HEAD.size
    styles = dict(STYLES.iter_unpack(data[at : at + STYLES.size * style_count]))
    at += STYLES.size * style_count
    links: dict[int, Link] = {}
    for _ in range(link_count):
        number = int.from_bytes(data[at : at + 2], "little")
        link, at = parse_link(data, at + 2)
        if link is not None:
            links[number] = link
    page = Page(cols, styles, links, [])
    for index in range(rows):
        flags, count = ROW.unpack_from(data, at)
        width = 1 << (flags >> 4 & 3)
        at += ROW.size
        cells = data[at : at + count * width]
        page.rows.append(Row(index, bool(flags & 1), bool(flags & 2), width, cells))
        at += count * width
    page.clusters = dict(_clusters(data, at))
    return page


def _clusters(data: bytes, at: int) -> Iterator[tuple[tuple[int, int], str]]:
    count = int.from_bytes(data[at : at + 4], "little")
    at += 4
    for _ in range(count):
        row, col, length = ENTRY.unpack_from(data, at)
        at += ENTRY.size
        yield (row, col), data[at : at + 4 * length].decode("utf-32-le")
        at += 4 * length


def cells_of(row: Row) -> list[Cell]:
    """Unpack every cell of a row."""
    if row.width <= 2:
        codes = row.cells if row.width == 1 else memoryview(row.cells).cast("H")
        return [_cell(code << 2) for code in codes]
    return [_cell(word) for word in memoryview(row.cells).cast("I" if row.width == 4 else "Q")]


@lru_cache(16384)  # the same characters in the same few styles: this halves what a row costs
def _cell(word: int) -> Cell:
    return Cell(
        word & 3,
        word >> 2 & 0xFFFFFF,
        word >> 26 & 0xFFFF,
        word >> 42 & 3,
        bool(word >> 44 & 1),
        word >> 48,
    )
