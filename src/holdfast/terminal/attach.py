"""A plain raw terminal on a session: keys go through, output is followed by offset.

One viewer, two questions that may be unanswered at a time: was this input taken, is this size
set. When the daemon dies, the client connects again, the viewer comes back with what it holds
and both are asked again from where they stood, so a crash is a pause and nothing else.
"""

import os
import select
import signal
import socket
import time
from functools import partial
from typing import NamedTuple

from msgspec.structs import replace

from holdfast.client.calls import Result
from holdfast.client.looking import Looking
from holdfast.client.plain import Client
from holdfast.client.view import Chunk, End, Gap, Item, Snapshot
from holdfast.errors import (
    HoldfastError,
    InputQueueFull,
    NotConnected,
    NotFound,
    OwnerRequired,
    SessionGone,
    SessionTerminating,
)
from holdfast.protocol.messages import (
    Attach,
    Get,
    Input,
    InputTaken,
    Message,
    Resize,
    SessionInfo,
)
from holdfast.terminal.asking import QUESTIONS, Asking
from holdfast.terminal.detach import Detach as DetachKey
from holdfast.terminal.modes import Modes
from holdfast.terminal.queries import QueryFilter
from holdfast.terminal.rawmode import leaving_signals, raw, raw_again, signals_as_bytes
from holdfast.terminal.size import cell_of, size_of
from holdfast.terminal.typed import Typed

# Bytes on their way to a terminal: more would be shown after a Ctrl-C, and bring nothing.
WINDOW = 256 << 10
CHUNK = 64 << 10  # bytes read from the terminal at once
QUEUE_PAUSE = 0.1  # seconds before input is offered again to a program that does not read
END_OF_INPUT = b"\x04"
TAIL = "tail"  # the fidelity of a snapshot that is raw output
OVER = (SessionGone, SessionTerminating, NotFound)


class Local(NamedTuple):
    """This side's descriptors."""

    stdin: int
    stdout: int
    can_answer: bool = True
    """Whether it is a terminal that knows what it is asked; `TERM=dumb` shows the question."""

    @property
    def is_terminal(self) -> bool:
        return os.isatty(self.stdin) and os.isatty(self.stdout)

    @property
    def may_be_asked(self) -> bool:
        """Whether what is asked through one is answered through the other."""
        if not (self.can_answer and self.is_terminal):
            return False
        # Not by name: the terminal of a container may have none inside.
        return os.fstat(self.stdin).st_rdev == os.fstat(self.stdout).st_rdev


def attach(
    client: Client, session: SessionInfo, local: Local, *, fresh: bool
) -> SessionInfo | None:
    """Stay on the session until its end (returned as it then is) or a detach (None).

    A *fresh* session is shown from its first byte. Raises DaemonUnreachable when the daemon
    stays away, and ToldToLeave for a signal; the terminal is given back in any case.
    """
    attachment = Attachment(client, session, local, fresh=fresh)
    numbers = (signal.SIGWINCH, signal.SIGCONT)
    with leaving_signals(), signals_as_bytes(*numbers) as signals:
        try:
            if not local.is_terminal:
                return attachment.run(signals)
            with raw(local.stdin):
                try:
                    return attachment.run(signals)
                finally:
                    attachment.hear_answers()
        finally:
            attachment.leave_modes()


class Attachment:
    """Where one attachment stands: an offset in the output, one in the input, a size."""

    def __init__(self, client: Client, session: SessionInfo, local: Local, *, fresh: bool) -> None:
        self._client = client
        self._steps = client.steps
        self._session = session
        self._local = local
        self._is_terminal = local.is_terminal
        # Into a pipe or a file every byte; a person is shown what is on the screen now.
        policy = "latest" if local.is_terminal else "lossless"
        since = 0 if fresh else None
        asked = Attach(
            session=session.id,
            since=since,
            policy=policy,
            window=WINDOW,
            terminal=local.is_terminal,
        )
        self._looking = Looking(client.steps.core, asked)
        self._answered = QueryFilter()
        self._asking: Asking | None = None
        self._modes = Modes()
        self._detach = DetachKey()
        self._typed = Typed()
        self._hears_keys = True
        self._looks_on = False
        self._left = False
        self._last_key = b"\n"
        self._retry_input_at = 0.0
        self._size = (session.cols, session.rows)
        self._asked: set[str] = set()
        self._failure: HoldfastError | None = None
        self._ended = False

    def run(self, signals: int) -> SessionInfo | None:
        """Go round until the session ends or the user leaves."""
        self._ask_terminal()
        while not self._ended:
            self._ask()
            self._wait(signals)
            self._see()
            if self._detach.requested or self._left:
                return None
        return self._client.call(Get(session=self._session.id))

    def leave_modes(self) -> None:
        """Undo what the program has switched on in the local terminal."""
        if self._is_terminal:
            try:
                os.write(self._local.stdout, self._modes.undo())
            except OSError:
                pass  # the terminal is gone

    def hear_answers(self) -> None:
        """Wait a moment for what the terminal answers: a shell would take it for keys."""
        while self._asking is not None:
            left = self._asking.leave_at - time.monotonic()
            if left <= 0 or not select.select([self._local.stdin], [], [], left)[0]:
                return
            try:
                data = os.read(self._local.stdin, CHUNK)
            except OSError:
                return
            if not data:
                return
            self._without_answers(data, time.monotonic())

    # -- ask

    def _ask_terminal(self) -> None:
        """Ask the terminal what it is, before a program's output could be cut by that."""
        if self._local.may_be_asked:
            self._asking = Asking(time.monotonic())
            self._write(QUESTIONS)

    def _ask(self) -> None:
        if not self._steps.core.is_online:
            return
        name = self._session.id
        size = size_of(self._local.stdout) if self._is_terminal else None
        if size is not None and size != self._size:
            asked = Resize(session=name, cols=size[0], rows=size[1])
            if self._ask_once("size", asked):
                self._size = size
        piece = self._typed.next_piece()
        if piece is not None and time.monotonic() >= self._retry_input_at:
            self._ask_once("input", Input(session=name, offset=piece[0], data=piece[1]))

    def _ask_once(self, what: str, message: Message) -> bool:
        if what in self._asked:
            return False
        self._asked.add(what)
        self._steps.core.ask(message, partial(self._heard, what))
        return True

    # -- wait

    def _wait(self, signals: int) -> None:
        self._steps.flush()
        line = self._steps.line
        readers: list[socket.socket | int] = [signals] if line is None else [signals, line]
        if self._hears_keys and self._typed.has_room:
            readers.append(self._local.stdin)
        writers = [line] if line is not None and self._steps.wants_to_write else []
        readable, _, _ = select.select(readers, writers, [], self._patience())
        now = time.monotonic()
        if signals in readable:
            self._woken(os.read(signals, 100))
        if self._local.stdin in readable:
            self._hear_keys(now)
        self._key(self._without_answers(b"", now), now)
        self._steps.turn()

    def _patience(self) -> float | None:
        deadlines = [self._detach.deadline(), self._steps.deadline()]
        if self._asking is not None:
            deadlines.append(self._asking.deadline())
        may_ask = self._steps.core.is_online and "input" not in self._asked
        if len(self._typed) and may_ask:
            deadlines.append(self._retry_input_at)
        soonest = min((each for each in deadlines if each is not None), default=None)
        return None if soonest is None else max(0.0, soonest - time.monotonic())

    def _woken(self, numbers: bytes) -> None:
        if signal.SIGCONT in numbers and self._is_terminal:
            raw_again(self._local.stdin)

    def _hear_keys(self, now: float) -> None:
        try:
            data = os.read(self._local.stdin, CHUNK)
        except OSError:  # the terminal hung up
            data = b""
        if data and self._is_terminal:
            self._key(self._without_answers(data, now), now)
            return
        if data:
            self._last_key = data[-1:]
            self._typed.add(data)
            return
        self._hears_keys = False
        if self._is_terminal:
            self._left = True  # it hung up: nobody asked the program to end
            return
        # In the middle of a line the first one only sends the line, as at a keyboard.
        self._typed.add(END_OF_INPUT if self._last_key == b"\n" else END_OF_INPUT * 2)

    def _key(self, data: bytes, now: float) -> None:
        self._typed.add(self._detach.feed(data, now))

    def _without_answers(self, data: bytes, now: float) -> bytes:
        """Return what was typed, without what the terminal has answered to us."""
        asking = self._asking
        if asking is None:
            return data
        typed = asking.feed(data, now)
        if asking.is_over:
            self._asking = None
            if asking.profile is not None:
                cell = cell_of(self._local.stdout)
                self._looking.introduce(replace(asking.profile, cell=cell))
        return typed

    # -- hear

    def _heard(self, what: str, result: Result) -> None:
        self._asked.discard(what)
        if isinstance(result, InputTaken):
            self._typed.take(result.end)
        elif isinstance(result, NotConnected):
            if what == "size":
                self._size = (0, 0)  # nobody knows whether it was set
        elif isinstance(result, HoldfastError):
            self._failed(result)

    def _failed(self, error: HoldfastError) -> None:
        if isinstance(error, InputQueueFull):
            self._retry_input_at = time.monotonic() + QUEUE_PAUSE
        elif isinstance(error, OwnerRequired):
            self._look_on(error)
        elif not isinstance(error, OVER):
            self._failure = error
        else:  # keys and sizes for a program that is already going
            self._typed.drop()
            self._hears_keys = self._is_terminal

    def _look_on(self, error: OwnerRequired) -> None:
        """Somebody else owns the session: say so once, and let keys go nowhere."""
        self._typed.drop()
        if not self._looks_on:
            self._looks_on = True
            who = error.facts["owner"]
            self._write(f"\r\n[you look on: {who} owns this session]\r\n".encode())

    def _see(self) -> None:
        """Show what has come, and raise what has failed."""
        while (item := self._looking.take()) is not None:
            self._see_item(item)
        error = self._failure or self._looking.error
        if error is not None:
            raise self._client.why(error)

    def _see_item(self, item: Item) -> None:
        if isinstance(item, Chunk):
            self._show(self._answered.feed(item.data) if item.is_answered else item.data)
        elif isinstance(item, Snapshot):
            # What asks the terminal something was asked before it looked; a picture has none of
            # that, and may end in the midst of a sequence.
            is_raw = item.fidelity == TAIL
            self._show(QueryFilter().feed(item.data) if is_raw else item.data)
        elif isinstance(item, Gap):
            kept = "they are in the log" if item.reason == "skipped" else item.reason
            self._write(f"\r\n[{item.end - item.start} bytes not shown: {kept}]\r\n".encode())
        elif isinstance(item, End):
            self._ended = True

    def _show(self, data: bytes) -> None:
        self._modes.feed(data)
        self._write(data)

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._local.stdout, left) :]
