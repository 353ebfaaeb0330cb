"""What holds for every test."""

import pytest

from tests.support import pass_count


def pytest_configure(config: pytest.Config) -> None:
    """Have the run end with plain counts."""
    pass_count.install(config)
