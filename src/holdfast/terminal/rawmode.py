"""Borrow the local terminal, and give it back as it was in every way of leaving.

Normal end, exception, TERM, HUP and QUIT all pass through the `with` block. KILL does not;
for that there is `guardian.py`.
"""

import os
import signal
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from holdfast.terminal.outer import made_raw

LEAVING = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class ToldToLeave(BaseException):
    """A signal ends this process: not an error, and nothing may catch it as one."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def raw(fd: int, saved: list[Any] | None = None) -> Iterator[list[Any]]:
    """Every key goes through unchanged while the block lasts; yields what it was before.

    Where it is so already, *saved* is what to make of it afterwards.
    """
    saved = saved or termios.tcgetattr(fd)
    try:
        termios.tcsetattr(fd, termios.TCSANOW, made_raw(saved))
        yield saved
    finally:
        _give_back(fd, saved)


def raw_again(fd: int) -> None:
    """Set it again, after a stop and a `fg` in which the shell has had the terminal."""
    termios.tcsetattr(fd, termios.TCSANOW, made_raw(termios.tcgetattr(fd)))


@contextmanager
def lent(fd: int, modes: list[Any]) -> Iterator[None]:
    """Somebody else has the terminal while the block lasts."""
    termios.tcsetattr(fd, termios.TCSANOW, modes)
    try:
        yield
    finally:
        raw_again(fd)


@contextmanager
def leaving_signals() -> Iterator[None]:
    """Turn TERM, HUP and QUIT into ToldToLeave, so that every `finally` on the way runs."""

    def leave(number: int, _frame: FrameType | None) -> None:
        for each in LEAVING:  # a second one must not break into the cleaning up
            signal.signal(each, signal.SIG_IGN)
        raise ToldToLeave(number)

    before = [(number, signal.signal(number, leave)) for number in LEAVING]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


@contextmanager
def signals_as_bytes(*numbers: int) -> Iterator[int]:
    """Yield a descriptor from which each of these signals can be read as one byte."""
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if hasattr(os, "pipe2") else _pipe()
    before = [(number, signal.signal(number, lambda *_: None)) for number in numbers]
    wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before:
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)


def _pipe() -> tuple[int, int]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    return reader, writer


def _give_back(fd: int, saved: list[Any]) -> None:
    try:
        # Not drained: a terminal stopped by Ctrl-S would hold us here for ever. Answers to
        # the program's last questions may still lie in the queue; they are for nobody.
        termios.tcflush(fd, termios.TCIFLUSH)
        termios.tcsetattr(fd, termios.TCSANOW, saved)
    except termios.error:
        pass  # the terminal is gone: nothing is left to be given back
