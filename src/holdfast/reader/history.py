"""The lines of one screen, from the oldest to the newest, and how they are painted.

Pages of scrollback never change once they are full, until a resize or a clear makes new ones:
what was painted of them is kept, and a second picture costs a lookup a page.
"""

from collections import OrderedDict

from holdfast.reader.pages import Cell, Page, Row, cells_of, parse_page
from holdfast.reader.rows import NEW_LINE, Painted, paint_page, paint_rows
from holdfast.reader.snapshot_format import Screen

# Of one session, as painted: ten thousand coloured lines, twice over. The oldest is dropped.
CACHE_LIMIT = 8 * 1024 * 1024  # bytes


class PageCache:
    """What pages looked like when they were painted, by what is in them."""

    def __init__(self, limit_bytes: int = CACHE_LIMIT) -> None:
        self._limit = limit_bytes
        self._held = 0
        self._painted: OrderedDict[tuple[int, int], Painted] = OrderedDict()

    def paint(self, payload: bytes) -> Painted:
        """Return a page as painted, and remember it."""
        key = (hash(payload), len(payload))  # 64 bits, keyed anew in every process
        painted = self._painted.get(key)
        if painted is None:
            painted = self._painted[key] = paint_page(payload)
            self._held += len(painted.data)
        self._painted.move_to_end(key)
        while self._held > self._limit and len(self._painted) > 1:
            _, oldest = self._painted.popitem(last=False)
            self._held -= len(oldest.data)
        return painted

    def clear(self) -> None:
        self._painted.clear()
        self._held = 0


class Lines:
    """All lines of a screen that a snapshot has."""

    def __init__(self, screen: Screen, rows: int) -> None:
        self._rows = rows
        self._history = list(reversed(screen.history))
        # The first page of the screen may begin above it: those rows are scrollback as well.
        self._pages = [parse_page(payload) for payload in screen.pages]
        self._above = max(sum(len(page.rows) for page in self._pages) - rows, 0)
        self.history = screen.state.history_rows

    def paint(self, scrollback: int, cache: PageCache) -> bytes:
        """Return the last lines of scrollback, as many as asked, and then the screen."""
        parts = self._scrollback(scrollback, cache)
        skip = max(self._above - scrollback, 0)
        for page in self._pages:
            rows = page.rows[skip:]
            skip = max(skip - len(page.rows), 0)
            if rows:
                parts.append(paint_rows(page, rows))
        return _join(parts)

    def rows(self, scrollback: int) -> list[tuple[Page, Row]]:
        """Return the last rows of scrollback, as many as asked, and those of the screen."""
        found = [(page, row) for page in self._pages for row in page.rows]
        wanted = scrollback + self._rows
        for payload in reversed(self._history):
            if len(found) >= wanted:
                break
            page = parse_page(payload)
            found = [(page, row) for row in page.rows] + found
        return found[-wanted:]

    def cell(self, row: int, col: int) -> tuple[Page, int, Cell] | None:
        """Return a cell of the screen, with its page and its row in there."""
        at = row + self._above
        for page in self._pages:
            if at < len(page.rows):
                cells = cells_of(page.rows[at])
                return (page, at, cells[col]) if col < len(cells) else None
            at -= len(page.rows)
        return None

    def _scrollback(self, lines: int, cache: PageCache) -> list[Painted]:
        """Paint what lies above the pages of the screen, from the newest page backwards."""
        missing = lines - self._above
        parts: list[Painted] = []
        for payload in reversed(self._history):
            if missing <= 0:
                break
            painted = cache.paint(payload)
            if painted.rows > missing:
                page = parse_page(payload)
                painted = paint_rows(page, page.rows[-missing:])
            parts.append(painted)
            missing -= painted.rows
        return parts[::-1]


def _join(parts: list[Painted]) -> bytes:
    out: list[bytes] = []
    above: Painted | None = None
    for part in parts:
        if above is not None and not (above.wraps and part.continues):
            out.append(NEW_LINE.encode())
        out.append(part.data)
        above = part
    return b"".join(out)
