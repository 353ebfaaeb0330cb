"""Keepers that come after ours: how they find this daemon, and how one is started.

When the keeper dies nothing else does: this side holds the same descriptors and hands them
to the next one, whoever started it.
"""

import asyncio
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from holdfast.daemon.reporting import report
from holdfast.keeper import place
from holdfast.keeper.processes import command
from holdfast.keeper.wire import Body, Channel, Gone

PATIENCE = 1.0  # seconds until another successor is tried

Claim = Callable[[Channel, Body], None]
"""Called with the channel of a keeper that asks for everything, and what it said."""


class Successors:
    """The socket that a keeper without a daemon connects to."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, spec: dict[str, Any], claimed: Claim
    ) -> None:
        self.listeners: list[socket.socket] = []
        self.inode = 0
        self._loop = loop
        self._spec = spec
        self._claimed = claimed
        self._wanted = False
        self._is_looking = False
        self._starters: list[subprocess.Popen[bytes]] = []

    def listen_on(self, sock: socket.socket, inode: int) -> None:
        """Be found there too; the last one is the reachable one."""
        self.listeners.append(sock)
        self.inode = inode
        self._loop.add_reader(sock.fileno(), self._connects, sock)

    # -- one that connects

    def _connects(self, listener: socket.socket) -> None:
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        channel = Channel(sock)
        self._loop.add_reader(sock.fileno(), self._says, channel)

    def _says(self, channel: Channel) -> None:
        """Hear what it is: until then it may be anybody who tries sockets."""
        try:
            said = next(channel.receive(), None)
        except Gone:
            self._loop.remove_reader(channel.fileno())
            channel.close()
            return
        if said is not None:
            self._loop.remove_reader(channel.fileno())
            if said[0].get("op") == "adopt":
                self._claimed(channel, said[0])
            else:
                channel.close()

    # -- one that we start

    def start(self) -> None:
        """Start successors until one has come."""
        self._wanted = True
        try:
            self._be_found()
        except (OSError, place.PlaceRefused) as error:
            report("no successor will find us", level="error", reason=error)
        self._launch()  # whatever became of the one before: its starter may still be ending
        if not self._is_looking:
            self._is_looking = True
            self._loop.call_later(PATIENCE, self._look)

    def has_come(self) -> None:
        """Start no more."""
        self._wanted = False

    def _be_found(self) -> None:
        """Bind the socket anew if it was deleted: nobody else can reach us any more."""
        path = Path(self._spec["runtime"], "daemon.sock")
        known = place.Listener(str(path), self.listeners[-1], self.inode)
        if known.is_reachable():
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = place.listen(str(path))
        self.listen_on(fresh.sock, fresh.inode)

    def _launch(self) -> None:
        argv = command(self._spec, "keeper", "--successor")
        null = subprocess.DEVNULL
        try:
            starter = subprocess.Popen(
                argv, stdin=null, stdout=null, start_new_session=True, cwd="/"
            )
        except OSError as error:
            report("no successor", level="error", reason=error)
        else:
            self._starters.append(starter)

    def _look(self) -> None:
        # Polled, or what started a keeper would stay a zombie.
        self._starters = [starter for starter in self._starters if starter.poll() is None]
        if self._wanted and not self._starters:
            self._launch()
        self._is_looking = self._wanted or bool(self._starters)
        if self._is_looking:
            self._loop.call_later(PATIENCE, self._look)
