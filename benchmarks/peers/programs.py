"""What runs in the terminals that are measured, and how a measurement holds it still.

Each program notes its pid in a directory, so that whoever holds its terminal, it can be
stopped while others are measured, and is ended at the end.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.home import until

PLAIN = b"".join(
    b"line %06d of a plain flood of text that a compiler prints\r\n" % n for n in range(1000)
)
COLOURED = b"".join(
    b"\x1b[38;5;%dmline\x1b[0m \x1b[1m%06d\x1b[0m of \x1b[3;4ma coloured flood\x1b[0m\r\n"
    % (n % 256, n)
    for n in range(1000)
)
MARK = b"\r\nthe-end-%06d\r\n"
BEGIN = """
import os, sys, time, tty
tty.setraw(0)
note = os.path.join(sys.argv[1], str(os.getpid()))
def ready():
    os.close(os.open(note, os.O_CREAT))
"""
# At each key the text so many times, and a mark that is another one each time. Never a part of
# the text: a sequence that is cut short would eat the mark.
PRINTER = f"""{BEGIN}
text, times, mark = open(sys.argv[2], "rb").read(), int(sys.argv[3]), {MARK!r}
ready()
number = 0
while os.read(0, 64):
    number += 1
    for _ in range(times):
        os.write(1, text)
    os.write(1, mark % number)
"""
ECHO = f"""{BEGIN}
import termios
mode = termios.tcgetattr(0)
mode[3] |= termios.ECHO  # by the terminal itself: what is measured is the way there and back
termios.tcsetattr(0, termios.TCSANOW, mode)
ready()
while os.read(0, 64):
    pass
"""
FLOOD = f"""{BEGIN}
text = open(sys.argv[2], "rb").read()
ready()
while True:
    os.write(1, text)
"""
# Not more than that after a pause: who was made to wait does not make up for it.
STEADY = f"""{BEGIN}
text, rate, at = open(sys.argv[2], "rb").read()[:10000], float(sys.argv[3]), time.monotonic()
ready()
while True:
    os.write(1, text)
    at = max(at + len(text) / rate, time.monotonic() - 0.01)
    time.sleep(max(0, at - time.monotonic()))
"""


class Programs:
    """Some programs that note their pids in one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir()

    def command(self, program: str, *arguments: object) -> list[str]:
        """Return the command of one that belongs to these."""
        words = [str(self.directory), *map(str, arguments)]
        return [sys.executable, "-I", "-S", "-c", program, *words]

    def ready(self, count: int) -> None:
        """Wait until so many have begun."""
        until(lambda: len(self._pids()) >= count, f"{count} programs to begin")

    def stop(self) -> None:
        self._signal(signal.SIGSTOP)

    @contextmanager
    def running(self, settle: float) -> Iterator[None]:
        """Let them run for a while that begins *settle* seconds earlier."""
        self._signal(signal.SIGCONT)
        time.sleep(settle)
        try:
            yield
        finally:
            self.stop()

    def end(self) -> None:
        self._signal(signal.SIGKILL)

    def _pids(self) -> list[int]:
        return [int(note.name) for note in self.directory.iterdir()]

    def _signal(self, number: int) -> None:
        for pid in self._pids():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
