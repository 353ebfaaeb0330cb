"""Daemon and reader: started, handed what is held, watched, replaced without a gap.

One pump at a time: a process gets the descriptors only after the one before it was
reaped, so two writers never share a log.
"""

import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

from holdfast.keeper import launch, place
from holdfast.keeper.loop import Loop
from holdfast.keeper.service import END_GRACE, Process, Service
from holdfast.keeper.sessions import Sessions, Tell
from holdfast.keeper.wire import VERSION, Body, Channel, Gone


class Supervisor:
    """The table of services, and the hand-over to the one that pumps."""

    def __init__(self, loop: Loop, spec: dict[str, Any], sessions: Sessions) -> None:
        self.spec = spec
        self.services = {
            "daemon": Service("daemon"),
            "reader": Service("reader", wanted=False),  # nothing to supervise until it exists
        }
        self.listeners: list[place.Listener] = []
        self.requests: dict[str, Callable[[Body], None]] = {
            "spawn": sessions.spawn,
            "signal": sessions.signal,
            "kill": sessions.kill,
            "forget": sessions.forget,
            "blob": sessions.rewrite,
        }
        self._loop = loop
        self._sessions = sessions
        self._batches: list[tuple[Body, tuple[int, ...]]] = []
        loop.add_deadline(self.deadline)

    @property
    def handing_over(self) -> bool:
        return bool(self._batches)

    @property
    def daemon(self) -> Service:
        return self.services["daemon"]

    def tell(self, body: Body, fds: tuple[int, ...] = ()) -> None:
        """Tell the daemon; one that is not there learns it from the hand-over."""
        if self.daemon.active is not None:
            self._send(self.daemon.active, body, fds)

    def deadline(self) -> float | None:
        times = [d for s in self.services.values() if (d := s.deadline()) is not None]
        return min(times, default=None)

    def tick(self, now: float) -> None:
        """Start what is due, end what overstays."""
        for service in self.services.values():
            for process in (service.active, service.spare):
                if process and process.kill_at is not None and now >= process.kill_at:
                    process.kill_at = None
                    _signal(process, signal.SIGKILL)
            if service.may_start(now):
                process, service.spare = service.spare or self._start(service, now), None
                service.active = process
                self._hand_over(process)
            elif service.may_start_spare(now):
                service.spare = self._start(service, now)

    def end(self, process: Process, now: float) -> None:
        """Ask a process to end; KILL follows when it does not."""
        process.asked_to_end = True
        process.kill_at = now + END_GRACE
        _signal(process, signal.SIGTERM)

    def replace_spare(self, now: float) -> Process:
        """Start a spare from the present spec; a spare from before would run old code."""
        service = self.daemon
        if service.spare is not None:
            service.spare.asked_to_end = True
            _signal(service.spare, signal.SIGKILL)
            self._loop.drop(service.spare.channel)
        service.spare = self._start(service, now)
        return service.spare

    def reaped(self, pid: int, status: int, now: float) -> bool:
        """Note the end of a service's process; False when it is none."""
        for service in self.services.values():
            for process in (service.active, service.spare):
                if process is not None and process.pid == pid:
                    self._hear_out(process)
                    self._loop.drop(process.channel)
                    service.ended(process, self._why(service.name, status), now)
                    return True
        return False

    def _hear_out(self, process: Process) -> None:
        """Take in what it told last: clients have been promised that it is done."""
        try:
            for body, fds in process.channel.receive():
                self.heard(process, body, fds)
        except Gone:
            pass  # its end, as expected

    def adopt(self, channel: Channel, hello: Body) -> None:
        """Take over a daemon that outlived the keeper before this one."""
        process = Process(hello["pid"], channel, time.monotonic(), said=hello)
        process.ready_at, process.pidfd = time.monotonic(), os.pidfd_open(hello["pid"])
        self.daemon.active, self.daemon.restarts = process, hello.get("restarts", 0)
        self.daemon.became_ready(process, time.monotonic())
        self._loop.watch(process.pidfd, lambda: self._vanished(process))

    def watch(self, process: Process) -> None:
        """Listen to a process of ours."""
        self._loop.watch_channel(
            process.channel,
            lambda body, fds: self.heard(process, body, fds),
            lambda reason: self.gone(process, reason),
        )

    def _vanished(self, process: Process) -> None:
        self._loop.unwatch(process.pidfd)
        os.close(process.pidfd)
        self.reaped(process.pid, 0, time.monotonic())

    def _start(self, service: Service, now: float) -> Process:
        ours, theirs = socket.socketpair()
        log = place.open_log(os.path.join(self.spec["state"], f"{service.name}.log"))
        try:
            theirs.set_inheritable(True)
            pid = start_process(self.spec, service.name, log, str(theirs.fileno()))
        finally:
            theirs.close()
            os.close(log)
        process = Process(pid, Channel(ours), now)
        self.watch(process)
        return process

    def _hand_over(self, process: Process) -> None:
        inodes = [listener.inode for listener in self.listeners]
        fds = tuple(listener.sock.fileno() for listener in self.listeners)
        take = {"op": "take", "version": VERSION, "inodes": inodes, "keeper": os.getpid()}
        handed = {"op": "handed", "spawning": self._sessions.expected}
        self._batches = [*self._sessions.batches(), (handed, ())]
        self._send(process, {**take, "restarts": self.daemon.restarts}, fds)

    def heard(self, process: Process, body: Body, fds: list[int]) -> None:
        for fd in fds:
            os.close(fd)  # only an adoption brings any
        op = body.get("op")
        if op == "imported":
            process.imported = True
        elif process is not self.daemon.active:
            return
        elif op == "ready":
            process.said = body
            self.daemon.became_ready(process, time.monotonic())
        elif op == "taken" and self._batches:
            # One batch at a time: descriptors in flight are limited, to 1,024 for most users.
            self._send(process, *self._batches.pop(0))
        elif op in self.requests:
            self.requests[op](body)

    def gone(self, process: Process, _reason: str) -> None:
        # Dead, almost always; SIGCHLD says so. One that only closed its channel is ended.
        process.kill_at = time.monotonic() + END_GRACE

    def _send(self, process: Process, body: Body, fds: tuple[int, ...]) -> None:
        try:
            process.channel.send(body, fds)
            self._loop.wrote(process.channel)
        except Gone as gone:
            self._loop.drop(process.channel)
            self.gone(process, str(gone))

    def _why(self, name: str, status: int) -> str:
        code = os.waitstatus_to_exitcode(status)
        how = f"exit code {code}" if code >= 0 else f"signal {-code}"
        said = place.log_tail(os.path.join(self.spec["state"], f"{name}.log"))
        return f"{how}: {said}" if said and code > 0 else how


def start_process(spec: dict[str, Any], package: str, output: int, *arguments: str) -> int:
    """Start one of our programs with *output* as its 1 and 2; return its pid."""
    argv = launch.command(spec, package, *arguments)
    env = {k: v for k, v in os.environ.items() if not k.startswith(launch.PASSED)}
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, output, 1),
        (os.POSIX_SPAWN_DUP2, output, 2),
    ]
    return os.posix_spawn(
        argv[0],
        argv,
        env | spec["settings"],
        file_actions=actions,
        setsigdef=[signal.SIGPIPE, signal.SIGXFSZ, signal.SIGHUP],
        setsigmask=[],
    )


def _signal(process: Process, number: int) -> None:
    try:
        os.kill(process.pid, number)
    except ProcessLookupError:
        pass  # just ended, and about to be reaped


__all__ = ["Supervisor", "Tell", "start_process"]
