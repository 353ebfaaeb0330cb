"""Every test has a Holdfast of its own; they share a display that nobody sees."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.home import Home, running_home
from tests.support.windowing import Site, end_hosts, x_server


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    directory = tmp_path / "home"
    directory.mkdir(mode=0o700)
    with running_home(directory) as home:
        yield home
        end_hosts(home)


@pytest.fixture(scope="session")
def display() -> Iterator[dict[str, str]]:
    with x_server() as found:
        yield found


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as found:
        yield found
