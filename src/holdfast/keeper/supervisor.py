"""Daemon and reader: started, handed what is held, watched, replaced without a gap.

One pump at a time: a process gets the descriptors only after the one before it was
reaped, so two writers never share a log.
"""

import os
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable

from holdfast.keeper import place
from holdfast.keeper.children import status_of
from holdfast.keeper.loop import Loop, soonest
from holdfast.keeper.plain import Any
from holdfast.keeper.processes import signal_process, start_process
from holdfast.keeper.service import END_GRACE, Process, Service
from holdfast.keeper.sessions import Sessions
from holdfast.keeper.wire import VERSION, Body, Channel, Gone

UNABLE = {"op": "unable"}  # nobody is to wait for a reader

Batch = Callable[[], tuple[Body, tuple[int, ...]]]
"""Makes a frame of the hand-over when its turn has come: a child may end in between."""


class Supervisor:
    """The table of services, and the hand-over to the one that pumps."""

    def __init__(self, loop: Loop, spec: dict[str, Any], sessions: Sessions) -> None:
        self.spec = spec
        self.services = {
            "daemon": Service("daemon"),
            "reader": Service("reader", wanted=False, has_spare=False),  # until a daemon asks
        }
        self.listeners: list[place.Listener] = []
        self.leaving = False
        """Whether the system ends us, and with us all programs, to start again some day."""
        self.requests: dict[str, Callable[[Body], None]] = {
            "spawn": sessions.spawn,
            "signal": sessions.signal,
            "kill": sessions.kill,
            "forget": sessions.forget,
            "blob": sessions.rewrite,
            "reader": self._want_reader,
        }
        self._loop = loop
        self._sessions = sessions
        self._batches: deque[Batch] = deque()
        self._said_idle = False
        self._line: tuple[socket.socket, ...] = ()
        """Between daemon and reader, until both have their end of it."""
        self._later: list[tuple[Body, tuple[int, ...]]] = []

    @property
    def processes(self) -> list[Process]:
        """Every process of ours that lives, as far as is known."""
        rows = self.services.values()
        return [process for one in rows for process in (one.active, one.spare) if process]

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is in flight between us and them."""
        return not self._batches and all(one.channel.is_quiet for one in self.processes)

    @property
    def ended_idle(self) -> bool:
        """Whether the daemon has ended because nobody needed it, and no other was begun yet."""
        return self._said_idle and self.daemon.active is None

    @property
    def daemon(self) -> Service:
        return self.services["daemon"]

    @property
    def reader(self) -> Service:
        return self.services["reader"]

    def tell(self, body: Body, fds: tuple[int, ...] = ()) -> None:
        """Tell the daemon; one that is not there learns it from the hand-over."""
        if self._batches:
            # It might be about a session that this daemon has not been handed yet.
            self._later.append((body, fds))
        elif self.daemon.active is not None:
            self._send(self.daemon.active, body, fds)

    def deadline(self) -> float | None:
        return soonest(service.deadline() for service in self.services.values())

    def tick(self, now: float) -> None:
        """Start what is due, end what overstays."""
        for process in self.processes:
            if process.kill_at is not None and now >= process.kill_at:
                process.kill_at = None
                signal_process(process, signal.SIGKILL)
        for service in self.services.values():
            try:
                self._start_due(service, now)
            except OSError as error:
                service.could_not_start(str(error), now)
        self._introduce()

    def _start_due(self, service: Service, now: float) -> None:
        if service.may_start(now):
            process, service.spare = service.spare or self._start(service, now), None
            service.active = process
            if service is self.daemon:
                self._hand_over(process)
        elif service.may_start_spare(now):
            service.spare = self._start(service, now)

    def end(self, process: Process, now: float, grace: float = END_GRACE) -> None:
        """Ask a process to end; KILL follows when it does not."""
        process.asked_to_end = True
        process.kill_at = now + grace
        signal_process(process, signal.SIGTERM)
        signal_process(process, signal.SIGCONT)  # one that was stopped hears it now

    def wake(self) -> None:
        """Have a daemon that was stopped by a signal go on."""
        if self.daemon.active is not None:
            signal_process(self.daemon.active, signal.SIGCONT)

    def drop_spare(self) -> None:
        """End the spare: it owns nothing, so there is nothing to wait for."""
        spare, self.daemon.spare = self.daemon.spare, None
        self._drop(spare)

    def drop_helpers(self) -> None:
        """End whatever is not the daemon: what a reader knows can be derived again."""
        self.drop_spare()
        self._drop_reader()

    def _drop_reader(self) -> None:
        reader, self.reader.active = self.reader.active, None
        self.reader.wanted = False
        self._drop(reader)

    def renew_reader(self, now: float) -> None:
        """Have a reader of the present spec, also if the one before could not work."""
        self.reader.wanted, self.reader.unable = self.reader.wanted or self.reader.unable, False
        self.reader.begin_anew(now)
        if self.reader.active is not None:
            self.end(self.reader.active, now)

    def _drop(self, process: Process | None) -> None:
        if process is not None:
            signal_process(process, signal.SIGKILL)
            self._loop.drop(process.channel)

    def replace_spare(self, now: float) -> Process:
        """Start a spare from the present spec; a spare from before would run old code."""
        self.drop_spare()
        self.daemon.spare = self._start(self.daemon, now)
        return self.daemon.spare

    def reaped(self, pid: int, status: int, now: float) -> bool:
        """Note the end of a service's process; False when it is none."""
        for service in self.services.values():
            for process in (service.active, service.spare):
                if process is not None and process.pid == pid:
                    self._has_ended(service, process, status, now)
                    return True
        return False

    def _has_ended(
        self, service: Service, process: Process, status: int | None, now: float
    ) -> None:
        try:
            # What it told last: clients have been promised that it is done.
            for body, fds in process.channel.receive():
                self.heard(process, body, fds)
        except Gone:
            pass  # its end, as expected
        self._loop.drop(process.channel)
        service.ended(process, self._why(service.name, status), now)

    def adopt(self, channel: Channel, hello: Body) -> Process:
        """Take over a daemon that outlived the keeper before this one.

        Raises ProcessLookupError when it has ended in the meantime.
        """
        now = time.monotonic()
        process = Process(hello["pid"], channel, now, pidfd=os.pidfd_open(hello["pid"]), said=hello)
        self.daemon.active, self.daemon.restarts = process, hello.get("restarts", 0)
        self.daemon.became_ready(process, now)
        self._watch_end(process)
        # Whoever ended while nobody listened.
        for fact in self._sessions.ended():
            self._send(process, fact, ())
        return process

    def watch(self, process: Process) -> None:
        """Listen to a process."""
        self._watch_end(process)
        self._loop.watch_channel(
            process.channel,
            lambda body, fds: self.heard(process, body, fds),
            lambda _reason: self.gone(process),
        )

    def _watch_end(self, process: Process) -> None:
        if process.pidfd >= 0:  # not our child: no SIGCHLD will tell
            self._loop.watch(process.pidfd, lambda: self._vanished(process))

    def _vanished(self, process: Process) -> None:
        self._loop.unwatch(process.pidfd)
        status = status_of(process.pidfd, process.pid)
        os.close(process.pidfd)
        process.pidfd = -1
        self._has_ended(self.daemon, process, status, time.monotonic())

    def _start(self, service: Service, now: float) -> Process:
        ours, theirs = socket.socketpair()
        log = self._log_of(service)
        try:
            theirs.set_inheritable(True)
            pid = start_process(self.spec, service.name, log, str(theirs.fileno()))
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
            if log > 2:
                os.close(log)
        process = Process(pid, Channel(ours), now)
        self.watch(process)
        return process

    def _log_of(self, service: Service) -> int:
        try:
            return place.open_log(os.path.join(self.spec["state"], f"{service.name}.log"))
        except OSError as error:
            print(f"{service.name}.log: {error}", file=sys.stderr)  # noqa: T201
            return 2  # ours is better than none

    def _hand_over(self, process: Process) -> None:
        fds = tuple(listener.sock.fileno() for listener in self.listeners)
        take = {
            "op": "take",
            "version": VERSION,
            "names": [os.path.basename(listener.path) for listener in self.listeners],
            "inodes": [listener.inode for listener in self.listeners],
            "keeper": os.getpid(),
            "restarts": self.daemon.restarts,
            "soft_files": self._sessions.soft_files,
            "leaving": self.leaving,
        }
        self._send(process, take, fds)  # it has to make room while we make the batches
        self._batches = deque([*self._sessions.batches(), self._handed])
        self._said_idle = False
        self._later = []  # what was told to the one before is in the batches now

    def _handed(self) -> tuple[Body, tuple[int, ...]]:
        return {"op": "handed", "spawning": self._sessions.expected}, ()

    def heard(self, process: Process, body: Body, fds: list[int]) -> None:
        for fd in fds:
            os.close(fd)  # only an adoption brings any
        op = body.get("op")
        if op == "imported":
            process.imported = True
        if process is self.reader.active:
            self._heard_reader(process, body)
        elif process is not self.daemon.active:
            return
        elif op == "ready":
            process.said = body
            self.daemon.became_ready(process, time.monotonic())
        elif op == "taken" and self._batches:
            self._hand_on(process)
        elif op == "idle":
            # Its end is no failure; whoever has come meanwhile is not to wait for the next.
            self._said_idle = process.asked_to_end = True
        elif op in self.requests:
            self.requests[op](body)

    def _hand_on(self, process: Process) -> None:
        # One batch at a time: descriptors in flight are limited, to 1,024 for most users.
        self._send(process, *self._batches.popleft()())
        if not self._batches:
            later, self._later = self._later, []
            for fact in later:
                self._send(process, *fact)

    def _heard_reader(self, process: Process, body: Body) -> None:
        if body.get("op") == "imported":
            self.reader.became_ready(process, time.monotonic())
        elif body.get("op") == "unable":
            self.reader.gave_up(process, str(body.get("reason")))
            self.tell(UNABLE)

    def _want_reader(self, body: Body) -> None:
        if not body.get("wanted", True):
            self._drop_reader()
        elif self.reader.unable:
            self.tell(UNABLE)
        elif self.daemon.wanted:
            self.reader.wanted = True

    def _introduce(self) -> None:
        """Give a daemon and a reader that serve, and do not know each other, a line."""
        both = [p for p in (self.daemon.active, self.reader.active) if p and p.ready_at]
        if len(both) == 2 and both[1].linked != both[0].pid and not self._line:
            daemon, reader = both
            self._line, reader.linked = socket.socketpair(), daemon.pid
            self._send(reader, {"op": "daemon", "pid": daemon.pid}, (self._line[0].fileno(),))
            self._send(daemon, {"op": "reader", "pid": reader.pid}, (self._line[1].fileno(),))
        if self._line and not any(one.channel.wants_to_write for one in both):
            # Both have theirs: with ours open neither would notice the end of the other.
            for sock in self._line:
                sock.close()
            self._line = ()

    def gone(self, process: Process) -> None:
        # Dead, almost always; SIGCHLD says so. One that only closed its channel is ended.
        process.kill_at = time.monotonic() + END_GRACE

    def _send(self, process: Process, body: Body, fds: tuple[int, ...]) -> None:
        try:
            process.channel.send(body, fds)
            self._loop.wrote(process.channel)
        except Gone:
            self._loop.drop(process.channel)
            self.gone(process)

    def _why(self, name: str, status: int | None) -> str:
        if status is None:
            return "its exit code is unknown"
        code = os.waitstatus_to_exitcode(status)
        how = f"exit code {code}" if code >= 0 else f"signal {-code}"
        said = place.log_tail(os.path.join(self.spec["state"], f"{name}.log"))
        return f"{how}: {said}" if said and code > 0 else how
