"""Every test has a Holdfast of its own, and ends it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.home import Home, running_home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    directory = tmp_path / "home"
    directory.mkdir(mode=0o700)
    with running_home(directory) as home:
        yield home
