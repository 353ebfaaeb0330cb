"""A script may have a thousand files open."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from holdfast import blocking
from tests.support.home import running_home

pytestmark = pytest.mark.slow
SELECTED = 1024  # descriptors that `select` can watch


@contextmanager
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2 * SELECTED:
        pytest.skip("so many files may not be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * SELECTED), hard))
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(SELECTED)]
    try:
        yield
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_client_that_has_a_high_descriptor_works(tmp_path: Path) -> None:
    with (
        running_home(tmp_path / "h") as home,
        many_files(),
        blocking.connect(environ=home.environ) as client,
    ):
        session = client.create("sh", "-c", "echo hello")
        assert [item.data for item in session.output() if isinstance(item, blocking.Chunk)]
