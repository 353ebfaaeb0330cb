"""A program on a PTY of our own, read as fast as it can be: bare, or a tmux or dtach client."""

import fcntl
import os
import pty
import select
import shlex
import shutil
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

PATIENCE = 30.0
SIZE = (80, 24)


class Terminal:
    """A PTY of 80x24 with a program on it."""

    def __init__(
        self,
        command: list[str],
        *,
        and_end: Callable[[], object] = lambda: None,
        size: tuple[int, int] = SIZE,
    ) -> None:
        self._and_end = and_end
        self._pid, self._master = pty.fork()
        if self._pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
            os.execvpe(command[0], command, {**os.environ, "TERM": "xterm-256color"})

    def took(self, key: bytes, awaited: bytes) -> float:
        """Type, and return the seconds until that is printed."""
        tail = b""
        begin = time.perf_counter()
        os.write(self._master, key)
        while awaited not in tail:
            tail = tail[-len(awaited) :] + os.read(self._master, 65536)
        return time.perf_counter() - begin

    def shows(self, awaited: bytes) -> None:
        """Read until that is printed."""
        tail = b""
        while awaited not in tail:
            tail = tail[-len(awaited) :] + os.read(self._master, 65536)

    def settle(self, quiet: float = 0.1) -> None:
        """Read until nothing more comes."""
        while select.select([self._master], [], [], quiet)[0]:
            os.read(self._master, 65536)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._and_end()
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._master)


def has(name: str) -> bool:
    """Whether a peer is installed; says so if not."""
    found = shutil.which(name) is not None
    if not found:
        print(f"{name} is not installed: left out")
    return found


class Tmux:
    """A tmux server of our own."""

    def __init__(self, directory: Path, size: tuple[int, int] = SIZE) -> None:
        self._size = size
        self._words = ["tmux", "-S", str(directory / "tmux"), "-f", "/dev/null"]

    def begin(self, command: list[str]) -> None:
        """Start the server with a first window."""
        size = ("-x", str(self._size[0]), "-y", str(self._size[1]))
        self._run("new-session", "-d", "-s", "one", *size, shlex.join(command))
        self._run("set", "-g", "status", "off")  # nothing but what the program prints

    def window(self, command: list[str]) -> None:
        """Add a window that nobody looks at."""
        self._run("new-window", "-d", shlex.join(command))

    def attach(self) -> Terminal:
        """Look at the first window; the server ends with the terminal."""
        found = Terminal([*self._words, "attach"], and_end=self.end, size=self._size)
        found.settle()
        return found

    def glance(self) -> Terminal:
        """Look at the first window, from this moment; the server stays."""
        return Terminal([*self._words, "attach"], size=self._size)

    def end(self) -> None:
        self._run("kill-server", check=False)

    def _run(self, *words: str, check: bool = True) -> None:
        command = [*self._words, *words]
        subprocess.run(command, check=check, timeout=PATIENCE, stderr=subprocess.DEVNULL)


def dtach(directory: Path, command: list[str]) -> Terminal:
    """Look at a program through dtach, which ends with the program."""
    return Terminal(["dtach", "-A", str(directory / "dtach"), "-E", "-r", "none", *command])
