"""Logs with a past, and what must be true of any of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from holdfast.formats.kept import Kept, Missing
from holdfast.formats.segments import Range, first_offset
from holdfast.store import LogReader, LogWriter, TimelineWriter, kept
from tests.store.test_log import pattern, write_all

NOW = 1_700_000_000_000_000_000


@contextmanager
def timeline_of(directory: Path) -> Iterator[TimelineWriter]:
    with LogReader(directory) as log, TimelineWriter(directory, log) as timeline:
        yield timeline


def printed(
    directory: Path, size: int, *, segment_size: int = 1000, tick: int = 100, seal: bool = True
) -> Path:
    """A log of *size* bytes that say where they belong, with ticks, sealed at its end."""
    directory.mkdir(exist_ok=True)
    with LogWriter(directory, segment_size=segment_size) as log, timeline_of(directory) as timeline:
        for at in range(0, size, tick):
            data = pattern(at, min(at + tick, size))
            write_all(log, data)
            timeline.feed(at, data, NOW + at * 1_000_000)
            timeline.flush(NOW + at * 1_000_000)
        if seal:
            log.seal()
    return directory


def truth(pieces: Sequence[Kept | Missing]) -> list[tuple[int, int]]:
    return [(piece.start, piece.end) for piece in pieces if isinstance(piece, Kept)]


def assert_honest(directory: Path, besides: Sequence[Range] = ()) -> None:
    """Every byte that is said to be kept can be read and is the one that was printed.

    *besides* are those of which it was said that nobody vouches for them.
    """
    with LogReader(directory) as log:
        for start, end in truth(kept(directory)):
            at = start
            while at < end:
                data = log.read(at, end - at)
                wanted = pattern(at, at + len(data))
                wrong = [
                    at + i for i, (a, b) in enumerate(zip(data, wanted, strict=True)) if a != b
                ]
                assert all(any(a <= place < b for a, b in besides) for place in wrong)
                at += len(data)


def assert_settled(directory: Path) -> None:
    """The files say what the list says, and nothing of an unfinished change is left."""
    assert_honest(directory)
    with LogReader(directory) as log:
        assert [tuple(one) for one in log.ranges()] == truth(kept(directory))
    others = {path.name for path in directory.iterdir() if first_offset(path.name) is None}
    assert others <= {"timeline"}
