"""Everything a terminal of the library knows, in a form in which two of them can be compared."""

from typing import Any

from holdfast.reader.ghostty import GhosttyScreen
from holdfast.reader.pages import Page, Row, cells_of, parse_page
from holdfast.reader.screen_state import PRIMARY
from holdfast.reader.snapshot_format import Screen, Snapshot, parse
from holdfast.reader.styles import PLAIN

Facts = dict[str, Any]


def facts(model: GhosttyScreen) -> Facts:
    """Return what the model knows of what is shown, and of the primary screen beneath."""
    snapshot = parse(model._encoded(None))
    terminal = snapshot.terminal
    found: Facts = {
        f"terminal.{name}": getattr(terminal, name) for name in terminal.__dataclass_fields__
    }
    found["continuation"] = snapshot.continuation
    for key in {PRIMARY, terminal.active_screen}:
        found |= _screen(f"screen{key}", snapshot, snapshot.screens[key])
    return found


def differences(expected: Facts, seen: Facts) -> dict[str, str]:
    return {
        name: f"{_part(expected.get(name), seen.get(name))}"
        for name in sorted(expected.keys() | seen.keys())
        if expected.get(name) != seen.get(name)
    }


def _part(expected: Any, seen: Any) -> str:
    """Return where two values part: of long lists the first entry that differs."""
    if isinstance(expected, list) and isinstance(seen, list):
        for index, (one, other) in enumerate(zip(expected, seen, strict=False)):
            if one != other:
                return f"[{index}] {_part(one, other)}"
        return f"length {len(expected)}, got {len(seen)}"
    return f"{expected!r}, got {seen!r}"


def _screen(name: str, snapshot: Snapshot, screen: Screen) -> Facts:
    state = screen.state
    found: Facts = {f"{name}.{part}": getattr(state, part) for part in state.__dataclass_fields__}
    if name == "screen0" and snapshot.active is not screen:
        # Beneath another screen its cursor matters only as it was saved, or is where that one began.
        for part in ("x", "y", "pen", "charsets", "shape", "pending_wrap", "protected", "link"):
            del found[f"{name}.{part}"]
    payloads = [*reversed(screen.history), *screen.pages]
    rows = [(page, row) for page in map(parse_page, payloads) for row in page.rows]
    rows = rows[-(state.history_rows + snapshot.terminal.rows) :]
    found[f"{name}.cells"] = [_cells(page, row) for page, row in rows]
    found[f"{name}.wraps"] = [
        above.wraps and row.continues for (_, above), (_, row) in zip(rows, rows[1:], strict=False)
    ]
    return found


def _cells(page: Page, row: Row) -> list[Any]:
    """Return the cells of a row, with what they point to; empty ones at the end do not count."""
    cells: list[Any] = []
    for col, cell in enumerate(cells_of(row)):
        style = page.styles.get(cell.style, PLAIN)
        link = page.links.get(cell.link)
        cluster = page.clusters.get((row.number, col), "")
        kind = 0 if cell.is_text else cell.kind
        content = cell.content or (0x20 if row.wraps and cell.is_text else 0)
        cells.append((kind, content, cluster, style, link, cell.span, cell.protected))
    while (
        cells
        and cells[-1][:5] in ((0, 0, "", PLAIN, None), (0, 0x20, "", PLAIN, None))
        and cells[-1][5] != 3
    ):
        cells.pop()
    return cells
