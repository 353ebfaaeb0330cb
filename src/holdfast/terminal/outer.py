"""The terminal that we run in: borrowed, written to without waiting, given back.

Imports nothing that costs: it is borrowed before anything else is there.
"""

import fcntl
import os
import select
import stat
import termios

from holdfast.terminal.guardian import Guardian

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Modes = list[Any]

BELOW = b"\x1b[m\x1b[999;1H\r\n"  # below a picture, where something else may be written
NO_SIZE = bytes(8)  # rows, columns and pixels, where nobody knows them
# Bytes of one write to what may not be opened a second time and so blocks: a pipe that has room
# at all has as much, a terminal takes it while it is not stopped.
PIPE_PIECE, TERMINAL_PIECE = 4096, 512
ALL = 1 << 20


class Outer:
    """Standard input and output of this process; a guardian while they are a terminal."""

    def __init__(self, stdin: int, stdout: int) -> None:
        self.stdin, self.stdout = stdin, stdout
        self.modes = _modes_of(stdin)
        self._raw = None if self.modes is None else made_raw(self.modes)
        self._own = _opened_again(stdout)
        self._out = stdout if self._own is None else self._own
        self._piece = ALL if self._own is not None else _piece_of(stdout)
        self._guardian: Guardian | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether keys come from a terminal."""
        return self.modes is not None

    @property
    def out(self) -> int:
        """What to watch after a `write` that could not write all."""
        return self._out

    def size(self) -> bytes:
        """Return its window size, as the system has it."""
        return window_size(self.stdin if self.is_terminal else self.stdout)

    def guard(self) -> None:
        """Have it given back even if we are killed; before anything large is imported."""
        if self.modes is not None and self._raw is not None:
            terminal = self.stdin if self._own is None else self._own
            self._guardian = Guardian(terminal, self.modes, self._raw)

    def take(self) -> None:
        """Let every key through unchanged; again after a stop."""
        if self._raw is not None:
            _set(self.stdin, self._raw)

    def give_back(self) -> None:
        """Make it what it was. Typed keys that nobody has read stay: they are for the next."""
        if self.modes is not None:
            _set(self.stdin, self.modes)

    def note_undo(self, undo: bytes) -> None:
        """This would bring it back to ordinary, should we be killed."""
        if self._guardian is not None:
            self._guardian.note(undo)

    def write(self, data: bytes | memoryview) -> int:
        """Write what it takes now and return how much; raise OSError when it has gone."""
        try:
            if self._piece >= len(data) and self._own is not None:
                return os.write(self._out, data)
            return self._write_pieces(data)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """Give it back, and let go of it."""
        self.give_back()
        if self._guardian is not None:
            self._guardian.dismiss()
            self._guardian = None
        if self._own is not None:
            os.close(self._own)
            self._own = None

    def _write_pieces(self, data: bytes | memoryview) -> int:
        written = 0
        while written < len(data) and has_room(self._out):
            written += os.write(self._out, data[written : written + self._piece])
        return written


def window_size(fd: int) -> bytes:
    """Return rows, columns and pixels as the system has them; zeros where nobody knows."""
    try:
        return fcntl.ioctl(fd, termios.TIOCGWINSZ, NO_SIZE)
    except OSError:
        return NO_SIZE


def scrolled_away(rows: int) -> bytes:
    """Return what clears a screen of that height by scrolling: it is still to be found above."""
    return b"\x1b[m\x1b[r\x1b[999;1H" + b"\n" * rows + b"\x1b[H"


def write_all(fd: int, data: bytes | memoryview) -> None:
    """Write all of it and wait as long as that takes; raise OSError when it has gone.

    Also where it does not block: that belongs to everybody who has this terminal, and programs
    that set it do not always set it back.
    """
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(fd, left) :]
        except BlockingIOError:
            select.select([], [fd], [])


def has_room(fd: int) -> bool:
    """Whether a little can be written without waiting."""
    poller = select.poll()
    poller.register(fd, select.POLLOUT)
    return bool(poller.poll(0))


def made_raw(modes: "Modes") -> "Modes":
    """Return what cfmakeraw makes of these modes."""
    iflag, oflag, cflag, lflag, ispeed, ospeed, keys = modes
    t = termios
    iflag &= ~(t.IGNBRK | t.BRKINT | t.PARMRK | t.ISTRIP | t.INLCR | t.IGNCR | t.ICRNL | t.IXON)
    oflag &= ~t.OPOST
    lflag &= ~(t.ECHO | t.ECHONL | t.ICANON | t.ISIG | t.IEXTEN)
    cflag = cflag & ~(t.CSIZE | t.PARENB) | t.CS8
    keys = [*keys]
    keys[t.VMIN], keys[t.VTIME] = b"\x01", b"\x00"
    return [iflag, oflag, cflag, lflag, ispeed, ospeed, keys]


def _modes_of(fd: int) -> "Modes | None":
    try:
        return termios.tcgetattr(fd)
    except termios.error:
        return None


def _set(fd: int, modes: "Modes") -> None:
    try:
        termios.tcsetattr(fd, termios.TCSANOW, modes)
    except termios.error:
        pass  # it has gone


def _opened_again(fd: int) -> int | None:
    """Return a descriptor of the same terminal that never blocks; the given one is shared.

    With the shell that started us, above all, which would not like it.
    """
    try:
        flags = os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
        return os.open(os.ttyname(fd), flags)
    except OSError:
        return None  # no terminal, or one that belongs to somebody else


def _piece_of(fd: int) -> int:
    if os.isatty(fd):
        return TERMINAL_PIECE
    return ALL if stat.S_ISREG(os.fstat(fd).st_mode) else PIPE_PIECE
