"""How large the local terminal is."""

import fcntl
import os
import struct
import termios

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


def cell_of(fd: int) -> tuple[int, int] | None:
    """Return width and height of a cell in pixels; None when nobody knows."""
    try:
        told = fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(8))
    except OSError:
        return None
    rows, cols, width, height = struct.unpack("HHHH", told)
    cell = (width // max(1, cols), height // max(1, rows))
    return cell if all(1 <= side <= LONGEST_SIDE for side in cell) else None
