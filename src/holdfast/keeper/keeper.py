"""The keeper: what it owns, what it answers, how it begins and ends.

It must not die, so it does almost nothing: no protocol, no logs, no screen, no threads.
"""

import os
import signal
import socket
import sys
import time
from typing import Any

from holdfast.keeper import place, reexec
from holdfast.keeper.loop import Loop
from holdfast.keeper.sessions import Sessions, children_in
from holdfast.keeper.supervisor import Supervisor
from holdfast.keeper.upgrade import Upgrade
from holdfast.keeper.wire import VERSION, Body, Channel, Gone

CLIENTS, ADOPTION, CONTROL = "hold.sock", "daemon.sock", "keeper.sock"
LAST_WORDS = 5.0  # seconds for the daemon to write down the end of the last session


class Keeper:
    """Sessions, services and the sockets that lead to them."""

    def __init__(self, spec: dict[str, Any], lock: int) -> None:
        self.spec = spec
        self.lock = lock
        self.started = time.time()
        self.loop = Loop()
        self.sessions = Sessions(self.loop, self._tell)
        self.supervisor = Supervisor(self.loop, spec, self.sessions)
        self.upgrade = Upgrade(self.loop, self.supervisor)
        self.control: place.Listener | None = None
        self._stopping: list[Channel] = []
        self._stop_at: float | None = None
        self._adopting: Channel | None = None
        self.pending: reexec.Pending | None = None
        self._wakeup: tuple[socket.socket, socket.socket] | None = None
        self.loop.add_deadline(self.sessions.deadline)
        self.loop.add_deadline(lambda: self._stop_at)
        self.loop.add_deadline(lambda: self.upgrade.deadline)
        self.loop.add_deadline(lambda: self.pending.give_up if self.pending else None)
        self.loop.on_tick = self._tick

    # -- begin

    def open(self) -> None:
        """Catch signals, bind the sockets, take over a daemon that lives without a keeper."""
        self.control = place.listen(self._path(CONTROL))
        self.resume()
        if not self._begin_adoption():
            self.supervisor.listeners = [
                place.listen(self._path(CLIENTS)),
                place.listen(self._path(ADOPTION)),
            ]

    def resume(self) -> None:
        """Catch signals and answer on the control socket."""
        assert self.control is not None
        self._catch_signals()
        self.loop.watch(self.control.sock, self._accept)

    def run(self) -> int:
        """Serve until stopped."""
        self.loop.run()
        return 0

    def _path(self, name: str) -> str:
        return os.path.join(self.spec["runtime"], name)

    def _catch_signals(self) -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        self._wakeup = ours, theirs
        signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            # A handler that does nothing: the number arrives through the wakeup socket.
            signal.signal(number, lambda *_: None)
        self.loop.watch(ours, self._signalled)

    def _signalled(self) -> None:
        assert self._wakeup is not None
        numbers = self._wakeup[0].recv(4096)
        if signal.SIGHUP in numbers:
            self._look_after_sockets()
        if signal.SIGTERM in numbers or signal.SIGINT in numbers:
            self._begin_stop(grace=5.0)
        self.reap()

    def reap(self) -> None:
        """Collect every child that has ended."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if not self.supervisor.reaped(pid, status, time.monotonic()):
                known = self.upgrade.reaped(pid, status)
                if not known:
                    self.sessions.reaped(pid, status, usage)

    # -- a daemon that outlived its keeper

    def _begin_adoption(self) -> bool:
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(self._path(ADOPTION))
        except OSError:
            sock.close()
            return False  # nobody listens: no daemon lives
        self._adopting = channel = Channel(sock)
        # Until that daemon has answered or ended, no other may pump.
        self.supervisor.daemon.wanted = False
        self.loop.watch_channel(channel, self._adopted, self._not_adopted)
        channel.send({"op": "adopt", "version": VERSION, "keeper": os.getpid()})
        return True

    def _adopted(self, body: Body, fds: list[int]) -> None:
        active = self.supervisor.daemon.active
        if self._adopting is None:
            assert active is not None
            self.supervisor.heard(active, body, fds)
        elif body["op"] == "adopted":
            paths = (self._path(CLIENTS), self._path(ADOPTION))
            self.supervisor.listeners = [
                place.Listener(path, socket.socket(fileno=fd), inode)
                for path, fd, inode in zip(paths, fds, body["inodes"], strict=True)
            ]
        elif body["op"] == "sessions":
            for child in children_in(body, fds, ours=False):
                self.sessions.adopt(child)
        elif body["op"] == "handed":
            self.supervisor.adopt(self._adopting, body)
            self._adopting = None
            self.supervisor.daemon.wanted = True
            self._look_after_sockets()

    def _not_adopted(self, reason: str) -> None:
        daemon = self.supervisor.daemon
        if self._adopting is None:
            if daemon.active is not None:
                self.supervisor.gone(daemon.active, reason)
            return
        print(f"the daemon without a keeper is gone: {reason}", file=sys.stderr)  # noqa: T201
        self._adopting = None
        daemon.wanted = True
        self._look_after_sockets()

    def _look_after_sockets(self) -> None:
        """Bind anew what was deleted under us; the old backlogs are served too."""
        if self._adopting is not None:
            return
        for name in (CLIENTS, ADOPTION):
            known = [one for one in self.supervisor.listeners if one.path == self._path(name)]
            if not any(one.is_reachable() for one in known):
                fresh = place.listen(self._path(name))
                self.supervisor.listeners.append(fresh)
                fact = {"op": "listen", "name": name, "inode": fresh.inode}
                self._tell(fact, (fresh.sock.fileno(),))
        if self.control is not None and not self.control.is_reachable():
            self.loop.unwatch(self.control.sock)
            self.control.sock.close()
            self.control = place.listen(self._path(CONTROL))
            self.loop.watch(self.control.sock, self._accept)

    # -- questions on the keeper's own socket

    def _accept(self) -> None:
        assert self.control is not None
        try:
            sock, _ = self.control.sock.accept()
        except BlockingIOError:
            return
        self.converse(Channel(sock))

    def converse(self, channel: Channel) -> None:
        """Answer what is asked on a control connection."""
        self.loop.watch_channel(
            channel, lambda body, _fds: self._asked(channel, body), lambda _reason: None
        )

    def _asked(self, channel: Channel, body: Body) -> None:
        op = body.get("op")
        if op == "status":
            self.answer(channel, {"ok": True, **self.status()})
        elif op == "try":
            # Whoever has just mended the cause does not wait for the next try.
            self.supervisor.daemon.next_try = time.monotonic()
            self.answer(channel, {"ok": True, **self.status()})
        elif op == "restart":
            self.upgrade.begin(body.get("launch") or self.spec, lambda b: self.answer(channel, b))
        elif op == "stop":
            self._stopping.append(channel)
            self._begin_stop(float(body.get("grace", 5.0)))
        elif op == "reexec":
            reexec.begin(self, channel, body.get("launch") or self.spec)
        else:
            self.answer(channel, {"ok": False, "reason": f"unknown op {op!r}"})

    def answer(self, channel: Channel, body: Body) -> None:
        """Reply on a control connection; one that has gone needs none."""
        try:
            channel.send(body)
            self.loop.wrote(channel)
        except Gone:
            self.loop.drop(channel)

    def status(self) -> Body:
        """What `hold daemon status` shows."""
        daemon, now = self.supervisor.daemon, time.monotonic()
        active = daemon.active
        said = active.said if active else {}
        state = "adopting" if self._adopting else "waiting"
        if active:
            state = "running" if active.ready_at is not None else "starting"
        return {
            "version": VERSION,
            "keeper": {"pid": os.getpid(), "started": self.started, "faults": self.loop.faults},
            "daemon": {
                "pid": active.pid if active else None,
                "state": state,
                "started": said.get("started"),
                "version": said.get("daemon_version"),
                "reason": daemon.reason,
                "next_try": None if active else max(0.0, daemon.next_try - now),
                "spare": daemon.spare.pid if daemon.spare else None,
            },
            "restarts": daemon.restarts,
            "pump": said.get("pump"),
            "pump_reason": said.get("pump_reason", ""),
            "sessions": self.sessions.living,
        }

    # -- end

    def _begin_stop(self, grace: float) -> None:
        if self._stop_at is None:
            for session in list(self.sessions.by_id):
                self.sessions.kill({"id": session, "grace": grace})
            self._stop_at = time.monotonic() + grace + LAST_WORDS

    def _tick(self, now: float) -> None:
        self.sessions.tick(now)
        self.supervisor.tick(now)
        self.upgrade.tick(now)
        reexec.tick(self, now)
        if self._stop_at is not None:
            self._go_on_stopping(now)

    def _go_on_stopping(self, now: float) -> None:
        daemon, late = self.supervisor.daemon, now >= (self._stop_at or now)
        # The daemon drains an ended session, writes its end down and has it forgotten.
        if self.sessions.by_id and not late and daemon.active is not None:
            return
        if daemon.wanted:
            daemon.wanted = False
            for process in (daemon.active, daemon.spare):
                if process is not None:
                    self.supervisor.end(process, now)
        if daemon.active is None or late:
            self._finish()

    def _finish(self) -> None:
        for child in self.sessions.by_id.values():
            child.signal(signal.SIGKILL)
        for listener in (*self.supervisor.listeners, *([self.control] if self.control else [])):
            listener.remove()
        for channel in self._stopping:
            self.answer(channel, {"ok": True})
        self.loop.stopped = True

    # -- become a newer keeper

    def is_quiet(self) -> bool:
        """Whether nothing is in flight that an exec would cut."""
        processes = (self.supervisor.daemon.active, self.supervisor.daemon.spare)
        channels = [process.channel for process in processes if process]
        busy = self._adopting or self.sessions.spawning or self._stop_at is not None
        return not busy and not self.supervisor.handing_over and all(c.is_quiet for c in channels)

    @classmethod
    def revived(cls, spec: dict[str, Any], state_fd: int, *, checking: bool) -> "Keeper | None":
        """The keeper that an older one describes in *state_fd*; None when only checking."""
        return reexec.revive(cls, spec, state_fd, checking=checking)

    def _tell(self, body: Body, fds: tuple[int, ...]) -> None:
        self.supervisor.tell(body, fds)
