"""A real PTY and real pipes as the keeper makes them, without a keeper or a daemon."""

import os
import select
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Desk:
    """Both ends of a terminal, and a pipe beside it."""

    master: int
    slave: int
    pipe: int

    def read(self, count: int, patience: float = 5.0) -> bytes:
        """What the program reads: *count* bytes, or fewer when no more come."""
        data = b""
        while len(data) < count and select.select([self.slave], [], [], patience)[0]:
            data += os.read(self.slave, count - len(data))
        return data

    def has_more(self) -> bool:
        return bool(select.select([self.slave], [], [], 0.05)[0])

    def close_slave(self) -> None:
        os.close(self.slave)
        self.slave = -1

    def reopen_slave(self, name: str) -> None:
        self.slave = os.open(name, os.O_RDWR | os.O_NOCTTY)


@contextmanager
def desk() -> Iterator[Desk]:
    master, slave = os.openpty()
    tty.setraw(slave, termios.TCSANOW)
    os.set_blocking(master, False)
    reader, writer = os.pipe()
    pipe = os.open(f"/proc/self/fd/{reader}", os.O_RDWR | os.O_NONBLOCK)
    os.close(reader)
    os.close(writer)
    made = Desk(master, slave, pipe)
    try:
        yield made
    finally:
        for fd in (made.master, made.slave, made.pipe):
            if fd >= 0:
                os.close(fd)
