"""Where a keeper is started: in a scope of its own if there is a user manager for it."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.keeper import launch
from tests.support.home import ROOT, Home, children_of, running_home, until

pytestmark = pytest.mark.slow


class LoggedIn(Home):
    """A home as after a login: places by XDG, a user manager, a systemd-run of ours."""

    def __init__(self, directory: Path, script: str) -> None:
        super().__init__(directory)
        run = directory / "xdg"
        (run / "systemd" / "private").mkdir(parents=True)
        tool = directory / "bin" / "systemd-run"
        tool.parent.mkdir()
        tool.write_text(f'#!/bin/sh\necho "$@" >> {directory}/asked\n{script}\n')
        tool.chmod(0o755)
        del self.environ["HOLDFAST_HOME"]
        self.environ |= {
            "HOME": str(directory),
            "XDG_RUNTIME_DIR": str(run),
            "XDG_STATE_HOME": str(directory / "state"),
            "PATH": f"{tool.parent}:{os.environ['PATH']}",
        }
        self.paths = type(self.paths).find(self.environ, os.getuid())
        self.mark = str(self.paths.runtime)


@pytest.mark.parametrize(
    ("script", "seconds"),
    [
        ('shift 4; exec "$@"', 3),
        ("echo 'Failed to connect to bus' >&2; exit 1", 3),
        ("exec sleep 1000", 6),
        ("exit 0", 3),
    ],
    ids=["works", "fails", "hangs", "lies"],
)
def test_a_scope_is_tried_and_done_without(tmp_path: Path, script: str, seconds: int) -> None:
    home = LoggedIn(tmp_path / "h", script)
    try:
        home.hold("daemon", "start")

        assert (tmp_path / "h" / "asked").read_text().startswith("--user --scope --quiet")
        assert home.running()["sessions"] == 0
        assert len(home.keepers()) == 1
    finally:
        home.stop()


def test_a_python_that_is_not_there_is_named(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        home.paths.prepare(os.getuid())
        spec = launch.spec(home.paths, home.environ) | {"python": "/nonexistent/python"}

        with pytest.raises(launch.StartFailed, match="/nonexistent/python could not be started"):
            launch.start(spec)


def test_a_start_leaves_no_zombies(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        home.paths.prepare(os.getuid())
        before = children_of(os.getpid())

        launch.start(launch.spec(home.paths, home.environ))

        assert children_of(os.getpid()) == before
        assert children_of(home.running()["keeper"]["pid"]) != []


def test_it_survives_the_terminal_of_its_starter(tmp_path: Path) -> None:
    """`hold run -d` in a terminal that is closed: keeper, daemon and program go on."""
    with running_home(tmp_path / "h") as home:
        master, slave = pty.openpty()
        words = ["-m", "holdfast", "run", "-d", "--", "sh", "-c", "echo begun; read line"]
        with subprocess.Popen(
            [sys.executable, "-c", LEADER, *words],
            env=home.environ,
            cwd=ROOT,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        ) as shell:
            os.close(slave)
            said = b""
            while b"done" not in said:
                said += os.read(master, 1000)
            session = said.split()[0].decode()
            before = home.running()
            os.close(master)
            until(lambda: shell.poll() is not None, "the shell to be hung up")

        after = home.running()
        for part in ("keeper", "daemon"):
            assert after[part]["pid"] == before[part]["pid"]
        with home.client() as client:
            until(lambda: b"begun" in home.output(client, session), "its output")
            assert home.state(client, session) == "running"


# A shell of a terminal: its leader, which runs a command and stays.
LEADER = """
import fcntl, subprocess, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
subprocess.run([sys.executable, *sys.argv[1:]])
print("done", flush=True)
sys.stdin.read()
"""
