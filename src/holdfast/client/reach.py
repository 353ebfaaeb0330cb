"""Reach the daemon: connect, start it when nothing listens, and learn why it is silent."""

import os
import socket
import struct
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from holdfast.config.paths import Paths
from holdfast.config.peers import UNKNOWN, peer_uid
from holdfast.config.token import read_token
from holdfast.errors import DaemonUnreachable, HoldfastError, NotConnected, PermissionDenied
from holdfast.protocol.messages import Hello
from holdfast.protocol.state import HANDSHAKE_TIMEOUT

CONNECT_TIMEOUT = 5  # seconds a full backlog may hold us: the daemon behind it is busy or new
PATIENCE = 1.0  # seconds for what was just started to listen, and for the keeper to answer
PAUSE = 0.01
STARTS = 3  # tries; the second finds the place that a keeper was leaving free
RESTART = "`hold daemon restart` replaces it; no session is lost"
LOOK = "`hold daemon status` shows the rest; `hold daemon restart` tries again at once"


class Reach(NamedTuple):
    """Whom to reach, as whom, and whether it may be started."""

    paths: Paths
    environ: Mapping[str, str]
    hello: Hello
    autostart: bool
    restarts: bool = False
    """Whether it is started even if somebody has stopped it on purpose meanwhile."""

    def open(self, *, again: bool) -> tuple[socket.socket, str]:
        """Return a connected socket and the token to say with the hello.

        *Again* is after a connection was lost. Then sockets that are gone mean that somebody
        has stopped Holdfast on purpose.
        """
        # Read each time: a client may outlive the token that it began with.
        token = read_token(self.paths.token, os.getuid())
        is_stopped = again and not self.paths.socket.exists()
        return self._socket(may_start=self.autostart and (self.restarts or not is_stopped)), token

    def hopeless(self) -> HoldfastError | None:
        """Return why no daemon will greet us while we wait, as its keeper sees it."""
        daemon = self._seen_by_keeper()
        return self._silent(daemon) if _is_hopeless(daemon) else None

    def silent(self) -> HoldfastError:
        """Return the error that says why a daemon does not greet us, as its keeper sees it."""
        return self._silent(self._seen_by_keeper())

    # -- the socket

    def _socket(self, *, may_start: bool) -> socket.socket:
        path = str(self.paths.socket)
        try:
            sock = self._connected_or_started(path, may_start=may_start)
        except PermissionError as error:
            raise PermissionDenied(action=f"connecting to {path}") from error
        except OSError as error:
            raise self.unreachable(error.strerror or str(error)) from error
        distrust_strangers(sock, path)
        return sock

    def _connected_or_started(self, path: str, *, may_start: bool) -> socket.socket:
        try:
            return open_socket(path)
        except (FileNotFoundError, ConnectionRefusedError):
            if not may_start:
                raise
        for left in reversed(range(STARTS)):
            self._start()
            try:
                return _opened(path)
            except (FileNotFoundError, ConnectionRefusedError):
                # It found a keeper that was just ending, because nobody seemed to need it.
                if not left:
                    raise
        raise AssertionError("unreachable")

    def _start(self) -> None:
        from holdfast.keeper import launch  # noqa: PLC0415 - most calls start nothing

        self.paths.prepare(os.getuid())
        try:
            launch.start(launch.spec(self.paths, self.environ))
        except launch.StartFailed as error:
            raise self.unreachable(str(error)) from error

    def unreachable(self, reason: str, fix: str = "") -> DaemonUnreachable:
        """Return the error that says why no daemon could be reached."""
        error = DaemonUnreachable(path=str(self.paths.socket), reason=reason)
        return error.said(error.what, fix or error.fix)

    # -- the keeper's view

    def _seen_by_keeper(self) -> dict[str, Any]:
        """Return what the keeper says about the daemon; empty when it says nothing."""
        from holdfast.keeper.ask import Gone, ask  # noqa: PLC0415 - json, only for bad days

        try:
            status = ask(str(self.paths.keeper_socket), {"op": "status"}, PATIENCE)
        except (OSError, Gone):
            return {}
        daemon = status.get("daemon")
        return daemon if isinstance(daemon, dict) else {}

    def _silent(self, daemon: dict[str, Any]) -> HoldfastError:
        if not daemon:
            return self.unreachable("neither the daemon nor its keeper answers", RESTART)
        reason = daemon.get("reason")
        if daemon.get("state") == "running" or not reason:
            return self.unreachable(f"the daemon (pid {daemon.get('pid')}) is silent", RESTART)
        return self.unreachable(f"the daemon does not start: {reason}", LOOK)


def open_socket(path: str) -> socket.socket:
    """Return a connected socket; raise OSError.

    A non-blocking connect would fail at once when the backlog is full, so this one blocks,
    with the kernel's own time limit.
    """
    sock = socket.socket(socket.AF_UNIX)
    try:
        limit = struct.pack("@ll", CONNECT_TIMEOUT, 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        sock.connect(path)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


def _opened(path: str) -> socket.socket:
    """Connect to what was just started, or has just been asked to look after its sockets."""
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            return open_socket(path)
        except (FileNotFoundError, ConnectionRefusedError):
            if time.monotonic() > give_up:
                raise
        time.sleep(PAUSE)


def _is_hopeless(daemon: dict[str, Any]) -> bool:
    """Whether no daemon will come up while we wait."""
    next_try = daemon.get("next_try")
    if daemon.get("state") != "waiting" or not isinstance(next_try, int | float):
        return False
    return next_try > HANDSHAKE_TIMEOUT - PATIENCE


def distrust_strangers(sock: socket.socket, path: str) -> None:
    # Our environment, with its secrets, goes through this socket.
    uid = peer_uid(sock)
    if uid is None or uid == os.getuid():
        return
    sock.close()
    if uid == UNKNOWN:
        raise NotConnected(reason="the system does not say who listens; most likely it has gone")
    remedy = "set HOLDFAST_HOME to a place of your own"
    raise PermissionDenied(action=f"using {path}, where user {uid} listens", remedy=remedy)
