"""A timeline made shorter, with nothing lost that somebody could still ask for.

Ticks are joined: those of bytes that are missing altogether, and the older ones of those that
are kept, which then say less exactly when something was printed, and vouch for the same bytes.
Sizes, lives and inserted bytes go with the bytes they are about; neighbouring holes become one.
"""

from collections.abc import Iterator

from holdfast.formats.crc import joined_crc
from holdfast.formats.kept import Holes
from holdfast.formats.timeline import (
    RECORD_SIZE,
    Epoch,
    Hole,
    Inserted,
    Life,
    Record,
    Resize,
    Tick,
    decode_one,
    encode,
    holes_in,
)

# No longer run is made by joining: it is what has to be read again to find a damaged byte.
RUN_BYTES = 256 * 1024
# So many of the newest ticks stay as they are: a quarter of an hour of a spinner.
FINE = 8192


def shorter(records: bytes, aim: int, *, fine: int = FINE) -> bytes:
    """Return what to write instead of *records*, in about *aim* bytes if that can be.

    *fine* is how many of the newest ticks stay. A record that is damaged, or of a later
    version, stays as it is, and so does the tick behind it, whose run may not be what it says.
    """
    read = [decode_one(records[at : at + RECORD_SIZE]) for at in _places(records)]
    ticks = sum(isinstance(record, Tick) for record in read)
    old = max(0, ticks - fine)
    wanted = max(1, aim // RECORD_SIZE - fine)
    return b"".join(_Shortening(Holes(holes_in(records)), old, -(-old // wanted)).of(records, read))


class _Shortening:
    """One walk over a timeline. At most `factor` ticks that are kept become one."""

    def __init__(self, holes: Holes, old: int, factor: int) -> None:
        self._holes = holes
        self._begin = _begin(holes)
        self._old = old
        self._factor = factor
        self._start = 0  # where the next tick's run begins
        self._since = 0  # and where that of the one that waits does
        self._tick: Tick | None = None  # it waits for others to be joined with
        self._joined = 0
        self._is_gone = False
        self._hole: Hole | None = None
        self._epoch: Epoch | None = None

    def of(self, records: bytes, read: list[Record | None]) -> Iterator[bytes]:
        past = _last_before(read, self._begin)
        is_sound = True
        for at, record in zip(_places(records), read, strict=True):
            if record is None:
                yield from self._waiting()
                yield records[at : at + RECORD_SIZE]
                is_sound = False
            elif isinstance(record, Tick):
                yield from self._ticked(record, is_sound=is_sound)
                is_sound = True
            elif isinstance(record, Hole):
                yield from self._missing(record)
            elif isinstance(record, Epoch):
                yield from self._counts(record)
            elif _end(record) > self._begin or record in past:
                yield encode(record)
        yield from self._waiting()
        if self._epoch is not None:
            yield encode(self._epoch)  # whoever looks back from the end finds it soon

    def _ticked(self, tick: Tick, *, is_sound: bool) -> Iterator[bytes]:
        start, self._start = self._start, tick.offset
        self._old -= 1
        gone = self._gone(start, tick.offset)
        is_gone = gone >= tick.offset - start > 0
        is_alone = not is_sound or tick.offset <= start or (gone and not is_gone)
        before = self._tick
        if before is not None and not is_alone and self._fits(tick, is_gone=is_gone):
            crc = 0 if is_gone else joined_crc(before.crc, tick.crc, tick.offset - start)
            self._tick = tick._replace(crc=crc)
            self._joined += 1
            return
        yield from self._ticks()
        if is_alone:
            yield encode(tick)
            return
        self._tick, self._since, self._joined, self._is_gone = tick, start, 1, is_gone

    def _gone(self, start: int, end: int) -> int:
        """Return how many of these bytes are missing."""
        if start >= self._holes.end:
            return 0
        return sum(hole.end - hole.start for hole in self._holes.between(start, end))

    def _fits(self, tick: Tick, *, is_gone: bool) -> bool:
        if is_gone or self._is_gone:
            return is_gone and self._is_gone
        is_old = self._old >= 0 and self._joined < self._factor
        return is_old and tick.offset - self._since <= RUN_BYTES

    def _missing(self, hole: Hole) -> Iterator[bytes]:
        # With nothing but ticks and such between them, so that of two reasons the newer counts.
        before = self._hole
        if before and (before.offset + before.length, before.reason) == (hole.offset, hole.reason):
            self._hole = before._replace(length=before.length + hole.length)
            return
        yield from self._holed()
        self._hole = hole

    def _counts(self, epoch: Epoch) -> Iterator[bytes]:
        if self._epoch is None or self._epoch.epoch != epoch.epoch:
            self._epoch = epoch
            yield encode(epoch)

    def _waiting(self) -> Iterator[bytes]:
        yield from self._ticks()
        yield from self._holed()

    def _ticks(self) -> Iterator[bytes]:
        tick, self._tick = self._tick, None
        if tick is not None:
            yield encode(tick)

    def _holed(self) -> Iterator[bytes]:
        hole, self._hole = self._hole, None
        if hole is not None:
            yield encode(hole)


def _places(records: bytes) -> range:
    return range(0, len(records), RECORD_SIZE)


def _begin(holes: Holes) -> int:
    """Return the offset before which everything is known to be missing."""
    begin = 0
    for hole in holes:
        if hole.start > begin:
            break
        begin = hole.end
    return begin


def _end(record: Resize | Life | Inserted) -> int:
    return record.offset + (record.length if isinstance(record, Inserted) else 0)


def _last_before(read: list[Record | None], begin: int) -> list[Record]:
    """Return the size and the life that counted where what is kept begins."""
    found: list[Record] = []
    for kind in (Resize, Life):
        past = [one for one in read if isinstance(one, kind) and one.offset <= begin]
        found += past[-1:]
    return found
