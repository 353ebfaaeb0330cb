"""A Holdfast of one test's own: real keeper, real daemon, real terminals."""

import io
import json
import os
import select
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pexpect

from tests.support.home import until

HOLD = [sys.executable, "-m", "holdfast"]
TIMEOUT = 20.0  # seconds; what is waited for takes milliseconds, a busy machine seconds


class Hold:
    """Runs `hold` with its own HOLDFAST_HOME, as a user would."""

    def __init__(self, home: Path) -> None:
        self.home = home
        kept = {name: text for name, text in os.environ.items() if not name.startswith("HOLDFAST_")}
        quick = {"HOLDFAST_HOME": str(home), "HOLDFAST_READER_ENABLED": "off"}  # as in `home.py`
        self.environ = kept | quick | {"TERM": "xterm", "SHELL": "/bin/sh"}

    def run(
        self,
        *words: str,
        input: bytes = b"",  # noqa: A002 - as subprocess has it
        **environ: str,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run one command without a terminal, to its end."""
        return subprocess.run(
            [*HOLD, *words],
            input=input,
            env=self.environ | environ,
            capture_output=True,
            timeout=TIMEOUT * 2,
            check=False,
        )

    def ok(self, *words: str, input: bytes = b"", **environ: str) -> str:  # noqa: A002
        """Run one command that has to succeed; return what it printed."""
        done = self.run(*words, input=input, **environ)
        assert done.returncode == 0, done
        return done.stdout.decode()

    def start(self, *words: str) -> str:
        """Start a detached session; return its id."""
        return self.ok("run", "-d", *words).strip()

    def draws(self, session: str) -> None:
        """Wait until the reader has drawn a session's screen."""
        until(
            lambda: not self.run("screen", session, "--format", "vt").stderr,
            f"more of {session} than raw output",
        )

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.ok("daemon", "status", "--json"))
        return found

    def sessions(self, *words: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.ok("ls", "--json", *words))
        return found

    def terminal(self, *words: str, size: tuple[int, int] = (80, 24)) -> "Terminal":
        """Run one command in a terminal of its own."""
        return Terminal([*HOLD, *words], self.environ, size)

    def processes(self) -> list[int]:
        """Pids of keepers and daemons of this home: it stands in their command line."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue  # it ended just now
            if os.fsencode(self.home) in line and b"__main__" in line:
                found.append(int(entry.name))
        return found


BEGUN = b"go\r\n"  # the echo of what lets a command begin


def comes(child: "pexpect.spawn[bytes]", text: bytes) -> None:
    """Wait until a terminal gets a text, also from others than its child, which may be dead."""
    seen, deadline = b"", time.monotonic() + TIMEOUT
    while text not in seen:
        ready = select.select([child.child_fd], [], [], max(0.0, deadline - time.monotonic()))[0]
        assert ready, f"waited in vain for {text!r} behind {seen!r}"
        seen += os.read(child.child_fd, 4096)


class Terminal:
    """A command in a PTY, begun only when its terminal has been looked at."""

    def __init__(
        self,
        words: list[str],
        environ: dict[str, str],
        size: tuple[int, int],
        seen: io.BytesIO | None = None,
    ) -> None:
        self._seen = seen
        self.child = pexpect.spawn(
            "/bin/sh",
            ["-c", 'read go; exec "$@"', "sh", *words],
            env=environ,
            timeout=TIMEOUT,
            dimensions=(size[1], size[0]),
        )
        self.child.delaybeforesend = None
        self.before = self.modes()
        self.child.logfile_read = seen
        self.child.sendline("go")
        self.child.expect_exact(BEGUN)

    def modes(self) -> list[Any]:
        """The terminal's settings, as `stty -g` would show them."""
        return termios.tcgetattr(self.child.child_fd)

    def expect(self, text: str | bytes) -> None:
        """Wait until exactly this is shown."""
        self.child.expect_exact(text)

    def send(self, text: str | bytes) -> None:
        self.child.send(text)

    def shown(self) -> bytes:
        """Return everything the command has shown, if it was to be kept."""
        assert self._seen is not None
        return self._seen.getvalue().partition(BEGUN)[2]

    def end(self) -> tuple[bytes, int]:
        """Wait for the end; return what was shown since the last expectation, and the code."""
        shown = self.child.read()
        self.child.wait()
        code = self.child.exitstatus
        return shown, code if code is not None else -self.child.signalstatus
