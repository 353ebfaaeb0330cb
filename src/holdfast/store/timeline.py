"""The timeline file of a session: written beside the log, never in its way.

A full disk raises nothing into the pump: what cannot be written waits and is tried again.
"""

import errno
import os
import zlib
from pathlib import Path
from typing import NamedTuple, Protocol, Self

from holdfast.errors import Internal, OffsetPruned
from holdfast.formats.timeline import (
    EPOCH_SIZE,
    HEADER_SIZE,
    RECORD_SIZE,
    Epoch,
    Header,
    Hole,
    Inserted,
    Life,
    Resize,
    Tick,
    decode_header,
    decode_records,
    encode,
    encode_header,
)
from holdfast.store.log_reader import LogReader

TIMELINE = "timeline"
FRESH_TIMELINE = f"{TIMELINE}.new"  # a shorter one that does not count yet

# A replay looks alive at 20 steps a second; twice as many would double what a spinner
# costs on disk (640 bytes a second), half as many would show.
TICK_NS = 50_000_000
# What has to be read again after a crash, and the finest grain in which a damaged byte can
# be placed. One tick for each 256 KiB makes the timeline 0.01 % of a flood.
TICK_BYTES = 256 * 1024
# Records other than ticks that wait for a full disk, 64 KiB of memory at most. Beyond it the
# oldest are dropped: somebody has then been resizing for hours with the disk full.
WAITING_RECORDS = 512
# So much is looked at when a timeline is opened. The last tick is all but always in it, and
# a start must not read the 50 MB that a spinner leaves in a day, for each session.
LOOK_BACK = 2048 * RECORD_SIZE
# A later epoch is written again after so many records, and therefore always in it too. The
# rest of the distance is for what waits meanwhile; twice as often would still be 0.2 %.
EPOCH_RECORDS = 1024
# A longer one is to be made shorter. A spinner fills that in two hours; with twice as much
# it would be twice the work at once, half a second of a thread beside the loop.
LONG_BYTES = 2 << 20


class _Found(NamedTuple):
    """The state of a timeline on disk: where its good bytes end, with which tick and epoch."""

    header: Header | None
    good: int
    tick: Tick | None
    epoch: Epoch | None
    since_epoch: int
    bad: bool

    @property
    def counts(self) -> bytes | None:
        """The epoch that counts at the end."""
        if self.epoch is not None:
            return self.epoch.epoch
        return self.header.epoch if self.header else None


class Recorder(Protocol):
    """Where a hole is recorded: a timeline, or somebody who has it recorded there."""

    def append(self, *records: Hole) -> None:
        """Record holes; the bytes go only after this has returned."""

    def disregard(self, start: int, end: int) -> None:
        """Have no checksum that is still to be written say anything about these bytes."""

    def begin_shortening(self) -> int:
        """Return how much of the file is to be said shorter; 0 if it is fine as it is."""

    def replace(self, fresh: Path, upto: int) -> bool:
        """Go on in *fresh*, which says what the first *upto* bytes of the file say."""


class TimelineWriter:
    """Append to the timeline of one session; feed it each run of bytes that was logged.

    After opening call `catch_up`, then `feed` in order, and `flush` when `deadline_ns` has
    come. `epoch` is the one that counts now. `failed` is the error that keeps records
    waiting, None when nothing is wrong; `torn` names the file in which a damaged tail was
    kept aside.
    """

    def __init__(self, directory: Path, log: LogReader, *, long_bytes: int = LONG_BYTES) -> None:
        self._directory = directory
        self._log = log
        self.failed: OSError | None = None
        self.torn: Path | None = None
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(directory / TIMELINE, flags, 0o600)
        try:
            found = _look_back(self._fd)
        except BaseException:
            self.close()
            raise
        self.epoch = self._first_epoch = found.counts or os.urandom(EPOCH_SIZE)
        self._later_epoch = found.epoch
        self._since_epoch = found.since_epoch
        self._size = found.good
        self._least = self._long = long_bytes
        self._ticked = self._offset = found.tick.offset if found.tick else 0
        self._crc = 0
        self._time_ns = 0  # when the last byte was fed
        self._due_ns = 0
        self._waiting: list[bytes] = []  # an empty deque would take 700 bytes of each session
        self._mended = False
        self._write_waiting()

    @property
    def offset(self) -> int:
        """Up to where the bytes of the log are known here."""
        return self._offset

    def feed(self, offset: int, data: bytes | memoryview, now_ns: int) -> None:
        """Take note of bytes that are in the log from *offset* on.

        Bytes fed twice count once; bytes left out are read from the log.
        """
        if offset != self._offset:
            if offset > self._offset:
                self._read_log(offset, now_ns)
            data = data[self._offset - offset :]
        if not data:
            return
        if self._offset == self._ticked:
            self._due_ns = now_ns + TICK_NS
        self._crc = zlib.crc32(data, self._crc)
        self._offset += len(data)
        self._time_ns = now_ns
        # A deadline farther away than any can be means that the clock was set back.
        if self._offset - self._ticked >= TICK_BYTES or not 0 < self._due_ns - now_ns <= TICK_NS:
            self.flush(now_ns)

    def append(self, *records: Resize | Life | Inserted | Hole | Epoch) -> None:
        """Write *records*, all or none, or keep them waiting while the disk is full."""
        for record in records:
            if isinstance(record, Epoch):
                self.epoch, self._later_epoch, self._since_epoch = record.epoch, record, 0
        if records:
            self._waiting.append(b"".join(map(encode, records)))
            del self._waiting[:-WAITING_RECORDS]
        self._write_waiting()

    def disregard(self, start: int, end: int) -> None:
        """Have the next tick say nothing about the bytes from *start* to *end*."""
        if start < self._offset and self._ticked < end:
            self._crc = 0

    def begin_epoch(self, offset: int) -> bytes:
        """Have a new epoch count from *offset* on, and return it."""
        self.append(Epoch(offset, os.urandom(EPOCH_SIZE)))
        return self.epoch

    def deadline_ns(self) -> int | None:
        """Return when `flush` should be called, or None if nothing waits."""
        waits = self._offset > self._ticked or self._waiting or not self._mended
        return self._due_ns if waits else None

    def flush(self, now_ns: int) -> None:
        """Write what waits, with a tick for the bytes since the last one.

        On a full disk it goes on waiting: the CRC runs on, and the tick that is written
        at last covers all the bytes since the last one that was.
        """
        self._due_ns = now_ns + TICK_NS
        if not self._write_waiting() or self._offset == self._ticked:
            return
        if self._write(encode(Tick(self._offset, self._time_ns, self._crc))):
            self._ticked, self._crc = self._offset, 0

    def catch_up(self, now_ns: int) -> None:
        """Feed what the log holds beyond the last tick; to be called after opening."""
        self._read_log(self._log.end(), now_ns)
        self.flush(now_ns)

    @property
    def is_long(self) -> bool:
        """Whether the file is to be made shorter; see `shortening`."""
        return self._size >= self._long

    def begin_shortening(self) -> int:
        """Return how much is to be said shorter, or 0; it is not long again before it doubles."""
        if not self.is_long or not self._mended:
            return 0
        self._long = 2 * self._size
        return self._size

    def replace(self, fresh: Path, upto: int) -> bool:
        """Go on in *fresh*, which says what the first *upto* bytes of the file say.

        What was written since is copied behind it. Return False if that is not the file any
        more; raise OSError with nothing changed.
        """
        if not self._mended or self._size < upto:
            return False
        fd = os.open(fresh, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            rest = os.pread(self._fd, self._size - upto, upto)
            if os.write(fd, rest) < len(rest):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301 - one edge
            size = os.fstat(fd).st_size
            fresh.rename(self._directory / TIMELINE)
        except OSError:
            os.close(fd)
            raise
        os.close(self._fd)
        self._fd, self._size = fd, size
        self._long = max(self._least, 2 * size)
        return True

    def close(self) -> None:
        """Close the file. A pending tick is not written: `flush` first, or catch up later."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read_log(self, end: int, now_ns: int) -> None:
        while self._offset < end:
            # Up to where the next tick is due: ticks then lie where they would have anyway.
            limit = TICK_BYTES - (self._offset - self._ticked) % TICK_BYTES
            try:
                data = self._log.read(self._offset, min(limit, end - self._offset))
            except OffsetPruned as pruned:
                self._skip(min(pruned.oldest, end), now_ns)
                continue
            if not data:
                raise Internal(summary=f"bytes up to {end} are said to be in the log, and are not")
            self.feed(self._offset, data, now_ns)

    def _skip(self, offset: int, now_ns: int) -> None:
        # One tick on each side of the hole, so that all the bytes around it can be checked.
        # The second one's CRC is of bytes that nobody has.
        self.flush(now_ns)
        self._offset, self._time_ns = offset, now_ns
        self.flush(now_ns)

    def _write_waiting(self) -> bool:
        if not self._mended:
            self._mended = self._mend()
        if self._later_epoch is not None and self._since_epoch >= EPOCH_RECORDS:
            self._waiting.append(encode(self._later_epoch))
            self._since_epoch = 0
        while self._mended and self._waiting and self._write(self._waiting[0]):
            del self._waiting[0]
        return self._mended and not self._waiting

    def _write(self, data: bytes) -> bool:
        """Append *data* whole or not at all."""
        try:
            written = os.write(self._fd, data)
            if written < len(data):
                os.ftruncate(self._fd, self._size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301 - one edge
        except OSError as error:
            # Into the pump nothing is raised: output goes on, what is written here waits.
            # Should half a record have been left behind, it goes first.
            self.failed, self._mended = error, False
            return False
        self._size += len(data)
        self._since_epoch += len(data) // RECORD_SIZE
        self.failed = None
        return True

    def _mend(self) -> bool:
        """Leave only good bytes in the file, the others aside, and a header in front."""
        try:
            if os.fstat(self._fd).st_size > self._size:
                self.torn = self._kept_aside()
                os.ftruncate(self._fd, self._size)
        except OSError as error:
            self.failed = error
            return False
        return self._size > 0 or self._write(encode_header(Header(self._first_epoch)))

    def _kept_aside(self) -> Path:
        number = 1
        while (path := self._directory / f"{TIMELINE}.torn-{number}").exists():
            number += 1
        try:
            with path.open("xb") as aside:
                os.fchmod(aside.fileno(), 0o600)
                at = self._size
                while piece := os.pread(self._fd, LOOK_BACK, at):
                    aside.write(piece)
                    at += len(piece)
        except OSError:
            path.unlink(missing_ok=True)  # half a copy would be made again at every retry
            raise
        return path


def epoch_of(directory: Path) -> bytes:
    """Return the epoch that counts in a directory that nobody writes to; empty without one."""
    try:
        fd = os.open(directory / TIMELINE, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return b""
    try:
        return _look_back(fd).counts or b""
    finally:
        os.close(fd)


def _look_back(fd: int) -> _Found:
    """Find the last tick, the epoch and where good records end, from the end if that will do."""
    header = decode_header(os.pread(fd, HEADER_SIZE, 0))
    if header is None:
        return _Found(None, 0, None, None, 0, bad=True)
    records = os.fstat(fd).st_size - HEADER_SIZE
    start = HEADER_SIZE + max(0, records - LOOK_BACK) // RECORD_SIZE * RECORD_SIZE
    found = _found(fd, header, start)
    # A damaged or tickless stretch of that length is no torn append: read everything. So
    # does a damaged one without an epoch, which may have lain behind the damage.
    if start > HEADER_SIZE and (found.tick is None or (found.bad and found.epoch is None)):
        return _found(fd, header, HEADER_SIZE)
    return found


def _found(fd: int, header: Header, start: int) -> _Found:
    size = os.fstat(fd).st_size - start
    records, good = decode_records(os.pread(fd, size, start))
    backwards = records[::-1]
    tick = next((record for record in backwards if isinstance(record, Tick)), None)
    at, epoch = next(
        ((at, record) for at, record in enumerate(backwards) if isinstance(record, Epoch)),
        (len(records), None),
    )
    return _Found(header, start + good, tick, epoch, at, bad=size - good >= RECORD_SIZE)
