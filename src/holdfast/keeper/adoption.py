"""A keeper that comes after one that was killed: the daemon lives and holds everything.

Until that daemon has handed over, or has ended, no other may pump. A daemon that is stopped
(SIGSTOP) hands over when it is continued.
"""

import os
import signal
import socket
import sys
from collections.abc import Callable

from holdfast.keeper import place
from holdfast.keeper.plain import TYPE_CHECKING
from holdfast.keeper.sessions import children_in
from holdfast.keeper.wire import VERSION, Body, Channel, Gone

if TYPE_CHECKING:
    from holdfast.keeper.keeper import Keeper
    from holdfast.keeper.service import Process


class Adoption:
    """The talk with a daemon that outlived its keeper."""

    def __init__(self, keeper: "Keeper", done: Callable[[], None]) -> None:
        self._keeper = keeper
        self._done = done
        self._paths: tuple[str, ...] = ()
        self._process: Process | None = None
        self._waiting: list[Callable[[], None]] = []
        self.under_way = False

    def begin(self, clients: str, adoption: str) -> bool:
        """Ask whoever listens at *adoption*; return False when nobody does."""
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(adoption)
            channel = Channel(sock)
            channel.send({"op": "adopt", "version": VERSION, "keeper": os.getpid()})
        except (OSError, Gone):
            sock.close()
            return False
        self._paths = clients, adoption
        self.under_way = True
        self._keeper.supervisor.daemon.wanted = False
        self._keeper.loop.watch_channel(
            channel, lambda body, fds: self._heard(channel, body, fds), self._gone
        )
        return True

    def holder(self) -> int | None:
        """The pid of the daemon that is waited for, if its note tells."""
        return place.pump_holder(self._keeper.spec["state"]) if self.under_way else None

    def afterwards(self, action: Callable[[], None]) -> None:
        """Do something once it is over; have the daemon go on if it was stopped."""
        self._waiting.append(action)
        self._signal(signal.SIGCONT)

    def give_up(self) -> None:
        """End the daemon that does not hand over, and with it its sessions."""
        self.under_way = self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> bool:
        pid = self.holder()
        if pid is None:
            return False
        try:
            os.kill(pid, number)
        except OSError:
            return False  # just ended: its socket says so as well
        return True

    def _heard(self, channel: Channel, body: Body, fds: list[int]) -> None:
        supervisor = self._keeper.supervisor
        op = body.get("op")
        if self._process is not None:
            supervisor.heard(self._process, body, fds)
        elif op == "adopted":
            supervisor.listeners = [
                place.Listener(path, socket.socket(fileno=fd), inode)
                for path, fd, inode in zip(self._paths, fds, body["inodes"], strict=True)
            ]
        elif op == "sessions":
            for child in children_in(body, fds, ours=False):
                self._keeper.sessions.adopt(child)
        elif op == "handed":
            self._handed(channel, body)
        elif op == "refused":
            self.under_way = False
            self._keeper.yield_to(body)

    def _handed(self, channel: Channel, body: Body) -> None:
        sessions = self._keeper.sessions
        sessions.soft_files = body.get("soft_files", sessions.soft_files)
        try:
            self._process = self._keeper.supervisor.adopt(channel, body)
        except ProcessLookupError:
            return  # dead already; its socket says so next
        self._finish()

    def _gone(self, reason: str) -> None:
        if self._process is not None:
            self._keeper.supervisor.gone(self._process)
        elif self.under_way:
            print(f"the daemon without a keeper is gone: {reason}", file=sys.stderr)  # noqa: T201
            self._finish()

    def _finish(self) -> None:
        self.under_way = False
        self._keeper.supervisor.daemon.wanted = not self._keeper.ending.is_final
        self._done()
        waiting, self._waiting = self._waiting, []
        for action in waiting:
            action()
