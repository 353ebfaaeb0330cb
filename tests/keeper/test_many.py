"""More sessions than `select` has room for: it takes no descriptor above 1,023."""

import fcntl
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from holdfast.keeper import launch
from holdfast.keeper.processes import start_process
from holdfast.keeper.wire import Channel
from tests.support.home import running_home, until

pytestmark = pytest.mark.slow
BEYOND = 1100


@contextmanager
def many_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_daemon_hears_a_keeper_that_holds_hundreds_of_sessions(tmp_path: Path) -> None:
    """T18: such a keeper has no low number left for the line to the next daemon."""
    with running_home(tmp_path / "h") as home, many_descriptors():
        home.paths.prepare(os.getuid())
        ours, theirs = socket.socketpair()
        number = fcntl.fcntl(theirs, fcntl.F_DUPFD, BEYOND)
        theirs.close()
        spec = launch.spec(home.paths, home.environ)
        pid = start_process(spec, "daemon", 2, str(number))
        os.close(number)
        channel = Channel(ours)
        (said, _fds) = until(lambda: next(channel.receive(), None), "the daemon to be imported")
        assert said["op"] == "imported"

        channel.close()  # its keeper has ended

        assert os.waitpid(pid, 0)[1] == 0
