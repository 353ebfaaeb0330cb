"""Tables that fit a terminal: empty columns go, the widest shrink, and cells count as drawn.

`hold ls` draws with this before anything that costs is imported: keep it so.
"""

import os
import sys

TYPE_CHECKING = False  # `typing` is one of the things that cost
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TextIO

GAP = 2
NOTHING = "-"
MORE = "…"


class Column:
    """How one column may be treated."""

    def __init__(
        self, heading: str, least: int = 0, *, keeps_end: bool = False, gives_way: bool = True
    ) -> None:
        self.heading = heading
        self.least = least
        """The cells that it may shrink to; 0 is not at all."""
        self.keeps_end = keeps_end
        """Of a path the end says more."""
        self.gives_way = gives_way
        """It shrinks before the others do, which are what one types or looks for."""


def fitted(
    columns: "Sequence[Column]", rows: "Sequence[Sequence[str]]", width: int
) -> list[list[str]]:
    """Return heading and rows as padded cells, *width* wide at most; 0 is as wide as they are.

    On a terminal a column in which nothing is said is left out, too.
    """
    table = [[column.heading for column in columns], *map(list, rows)]
    shown = list(range(len(columns)))
    if width:
        shown = [i for i in shown if not i or any(row[i] not in ("", NOTHING) for row in rows)]
    columns = [columns[i] for i in shown]
    table = [[row[i] for i in shown] for row in table]
    widths = [max(cells(row[i]) for row in table) for i in range(len(columns))]
    if width:
        widths = _shrunk(columns, widths, width - GAP * (len(columns) - 1))
    return [
        [pad(cut(text, room, from_left=column.keeps_end), room) for text, room, column in line]
        for line in (list(zip(row, widths, columns, strict=True)) for row in table)
    ]


def _shrunk(columns: "Sequence[Column]", widths: "Sequence[int]", room: int) -> list[int]:
    widths = list(widths)
    while sum(widths) > room:
        can = [i for i, column in enumerate(columns) if column.least and widths[i] > column.least]
        if not can:
            break
        widest = max(can, key=lambda i: (columns[i].gives_way, widths[i]))
        widths[widest] -= 1
    return widths


def lines_of(table: "Sequence[Sequence[str]]", width: int) -> list[str]:
    """Return the lines of fitted cells; on a very narrow terminal each is cut."""
    lines = [(" " * GAP).join(row).rstrip() for row in table]
    return [cut(line, width) for line in lines] if width else lines


def cells(text: str) -> int:
    """Return how many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(_cells_of(character) for character in text)


def _cells_of(character: str) -> int:
    import unicodedata  # noqa: PLC0415 - 3 ms that plain names need not pay

    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def pad(text: str, room: int) -> str:
    return text + " " * max(0, room - cells(text))


def cut(text: str, room: int, *, from_left: bool = False) -> str:
    """Return a text that takes no more than *room* cells."""
    if cells(text) <= room:
        return text
    left, kept = room - 1, ""
    for character in reversed(text) if from_left else text:
        left -= _cells_of(character)
        if left < 0:
            break
        kept += character
    return MORE + kept[::-1] if from_left else kept + MORE


# -- colour, which never says what words do not


STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}


def is_coloured(stream: "TextIO", environ: "Mapping[str, str]" = os.environ) -> bool:
    """Whether what is written there may have colours."""
    if environ.get("NO_COLOR") or environ.get("TERM", "dumb") == "dumb":
        return False
    return stream.isatty()


def painted(text: str, style: str) -> str:
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if style else text


def terminal_size() -> os.terminal_size | None:
    """Return the size of the terminal that stdout is, None if it is none."""
    try:
        found = os.get_terminal_size(sys.stdout.fileno())
    except (OSError, ValueError):
        return None
    return found if found.columns and found.lines else None
