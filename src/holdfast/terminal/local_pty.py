"""A program on a PTY of this process. The standard library only: it starts before the rest."""

import fcntl
import json
import os
import signal
import termios
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

Modes = list[Any]  # what `termios.tcgetattr` returns


class ExecFailed(Exception):
    """The program was not started: the number of the system's error, and its text."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(text)
        self.number = number


class LocalPty(NamedTuple):
    """The program and the end of its terminal that is ours."""

    pid: int
    master: int
    name: str
    """As `tty` prints it inside."""

    def resize(self, size: bytes) -> None:
        """Pass a window size on, as `outer.window_size` returned it."""
        try:
            fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)
        except OSError:
            pass  # the program has just gone

    @property
    def has_shell_in_front(self) -> bool:
        """Whether the program itself reads the keys, and not one that it runs."""
        try:
            return os.tcgetpgrp(self.master) == self.pid
        except OSError:
            return False

    @property
    def end_of_file(self) -> bytes:
        """The key that ends input."""
        try:
            key: bytes = termios.tcgetattr(self.master)[6][termios.VEOF]
        except termios.error:
            return b"\x04"
        return key


def start(
    argv: list[str], environ: Mapping[str, str], modes: Modes | None, size: bytes
) -> LocalPty:
    """Start a program on a terminal that begins with these modes; raise ExecFailed, OSError.

    Without *modes* keys come from a file or a pipe, and showing them would only repeat them.
    """
    master, slave = os.openpty()
    try:
        name = os.ttyname(slave)
        termios.tcsetattr(slave, termios.TCSANOW, modes or _without_echo(slave))
        fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
        os.set_blocking(master, False)
        errors, report = os.pipe()
        pid = os.fork()
        if pid == 0:
            _become(argv, environ, slave, report)
        os.close(report)
        with os.fdopen(errors, "rb") as pipe:
            said = pipe.read()  # ends with the exec
    except BaseException:
        os.close(master)
        raise
    finally:
        os.close(slave)
    if said:
        os.close(master)
        os.waitpid(pid, 0)
        raise ExecFailed(*json.loads(said))
    return LocalPty(pid, master, name)


def _without_echo(slave: int) -> Modes:
    modes = termios.tcgetattr(slave)
    modes[3] &= ~termios.ECHO
    return modes


def _become(argv: list[str], environ: Mapping[str, str], slave: int, report: int) -> NoReturn:
    try:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for fd in (0, 1, 2):
            os.dup2(slave, fd)
        # Python hands down SIGPIPE and SIGXFSZ ignored. What else is ignored is our caller's wish.
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.execvpe(argv[0], argv, environ)  # noqa: S606 - running it is what we are for
    except OSError as error:
        os.write(report, json.dumps([error.errno, error.strerror]).encode())
    except BaseException as error:  # noqa: BLE001 - a forked child must never return to the loop
        os.write(report, json.dumps([0, repr(error)]).encode())
    os._exit(127)
