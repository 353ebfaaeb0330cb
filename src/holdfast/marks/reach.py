"""Which commands tell of a range of what a session printed."""

from collections.abc import Iterable
from typing import NamedTuple


class Extent(NamedTuple):
    """A command, and where its output lies."""

    id: str
    offset: int
    length: int


def told_of(commands: Iterable[Extent], start: int, end: int) -> list[str]:
    """Return the ids of the commands that tell of something between two offsets.

    A command's line was printed in front of its output, so what lies between the output of
    the one before and its own belongs to it too.
    """
    found, behind = [], 0
    for id_, offset, length in sorted(commands, key=lambda each: (each.offset, each.length)):
        begins, ends = min(behind, offset), max(offset + length, offset + 1)
        if begins < end and start < ends:
            found.append(id_)
        behind = max(behind, offset + length)
    return found
