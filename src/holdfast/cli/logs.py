"""`hold daemon logs`: what the processes behind it have to report, in the order it happened."""

import heapq
import os
import re
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from holdfast.cli import door, paging
from holdfast.cli.exits import OK, Usage, note, one_line

PROCESSES = ("keeper", "daemon", "reader", "host")
OLDER = (".2", ".1", "")  # as they are rotated
# What is looked at again and again while somebody follows; nothing wakes anybody otherwise.
LOOK = 0.25  # seconds
TIMED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}Z?")


class Line(NamedTuple):
    """One line, and when it was written; what has no time of its own came with the one before."""

    time: str
    process: str
    text: str


def logs(values: Namespace) -> int:
    """Print logs, and go on with what comes."""
    if values.process is not None and values.process not in PROCESSES:
        raise Usage(f"there is no log of {values.process!r}", f"it is {', '.join(PROCESSES)}")
    state = door.places().state
    wanted = PROCESSES if values.process is None else (values.process,)
    tails = [_Tail(state / f"{name}.log", name) for name in wanted]
    lines = [shown(line, len(wanted)) for line in heapq.merge(*(_kept(t) for t in tails))]
    if not values.follow:
        if lines:
            paging.show("\n".join(lines))
        else:
            note(f"nothing was reported yet in {state}")
        return OK
    if lines:
        print("\n".join(lines))
    while True:
        sys.stdout.flush()
        time.sleep(LOOK)
        for line in heapq.merge(*(tail.news() for tail in tails)):
            print(shown(line, len(wanted)))


def shown(line: Line, processes: int) -> str:
    """Return a line as it is printed: with its process, unless there is only one."""
    return one_line(line.text if processes == 1 else f"{line.process:7} {line.text}")


def _kept(tail: "_Tail") -> Iterator[Line]:
    older = (Path(f"{tail.path}{suffix}") for suffix in OLDER[:-1])
    yield from tail.lines(b"".join(path.read_bytes() for path in older if path.exists()))
    yield from tail.news()


class _Tail:
    """The newest file of one log, and how far it was read; it may be rotated meanwhile."""

    def __init__(self, path: Path, process: str) -> None:
        self.path = path
        self._process = process
        self._file: BinaryIO | None = None
        self._rest = b""
        self._time = ""

    def news(self) -> list[Line]:
        """Return what was written since the last time."""
        found = self._read()
        if self._is_rotated():
            # First what the old one still got.
            found += self._read()
            if self._file is not None:
                self._file.close()
            self._file = self._opened()
            found += self._read()
        return found

    def lines(self, data: bytes) -> list[Line]:
        """Return the whole lines of *data*; what is left of one waits for its end."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        return [self._line(each.decode(errors="replace")) for each in whole]

    def _line(self, text: str) -> Line:
        if at := TIMED.match(text):
            self._time = at[0]
        return Line(self._time, self._process, text)

    def _read(self) -> list[Line]:
        data = b"" if self._file is None else self._file.read()
        return self.lines(data) if data else []

    def _is_rotated(self) -> bool:
        try:
            now = self.path.stat()
        except FileNotFoundError:
            return False
        return self._file is None or not os.path.samestat(now, os.fstat(self._file.fileno()))

    def _opened(self) -> BinaryIO | None:
        try:
            return self.path.open("rb")
        except FileNotFoundError:
            return None
