"""Forget what was printed: take it out, overwrite it, and look whether it is gone."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from holdfast.formats.segments import Range, first_offset
from holdfast.formats.timeline import Hole, HoleReason
from holdfast.store.checkpoint import erase
from holdfast.store.log_reader import LogReader
from holdfast.store.removal import ERASED, overwrite, remove
from holdfast.store.timeline import FRESH_TIMELINE, TIMELINE, Recorder

PIECE = 1 << 20
SAMPLES = 64
SAMPLE_BYTES = 32  # long enough to be nowhere else by chance
# Fewer different bytes are a ruler or a blank line, which are everywhere.
DIFFERENT = 8
TORN = ".torn-"


def forget(directory: Path, timeline: Recorder, start: int, end: int) -> int:
    """Overwrite what was printed from *start* to *end*; return how many bytes that was.

    Seal the log first; its writer may go on meanwhile. Raises OSError, with nothing changed,
    if there is no room to copy what stays.
    """
    with LogReader(directory) as log:
        ranges = [Range(max(start, kept.start), min(end, kept.end)) for kept in log.ranges()]
    holes = [Hole(*(a, b - a), HoleReason.FORGOTTEN) for a, b in ranges if a < b]
    # Before, for a kill between here and the end; after, for a reader that has just kept one.
    erase(directory)
    gone = remove(directory, timeline, holes)
    erase(directory)
    # The ticks of a torn timeline have checksums too, and those of one that came to nothing.
    timelines = (f"{TIMELINE}{TORN}*", FRESH_TIMELINE)
    for path in [*_torn_pieces(directory, start, end), *_matching(directory, *timelines)]:
        overwrite(path)
    return gone


def forget_all(directory: Path) -> None:
    """Overwrite every file of a session that has ended, and remove its directory.

    Renaming the directory is the decision: killed before it nothing has happened, killed
    after it `finish_forgetting` does the rest.
    """
    condemned = directory.with_name(directory.name + ERASED)
    directory.rename(condemned)
    _erase_directory(condemned)


def finish_forgetting(sessions: Path) -> int:
    """Remove what a kill has left of sessions that were forgotten; return how many."""
    condemned = list(sessions.glob(f"*{ERASED}"))
    for directory in condemned:
        _erase_directory(directory)
    return len(condemned)


def samples_of(reader: LogReader, start: int, end: int) -> list[bytes]:
    """Return pieces of what was printed from *start* to *end*, for `search`; take them before.

    They are spread evenly over it. Pieces that could be anywhere, such as blank lines, are
    left out.
    """
    samples = []
    for kept in reader.ranges():
        first, last = max(start, kept.start), min(end, kept.end)
        step = max(SAMPLE_BYTES, (end - start) // SAMPLES)
        for at in range(first, last, step):
            data = reader.read(at, min(SAMPLE_BYTES, last - at))
            if len(set(data)) >= DIFFERENT:
                samples.append(data)
    return samples


def search(state_directory: Path, samples: Sequence[bytes]) -> list[Path]:
    """Return the files under *state_directory* that hold any of *samples*.

    What a session printed twice, or another one printed too, is found there as well.
    """
    wanted = [sample for sample in samples if sample]
    if not wanted:
        return []  # ten thousand sessions have thirty thousand files
    return [Path(path) for path in _files(state_directory) if _holds(path, wanted)]


def _holds(path: str, samples: Sequence[bytes]) -> bool:
    overlap = max(map(len, samples)) - 1
    before = b""
    try:
        # As text, and without a buffer for each: half of the time would go into those.
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            while piece := file.read(PIECE):
                data = before + piece
                if any(sample in data for sample in samples):
                    return True
                before = data[-overlap:] if overlap else b""
    except FileNotFoundError:
        pass  # dropped since it was listed
    return False


def _files(directory: Path | str) -> Iterator[str]:
    try:
        with os.scandir(directory) as entries:
            found = [*entries]
    except FileNotFoundError:
        return  # forgotten since it was listed
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path)
        elif entry.is_file(follow_symlinks=False):
            yield entry.path


def _torn_pieces(directory: Path, start: int, end: int) -> list[Path]:
    """Return the pieces kept aside by mending that have bytes of that range."""
    found = []
    for path in directory.glob(f"*{TORN}*"):
        first = first_offset(path.name.partition(TORN)[0])
        if first is not None and first < end and start < first + path.stat().st_size:
            found.append(path)
    return found


def _matching(directory: Path, *patterns: str) -> list[Path]:
    return [path for pattern in patterns for path in directory.glob(pattern)]


def _erase_directory(directory: Path) -> None:
    for place, directories, names in os.walk(directory, topdown=False):
        for name in names:
            path = Path(place, name)
            if path.is_symlink() or not path.is_file():
                path.unlink()
            else:
                overwrite(path)
        for name in directories:
            Path(place, name).rmdir()
    directory.rmdir()
