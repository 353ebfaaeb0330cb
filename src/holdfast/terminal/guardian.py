"""A process that gives the terminal back when its user was killed and could not.

Forked before anything large is imported; it sleeps in one read. What it would have to undo
stands in a page of memory both share, so telling it costs no system call.
"""

import _signal as signal  # type: ignore[import-not-found]  # `signal` would build its enums
import fcntl
import mmap
import os
import termios

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    Modes = list[Any]

PAGE = 4096
SLOT = 1024  # bytes; all the modes we know take 300
TAKEN = (0, 1, 3)  # input, output and local modes; the system has its own mind about the others
DEAF_TO = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGTTOU)
PATIENCE = 5  # seconds for a terminal that takes nothing; then nobody can help it


class Guardian:
    """Watches over one terminal until `dismiss`."""

    def __init__(self, terminal: int, before: "Modes", raw: "Modes") -> None:
        self._page = mmap.mmap(-1, PAGE)
        reader, self._writer = os.pipe()
        # It must not hear what ends us before it has a session of its own.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, DEAF_TO)
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._writer)
            _watch(terminal, reader, self._page, before, raw)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        os.close(reader)

    def note(self, undo: bytes) -> None:
        """These bytes would bring the terminal back to ordinary."""
        # Into the slot that is not valid, then the switch: we may be killed in between.
        slot = 1 - self._page[0]
        undo = undo[: SLOT - 2]
        at = SLOT * (1 + slot)
        self._page[at : at + 2] = len(undo).to_bytes(2, "big")
        self._page[at + 2 : at + 2 + len(undo)] = undo
        self._page[0] = slot

    def dismiss(self) -> None:
        """The terminal was given back."""
        self._page[1] = 1
        os.close(self._writer)
        os.waitpid(self._pid, 0)
        self._page.close()


def _watch(
    terminal: int, reader: int, page: mmap.mmap, before: "Modes", raw: "Modes"
) -> "NoReturn":
    try:
        # Apart from the job of our user, who may be killed with all that belongs to it. And
        # whoever waits for the end of a pipe must not wait for us.
        os.setsid()
        for fd in {0, 1, 2} - {terminal}:
            os.dup2(reader, fd)
        while os.read(reader, 1):
            pass
        if not page[1]:
            signal.alarm(PATIENCE)
            _give_back(terminal, page, before, raw)
    finally:
        os._exit(0)


def _give_back(terminal: int, page: mmap.mmap, before: "Modes", raw: "Modes") -> None:
    # Whoever has the terminal by now may have set it for itself: its prompt stays as it is.
    now = termios.tcgetattr(terminal)
    if all(now[index] == raw[index] for index in TAKEN):
        termios.tcsetattr(terminal, termios.TCSANOW, before)
    at = SLOT * (1 + page[0])
    length = int.from_bytes(page[at : at + 2], "big")
    if length:
        fcntl.fcntl(terminal, fcntl.F_SETFL, fcntl.fcntl(terminal, fcntl.F_GETFL) & ~os.O_NONBLOCK)
        os.write(terminal, page[at + 2 : at + 2 + length])
