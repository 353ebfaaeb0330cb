"""What is said to people, and how others see us. Imports nothing that costs."""

import os
import sys


def one_line(text: str) -> str:
    """Return *text* with nothing in it that moves a cursor or breaks a line."""
    if text.isprintable():
        return text  # as nearly all of it is, and a log has megabytes
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def note(text: str) -> None:
    """Say something that is not the result: stdout belongs to results."""
    print(one_line(text), file=sys.stderr)


def label() -> str:
    """Return what others see us by: `terminal pts/3`."""
    try:
        name = os.ttyname(sys.stdin.fileno()).removeprefix("/dev/")
    except (OSError, ValueError, AttributeError):  # no terminal, or no stdin at all
        return "script"
    return f"terminal {name}"


def _escaped(character: str) -> str:
    if 0xDC80 <= ord(character) <= 0xDCFF:  # a byte that was no UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return ascii(character)[1:-1]
