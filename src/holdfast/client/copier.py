"""One mirrored session over many connections: registered, copied by offset, ended. Pure.

What the daemon has is in its answers alone: after each new connection it says where its log
ends, and the copy goes on from there. What cannot be sent any more is said to be skipped.
"""

from collections.abc import Callable
from typing import Protocol

from holdfast.client.calls import Result
from holdfast.client.core import Core, Heard
from holdfast.errors import FixRequest, HoldfastError, NotConnected, Refused
from holdfast.protocol.messages import Append, Appended, End, Register, Registered, Skip
from holdfast.types import ExitStatus

PIECE = 64 << 10  # bytes of one request: a reply to anybody else waits no longer than for this
IN_FLIGHT = 8  # requests without an answer: half a megabyte hides the daemon's turn
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds after a refusal that may not last


class Kept(Protocol):
    """What was printed and is not taken, by offset."""

    taken: int
    begin: int
    """Before it nothing can be read any more."""
    end: int

    def read(self, offset: int, limit: int) -> bytes: ...

    def take(self, offset: int) -> None: ...


class Copier:
    """Add it to a core, and call `send` until there is nothing to be sent."""

    def __init__(self, core: Core, kept: Kept, describe: Callable[[], Register]) -> None:
        self._core = core
        self._kept = kept
        self._describe = describe
        self._session = describe().session
        self._run = 0  # registrations; answers to what came before the newest say nothing
        self._flying = 0
        self._sent = 0  # our offset
        self._shift = 0  # the daemon's offset of our byte 0
        self._epoch = b""
        self._exit: ExitStatus | None = None
        self._end_sent = False
        self._pause = 0.0
        self.is_registered = False
        self.is_ended = False
        """The daemon knows how the program ended, and all it printed."""
        self.missing = 0
        """Bytes that the daemon was told to be lost."""
        self.error: HoldfastError | None = None
        """Why there will be no copy any more."""
        self.trouble: HoldfastError | None = None
        """Why there is none now; `retry` is to be called after `pause` seconds."""

    # -- for the core

    def begin(self) -> None:
        self._register()

    def hear(self, heard: Heard) -> None:
        pass

    def lost(self, error: HoldfastError) -> None:  # noqa: ARG002 - the core's grammar
        self._forget()
        self.trouble = None  # the next connection may be with a daemon that is better off

    def over(self, error: HoldfastError) -> None:
        self._forget()
        self.error = error

    # -- for the shell

    @property
    def pause(self) -> float:
        """Seconds to wait before `retry`, while there is `trouble`."""
        return self._pause

    def retry(self) -> None:
        """Register again, if there still is that trouble."""
        trouble, self.trouble = self.trouble, None
        if trouble is not None and self._core.is_online:
            self._register()

    def refresh(self) -> None:
        """Something that `describe` says has changed."""
        if self.is_registered:
            self._core.ask(self._describe(), self._refreshed)

    def finish(self, exit_status: ExitStatus) -> None:
        """The program has ended; its end is told behind its last byte."""
        self._exit = exit_status

    @property
    def has_work(self) -> bool:
        """Whether `send` would ask for something."""
        if not self.is_registered or self._flying >= IN_FLIGHT or self._end_sent:
            return False
        return self._sent < self._kept.end or self._exit is not None

    def send(self) -> bool:
        """Ask for one thing more: a gap, a piece, or the end; return whether there is another."""
        if not self.has_work:
            return False
        if self._sent < self._kept.begin:
            self._skip()
        elif self._sent < self._kept.end:
            data = self._kept.read(self._sent, PIECE)
            offset, self._sent = self._sent + self._shift, self._sent + len(data)
            self._ask(Append(session=self._session, offset=offset, data=data))
        elif self._exit is not None:
            self._end_sent = True
            end = self._sent + self._shift
            code, number = self._exit.code, self._exit.signal
            message = End(session=self._session, offset=end, exit_code=code, exit_signal=number)
            self._core.ask(message, self._ended)
        return self.has_work

    # -- asked

    def _register(self) -> None:
        self._forget()
        self._run += 1
        run = self._run
        self._core.ask(self._describe(), lambda result: self._registered(run, result))

    def _skip(self) -> None:
        """Say what is lost: it overflowed here, or the daemon had it and has it no more."""
        begin = self._kept.begin
        gap = Skip(session=self._session, start=self._sent + self._shift, end=begin + self._shift)
        self.missing += begin - self._sent
        self._sent = begin
        self._ask(gap)

    def _ask(self, message: Append | Skip) -> None:
        run = self._run
        self._flying += 1
        self._core.ask(message, lambda result: self._appended(run, result))

    # -- answered

    def _registered(self, run: int, result: Result) -> None:
        if run != self._run or isinstance(result, NotConnected):
            return
        if not isinstance(result, Registered):
            self._refused(result)
            return
        is_known_log = self._epoch in (b"", result.epoch)
        self._epoch, self._pause = result.epoch, 0.0
        at, kept = result.end - self._shift, self._kept
        if at > kept.end or (at > kept.taken and not is_known_log):
            # Its log goes on behind something that is not ours.
            self._shift = result.end - kept.taken
            at = kept.taken
        elif at > kept.taken:
            kept.take(at)
        self._sent = at
        self.is_registered = True

    def _refreshed(self, result: Result) -> None:
        if isinstance(result, HoldfastError):
            self._refused(result)

    def _appended(self, run: int, result: Result) -> None:
        if run != self._run:
            return
        self._flying -= 1
        if isinstance(result, Appended):
            self._kept.take(min(result.end - self._shift, self._kept.end))
        else:
            self._refused(result)

    def _ended(self, result: Result) -> None:
        if isinstance(result, HoldfastError):
            self._refused(result)
        else:
            self.is_ended = True

    def _refused(self, result: Result) -> None:
        if isinstance(result, NotConnected):
            return  # `lost` has been, or will be, called
        assert isinstance(result, HoldfastError), result
        self._forget()
        if isinstance(result, FixRequest | Refused):
            self.error = result  # it will be the same the next time
            self._core.remove(self)
        else:
            self.trouble = result
            self._pause = min(max(self._pause * 2, FIRST_PAUSE), LONGEST_PAUSE)

    def _forget(self) -> None:
        """Nothing that was asked will be heard of."""
        self._run += 1
        self._flying = 0
        self._end_sent = False
        self.is_registered = False
