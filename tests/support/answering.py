"""A person's terminal on `hold run`: it shows nothing, and answers where its cursor is.

It answers by what it was shown, so a question that it is shown twice it answers twice.
"""

import os
import re
import select
import sys
import termios
import threading
from typing import Self

import pexpect

from tests.support.home import Home

ASKS = re.compile(rb"\x1b\[(\d+);(\d+)H\x1b\[6n")
LONGEST = 32  # bytes of a place and a question


class AnsweringTerminal:
    """`hold run` in a PTY, and a thread that is the terminal behind it."""

    def __init__(self, home: Home, key: str) -> None:
        environ = home.environ | {"TERM": "xterm"}
        words = ["-m", "holdfast", "run", "-k", key, "--", "sh"]
        self.child = pexpect.spawn(
            sys.executable, words, env=environ, dimensions=(24, 80), timeout=20
        )
        self.answered = 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._be_a_terminal)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        self.child.close(force=True)

    def _be_a_terminal(self) -> None:
        seen = b""
        while not self._is_over.is_set():
            if not select.select([self.child.child_fd], [], [], 0.1)[0]:
                continue
            try:
                seen += os.read(self.child.child_fd, 64 << 10)
            except OSError:
                return  # `hold run` has ended
            end = 0
            for asked in ASKS.finditer(seen):
                end = asked.end()
                self.answered += 1
                os.write(self.child.child_fd, b"\x1b[%s;%sR" % asked.groups())
            seen = seen[max(end, len(seen) - LONGEST) :]

    @property
    def is_raw(self) -> bool:
        """Whether `hold run` has taken it over."""
        return not termios.tcgetattr(self.child.child_fd)[3] & termios.ICANON
