"""One session as the daemon knows it: its record, its output, its input, its end."""

import asyncio
import fcntl
import json
import os
import struct
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.daemon.keystrokes import Input, Page
from holdfast.daemon.pump import Choice, Stalled, pump_for
from holdfast.daemon.turns import Turns
from holdfast.errors import SessionGone
from holdfast.formats.timeline import Life, Resize
from holdfast.protocol.messages import SessionInfo
from holdfast.session.lifecycle import OVER, Event, OutputEnd, State, advance
from holdfast.store.log import LogWriter
from holdfast.store.log_reader import LogReader
from holdfast.store.timeline import TimelineWriter
from holdfast.types import ExitStatus, Size

RETRY_STALLED = 0.25  # seconds between tries to write to a full disk
FIRST_PROBE, LONGEST_PROBE = 0.1, 1.0  # seconds between looks at a terminal nobody has open


@dataclass
class Held:
    """The descriptors and facts of a living program, as the keeper handed them over."""

    pid: int
    master: int
    out: int
    inp: int
    pidfd: int
    started: float

    def close(self) -> None:
        for fd in (self.master, self.out, self.inp, self.pidfd):
            if fd >= 0:
                os.close(fd)


@dataclass
class Record:
    """What is known of a session while it lives and after; the table keeps it."""

    id: str
    argv: list[str]
    cwd: str
    size: Size
    created: float
    name: str = ""
    key: str = ""
    creation: str = ""
    state: State = State.STARTING
    recovery: str | None = None
    pid: int | None = None
    offset: int = 0
    last_attached: float | None = None
    ended: float | None = None
    exit: ExitStatus = field(default_factory=ExitStatus)
    maxrss_kib: int | None = None

    def to_json(self) -> dict[str, Any]:
        plain = {k: v for k, v in vars(self).items() if k not in ("size", "state", "exit")}
        return plain | {
            "cols": self.size.cols,
            "rows": self.size.rows,
            "state": self.state.value,
            "exit_code": self.exit.code,
            "exit_signal": self.exit.signal,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Record":
        names = cls.__dataclass_fields__.keys() - {"size", "state", "exit"}
        return cls(
            **{name: data[name] for name in names if name in data},
            size=Size(data["cols"], data["rows"]),
            state=State(data["state"]),
            exit=ExitStatus(code=data.get("exit_code"), signal=data.get("exit_signal")),
        )

    def blob(self) -> str:
        """What the keeper keeps for us, so that nothing depends on the table's last write."""
        return json.dumps(self.to_json())

    def info(self, stalled: str | None = None) -> SessionInfo:
        return SessionInfo(
            id=self.id,
            name=self.name,
            key=self.key,
            state=self.state.value,
            recovery=self.recovery,
            pid=self.pid,
            argv=[_shown(word) for word in self.argv],
            cwd=_shown(self.cwd),
            cols=self.size.cols,
            rows=self.size.rows,
            offset=self.offset,
            created=self.created,
            last_attached=self.last_attached,
            ended=self.ended,
            exit_code=self.exit.code,
            exit_signal=self.exit.signal,
            stalled=stalled,
        )


class Session:
    """A program that lives, or whose last output is still coming."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        turns: Turns,
        record: Record,
        held: Held,
        *,
        directory: Path,
        page: Path,
        choice: Choice,
        finished: Callable[["Session"], None],
    ) -> None:
        self.record = record
        self.held = held
        self.stalled: str | None = None
        self.child_exit: dict[str, Any] | None = None
        self.kill_at: float | None = None
        """When the keeper will KILL, by the monotonic clock; its successor has to know."""
        self._loop = loop
        self._turns = turns
        self._finished = finished
        self._page = page
        self.log = LogWriter(directory)
        self.reader = LogReader(directory)
        self._timeline = TimelineWriter(directory, self.reader)
        self._pump = pump_for(choice, held.master, held.out, self.log)
        self._ending: OutputEnd | None = None
        self._end_timer: asyncio.TimerHandle | None = None
        self._tick_timer: asyncio.TimerHandle | None = None
        self._hung_up = False
        self._probe = FIRST_PROBE
        self._waiters: list[asyncio.Future[None]] = []
        splices = choice.kind == "splice"
        self.input = Input(loop, record.id, held.master, held.inp, Page(page), can_splice=splices)

    # -- output

    def begin(self) -> None:
        """Take in what the pipe still holds, then follow the terminal."""
        if self.record.state is State.STARTING:
            self._advance(Event.SPAWNED)
        self.record.pid = self.held.pid
        self._timeline.catch_up(time.time_ns())
        self._turns.add(self.held.master, self._serve)
        self._drain()
        self.record.offset = self.log.end

    def mark_life(self, number: int) -> None:
        """Note in the timeline that a program begins here."""
        self._timeline.append(Life(self.log.end, time.time_ns(), number))

    def _serve(self) -> int:
        try:
            taken, hung_up = self._pump.slice()
        except Stalled as stalled:
            self._stall(stalled.reason)
            return 0
        if taken or self.log.end > self.record.offset:
            self._grew()
        if hung_up:
            self._nobody_has_it_open()
        return taken

    def _drain(self) -> bool:
        try:
            self._pump.drain()
        except Stalled as stalled:
            self._stall(stalled.reason)
            return False
        if self.log.end > self.record.offset:
            self._grew()
        return True

    def _grew(self) -> None:
        start, self.record.offset = self.record.offset, self.log.end
        now_ns = time.time_ns()
        if start < self.log.end:
            data = self.reader.read(start, self.log.end - start)
            self._timeline.feed(start, data, now_ns)
        if self._tick_timer is None and (due := self._timeline.deadline_ns()) is not None:
            self._tick_timer = self._loop.call_later(max(0, due - now_ns) / 1e9, self._tick)
        if self._ending is not None:
            self._ending.heard(self._loop.time())
        self._wake()

    def _tick(self) -> None:
        self._tick_timer = None
        now_ns = time.time_ns()
        due = self._timeline.deadline_ns()
        if due is not None and due <= now_ns:
            self._timeline.flush(now_ns)
            due = self._timeline.deadline_ns()
        if due is not None:
            self._tick_timer = self._loop.call_later(max(0.05, (due - now_ns) / 1e9), self._tick)

    # -- output that goes nowhere for a while

    def _stall(self, reason: str) -> None:
        # The terminal stays readable, so it must leave the loop, or the loop would spin.
        if self.stalled is None:
            self._turns.remove(self.held.master)
            if self._ending is not None:
                self._ending.stalled(self._loop.time())
        self.stalled = reason
        self._loop.call_later(RETRY_STALLED, self._retry)

    def _retry(self) -> None:
        if self.record.state in OVER or not self._drain():
            return
        self.stalled = None
        if self._ending is not None:
            self._ending.resumed(self._loop.time())
            self._look_at_end()
        if self.record.state not in OVER:
            self._turns.add(self.held.master, self._serve)

    def _nobody_has_it_open(self) -> None:
        self._turns.remove(self.held.master)
        if self._ending is not None:
            self._finish()
            return
        # The child lives and may open its terminal again: look now and then.
        self._hung_up = True
        self._loop.call_later(self._probe, self._probe_again)
        self._probe = min(self._probe * 2, LONGEST_PROBE)

    def _probe_again(self) -> None:
        if self.record.state in OVER or not self._hung_up:
            return
        self._hung_up = False
        taken = self._serve()
        if not self._hung_up and self.stalled is None and self.record.state not in OVER:
            self._probe = FIRST_PROBE if taken else self._probe
            self._turns.add(self.held.master, self._serve)

    # -- the end

    def child_ended(self, exit_: dict[str, Any]) -> None:
        """The keeper has reaped the program; its last output may still be coming."""
        if self.record.state in OVER or self._ending is not None:
            return
        self.child_exit, self.kill_at = exit_, None
        status = exit_.get("status")
        self.record.exit = ExitStatus.from_wait(status) if status is not None else ExitStatus()
        self.record.maxrss_kib = exit_.get("maxrss_kib")
        self.record.ended = time.time()
        self._advance(Event.CHILD_ENDED)
        self._ending = OutputEnd(self._loop.time())
        if self.stalled is not None:
            self._ending.stalled(self._loop.time())
        if self._hung_up:
            self._hung_up = False
            self._finish()
        elif self.stalled is None:
            self._look_at_end()

    def _look_at_end(self) -> None:
        if self._ending is None or self.record.state in OVER:
            return
        # Most terminals hang up with their program. One slice only: what the program left
        # behind may flood, and the others have their turns too.
        self._serve()
        if self.record.state in OVER or self.stalled is not None:
            return
        if self._ending.is_over(self._loop.time()):
            self._finish()
        elif (deadline := self._ending.deadline()) is not None:
            if self._end_timer is not None:
                self._end_timer.cancel()
            self._end_timer = self._loop.call_at(deadline, self._look_at_end)

    def _finish(self) -> None:
        if self.record.state in OVER or not self._drain():
            return
        self._advance(Event.FINISHED)
        self.close()
        self._wake()
        self._finished(self)

    def ask_end(self) -> None:
        """Note that the session is being ended."""
        self._advance(Event.KILL_ASKED)

    def close(self) -> None:
        """Let go of everything but the record; the program goes on if it lives."""
        for timer in (self._end_timer, self._tick_timer):
            if timer is not None:
                timer.cancel()
        self._turns.remove(self.held.master)
        self.input.close(lambda: SessionGone(session=self.record.id))
        self._timeline.flush(time.time_ns())
        self._timeline.close()
        self.log.close()
        self.reader.close()
        self.held.close()
        if self.record.state in OVER:
            self._page.unlink(missing_ok=True)

    def resize(self, size: Size) -> None:
        """Give the terminal another size; the same one again sends no signal."""
        fcntl.ioctl(
            self.held.master, termios.TIOCSWINSZ, struct.pack("HHHH", size.rows, size.cols, 0, 0)
        )
        self.record.size = size
        self._timeline.append(Resize(self.log.end, time.time_ns(), size.cols, size.rows))

    # -- who waits for more

    async def grown(self, patience: float) -> None:
        """Return at the next byte, at the end, or after *patience* seconds."""
        waiter = self._loop.create_future()
        self._waiters.append(waiter)
        timer = self._loop.call_later(patience, _release, waiter)
        try:
            await waiter
        finally:
            timer.cancel()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            _release(waiter)

    def _advance(self, event: Event) -> None:
        self.record.state = advance(self.record.state, event)


def _release(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)


def _shown(text: str) -> str:
    """Return text for people: what is not UTF-8 in it is escaped."""
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")
