"""Compare a log with its timeline: is every byte the one that was printed?"""

import zlib
from pathlib import Path

from holdfast.errors import IoFailed, OffsetPruned
from holdfast.formats.timeline import RECORD_SIZE, Tick, decode
from holdfast.store.log_reader import LogReader
from holdfast.store.timeline import TICK_BYTES, TIMELINE


def verify(directory: Path) -> int | None:
    """Return the offset from which log and timeline disagree, or None if they never do.

    It is the start of the run between two ticks that holds the difference. Runs that are
    not wholly kept, and bytes after the last tick, cannot be checked and pass.
    """
    data = _timeline(directory)
    timeline = decode(data)
    ticks = [record for record in timeline.records if isinstance(record, Tick)]
    with LogReader(directory) as log:
        end, start = log.end(), 0
        for tick in ticks:
            if not start <= tick.offset <= end:
                return min(start, end)
            if crc_of(log, start, tick.offset) not in (tick.crc, None):
                return start
            start = tick.offset
    # Less than a record is an append cut short; more is damage, and hides later ticks.
    hidden = len(data) - timeline.good >= RECORD_SIZE or timeline.header is None
    return start if hidden and start < end else None


def crc_of(log: LogReader, start: int, end: int) -> int | None:
    """Return the CRC-32 of a run of the log, or None if it is not wholly kept."""
    crc = 0
    while start < end:
        try:
            data = log.read(start, min(TICK_BYTES, end - start))
        except OffsetPruned:
            return None
        crc = zlib.crc32(data, crc)
        start += len(data)
    return crc


def _timeline(directory: Path) -> bytes:
    try:
        return (directory / TIMELINE).read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        reason = error.strerror or str(error)
        raise IoFailed(action=f"reading {directory / TIMELINE}", reason=reason) from error
