"""Which size a terminal had at which offset of its log."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import NamedTuple


class Size(NamedTuple):
    """From *offset* on."""

    offset: int
    cols: int
    rows: int


class Sizes:
    """The sizes of one session. There may be several at one offset: nothing came between."""

    def __init__(self, sizes: Iterable[Size], last: Size) -> None:
        self._sizes: list[Size] = []
        for size in sizes:
            self.add(size)
        if not self._sizes or self.at(last.offset)[1:] != last[1:]:
            self.add(last)

    def add(self, size: Size) -> None:
        """Take note of a size that was told later than all before."""
        self._sizes.insert(bisect_right(self._sizes, size.offset, key=_offset), size)

    def at(self, offset: int) -> Size:
        """Return the size there; before the first that is known, that one."""
        return self._sizes[max(0, bisect_right(self._sizes, offset, key=_offset) - 1)]

    def all_at(self, offset: int) -> list[Size]:
        """Return the size there last, and those before it from the very same offset.

        A terminal that was smaller for a moment may have lost what no longer fitted.
        """
        last = self.at(offset).offset
        first = bisect_left(self._sizes, last, key=_offset)
        return self._sizes[first : max(first + 1, bisect_right(self._sizes, offset, key=_offset))]

    def next(self, offset: int) -> int | None:
        """Return where the size changes next."""
        index = bisect_right(self._sizes, offset, key=_offset)
        return self._sizes[index].offset if index < len(self._sizes) else None


def _offset(size: Size) -> int:
    return size.offset
