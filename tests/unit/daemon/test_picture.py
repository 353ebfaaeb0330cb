"""The last bytes of a log, while housekeeping takes from it."""

from pathlib import Path

import pytest

from holdfast.daemon.viewers import tail
from holdfast.formats.segments import Range, segment_name
from holdfast.session.tail import TAIL_SIZE
from holdfast.store import LogReader, LogWriter


class Overtaken(LogReader):
    """A reader that is overtaken as soon as it has looked at what is kept."""

    def __init__(self, directory: Path, segments: list[int]) -> None:
        super().__init__(directory)
        self._directory_ = directory
        self._segments_ = segments

    def ranges(self) -> list[Range]:
        found = super().ranges()
        for first in self._segments_:
            (self._directory_ / segment_name(first)).unlink(missing_ok=True)
        return found


@pytest.mark.parametrize(
    ("gone", "shown"),
    [
        ([], TAIL_SIZE),
        ([0], TAIL_SIZE),
        ([0, 40_000], 40_000),
        ([40_000], 40_000),
        ([0, 40_000, 80_000], 0),
    ],
)
def test_what_goes_while_it_is_taken_is_not_in_the_picture(
    tmp_path: Path, gone: list[int], shown: int
) -> None:
    data = b"".join(b"%08d" % number for number in range(15_000))
    with LogWriter(tmp_path, segment_size=40_000) as log:
        while log.end < len(data):
            log.write(data[log.end :])
        log.seal()

    with Overtaken(tmp_path, gone) as reader:
        picture = tail(reader, len(data))

    assert picture == data[len(data) - shown :]
