"""Read rows out of the pages of an SQLite file, without SQLite and without its indexes.

SQLite reaches a row only through the pages above it; one bad page at the top hides a whole
table. Every leaf says for itself which rows it has (sqlite.org/fileformat2.html, part 2).
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from holdfast.store.journal_files import wal_frames

PAGE_SIZE = 4096  # what SQLite takes for a new file, whatever a damaged header says
HEADER_SIZE = 100  # in front of the first page
LEAF = 13  # the type of a page that holds rows of a table
LEAF_HEADER = 8
INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # serial type -> bytes
TEXT_LIMIT = 64 << 20  # bytes; a longer row is a damaged length

Value = None | int | float | bytes


class Row(NamedTuple):
    """One row; texts are bytes as they lie on the disk."""

    rowid: int
    values: tuple[Value, ...]


class Pages:
    """The pages of a file with those of its write-ahead log laid over them."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._count = os.fstat(self._file.fileno()).st_size // PAGE_SIZE
        self._newer: dict[int, bytes] = dict(_committed(path))

    def close(self) -> None:
        self._file.close()

    def rows(self) -> Iterator[Row]:
        """Yield every row of every table that can be read."""
        for number in sorted({*range(1, self._count + 1), *self._newer}):
            yield from self._rows_of(number)

    def _page(self, number: int) -> bytes:
        if number in self._newer:
            return self._newer[number]
        return os.pread(self._file.fileno(), PAGE_SIZE, (number - 1) * PAGE_SIZE)

    def _rows_of(self, number: int) -> Iterator[Row]:
        page = self._page(number)
        start = HEADER_SIZE if number == 1 else 0
        if len(page) < PAGE_SIZE or page[start] != LEAF:
            return
        count = int.from_bytes(page[start + 3 : start + 5], "big")
        first = start + LEAF_HEADER
        for at in range(first, min(first + 2 * count, PAGE_SIZE - 1), 2):
            try:
                yield self._row(page, int.from_bytes(page[at : at + 2], "big"))
            except (IndexError, ValueError, struct.error):
                continue  # this one is damaged; the others have places of their own

    def _row(self, page: bytes, at: int) -> Row:
        size, at = _varint(page, at)
        rowid, at = _varint(page, at)
        if size > TEXT_LIMIT:
            raise ValueError("a length that cannot be")
        local = _local_size(size)
        payload = page[at : at + local]
        if local < size:
            payload += self._overflow(page[at + local : at + local + 4], size - local)
        if len(payload) != size:
            raise ValueError("a row cut short")
        return Row(rowid, _values(payload))

    def _overflow(self, link: bytes, missing: int) -> bytes:
        pieces = []
        # No longer than the row can be: a damaged chain may go round in a circle.
        for _ in range(missing // (PAGE_SIZE - 4) + 1):
            number = int.from_bytes(link, "big")
            if not number or not missing:
                break
            page = self._page(number)
            link, piece = page[:4], page[4 : 4 + missing]
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)


def _committed(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the pages in the write-ahead log up to its last commit, in order."""
    waiting: list[tuple[int, bytes]] = []
    try:
        for frame in wal_frames(path):
            waiting.append((frame.page, frame.data))
            if frame.commit:
                yield from waiting
                waiting = []
    except ValueError:
        return  # no log: what the file itself says is all there is


def _local_size(size: int) -> int:
    """Return how much of a row lies in its leaf, by the formula of the file format."""
    most, least = PAGE_SIZE - 35, (PAGE_SIZE - 12) * 32 // 255 - 23
    if size <= most:
        return size
    kept = least + (size - least) % (PAGE_SIZE - 4)
    return kept if kept <= most else least


def _values(payload: bytes) -> tuple[Value, ...]:
    end, at = _varint(payload, 0)
    values: list[Value] = []
    body = end
    while at < end:
        kind, at = _varint(payload, at)
        value, body = _value(payload, kind, body)
        values.append(value)
    return tuple(values)


def _value(payload: bytes, kind: int, at: int) -> tuple[Value, int]:
    if kind in INTEGERS:
        end = at + INTEGERS[kind]
        return int.from_bytes(payload[at:end], "big", signed=True), end
    if kind == 7:
        (number,) = struct.unpack_from(">d", payload, at)
        return number, at + 8
    if kind >= 12:
        end = at + (kind - 12) // 2
        if end > len(payload):
            raise ValueError("a text cut short")
        return payload[at:end], end
    return (None, 0, 1)[(0, 8, 9).index(kind)], at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of variable length, and where it ends."""
    value = 0
    for index in range(8):
        byte = data[at + index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + index + 1
    return value << 8 | data[at + 8], at + 9
