"""Every test has its own Holdfast and ends it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hold import Hold
from tests.support.home import until


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Hold]:
    """A Holdfast that runs nothing yet; whatever the test leaves is ended, or fails it."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    holdfast = Hold(home)
    yield holdfast
    stopped = holdfast.run("daemon", "stop", "--yes")
    assert stopped.returncode == 0, stopped
    # The spare of a keeper that was killed may still be importing; then it sees that.
    until(lambda: holdfast.processes() == [], "every process to end")
