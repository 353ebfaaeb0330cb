"""Everything a terminal of the library knows, in a form in which two of them can be compared."""

import dataclasses
import itertools
from typing import Any

from holdfast.reader.ghostty import GhosttyScreen
from holdfast.reader.pages import INDEXED_BACKGROUND, NARROW, Cell, Page, Row, cells_of, parse_page
from holdfast.reader.screen_state import PRIMARY, Charsets
from holdfast.reader.snapshot_format import Screen, Snapshot, parse
from holdfast.reader.styles import PLAIN, has_background

Facts = dict[str, Any]
SHOWN = {0x7F: 0x20}  # the library keeps what other terminals do not even take in


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
    found[f"{name}.charsets"] = _plain(state.charsets)
    if state.saved:
        found[f"{name}.saved"] = dataclasses.replace(
            state.saved, charsets=_plain(state.saved.charsets)
        )
    if name == "screen0" and snapshot.active is not screen:
        # Beneath another screen its cursor matters only as it was saved.
        for part in ("x", "y", "pen", "charsets", "shape", "pending_wrap", "protected", "link"):
            del found[f"{name}.{part}"]
    payloads = [*reversed(screen.history), *screen.pages]
    rows = [(page, row) for page in map(parse_page, payloads) for row in page.rows]
    rows = rows[-(state.history_rows + snapshot.terminal.rows) :]
    wraps = [above.wraps and row.continues for (_, above), (_, row) in itertools.pairwise(rows)]
    found[f"{name}.cells"] = [
        _cells(page, row, full=full)
        for (page, row), full in zip(rows, [*wraps, False], strict=True)
    ]
    found[f"{name}.wraps"] = wraps
    return found


def _cells(page: Page, row: Row, *, full: bool) -> list[Any]:
    """Return the cells of a row, with what they point to; empty ones at the end do not count."""
    cells: list[Any] = []
    for col, cell in enumerate(cells_of(row)):
        style = page.styles.get(cell.style, PLAIN)
        link = page.links.get(cell.link)
        cluster = page.clusters.get((row.number, col), "")
        content = SHOWN.get(cell.content, cell.content) if cell.is_text else -1 - cell.content
        if not cell.is_text and full:
            # To go on below a row must be full: there colour without text becomes blanks.
            content, style = 0x20, _with_background(cell)
        elif not content and has_background(style):
            content = 0x20
        elif not content:
            content, style = 0x20 if full else 0, PLAIN  # nothing is seen of it
        cells.append((content, cluster, style, link, cell.span, cell.protected))
    while cells and _is_unseen(*cells[-1][:5]):
        cells.pop()
    return cells


def _plain(charsets: Charsets) -> Charsets:
    """ASCII chosen, and nothing chosen, are the same to whoever looks."""
    first, second, third, fourth = (0 if chosen == 1 else chosen for chosen in charsets.sets)
    return dataclasses.replace(charsets, sets=(first, second, third, fourth))


def _is_unseen(content: int, cluster: str, style: bytes, link: object, span: int) -> bool:
    """Whether a cell at the end of a row cannot be told from none."""
    shows = has_background(style) or style[12] & 0b11010000 or style[13]  # reversed, or with a line
    return content in (0, 0x20) and not cluster and not shows and not link and span == NARROW


def _with_background(cell: Cell) -> bytes:
    color = (
        (1, cell.content & 0xFF, 0, 0) if cell.kind == INDEXED_BACKGROUND else (2, *_bytes(cell))
    )
    return bytes(4) + bytes(color) + bytes(8)


def _bytes(cell: Cell) -> bytes:
    return cell.content.to_bytes(3, "little")
