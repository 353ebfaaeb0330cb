"""The lines of a screen as text, for people and programs that want no escape sequences."""

from holdfast.reader.cells import cell_text
from holdfast.reader.history import Lines
from holdfast.reader.pages import SPACER, TAIL, Page, Row, cells_of
from holdfast.reader.rows import simple_text
from holdfast.reader.snapshot_format import Snapshot


def lines_of(snapshot: Snapshot, scrollback: int | None) -> list[str]:
    """Return the screen that is shown, below so many lines of its scrollback."""
    lines = Lines(snapshot.active, snapshot.terminal.rows)
    wanted = lines.history if scrollback is None else scrollback
    return [row_text(page, row) for page, row in lines.rows(wanted)]


def row_text(page: Page, row: Row) -> str:
    """Return what is written in a row, without blanks at its end."""
    text = simple_text(row)
    if text is None:
        text = "".join(
            cell_text(page, row.number, col, cell) or " "
            for col, cell in enumerate(cells_of(row))
            if cell.span not in (TAIL, SPACER)
        )
    return text.replace("\0", " ").rstrip()
