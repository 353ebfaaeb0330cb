"""The keeper: what it owns, what it answers, how it begins and ends.

It must not die, so it does almost nothing: no protocol, no logs, no screen, no threads.
"""

import os
import signal
import socket
import sys
import time

from holdfast.keeper import place
from holdfast.keeper.adoption import Adoption
from holdfast.keeper.ending import Ending
from holdfast.keeper.loop import Loop
from holdfast.keeper.plain import Any
from holdfast.keeper.processes import SIGNALS
from holdfast.keeper.reexec import Reexec
from holdfast.keeper.sessions import Sessions
from holdfast.keeper.status import status_of
from holdfast.keeper.supervisor import Supervisor
from holdfast.keeper.upgrade import Upgrade
from holdfast.keeper.wire import Body, Channel, Gone

CLIENTS, ADOPTION, CONTROL = "hold.sock", "daemon.sock", "keeper.sock"


class Keeper:
    """Sessions, services and the sockets that lead to them."""

    def __init__(self, spec: dict[str, Any], lock: int) -> None:
        self.spec = spec
        self.lock = lock
        self.started = time.time()
        self.loop = Loop()
        self.sessions = Sessions(self.loop, self._tell)
        self.supervisor = Supervisor(self.loop, spec, self.sessions)
        self.upgrade = Upgrade(self.supervisor)
        self.reexec = Reexec(self)
        self.control: place.Listener | None = None
        self.adoption = Adoption(self, self.look_after_sockets)
        self.ending = Ending(self, self._finish)
        self._doorman = place.Doorman()
        self._wakeup: tuple[socket.socket, socket.socket] | None = None
        # First whether all is over: the supervisor would start another daemon.
        self.loop.parts = (
            self.ending,
            self.sessions,
            self.supervisor,
            self.upgrade,
            self.reexec,
        )
        self.loop.on_fault = lambda: place.turn_over(os.path.join(spec["state"], "keeper.log"))

    # -- begin

    def open(self) -> None:
        """Catch signals, bind the sockets, take over a daemon that lives without a keeper."""
        self.control = place.listen(self._path(CONTROL))
        self.resume()
        if not self.adoption.begin(self._path(CLIENTS), self._path(ADOPTION)):
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
        for number in SIGNALS:
            # A handler that does nothing: the number arrives through the wakeup socket.
            signal.signal(number, lambda *_: None)
        # Blocked since our first line, or since the keeper before us: they would have killed.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        self.loop.watch(ours, self._signalled)

    def _signalled(self) -> None:
        assert self._wakeup is not None
        numbers = self._wakeup[0].recv(4096)
        if signal.SIGHUP in numbers:
            self.look_after_sockets()
        if signal.SIGTERM in numbers or signal.SIGINT in numbers:
            # A shutdown or a logout, and not somebody who wants the sessions to be over: the
            # daemon notes what is to be there again afterwards.
            self.supervisor.leaving = True
            self.supervisor.tell({"op": "leaving"})
            self.ending.begin(grace=5.0)
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
            if not (
                self.supervisor.reaped(pid, status, time.monotonic())
                or self.upgrade.reaped(pid, status)
            ):
                self.sessions.reaped(pid, status, usage)

    # -- sockets

    def look_after_sockets(self) -> None:
        """Bind anew what was deleted under us; the old backlogs are served too."""
        if self.adoption.under_way or self.ending.under_way:
            return
        for name in (CLIENTS, ADOPTION):
            known = [one for one in self.supervisor.listeners if one.path == self._path(name)]
            if not any(one.is_reachable() for one in known):
                fresh = place.listen(self._path(name))
                self.supervisor.listeners.append(fresh)
                fact = {"op": "listen", "name": name, "inode": fresh.inode}
                self.supervisor.tell(fact, (fresh.sock.fileno(),))
        if self.control is not None and not self.control.is_reachable():
            unreachable, self.control = self.control, place.listen(self._path(CONTROL))
            self.loop.unwatch(unreachable.sock)
            unreachable.sock.close()
            self.loop.watch(self.control.sock, self._accept)

    # -- questions on the keeper's own socket

    def _accept(self) -> None:
        assert self.control is not None
        sock = self._doorman.accept(self.control.sock)
        if sock is not None:
            self.converse(Channel(sock))

    def converse(self, channel: Channel) -> None:
        """Answer what is asked on a control connection."""
        self.loop.watch_channel(
            channel, lambda body, fds: self._heard(channel, body, fds), lambda _reason: None
        )

    def _heard(self, channel: Channel, body: Body, fds: list[int]) -> None:
        for fd in fds:
            os.close(fd)  # nobody who asks has any to give
        try:
            self._asked(channel, body)
        except (KeyError, TypeError, ValueError, OSError) as error:
            self.answer(channel, {"ok": False, "reason": f"{type(error).__name__}: {error}"})

    def _asked(self, channel: Channel, body: Body) -> None:
        op = body.get("op")
        if op == "status":
            self.answer(channel, {"ok": True, **status_of(self)})
        elif op == "try":
            # Whoever has just mended the cause does not wait for the next try.
            self.supervisor.daemon.begin_anew(time.monotonic())
            self.answer(channel, {"ok": True, **status_of(self)})
        elif op == "restart":
            self._restart(channel, body.get("launch") or self.spec)
        elif op == "stop":
            self.ending.begin(float(body.get("grace", 5.0)), channel)
        elif op == "reexec":
            self.reexec.begin(channel, body.get("launch") or self.spec)
        else:
            self.answer(channel, {"ok": False, "reason": f"unknown op {op!r}"})

    def _restart(self, channel: Channel, spec: dict[str, Any]) -> None:
        if self.ending.under_way:
            self.answer(channel, {"ok": False, "reason": "the keeper is being stopped"})
        elif self.adoption.under_way:
            self.adoption.afterwards(lambda: self._restart(channel, spec))
        else:
            self.upgrade.begin(spec, lambda body: self.answer(channel, body))

    def answer(self, channel: Channel, body: Body) -> None:
        """Reply on a control connection; one that has gone needs none."""
        try:
            channel.send(body)
            self.loop.wrote(channel)
        except Gone:
            self.loop.drop(channel)

    # -- end

    def yield_to(self, refusal: Body) -> None:
        """End at once: somebody's keeper lives although its lock file is another one."""
        print(f"keeper {refusal.get('keeper')} has the daemon; this one ends", file=sys.stderr)  # noqa: T201
        if self.control is not None:
            self.control.remove()
        place.nudge_pid(int(refusal.get("keeper") or 0))
        self.loop.stopped = True

    @property
    def listeners(self) -> list[place.Listener]:
        """All sockets somebody may come to."""
        return [*self.supervisor.listeners, *([self.control] if self.control else [])]

    def _finish(self, asked_by: list[Channel]) -> None:
        for listener in self.listeners:
            listener.remove()
        for channel in asked_by:
            self.answer(channel, {"ok": True})
        self.loop.stopped = True

    @property
    def is_busy(self) -> bool:
        """Whether something has been begun that must be finished."""
        parts = (self.adoption, self.ending, self.upgrade)
        return bool(self.sessions.spawning) or any(part.under_way for part in parts)

    def _tell(self, body: Body, fds: tuple[int, ...]) -> None:
        self.supervisor.tell(body, fds)
