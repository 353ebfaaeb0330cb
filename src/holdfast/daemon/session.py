"""One session as the daemon knows it: its record, its output, its input, its end."""

import asyncio
import fcntl
import os
import struct
import termios
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any, Protocol

from holdfast.daemon.applying import held_in
from holdfast.daemon.input_page import Page
from holdfast.daemon.keystrokes import Input
from holdfast.daemon.places import Places
from holdfast.daemon.printed import Printed
from holdfast.daemon.pump import DISK_FULL, SPLICES, Choice, Stalled, pump_for
from holdfast.daemon.record import Held, Record
from holdfast.daemon.sending import Sender
from holdfast.daemon.turns import Turns
from holdfast.errors import SessionGone
from holdfast.formats.segments import SEGMENT_SIZE
from holdfast.metrics.counters import Counters, Meter
from holdfast.session.lifecycle import LIVE, Event, OutputEnd, State, advance
from holdfast.session.recovery import PROVEN_AFTER
from holdfast.types import ExitStatus, Size

HELD_BACK = "waits-for-owner"
RETRY_STALLED = 0.25  # seconds between tries to write to a full disk
EPHEMERAL_SEGMENT = 1 << 20  # they keep 16 MiB, and give up a segment at a time
LOOK_AFTER = 1.0  # seconds after it has printed something; `cd` prints the next prompt
FIRST_PROBE, LONGEST_PROBE = 0.1, 1.0  # seconds between looks at a terminal nobody has open


class Watcher(Protocol):
    """Who has to know what happens to a session."""

    counters: Counters

    def finished(self, session: "Session") -> None:
        """It is over: child and output have ended."""

    def changed(self, record: Record) -> None:
        """Its record is to be written down."""

    def grew(self, session: "Session") -> None:
        """It has printed something."""

    def sealed(self, session: str) -> None:
        """Its log has begun another segment."""

    def full(self) -> None:
        """There is no room for what it prints."""


class Session:
    """A program that lives, or whose last output is still coming.

    Its terminal is followed by `turns`, unless the disk takes nothing (`stalled`) or nobody
    has the terminal open; then a timer looks after it.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        turns: Turns,
        record: Record,
        held: Held,
        *,
        places: Places,
        choice: Choice,
        watcher: Watcher,
    ) -> None:
        self.record = record
        self.held = held
        self.stalled: str | None = None
        self.child_exit: dict[str, Any] | None = None
        self.kill_at: float | None = None
        """When the keeper will KILL, by the monotonic clock; its successor has to know."""
        self._loop = loop
        self._turns = turns
        self._watcher = watcher
        self._places = places
        self._begun = loop.time()
        size = EPHEMERAL_SEGMENT if record.ephemeral else SEGMENT_SIZE
        self.printed = Printed(
            loop, places.directory(record), segment_size=size, sealed=self._note_sealed
        )
        self._input: Input | None = None
        self._sender: Sender | None = None
        try:
            self._pump = pump_for(choice, held.master, held.out, self.printed.log)
            if held_in(held.inp):
                self._make_input()  # the daemon before us died while it typed
        except BaseException:
            self.printed.close()
            raise
        self._meter = Meter(watcher.counters)
        self._ending: OutputEnd | None = None
        self._end_timer: asyncio.TimerHandle | None = None
        self._other_timer: asyncio.TimerHandle | None = None  # while the terminal is not followed
        self._look_timer: asyncio.TimerHandle | None = None
        self._proof_timer: asyncio.TimerHandle | None = None
        self._hung_up = False
        self._is_held_back = False
        self._probe = FIRST_PROBE

    # -- input

    @property
    def input(self) -> Input:
        """What is typed into it; made for the first who does, which takes 2 KB."""
        return self._input or self._make_input()

    @property
    def sender(self) -> Sender:
        """Who types units into it."""
        if self._sender is None:
            self._sender = Sender(self._loop, self.printed, self.input)
        return self._sender

    def _make_input(self) -> Input:
        self._input = Input(
            self._loop,
            self.record.id,
            self.held.master,
            self.held.inp,
            self._open_page,
            since=self._begun,
            can_splice=self._pump.kind == "splice",
        )
        self._input.on_applied = self._note_typed
        return self._input

    def _open_page(self) -> Page:
        return Page(self._places.page(self.record))

    # -- output

    def begin(self) -> None:
        """Take in what the pipe still holds, then follow the terminal."""
        self.printed.catch_up()
        self.record.offset = self.printed.log.end
        # The daemon before us may have died before it told anybody what it saw last.
        self.record.active_ns = max(self.record.active_ns, self.printed.log.written_ns())
        if self.record.state is State.STARTING:
            self._advance(Event.SPAWNED)
            if self.record.life == 1:
                self.printed.mark_life(1)
                self.printed.mark_resize(self.record.size)  # whoever reads later cannot ask
            with closing(self._open_page()) as page:
                page.settled_from(self.record.offset)  # nothing from a life before is answered
        if self.record.short_lives:
            self._proof_timer = self._loop.call_later(PROVEN_AFTER, self._prove)
        self.record.pid = self.held.pid
        self._follow()
        self._drain()

    def _follow(self) -> None:
        if self._other_timer is not None:
            self._other_timer.cancel()
        self._turns.add(self.held.master, self._serve)

    def _serve(self, pieces: int = SPLICES) -> int:
        try:
            taken, hung_up = self._pump.slice(pieces)
        except Stalled as stalled:
            self._note_growth()
            self._stall(stalled.reason)
            return 0
        self._note_growth()
        if hung_up:
            self._nobody_has_it_open()
        return taken

    def _drain(self) -> bool:
        try:
            self._pump.drain()
        except Stalled as stalled:
            self._stall(stalled.reason)
            return False
        finally:
            self._note_growth()
        return True

    def _note_growth(self) -> None:
        start, self.record.offset = self.record.offset, self.printed.log.end
        if start < self.record.offset:
            self._meter.printed(self.record.offset - start, self._loop.time())
            if self._ending is not None:
                self._ending.heard(self._loop.time())
            elif self._look_timer is None:
                self._look_timer = self._loop.call_later(LOOK_AFTER, self._look_where_it_is)
            self._watcher.grew(self)
            self.printed.grew()
            self.record.active_ns = self.printed.grown_ns

    def _note_sealed(self) -> None:
        self._watcher.sealed(self.record.id)

    def _note_typed(self, count: int, now: float) -> None:
        self._meter.typed(count, now)
        self._turns.hurry()
        # Not from *now*: that clock stands still while the machine sleeps.
        self.record.active_ns = time.time_ns()

    # -- what is worth knowing after its death

    def _look_where_it_is(self) -> None:
        """Note the program's directory: it may have changed if it has printed something."""
        self._look_timer = None
        try:
            now_in = os.readlink(f"/proc/{self.held.pid}/cwd")  # noqa: PTH115 - may be no UTF-8
        except OSError:
            return  # it has ended, or this system has no such file
        if now_in not in (self.record.last_cwd or self.record.cwd, ""):
            self.record.last_cwd = now_in.removesuffix(" (deleted)")
            self._watcher.changed(self.record)

    def _prove(self) -> None:
        """A restored program that has lived so long was worth restoring."""
        self.record.short_lives = 0
        self._watcher.changed(self.record)

    # -- output that goes nowhere for a while

    def _stall(self, reason: str) -> None:
        # The terminal stays readable, so it must leave the loop, or the loop would spin.
        self._turns.remove(self.held.master)
        if self.stalled is None and self._ending is not None:
            self._ending.stalled(self._loop.time())
        self.stalled = reason
        if reason == DISK_FULL:
            self._watcher.full()
        self._look_later(RETRY_STALLED, self._retry)

    def _retry(self) -> None:
        if not self._drain():
            return
        self.stalled = None
        self._follow()
        if self._is_held_back:  # since before the disk was full, or while it was
            self.hold_back()
        if self._ending is not None:
            self._ending.resumed(self._loop.time())
            self._look_at_end()

    def hold_back(self) -> None:
        """Let the program wait, for a viewer that its owner wants it to wait for."""
        self._is_held_back = True
        if self.stalled is None and self._ending is None:
            self._turns.remove(self.held.master)
            self.stalled = HELD_BACK

    def go_on(self) -> None:
        """Let the program go on."""
        self._is_held_back = False
        if self.stalled == HELD_BACK:
            self.stalled = None
            self._follow()

    def _nobody_has_it_open(self) -> None:
        self._turns.remove(self.held.master)
        if self._ending is not None:
            self._finish()
            return
        # The child lives and may open its terminal again: look now and then.
        self._hung_up = True
        self._look_later(self._probe, self._probe_again)
        self._probe = min(self._probe * 2, LONGEST_PROBE)

    def _probe_again(self) -> None:
        self._hung_up = False
        self._follow()
        if self._serve():
            self._probe = FIRST_PROBE

    def _look_later(self, seconds: float, look: Callable[[], None]) -> None:
        if self._other_timer is not None:
            self._other_timer.cancel()
        self._other_timer = self._loop.call_later(seconds, look)

    # -- the end

    def child_ended(self, exit_: dict[str, Any]) -> None:
        """The keeper has reaped the program; its last output may still be coming."""
        if self.record.state not in LIVE or self._ending is not None:
            return
        self.child_exit, self.kill_at = exit_, None
        status = exit_.get("status")
        self.record.exit = ExitStatus.from_wait(status) if status is not None else ExitStatus()
        self.record.maxrss_kib = exit_.get("maxrss_kib")
        self.record.ended = time.time()
        self._advance(Event.CHILD_ENDED)
        self._ending = OutputEnd(self._loop.time())
        self.go_on()  # what is left of its output is bounded
        if self.stalled is not None:
            self._ending.stalled(self._loop.time())
            return
        if self._hung_up:
            # It may have opened its terminal since we last looked, for its last words.
            self._probe_again()
        self._look_at_end()

    def _look_at_end(self) -> None:
        if self._ending is None or self.stalled is not None or self.record.state not in LIVE:
            return
        # Most terminals hang up with their program. One slice only: what the program left
        # behind may flood, and the others have their turns too.
        self._serve()
        if self.record.state not in LIVE or self.stalled is not None:
            return
        if self._ending.is_over(self._loop.time()):
            self._finish()
        elif (deadline := self._ending.deadline()) is not None:
            if self._end_timer is not None:
                self._end_timer.cancel()
            self._end_timer = self._loop.call_at(deadline, self._look_at_end)

    def _finish(self) -> None:
        if self.record.state not in LIVE or not self._drain():
            return
        self._advance(Event.FINISHED)
        self.close()
        self.printed.wake()
        self._watcher.finished(self)

    def ask_end(self, kill_at: float) -> None:
        """Note that the session is being ended, and when it will be killed at the latest."""
        self._advance(Event.KILL_ASKED)
        self.kill_at = kill_at if self.kill_at is None else min(self.kill_at, kill_at)

    def close(self) -> None:
        """Let go of everything but the record; the program goes on if it lives."""
        timers = (self._end_timer, self._other_timer, self._look_timer, self._proof_timer)
        for timer in timers:
            if timer is not None:
                timer.cancel()
        self._turns.remove(self.held.master)
        self.input.close(lambda: SessionGone(session=self.record.id))
        self.printed.close()
        self.held.close()
        if self.record.state not in LIVE:
            self._places.page(self.record).unlink(missing_ok=True)

    def resize(self, size: Size) -> None:
        """Give the terminal another size; the same one again sends no signal."""
        words = struct.pack("HHHH", size.rows, size.cols, 0, 0)
        fcntl.ioctl(self.held.master, termios.TIOCSWINSZ, words)
        if size != self.record.size:
            self.record.size = size
            self.printed.mark_resize(size)

    def _advance(self, event: Event) -> None:
        self.record.state = advance(self.record.state, event)
