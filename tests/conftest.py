"""What holds for every test."""

import signal

import pytest

from tests.support import pass_count


def pytest_configure(config: pytest.Config) -> None:
    """Have the run end with plain counts."""
    pass_count.install(config)
    # A shell starts what is in the background with these ignored, and programs would inherit it.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
