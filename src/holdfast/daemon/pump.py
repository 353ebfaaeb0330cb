"""From the PTY into the log, by two kinds of pump with one interface.

`SplicePump` never holds a byte: each is in the program, the PTY, the pipe that the keeper
holds too, or the file; each splice happens or does not. So SIGKILL at any instruction loses
nothing and repeats nothing. Never `read` on that path, and never write the log otherwise.

`CopyPump` reads and writes, for systems without splice to a file. A death between the two
loses the chunk in flight.
"""

import errno
import os
import tempfile
from pathlib import Path
from typing import NamedTuple, Protocol

from holdfast.store.log import LogWriter

# Measured: 32 KiB a turn keeps a neighbour's key waiting less than 0.4 ms; draining to the
# end made its p99 10 times longer. A PTY gives 4 KiB at a time: asking for more makes the
# kernel fetch pages it gives back unused, 4 % of a flood. A pipe has 16 slots of which each
# splice takes one however small: eight always fit into an empty pipe.
SLICE = 32 * 1024
PIECE = 4096
SPLICES = SLICE // PIECE
LITTLE = 256  # bytes; so few were all there were, and asking again costs a key 3 us
REFUSED = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM}
DISK_FULL = "disk-full"
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Stalled(Exception):
    """The log takes nothing more; what was printed waits in the pipe and the program waits."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        # Whatever else a disk says (EIO, EROFS, ESTALE) may pass too, and must not make us
        # lose what was printed or spin on a terminal that stays readable.
        self.reason = DISK_FULL if error.errno in FULL else "disk-error"


class Slice(NamedTuple):
    """What one turn did: bytes taken from the PTY, and whether it has hung up."""

    taken: int
    hung_up: bool


class Pump(Protocol):
    """What moves one session's output."""

    kind: str

    def slice(self, pieces: int = SPLICES) -> Slice:
        """Move a bounded run of bytes from the PTY into the log; raise Stalled."""

    def drain(self) -> int:
        """Move into the log what was taken from the PTY before; raise Stalled."""


class SplicePump:
    """PTY → pipe → file, in the kernel."""

    kind = "splice"

    def __init__(self, master: int, pipe: int, log: LogWriter) -> None:
        self._master = master
        self._pipe = pipe
        self._log = log
        self._left_behind = True  # by the daemon before us, or by a full disk

    def slice(self, pieces: int = SPLICES) -> Slice:
        if self._left_behind:
            self.drain()
        taken, hung_up = 0, False
        for _ in range(pieces):
            try:
                count = os.splice(self._master, self._pipe, PIECE, flags=os.SPLICE_F_NONBLOCK)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                hung_up = True
                break
            taken += count
            if count < LITTLE:
                break
        if taken:
            self._left_behind = True
            self._empty(taken)
            self._left_behind = False
        return Slice(taken, hung_up)

    def drain(self) -> int:
        moved = self._empty(None)
        self._left_behind = False
        return moved

    def _empty(self, known: int | None) -> int:
        """Move what the pipe holds; knowing how much saves the call that finds it empty."""
        moved = 0
        while known is None or moved < known:
            try:
                fd, position, room = self._log.place()
                count = os.splice(
                    self._pipe, fd, room, offset_dst=position, flags=os.SPLICE_F_NONBLOCK
                )
            except BlockingIOError:
                break
            except OSError as error:
                raise Stalled(error) from error
            if count == 0:
                break
            self._log.advance(count)
            moved += count
        return moved


class CopyPump:
    """Read, then write. What could not be written yet is kept here, and dies with the daemon."""

    kind = "copy"

    def __init__(self, master: int, pipe: int, log: LogWriter) -> None:
        self._master = master
        self._log = log
        # A daemon with the other pump may have left something there.
        self._held = memoryview(_emptied(pipe))

    def slice(self, pieces: int = SPLICES) -> Slice:
        self.drain()
        try:
            data = os.read(self._master, pieces * PIECE)
        except BlockingIOError:
            return Slice(0, hung_up=False)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return Slice(0, hung_up=True)
        self._held = memoryview(data)
        self.drain()
        return Slice(len(data), hung_up=not data)

    def drain(self) -> int:
        moved = 0
        while self._held:
            before = self._log.end
            try:
                self._log.write(self._held)
            except OSError as error:
                raise Stalled(error) from error
            finally:
                written = self._log.end - before
                self._held = self._held[written:]
                moved += written
        return moved


def _emptied(pipe: int) -> bytes:
    found = b""
    try:
        while data := os.read(pipe, SLICE):
            found += data
    except BlockingIOError:
        pass
    return found


class Choice(NamedTuple):
    """Which pump this system allows, and why."""

    kind: str
    reason: str


def choose(wanted: str, directory: Path) -> Choice:
    """Return the pump for logs in *directory*: splice wherever it works."""
    if wanted == "copy":
        return Choice("copy", "session.pump is set to copy")
    if not hasattr(os, "splice"):
        return Choice("copy", "this system has no splice")
    try:
        _try_splice(directory)
    except OSError as error:
        if error.errno in REFUSED:
            return Choice("copy", f"splice into {directory} is refused: {error.strerror}")
        # A full disk says nothing against it; and the copy pump would take out of the pipes
        # what it cannot write, and lose it at its death.
        return Choice("splice", f"splice could not be tried in {directory}: {error.strerror}")
    return Choice("splice", "splice works here")


def _try_splice(directory: Path) -> None:
    reader, writer = os.pipe()
    try:
        os.write(writer, b"x")
        with tempfile.TemporaryFile(dir=directory, buffering=0) as file:
            os.splice(reader, file.fileno(), 1, offset_dst=0)
    finally:
        os.close(reader)
        os.close(writer)


def pump_for(choice: Choice, master: int, pipe: int, log: LogWriter) -> Pump:
    """Return a pump of the chosen kind."""
    if choice.kind == "splice":
        return SplicePump(master, pipe, log)
    return CopyPump(master, pipe, log)
