"""A real reader process between a keeper and a daemon that the test plays, over real logs."""

import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from holdfast.config import Paths
from holdfast.formats.timeline import Life, Resize
from holdfast.keeper import launch
from holdfast.keeper.processes import command
from holdfast.keeper.wire import Channel
from holdfast.protocol.reading import (
    Follow,
    Hearing,
    NotPainted,
    Paint,
    Painted,
    Reached,
    Said,
    ToDaemon,
    encode,
)
from holdfast.reader.ghostty import GhosttyScreen
from holdfast.store.checkpoint import CHECKPOINT
from holdfast.store.log import LogWriter
from holdfast.store.log_reader import LogReader
from holdfast.store.timeline import TimelineWriter
from tests.support.home import PATIENCE, until

S = TypeVar("S", bound=Said)
COLS, ROWS = 80, 24
NOW = 1_000_000_000_000_000_000


class Printing:
    """The log of one session, as a daemon would write it."""

    def __init__(self, directory: Path, *, segment_size: int = 8 << 20, start: int = 0) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.session = directory.name
        self.directory = directory
        self.log = LogWriter(directory, segment_size=segment_size)
        self.log.skip_to(start)
        self._reader = LogReader(directory)
        self.timeline = TimelineWriter(directory, self._reader)
        self.size = (COLS, ROWS)
        self.timeline.append(Life(start, NOW, 1), Resize(start, NOW, COLS, ROWS))

    @property
    def end(self) -> int:
        return self.log.end

    def write(self, data: bytes) -> int:
        """Print something; return where the log ends."""
        assert self.log.write(data) == len(data)
        return self.end

    def resize(self, cols: int, rows: int) -> None:
        self.size = (cols, rows)
        self.timeline.append(Resize(self.end, NOW, cols, rows))

    def follow(self, **facts: Any) -> Follow:
        """What a daemon says of it now."""
        cols, rows = self.size
        known: dict[str, Any] = {
            "session": self.session,
            "directory": str(self.directory),
            "epoch": self.timeline.epoch,
            "end": self.end,
            "cols": cols,
            "rows": rows,
            "lives": True,
            "answered": self.end,
        }
        return Follow(**known | facts)

    @property
    def checkpoint(self) -> Path:
        return self.directory / CHECKPOINT

    def close(self) -> None:
        self.timeline.close()
        self._reader.close()
        self.log.close()


class Daemon:
    """The daemon's end of the line."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.settimeout(PATIENCE)
        self._hearing = Hearing(ToDaemon)
        self.heard: list[Said] = []
        self._number = 0

    def say(self, *said: Said) -> None:
        self.sock.sendall(b"".join(map(encode, said)))

    def hear(self, kind: type[S], fits: Callable[[S], bool] = lambda _said: True) -> S:
        """Return the first message of a kind that fits, heard before or to come."""
        deadline = time.monotonic() + PATIENCE
        while True:
            for said in self.heard:
                if isinstance(said, kind) and fits(said):
                    return said
            assert time.monotonic() < deadline, f"waited in vain for {kind.__name__}: {self.heard}"
            self.listen(0.5)

    def listen(self, timeout: float = 0.0) -> bool:
        """Take in what has come; False when the line has ended."""
        if not select.select([self.sock], [], [], timeout)[0]:
            return True
        data = self.sock.recv(1 << 20)
        self.heard += self._hearing.feed(data)
        return bool(data)

    def reached(self, printing: Printing, offset: int | None = None) -> None:
        """Wait until a session was read that far."""
        wanted = printing.end if offset is None else offset
        self.hear(Reached, lambda r: (r.session, r.offset) == (printing.session, wanted))

    def ask(self, printing: Printing, **facts: Any) -> Painted | NotPainted:
        """Ask for a picture and return what comes."""
        self._number += 1
        number = self._number
        self.say(Paint(number, printing.session, **{"end": printing.end, **facts}))

        def found() -> Painted | NotPainted | None:
            self.listen(0.1)
            answers: list[Painted | NotPainted] = [*self.of(Painted), *self.of(NotPainted)]
            return next((one for one in answers if one.number == number), None)

        until(lambda: found() is not None, "an answer about a picture")
        answer = found()
        assert answer is not None
        return answer

    def picture(self, printing: Printing, **facts: Any) -> Painted:
        answer = self.ask(printing, **facts)
        assert isinstance(answer, Painted), answer
        return answer

    def of(self, kind: type[S]) -> list[S]:
        return [said for said in self.heard if isinstance(said, kind)]

    def close(self) -> None:
        self.sock.close()


class Reader:
    """The process, and the keeper's end of its channel."""

    def __init__(self, directory: Path, **settings: str) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("HOLDFAST_")}
        self.environ = {**kept, "HOLDFAST_HOME": str(directory), **settings}
        self.paths = Paths.find(self.environ, os.getuid())
        self.paths.prepare(os.getuid())
        self._lines: list[Daemon] = []
        self.log = self.paths.state / "reader.log"
        self.start()

    def spec(self) -> dict[str, Any]:
        return launch.spec(self.paths, self.environ)

    def start(self, **changes: Any) -> None:
        ours, theirs = socket.socketpair()
        argv = command({**self.spec(), **changes}, "reader", str(theirs.fileno()))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                argv,
                env=self.environ,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
            )
        theirs.close()
        self.keeper = Channel(ours)

    def said(self) -> dict[str, Any]:
        """Return the next thing it says to its keeper."""

        def found() -> dict[str, Any] | None:
            return next((body for body, _fds in self.keeper.receive()), None)

        return until(found, "a word of the reader")

    def daemon(self) -> Daemon:
        """Introduce another daemon."""
        ours, theirs = socket.socketpair()
        self.keeper.send({"op": "daemon", "pid": 1}, (theirs.fileno(),))
        theirs.close()
        self._lines.append(Daemon(ours))
        return self._lines[-1]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)
        self.keeper.close()

    def again(self) -> Daemon:
        """Another process in place of one that was killed, and a line to it."""
        self.start()
        return self.daemon()

    def complaints(self) -> str:
        return self.log.read_text()

    def close(self) -> None:
        """End it as the end of its keeper does; fail if it did not go in peace."""
        self.keeper.close()
        try:
            code = self.process.wait(PATIENCE)
        finally:
            self.give_up()
        assert code == 0, self.complaints()

    def give_up(self) -> None:
        """Leave nothing behind."""
        self.process.kill()
        self.process.wait()
        self.keeper.close()
        for line in self._lines:
            line.close()


@contextmanager
def running_reader(directory: Path, **settings: str) -> Iterator[Reader]:
    reader = Reader(directory, **settings)
    try:
        yield reader
    except BaseException:
        print(reader.complaints())  # shown beside the failure
        reader.give_up()
        raise
    reader.close()


def screen(*pieces: bytes, cols: int = COLS, rows: int = ROWS) -> GhosttyScreen:
    """A screen that was fed with nothing else."""
    model = GhosttyScreen.create(cols, rows)
    for piece in pieces:
        model.feed(piece)
    return model


def lines(first: int, last: int) -> bytes:
    """Numbered lines, one of which is 20 bytes long."""
    return b"".join(b"line %011d\r\n\x1b[m" % number for number in range(first, last))
