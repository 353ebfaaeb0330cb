"""Which bytes of a log were taken out, and why, by what could be read before and after."""

from collections.abc import Iterator
from contextlib import contextmanager

from holdfast.formats.kept import Missing, without
from holdfast.formats.segments import Range
from holdfast.store import LogReader


class Gone:
    """What is not kept any more."""

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader
        self._gone: dict[str, list[Range]] = {}

    @contextmanager
    def taking(self, reason: str) -> Iterator[None]:
        """Take note of what goes meanwhile."""
        before = self._reader.ranges()
        yield
        after = [Missing(start, end, "") for start, end in self._reader.ranges()]
        for start, end in before:
            self._gone.setdefault(reason, []).extend(without(start, end, after))

    def has(self, start: int, end: int, reason: str) -> bool:
        """Whether all of these bytes have gone for that reason."""
        for one in sorted(self._gone.get(reason, [])):
            if one.start <= start < one.end:
                start = one.end
        return start >= end
