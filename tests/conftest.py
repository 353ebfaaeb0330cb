"""What holds for every test."""

import signal

import pytest

from tests.support import pass_count


def pytest_configure(config: pytest.Config) -> None:
    """Have the run end with plain counts."""
    pass_count.install(config)
    # A shell starts what is in the background with INT and QUIT ignored, nohup with HUP, and
    # the programs of the tests would inherit it.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
