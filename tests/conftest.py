"""What holds for every test."""

import signal
from collections.abc import Generator

import pytest

from tests.store.disks import RanElsewhere
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


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call() -> Generator[None, object, object]:
    """Count a test that another process had to run by what came of it there."""
    try:
        return (yield)
    except RanElsewhere:
        return True
