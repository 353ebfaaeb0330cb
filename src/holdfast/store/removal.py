"""Take bytes out of the middle of a log, so that a kill at any point leaves no lie.

What is kept of a segment is copied into new files first. Then the hole is recorded: from
that moment the bytes count as gone. Then the files follow, each change a single rename or
unlink, and `finish` repeats what a kill has cut short.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from holdfast.formats.kept import Holes, without
from holdfast.formats.segments import Range, segment_name
from holdfast.formats.timeline import Hole, HoleReason
from holdfast.store.kept import KeptList
from holdfast.store.log import LogWriter, segment_firsts
from holdfast.store.log_reader import WITHDRAWN
from holdfast.store.scrub import scrub
from holdfast.store.timeline import FRESH_TIMELINE, Recorder

FRESH = ".new"  # the end of the name of a copy that does not count yet
ERASED = ".erase"  # and of a file whose bytes are being overwritten
PIECE = 1 << 20
FORGOTTEN = HoleReason.FORGOTTEN.name.lower()


class Change(NamedTuple):
    """What becomes of one segment: the pieces that are left, and whether to overwrite it."""

    first: int
    end: int
    pieces: list[Range]
    erase: bool


def remove(directory: Path, timeline: Recorder, holes: Sequence[Hole]) -> int:
    """Take *holes* out of the sealed segments of a log; return how many bytes went.

    Raises OSError as it is, with nothing changed if there is no room for the copies. Seal
    the log first: a hole that reaches into its last segment is a bug of the caller.
    """
    changes = _changes(directory, Holes(holes))
    last = segment_firsts(directory)[-1:]
    if [change.first for change in changes[-1:]] == last:
        raise ValueError(f"the segment at {last[0]} is being written, nothing is taken out of it")
    try:
        for change in changes:
            _copy(directory, change)
    except OSError:
        _discard(directory)
        raise
    forgotten = [hole for hole in holes if hole.reason == HoleReason.FORGOTTEN]
    for hole in forgotten:
        timeline.disregard(hole.offset, hole.offset + hole.length)
    timeline.append(*holes)
    # Before the files: a file that is not overwritten yet tells `finish` that this may be
    # unfinished too.
    if forgotten:
        scrub(directory, Holes(forgotten))
    for change in changes:
        _swap(directory, change)
    return sum(change.end - change.first - _length(change.pieces) for change in changes)


def finish(directory: Path) -> int:
    """Do what a kill has kept from being done; return how many bytes went.

    To be called before a log is opened for writing. What the timeline says is missing is
    taken out of the files, and what was to be overwritten is.
    """
    _discard(directory)
    _erase_left_behind(directory)
    holes = KeptList(directory).holes()
    changes = _changes(directory, holes)
    if changes and changes[-1].first == segment_firsts(directory)[-1]:
        with LogWriter(directory) as log:  # its end stays where it is
            log.seal()
    if any(change.erase for change in changes):
        scrub(directory, holes.only(FORGOTTEN))
    for change in changes:
        _copy(directory, change)
        _swap(directory, change)
    return sum(change.end - change.first - _length(change.pieces) for change in changes)


def overwrite(path: Path) -> None:
    """Overwrite a file, have that reach the disk, and unlink it.

    From the first moment on no reader believes what it finds in it.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        os.fchmod(fd, WITHDRAWN)
        size, at = os.fstat(fd).st_size, 0
        while at < size:
            at += os.pwrite(fd, bytes(min(PIECE, size - at)), at)
        # Unlinked before it is written back, it would never be.
        os.fsync(fd)
    finally:
        os.close(fd)
    path.unlink()


def _changes(directory: Path, holes: Holes) -> list[Change]:
    changes = []
    for first, end in _extents(directory):
        gone = holes.between(first, end)
        if gone:
            erase = any(hole.reason == FORGOTTEN for hole in gone)
            changes.append(Change(first, end, without(first, end, gone), erase))
    return changes


def _extents(directory: Path) -> Iterator[Range]:
    """Yield what each segment has to say: where two overlap, the later one counts."""
    firsts = segment_firsts(directory)
    for index, first in enumerate(firsts):
        end = first + (directory / segment_name(first)).lstat().st_size
        yield Range(first, min([end, *firsts[index + 1 : index + 2]]))


def _copy(directory: Path, change: Change) -> None:
    if _is_shortened(change):
        return
    with (directory / segment_name(change.first)).open("rb", buffering=0) as segment:
        found = os.fstat(segment.fileno())
        for start, end in change.pieces:
            path = directory / f"{segment_name(start)}{FRESH}"
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
            fd = os.open(path, flags, 0o600)
            try:
                _copy_range(segment.fileno(), fd, start - change.first, end - start)
                # Retention goes by when the bytes were printed, not by when they were moved.
                os.utime(fd, ns=(found.st_atime_ns, found.st_mtime_ns))
            finally:
                os.close(fd)


def _copy_range(source: int, target: int, at: int, length: int) -> None:
    while length:
        piece = memoryview(os.pread(source, min(PIECE, length), at))
        at, length = at + len(piece), length - len(piece)
        while piece:
            piece = piece[os.write(target, piece) :]


def _swap(directory: Path, change: Change) -> None:
    path = directory / segment_name(change.first)
    erased = path.with_name(path.name + ERASED)
    if _is_shortened(change):
        os.truncate(path, change.pieces[0].end - change.first)
        return
    if change.erase:
        os.link(path, erased)
    # From the last to the first: each new file takes over from where it begins, with the
    # same bytes, and the old one is what is read before it until it is replaced itself.
    for start, _ in reversed(change.pieces):
        name = segment_name(start)
        (directory / f"{name}{FRESH}").rename(directory / name)
    if not change.pieces or change.pieces[0].start != change.first:
        path.unlink()
    if change.erase:
        overwrite(erased)


def _is_shortened(change: Change) -> bool:
    """Whether only the end goes, and need not be overwritten: that takes no room."""
    return not change.erase and [piece.start for piece in change.pieces] == [change.first]


def _discard(directory: Path) -> None:
    for name in _names(directory):
        if name.endswith(f".log{FRESH}") or name == FRESH_TIMELINE:
            (directory / name).unlink()


def _erase_left_behind(directory: Path) -> None:
    for path in [directory / name for name in _names(directory) if name.endswith(ERASED)]:
        segment = path.with_name(path.name.removesuffix(ERASED))
        # A second name of what still counts: the kill came before it was replaced.
        if segment.exists() and segment.samefile(path):
            path.unlink()
        else:
            overwrite(path)


def _names(directory: Path) -> list[str]:
    # Just the names: a start asks this of every session there is, and a glob takes ten times that.
    return os.listdir(directory)  # noqa: PTH208


def _length(pieces: Sequence[Range]) -> int:
    return sum(piece.end - piece.start for piece in pieces)
