"""The copy that `hold wrap` makes: kept in a spool, sent whenever the daemon takes it.

The terminal comes first: a turn here does a bounded piece of work and waits for nothing, and
what is large is imported while nobody types.
"""

import gc
import importlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from holdfast.config.paths import Paths
from holdfast.terminal.notices import Notice, Notices
from holdfast.terminal.spool import Spool
from holdfast.terminal.undo import Undo

if TYPE_CHECKING:
    from holdfast.client.copier import Copier
    from holdfast.client.turns import Turns
    from holdfast.protocol.messages import Register
    from holdfast.types import ExitStatus

# One a turn: each takes up to 20 ms, in which no key goes through.
STAGES = (
    "msgspec",
    "holdfast.protocol.about_sessions",
    "holdfast.protocol.messages",
    "holdfast.protocol.codec",
    "holdfast.protocol.client_end",
    "holdfast.client.core",
    "holdfast.client.turns",
    "holdfast.client.copier",
)
QUIET = 0.02  # seconds without output after which nobody notices an import
AT_LATEST = 0.5  # seconds from the start until they are done all the same
GATHERED = 0.03  # seconds in which output is gathered into one request; who looks on hardly sees it
LARGE = 64 << 10  # bytes; who prints more without a pause is let print first
BURST = 1 << 20  # bytes; but only so much, which is still in the processor's cache
FAR = float("inf")
CALM = 0.3  # seconds after the last output when the shell's directory is looked at
NO_PROGRESS, LONGEST_END = 1.0, 5.0  # seconds the end may wait for the daemon


class Facts(NamedTuple):
    """Who is mirrored. `register` makes the request, with the directory and size of now."""

    session: str
    label: str
    pid: int
    register: Callable[[bytes], "Register"]


class Copy:
    """One session's copy. `first` is a connection, if somebody has made one already."""

    def __init__(
        self, facts: Facts, paths: Paths, spool: Spool, *, first: socket.socket | None, now: float
    ) -> None:
        self._facts = facts
        self._paths = paths
        self._first = first
        self.spool = spool
        self.notices = Notices(facts.session, told_online=first is not None)
        self.undo = Undo()
        self.noted: Callable[[bytes], None] = lambda _: None
        """Is called when what is to be undone has changed."""
        self.due = 0.0
        """When to call `turn` at the latest; or as soon as there is something to be read."""
        self._stages = iter(STAGES)
        self._printed_at = now
        self._import_at: float | None = now + QUIET
        self._import_by = now + AT_LATEST
        self._send_at: float | None = None
        self._look_at: float | None = None
        self._retry_at: float | None = None
        self._cwd = b""
        self._is_over = False
        self._turns: Turns | None = None
        self._copier: Copier | None = None

    # -- what the terminal tells

    def printed(self, data: bytes, now: float) -> None:
        """The program has printed this, and its terminal shows it."""
        self._printed_at = now
        if not self._is_over:
            self.spool.add(data)
            if self._send_at is None and self._is_sending:
                self._send_at = now + GATHERED
                self.due = min(self.due, self._send_at)
        if self._look_at is None:
            self._look_at = now + CALM
            self.due = min(self.due, self._look_at)

    def shows(self, data: bytes) -> bool:
        """The terminal is about to be shown this; `shown` is to follow if it changes modes."""
        before = self.undo.sequence
        if not self.undo.feed(data):
            return False
        # Who is killed in between has perhaps shown it, and perhaps not.
        self.noted(before + self.undo.sequence)
        return True

    def shown(self) -> None:
        self.noted(self.undo.sequence)

    def has_news(self, now: float) -> bool:
        """Whether there is something to tell, and no full-screen program runs."""
        return self.notices.due(now) and not self.undo.is_full_screen

    def typed(self, now: float) -> None:
        """Somebody is there."""
        if self._turns is not None:
            self._turns.poke(now)

    def resized(self) -> None:
        self._refresh()

    # -- turns

    @property
    def fd(self) -> int | None:
        return None if self._turns is None else self._turns.fd

    @property
    def wants_to_write(self) -> bool:
        return self._turns is not None and self._turns.wants_to_write

    @property
    def missing(self) -> int:
        return 0 if self._copier is None else self._copier.missing

    def turn(self, now: float, *, readable: bool) -> None:
        """Do one piece of what is to be done."""
        if self._import_at is not None and now >= self._import_at:
            self._import_in_turn(now)
        if self._look_at is not None and now >= self._look_at:
            self._look_where(now)
        if self._turns is not None and self._copier is not None:
            self._converse(self._turns, self._copier, now, readable=readable)
        self.due = self._deadline()

    def _deadline(self) -> float:
        times = [self._import_at, self._look_at, self._retry_at]
        if self._turns is not None:
            times.append(self._turns.deadline())
        if self._is_sending and not self.wants_to_write:
            times.append(self._send_at)
        return min((each for each in times if each is not None), default=FAR)

    def _converse(self, turns: "Turns", copier: "Copier", now: float, *, readable: bool) -> None:
        due = turns.deadline()
        if readable or turns.wants_to_write or (due is not None and now >= due):
            turns.turn(now, readable=readable)
            self._watch(turns, copier, now)
        if self._retry_at is not None and now >= self._retry_at:
            self._retry_at = None
            copier.retry()
            turns.flush()
        if copier.has_work and not turns.wants_to_write:
            self._send(turns, copier, now)
        elif not copier.has_work:
            self._send_at = None

    def _send(self, turns: "Turns", copier: "Copier", now: float) -> None:
        """Send a piece, if the terminal is quiet or too much waits for it."""
        if self._send_at is None:
            self._send_at = now
        is_busy = now - self._printed_at < GATHERED / 6 and self.spool.waiting > LARGE
        if is_busy and self.spool.waiting < min(BURST, self.spool.memory_limit // 2):
            self._send_at = now + GATHERED
        elif now >= self._send_at:
            has_more = copier.send()
            turns.flush()
            self._send_at = now if has_more else None

    @property
    def _is_sending(self) -> bool:
        return self._copier is not None and self._copier.has_work

    def _watch(self, turns: "Turns", copier: "Copier", now: float) -> None:
        """See what has become of the registration."""
        if copier.is_registered:
            self.notices.online(now, copier.missing)
        elif copier.error is not None:
            if not self._is_over:
                self._is_over = True
                self.notices.over(copier.error.what)
                self.spool.close()
                turns.close()
        else:
            trouble = copier.trouble
            self.notices.offline(now, trouble.what if trouble is not None else "")
            if trouble is not None and self._retry_at is None:
                self._retry_at = now + copier.pause

    def _look_where(self, now: float) -> None:
        """Tell the daemon the directory of the shell, if it is another one."""
        if now < self._printed_at + CALM:
            self._look_at = self._printed_at + CALM
            return
        self._look_at = None
        if (cwd := directory_of(self._facts.pid)) != self._cwd:
            self._cwd = cwd
            self._refresh()

    def _refresh(self) -> None:
        if self._copier is not None and self._turns is not None:
            self._copier.refresh()
            self._turns.flush()

    # -- what comes later

    def _import_in_turn(self, now: float) -> None:
        quiet_at = self._printed_at + QUIET
        if now < quiet_at and now < self._import_by:
            self._import_at = min(quiet_at, self._import_by)
        else:
            self._import_at = now
            self._import_one()

    def _import_one(self) -> None:
        stage = next(self._stages, None)
        if stage is not None:
            importlib.import_module(stage)
        else:
            self._import_at = None
            self._begin()

    def import_rest(self) -> None:
        """Do it at once: the program has ended, and nobody waits for a key."""
        while self._import_at is not None:
            self._import_one()

    def _begin(self) -> None:
        from holdfast.client.copier import Copier  # noqa: PLC0415 - see STAGES
        from holdfast.client.turns import Turns  # noqa: PLC0415
        from holdfast.protocol.messages import Hello, Role  # noqa: PLC0415
        from holdfast.protocol.version import OURS  # noqa: PLC0415

        hello = Hello(
            protocol=OURS,
            client_id=os.urandom(10).hex(),
            role=Role.CONTROL,
            label=self._facts.label,
            kind="wrap",
        )
        self._turns, self._first = Turns(self._paths, hello, self._first), None
        self._cwd = directory_of(self._facts.pid)
        self._copier = Copier(self._turns.core, self.spool, lambda: self._facts.register(self._cwd))
        self._turns.core.add(self._copier)
        gc.freeze()  # what is imported stays: no collection goes through it while somebody types

    # -- the end

    def finish(self, status: "ExitStatus", clock: Callable[[], float]) -> Iterator[float]:
        """Yield how long to wait for the socket, then `turn`; until all is sent or in vain."""
        if self._copier is None or self._turns is None:
            return
        copier, left = self._copier, self.spool.waiting
        copier.finish(status)
        self._send_at, self.due = None, 0.0
        begin = progress = clock()
        self._turns.core.retry_now(begin)  # one more try, whenever the next one would have been
        while not copier.is_ended and copier.error is None:
            now = clock()
            if self.spool.waiting != left:
                progress, left = now, self.spool.waiting
            until = min(progress + NO_PROGRESS, begin + LONGEST_END)
            if now >= until or self._turns.is_waiting:
                break
            yield max(0.0, min(until, self.due) - now)

    @property
    def undelivered(self) -> int:
        """Bytes of which the daemon does not know, once it has ended; 0 if nothing was wanted."""
        return self.spool.waiting

    def close(self) -> None:
        if self._turns is not None:
            self._turns.close()
        elif self._first is not None:
            self._first.close()
        self.spool.close()

    def last_notice(self, now: float) -> Notice | None:
        """Return what is still to be told at the end, where every place is a good one."""
        if self.undelivered:
            text = f"{self.undelivered} bytes that it printed could not be given to a daemon"
            return Notice(is_good=False, text=text)
        return self.notices.take(self.missing) if self.notices.due(now) else None


def directory_of(pid: int) -> bytes:
    """Return where a process is; empty where nobody knows."""
    try:
        found = os.fsencode(Path(f"/proc/{pid}/cwd").readlink())
    except OSError:
        return b""
    return found if found.startswith(b"/") else b""  # it may be one that cannot be reached
