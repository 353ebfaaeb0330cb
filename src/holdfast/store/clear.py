"""Cut a log: what lies before an offset is dropped, what comes after is not touched."""

from pathlib import Path

from holdfast.formats.segments import Range
from holdfast.formats.timeline import Hole, HoleReason
from holdfast.store.checkpoint import erase
from holdfast.store.log_reader import LogReader
from holdfast.store.removal import remove
from holdfast.store.timeline import Recorder

# How far back a line start is looked for. A program that has drawn for so long without one
# is not printing lines; then nothing is cut that might be on its screen.
SEARCHED_BYTES = 1 << 20
PIECE = 64 * 1024


def clear(directory: Path, timeline: Recorder, cut: int) -> int:
    """Drop what was printed before *cut* and return how many bytes that was.

    Seal the log first; its writer may go on meanwhile. Raises OSError, with nothing changed,
    if there is no room to copy the rest of the segment that holds the cut.
    """
    with LogReader(directory) as log:
        ranges = [Range(start, min(end, cut)) for start, end in log.ranges() if start < cut]
    # A record for each range: holes between them keep the reasons they have.
    holes = [Hole(start, end - start, HoleReason.CLEARED) for start, end in ranges]
    gone = remove(directory, timeline, holes)
    erase(directory)  # a screen that was kept has what was printed before it too
    return gone


def screenful_cut(reader: LogReader, end: int, rows: int, cols: int) -> int:
    """Return a line start at least one screenful before *end*, where a log can be cut.

    It is the oldest kept offset if there is no such line start. What a line is on the screen
    only a terminal could tell, so this stays on the safe side: each counts as one row
    although a long one fills several, and as many bytes as the screen has cells must follow,
    since a line may have moved the cursor up again.
    """
    begin = max((kept.start for kept in reader.ranges() if kept.start <= end), default=end)
    at = end
    newlines = 0
    while at > max(begin, end - SEARCHED_BYTES):
        start = max(begin, at - PIECE)
        data = reader.read(start, at - start)
        position = len(data)
        while (position := data.rfind(b"\n", 0, position)) >= 0:
            cut = start + position + 1
            # The cursor's own row is a row: so many newlines are one screenful and its start.
            if newlines >= rows and end - cut >= rows * cols:
                return cut
            newlines += 1
        at = start
    return begin if at <= begin else reader.oldest
