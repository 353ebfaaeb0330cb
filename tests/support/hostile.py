"""A crowd that does everything a client should not: `python hostile.py SOCKET SESSION`.

It goes on until its standard input ends, and says `ready` once everybody has begun.
"""

import random
import select
import socket
import sys
from collections.abc import Callable, Iterator

from holdfast.protocol import codec
from holdfast.protocol.frames import CONTROL, HEADER, LIMIT
from holdfast.protocol.messages import Hello, Output, Ping, Role
from holdfast.protocol.version import OURS

FLOODS, REFUSED, MUTE, HALVES, NOISY, SILENT = 20, 20, 40, 10, 10, 300
chance = random.Random(1)


class Attacker:
    """One connection that says what *script* yields, as fast as it is taken, over and over."""

    def __init__(self, path: str, script: Callable[[], Iterator[bytes]], *, reads: bool) -> None:
        self._path = path
        self._script = script
        self._reads = reads
        self.connect()

    def connect(self) -> None:
        self._sock = socket.socket(socket.AF_UNIX)
        self._sock.setblocking(False)
        self._says = self._script()
        self._unsent = b""
        try:
            self._sock.connect(self._path)
        except BlockingIOError:
            self._says = iter(())  # the backlog is full: nothing is said this time

    def step(self) -> None:
        """Say a little more; come again when thrown out."""
        try:
            if self._reads:
                self.read()
            self._unsent = self._unsent or next(self._says, b"")
            if self._unsent:
                self._unsent = self._unsent[self._sock.send(self._unsent) :]
        except BlockingIOError:
            pass
        except OSError:
            self._sock.close()
            self.connect()

    def read(self) -> None:
        try:
            while data := self._sock.recv(1 << 20):
                del data
            raise ConnectionResetError
        except BlockingIOError:
            pass


def greeting(role: Role = Role.CONTROL) -> bytes:
    hello = Hello(protocol=OURS, client_id=f"x{chance.getrandbits(60):x}", role=role)
    return codec.encode(0, "hello", hello)


def flood() -> Iterator[bytes]:
    yield greeting()
    for first in range(1, 1 << 40, 500):
        yield b"".join(codec.encode(first + n, "ping", Ping(nonce=n)) for n in range(500))


def refused() -> Iterator[bytes]:
    yield greeting(Role.STREAM)
    nothing = b"".join(codec.encode(1, f"no_such_{n}", Ping()) for n in range(500))
    while True:
        yield nothing


def mute(session: str) -> Iterator[bytes]:
    yield greeting()
    for number in range(1, 1 << 40):
        yield codec.encode(number, "output", Output(session=session))


def half() -> Iterator[bytes]:
    yield greeting()
    yield HEADER.pack(LIMIT, CONTROL) + bytes(LIMIT // 4)


def noise() -> Iterator[bytes]:
    for _ in range(chance.randrange(3)):
        yield greeting()
    while True:
        yield chance.randbytes(chance.randrange(1, 5000))


def nothing() -> Iterator[bytes]:
    return iter(())


def main(path: str, session: str) -> None:
    crowd = [Attacker(path, flood, reads=True) for _ in range(FLOODS)]
    crowd += [Attacker(path, refused, reads=True) for _ in range(REFUSED)]
    crowd += [Attacker(path, lambda: mute(session), reads=False) for _ in range(MUTE)]
    crowd += [Attacker(path, half, reads=False) for _ in range(HALVES)]
    crowd += [Attacker(path, noise, reads=True) for _ in range(NOISY)]
    crowd += [Attacker(path, nothing, reads=True) for _ in range(SILENT)]
    rounds = 0
    while not select.select([sys.stdin], [], [], 0)[0]:
        for attacker in crowd:
            attacker.step()
        rounds += 1
        if rounds == 20:
            print("ready", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
