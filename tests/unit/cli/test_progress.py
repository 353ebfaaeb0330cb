"""How far something is, and whether a version is newer."""

import pytest

from holdfast.cli.newer import is_newer
from holdfast.cli.progress import Progress


def test_what_is_known_is_a_bar_and_what_is_not_is_a_time() -> None:
    known, unknown = Progress("reading", 4 << 20, bytes=True), Progress("overwriting")
    known.done = 1 << 20

    assert known.line(61.0) == "reading [######..................] 1.0 MiB of 4.0 MiB, 1 min"
    assert unknown.line(3.5) == "overwriting … 3 s"


def test_more_than_was_expected_is_no_more_than_all() -> None:
    progress = Progress("restoring", 2)
    progress.done = 3

    assert progress.line(5.0) == f"restoring [{'#' * 24}] 3 of 2, 5 s"


@pytest.mark.parametrize(
    ("ours", "theirs", "newer"),
    [
        ("0.2.0", "0.1.0", True),
        ("0.10", "0.9", True),
        ("0.1.0", "0.1.0", False),
        ("0.1.0", "0.2.0", False),
        ("0.2.0rc1", "0.2.0", False),
        ("1", "what", True),
        ("what", "1", False),
    ],
)
def test_what_is_newer(ours: str, theirs: str, newer: bool) -> None:
    assert is_newer(ours, theirs) is newer
