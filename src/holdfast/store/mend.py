"""After a power cut: take out of a log what is not what was printed.

SIGKILL damages no file. When the machine itself has died, what the kernel had not written
back yet is cut off, or zeros, or older than the rest. The timeline knows better: each of its
ticks vouches for the run of bytes before it.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from holdfast.formats.kept import LOST, Holes, Kept, without
from holdfast.formats.segments import Range, segment_name
from holdfast.formats.timeline import Hole, HoleReason, Tick, decode_each
from holdfast.store.kept import KeptList
from holdfast.store.log import LogWriter
from holdfast.store.log_reader import LogReader
from holdfast.store.removal import finish, remove
from holdfast.store.runs import Run, RunsBack
from holdfast.store.timeline import TICK_BYTES, TimelineWriter
from holdfast.store.verify import crc_of

# How far back is far enough. The kernel writes back what is 30 s old within 5 s more, so what
# was printed a minute before the last tick was on the disk, and a megabyte that agrees
# confirms it. A flood passes gigabytes in a minute: then 64 MiB must do, 50 ms of CRC.
WRITTEN_BACK_NS = 60 * 10**9
AGREED_BYTES = 1 << 20
MOST_BYTES = 64 << 20
# Bytes behind the last tick are at most 256 KiB when all goes well, and half a minute of them
# when the timeline was written back last. If it is more the timeline has lost its end, is no
# witness, and must not cost the user a whole log.
TAIL_BYTES = 8 << 20
# No program prints a sector of zeros; a file system that has died leaves them.
ZEROS = re.compile(rb"\0{512,}")
LAST_ZEROS = re.compile(rb"\0{512,}|\0+\Z")
# What is taken out is kept aside for whoever wants to look, as long as it is not too much.
ASIDE_BYTES = 1 << 20
TORN = HoleReason.TORN


class Mended(NamedTuple):
    """What was found. All empty, and `highest` the end of the log: nothing was wrong.

    The next byte must get an offset of at least `highest`, which the log's end is now.
    """

    highest: int
    torn: list[Range]  # not kept: altered, vanished, or with nobody to vouch for them
    unverified: list[Range]  # kept, although nobody vouches for them
    checked: int  # bytes that were compared
    aside: list[Path]  # where torn bytes were kept, and the torn end of the timeline
    failed: OSError | None = None  # why torn bytes could not be taken out of the files yet


class _Judged(NamedTuple):
    torn: list[Range]
    unverified: list[Range]
    checked: int
    highest: int


class _Found(NamedTuple):
    """A log as it was found: what its files have, and what its timeline says is missing."""

    log: LogReader
    kept: list[Range]
    holes: Holes
    begin: int  # before it everything is missing, and known to be


def mend(directory: Path, now_ns: int) -> Mended:
    """Make the log and the timeline in *directory* true again; nothing may have them open.

    Doing it again, also after a kill in the middle, changes nothing more. Raises OSError only
    if the files cannot be read or made at all.
    """
    finish(directory)
    judged = _judge(directory)
    # First of all, so that no kill from here on can let offsets go back.
    with LogWriter(directory) as log:
        log.skip_to(max(log.end, judged.highest))
        if judged.torn:
            log.seal()
    with LogReader(directory) as reader:
        aside = _keep_aside(directory, reader, judged.torn)
        with TimelineWriter(directory, reader) as timeline:
            if timeline.torn is not None:
                aside.append(timeline.torn)
                _save_records(timeline, timeline.torn)
            failed = _take_out(directory, timeline, judged.torn)
            # Somebody vouches for all that is left, should the next power cut come soon.
            timeline.catch_up(now_ns)
    return Mended(judged.highest, judged.torn, judged.unverified, judged.checked, aside, failed)


def _judge(directory: Path) -> _Judged:
    torn: list[Range] = []
    unverified: list[Range] = []
    checked = agreed = newest = 0
    with LogReader(directory) as log:
        found = _found(log, KeptList(directory))
        runs = RunsBack(directory, max(log.end(), found.holes.end))
        for run in runs:
            newest = newest or run.time_ns
            wrong = _wrong(found, run, has_witness=runs.ticks > 0)
            if wrong is None:
                agreed, checked = agreed + run.end - run.start, checked + run.end - run.start
            else:
                agreed = 0
                torn += wrong
                unverified += _minus(_kept(found, run), wrong)
            far = agreed >= AGREED_BYTES and newest - run.time_ns >= WRITTEN_BACK_NS
            if far or run.start <= found.begin or runs.highest - run.start >= MOST_BYTES:
                break
    return _Judged(sorted(torn), sorted(unverified), checked, runs.highest)


def _found(log: LogReader, lists: KeptList) -> _Found:
    pieces = lists.list()
    kept = [Range(*piece) for piece in pieces if isinstance(piece, Kept)]
    unknown = [piece.start for piece in pieces if piece[2:] in ((), (LOST,))]
    return _Found(log, kept, lists.holes(), min(unknown, default=0))


def _wrong(found: _Found, run: Run, *, has_witness: bool) -> list[Range] | None:
    """Return what of a run is torn, None if it agrees with its tick."""
    kept = _kept(found, run)
    is_whole = kept == [Range(run.start, run.end)]
    if is_whole and run.crc is not None and crc_of(found.log, *kept[0]) == run.crc:
        return None
    missing = without(run.start, run.end, found.holes.between(run.start, run.end))
    # Partly dropped on purpose: the rest of such a run cannot be checked and is fine.
    lost = _minus(missing, kept)
    is_excused = not is_whole and not lost
    is_long_tail = run.is_tail and run.end - run.start > TAIL_BYTES
    if is_excused or not has_witness or is_long_tail:
        return lost + _zeros(found.log, kept)
    return missing


def _kept(found: _Found, run: Run) -> list[Range]:
    return [
        Range(max(start, run.start), min(end, run.end))
        for start, end in found.kept
        if start < run.end and run.start < end
    ]


def _minus(ranges: list[Range], others: list[Range]) -> list[Range]:
    holes = Holes(Hole(start, end - start, TORN) for start, end in others)
    return [
        part for start, end in ranges for part in without(start, end, holes.between(start, end))
    ]


def _zeros(log: LogReader, kept: list[Range]) -> list[Range]:
    """Return the stretches of zeros among the last bytes of what is kept."""
    zeros = []
    for start, end in kept:
        for at, data in _pieces(log, max(start, end - MOST_BYTES), end, MOST_BYTES):
            pattern = LAST_ZEROS if at + len(data) == log.end() else ZEROS
            zeros += [Range(at + one.start(), at + one.end()) for one in pattern.finditer(data)]
    return zeros


def _pieces(log: LogReader, start: int, end: int, limit: int) -> Iterator[tuple[int, bytes]]:
    while start < end and limit > 0:
        data = log.read(start, min(TICK_BYTES, end - start, limit))
        yield start, data
        start, limit = start + len(data), limit - len(data)


def _keep_aside(directory: Path, log: LogReader, torn: list[Range]) -> list[Path]:
    room = ASIDE_BYTES - sum(path.stat().st_size for path in directory.glob("*.log.torn-*"))
    aside = []
    for start, end in torn:
        for kept in log.ranges():
            data = b"".join(
                piece for _, piece in _pieces(log, max(start, kept.start), min(end, kept.end), room)
            )
            if data:
                room -= len(data)
                aside.append(_written(directory, segment_name(max(start, kept.start)), data))
    return [path for path in aside if path is not None]


def _written(directory: Path, name: str, data: bytes) -> Path | None:
    number = 1
    while (path := directory / f"{name}.torn-{number}").exists():
        if path.stat().st_size == len(data):
            return path  # kept by a mending that was killed
        number += 1
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(data)
    except OSError:
        path.unlink(missing_ok=True)  # no room for what nobody may ever look at
        return None
    return path


def _save_records(timeline: TimelineWriter, torn: Path) -> None:
    """Append again what a damaged end of the timeline says, apart from the ticks.

    Those vouch for runs that began with a record which is gone; the writer makes new ones.
    """
    for record in decode_each(torn.read_bytes()):
        if record is not None and not isinstance(record, Tick):
            timeline.append(record)


def _take_out(directory: Path, timeline: TimelineWriter, torn: list[Range]) -> OSError | None:
    holes = [Hole(start, end - start, TORN) for start, end in torn]
    if not holes:
        return None
    try:
        remove(directory, timeline, holes)
    except OSError as error:
        # No room for copies. Recorded they are gone all the same; the files follow when
        # `finish` is called with room.
        timeline.append(*holes)
        return error
    return None
