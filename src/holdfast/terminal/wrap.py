"""Your shell on a PTY of this process: keys in, output out, and a copy of it on the side.

One loop and no thread. Output goes to the terminal first; while that takes nothing, the program
is not read, as without us, and keys go through all the same. What concerns the daemon is done
in between, in small pieces, and is waited for only at the very end.
"""

import os
import select
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from holdfast.terminal.copying import Copy
from holdfast.terminal.local_pty import LocalPty
from holdfast.terminal.notices import Notice, line_end
from holdfast.terminal.outer import Outer
from holdfast.terminal.rawmode import signals_as_bytes

ENDING = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
HEARD = (*ENDING, signal.SIGWINCH, signal.SIGCHLD, signal.SIGTSTP, signal.SIGCONT)
READ_SIZE = 4 << 10  # bytes; a terminal gives no more at a time
SLICE = 4  # reads of one turn, 4 KiB each: more makes a slow terminal stop and go
SHORT = 1024  # bytes; after a shorter read there is most likely nothing more
KEYS_ROOM = 64 << 10  # typed and not taken; beyond it a paste waits in the terminal
LAST_OUTPUT = 1 << 20  # bytes still shown of what goes on printing when the program has ended
HANGUP_GRACE = 1.0  # seconds for a program to end itself when its terminal has gone
NEVER = float("inf")
REVIVAL_PAUSES = (0.1, 1.0)  # seconds, shortest and longest, between looks at a closed terminal

Say = Callable[[Notice], None]


class Ended(NamedTuple):
    """How the program ended, as `waitpid` has it, and the signal that ended us."""

    status: int | None
    told_to_leave: int | None


def wrap(pty: LocalPty, outer: Outer, copy: Copy, say: Say, *, says_at_once: bool) -> Ended:
    """Stay between the two until the program ends, or we are told to."""
    copy.noted = outer.note_undo
    with signals_as_bytes(*HEARD) as signals:
        shell = Wrapped(pty, outer, copy, say, signals, says_at_once=says_at_once)
        try:
            outer.take()
            return shell.run()
        finally:
            shell.leave()


class Wrapped:
    """One program between two terminals."""

    def __init__(
        self, pty: LocalPty, outer: Outer, copy: Copy, say: Say, signals: int, *, says_at_once: bool
    ) -> None:
        self._pty = pty
        self._outer = outer
        self._copy = copy
        self._say = say
        self._says_at_once = says_at_once
        self._signals = signals
        self._poller = select.poll()
        self._watched: dict[int, int] = {}
        self._line: int | None = None
        self._is_changed = True  # what is to be watched may be something else
        self._now = time.monotonic()
        self._shown = memoryview(b"")  # of the last output, what the terminal has not taken
        self._keys = bytearray()
        self._last_key = b"\n"
        self._entered = False
        self._hears_keys = True
        self._is_open = True  # whether the program's terminal is to be read
        self._revive_at = NEVER
        self._revival_pause = REVIVAL_PAUSES[0]
        self._left_to_show = LAST_OUTPUT
        self._status: int | None = None
        self._leaving: int | None = None

    def run(self) -> Ended:
        """Go round until the program has ended and its output is shown."""
        self._pty.resize(self._outer.size())
        self._reap()  # what happened before we heard signals
        while self._leaving is None and not self._is_over():
            self._turn()
        return Ended(self._status, self._leaving)

    def leave(self) -> None:
        """Give the terminal back; when we were told to leave, the program loses its own."""
        self._outer.give_back()
        if self._leaving is not None:
            _write_some(self._outer, self._copy.undo.sequence)
        os.close(self._pty.master)
        give_up = time.monotonic() + HANGUP_GRACE
        while self._status is None and (left := give_up - time.monotonic()) > 0:
            if select.select([self._signals], [], [], left)[0]:
                os.read(self._signals, 100)
            self._reap()

    def _is_over(self) -> bool:
        return self._status is not None and not self._is_open and not self._shown

    # -- a turn

    def _turn(self) -> None:
        if self._is_changed:
            self._arrange()
        soonest = min(self._copy.due, self._revive_at)
        patience = None if soonest == NEVER else max(0.0, soonest - self._now) * 1000
        found = self._poller.poll(patience)
        self._now = now = time.monotonic()
        from_daemon = 0
        for fd, events in found:
            if fd == self._outer.stdin:
                self._hear_keys()
            elif fd == self._pty.master:
                self._hear_program(events)
            elif fd == self._signals:
                self._hear_signals()
            elif fd == self._outer.out:
                self._show(self._shown)
                self._show_last()
            else:
                from_daemon = events
        if now >= self._revive_at:
            self._read_output()
        if from_daemon or now >= self._copy.due:
            self._copy.turn(now, readable=bool(from_daemon & ~select.POLLOUT))
            self._is_changed = True
        if self._says_at_once and self._copy.notices.due(now):
            self._tell()

    def _arrange(self) -> None:
        """Watch what can be gone on with."""
        self._is_changed = False
        outer, copy = self._outer, self._copy
        self._watch(self._signals, select.POLLIN)
        has_room = self._hears_keys and len(self._keys) < KEYS_ROOM
        self._watch(outer.stdin, select.POLLIN if has_room else 0)
        is_there = self._is_open and self._revive_at == NEVER
        reads = select.POLLIN if is_there and not self._shown else 0
        writes = select.POLLOUT if is_there and self._keys else 0
        self._watch(self._pty.master, reads | writes)
        self._watch(outer.out, select.POLLOUT if self._shown else 0)
        if self._line is not None and self._line != copy.fd:
            self._watch(self._line, 0)
        self._line = copy.fd
        if self._line is not None:
            writes = select.POLLOUT if copy.wants_to_write else 0
            self._watch(self._line, select.POLLIN | writes)

    def _watch(self, fd: int, events: int) -> None:
        if events == self._watched.get(fd, 0):
            return
        self._watched[fd] = events
        if events:
            self._poller.register(fd, events)
        else:
            self._poller.unregister(fd)

    # -- keys

    def _hear_keys(self) -> None:
        try:
            data = os.read(self._outer.stdin, KEYS_ROOM)
        except BlockingIOError:
            return  # somebody else has made it so, and was faster
        except OSError:  # it hung up
            data = b""
        if data:
            self._last_key = data[-1:]
            self._entered = self._entered or b"\r" in data or b"\n" in data
            self._type(data)
            self._copy.typed(self._now)
            return
        self._hears_keys, self._is_changed = False, True
        if self._outer.is_terminal:
            self._leaving = signal.SIGHUP
            return
        # In the middle of a line the first one only sends the line, as at a keyboard.
        key = self._pty.end_of_file
        self._type(key if self._last_key == b"\n" else key * 2)

    def _type(self, data: bytes) -> None:
        """Give keys to the program, behind those that it has not taken yet."""
        if self._keys:
            self._keys += data
            data = bytes(self._keys)
        try:
            count = os.write(self._pty.master, data)
        except BlockingIOError:
            count = 0  # the program does not read
        except OSError:
            count = len(data)  # nobody will
        if self._keys or count < len(data):
            self._keys[:] = data[count:]
            self._is_changed = True

    # -- output

    def _hear_program(self, events: int) -> None:
        if events & select.POLLOUT:
            self._type(b"")
        if events & ~select.POLLOUT and not self._shown:
            self._read_output()

    def _read_output(self) -> None:
        """Show what there is, up to a slice; what is long is gathered for one write."""
        pieces: list[bytes] = []
        while len(pieces) < SLICE:
            try:
                data = os.read(self._pty.master, READ_SIZE)
            except BlockingIOError:
                # Once the program has ended it is enough to find nothing more.
                self._is_open = self._status is None
                break
            except OSError:
                data = b""
            if not data:
                self._hung_up()
                break
            pieces.append(data)
            if len(data) < SHORT and self._status is None:
                break
        if pieces:
            if self._revive_at != NEVER:
                self._revive_at, self._is_changed = NEVER, True
                self._revival_pause = REVIVAL_PAUSES[0]
            self._printed(b"".join(pieces))

    def _printed(self, data: bytes) -> None:
        view, place = memoryview(data), self._place_in(data)
        has_modes = self._copy.shows(data)
        self._show(view[:place])
        if place and self._shown:
            self._shown = view[place - len(self._shown) :]
        elif place:
            self._tell()
            self._show(view[place:])
        self._copy.printed(data, self._now)
        if has_modes:
            self._copy.shown()
        if self._status is not None:
            self._left_to_show -= len(data)
            self._is_open = self._left_to_show > 0

    def _place_in(self, data: bytes) -> int | None:
        """Return where in this output something may be told, if there is anything to tell.

        Only behind an Enter that the shell itself has taken: whatever else ends a line may be
        in the middle of a picture.
        """
        if not self._entered or b"\n" not in data:
            return None
        self._entered = False
        if self._says_at_once or not self._copy.has_news(self._now):
            return None
        return line_end(data) if self._pty.has_shell_in_front else None

    def _show(self, data: memoryview) -> None:
        try:
            left = data[self._outer.write(data) :]
        except OSError:
            left = memoryview(b"")
            self._leaving = signal.SIGHUP if self._outer.is_terminal else signal.SIGPIPE
        if left or self._shown:
            self._shown, self._is_changed = left, True

    def _show_last(self) -> None:
        """Show what a program has left behind; nobody tells that nothing follows."""
        while self._status is not None and self._is_open and not self._shown:
            self._read_output()

    def _hung_up(self) -> None:
        """Nobody has the program's terminal open; a program that lives may open it again."""
        self._is_changed = True
        if self._status is not None:
            self._is_open = False
            return
        self._revive_at = self._now + self._revival_pause
        self._revival_pause = min(self._revival_pause * 2, REVIVAL_PAUSES[1])

    def _tell(self) -> None:
        self._say(self._copy.notices.take(self._copy.missing))

    # -- signals

    def _hear_signals(self) -> None:
        numbers = os.read(self._signals, 100)
        for number in ENDING:
            if number in numbers:
                self._leaving = number
        if signal.SIGWINCH in numbers:
            self._pty.resize(self._outer.size())
            self._copy.resized()
        if signal.SIGCHLD in numbers:
            self._reap()
        if signal.SIGTSTP in numbers:
            self._stop()
        elif signal.SIGCONT in numbers:
            self._go_on()

    def _reap(self) -> None:
        try:
            pid, status = os.waitpid(self._pty.pid, os.WNOHANG | os.WUNTRACED)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if os.WIFSTOPPED(status):
            # `suspend` in the shell: without us the shell outside would now have the terminal.
            self._stop()
            os.kill(self._pty.pid, signal.SIGCONT)
            return
        self._status, self._revive_at = status, NEVER
        self._show_last()

    def _stop(self) -> None:
        """Stop, as a job does, with the terminal as it was; `fg` goes on behind this."""
        _write_some(self._outer, self._copy.undo.sequence)
        self._outer.give_back()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._go_on()

    def _go_on(self) -> None:
        self._outer.take()
        self._pty.resize(self._outer.size())
        try:  # the same size is no news: what draws on the whole screen has to be told
            os.killpg(os.tcgetpgrp(self._pty.master), signal.SIGWINCH)
        except OSError:
            pass


def finish(copy: Copy, ended: Ended) -> None:
    """Send what is left and how it ended, as far as the daemon takes it soon."""
    from holdfast.types import ExitStatus  # noqa: PLC0415 - the program did not wait for it

    copy.import_rest()
    status = ExitStatus() if ended.status is None else ExitStatus.from_wait(ended.status)
    for patience in copy.finish(status, time.monotonic):
        poller, line = select.poll(), copy.fd
        if line is not None:
            writes = select.POLLOUT if copy.wants_to_write else 0
            poller.register(line, select.POLLIN | writes)
        found = dict(poller.poll(patience * 1000))
        events = found.get(line, 0) if line is not None else 0
        copy.turn(time.monotonic(), readable=bool(events & ~select.POLLOUT))


def environment(given: Mapping[str, str], session: str) -> dict[str, str]:
    """Return the environment of a wrapped program: the same, and which session it is in."""
    return {**given, "HOLDFAST_SESSION_ID": session}


def program(words: Sequence[str], given: Mapping[str, str]) -> list[str]:
    """Return what to run: the user's shell where nothing is named, as script(1) does."""
    return list(words) or [given.get("SHELL") or "/bin/sh"]


def _write_some(outer: Outer, data: bytes) -> None:
    try:
        outer.write(data)
    except OSError:
        pass  # it has gone
