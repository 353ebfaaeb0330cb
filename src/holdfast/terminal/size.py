"""How large the local terminal is."""

import os

from holdfast.types import LONGEST_SIDE


def size_of(fd: int) -> tuple[int, int] | None:
    """Return columns and rows as a session may have them; None when nobody knows."""
    try:
        cols, rows = os.get_terminal_size(fd)
    except OSError:
        return None
    if cols < 1 or rows < 1:  # serial lines and some containers say 0
        return None
    return min(cols, LONGEST_SIDE), min(rows, LONGEST_SIDE)
