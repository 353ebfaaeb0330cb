"""The daemon's line to the keeper: what it is handed, what it asks for.

When the keeper dies nothing else does: this side holds the same descriptors, starts a
successor and hands them to it. Requests that were not answered are asked again.
"""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from holdfast.daemon.record import Held, shown
from holdfast.errors import (
    CommandNotFound,
    CwdMissing,
    HoldfastError,
    Internal,
    IoFailed,
    LimitReached,
    PermissionDenied,
)
from holdfast.keeper import launch
from holdfast.keeper.sessions import grouped
from holdfast.keeper.wire import FRAME_LIMIT, VERSION, Body, Channel, Gone, TooLarge

WAITING = "programs that wait to be started while the keeper is busy"
SMALLER = "pass less: a file instead of an argument, fewer variables"
SUCCESSOR_PATIENCE = 3.0  # seconds until another successor is tried


@dataclass
class Handed:
    """One session as the keeper described it."""

    id: str
    blob: str
    held: Held
    exit: dict[str, Any] | None
    kill_at: float | None

    def described(self) -> tuple[Body, list[int]]:
        """The same for a successor."""
        held = self.held
        fds = [held.master, held.out, held.inp, *([held.pidfd] if held.pidfd >= 0 else [])]
        facts = {"id": self.id, "pid": held.pid, "blob": self.blob, "started": held.started}
        return {**facts, "exit": self.exit, "kill_at": self.kill_at, "count": len(fds)}, fds


@dataclass
class Listeners:
    """The sockets that clients and successors connect to."""

    clients: list[socket.socket] = field(default_factory=list)
    adoption: list[socket.socket] = field(default_factory=list)
    inodes: list[int] = field(default_factory=list)


class KeeperLink:
    """Talk with whichever keeper there is."""

    def __init__(self, loop: asyncio.AbstractEventLoop, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.listeners = Listeners()
        self.restarts = 0
        self.on_exited: Callable[[str, dict[str, Any]], None] = lambda _id, _exit: None
        self.on_handed: Callable[[Handed], None] = lambda _handed: None
        self.on_listening: Callable[[socket.socket], object] = lambda _sock: None
        self.on_settled: Callable[[], object] = lambda: None
        self.on_expected: Callable[[str], object] = lambda _blob: None
        self.ready: dict[str, Any] = {}
        self.everything: Callable[[], Iterable[Handed]] = lambda: ()
        self._loop = loop
        self._channel: Channel | None = None
        self._spawns: dict[str, tuple[Body, asyncio.Future[None]]] = {}
        self._successor: subprocess.Popen[bytes] | None = None

    # -- begin

    def attach(self, channel: Channel) -> None:
        """Listen to this keeper from now on."""
        self._channel = channel
        self._loop.add_reader(channel.fileno(), self._readable, channel)

    def adopt_from(self, sock: socket.socket) -> None:
        """Be found by keepers that come after ours."""
        self.listeners.adoption.append(sock)
        self._loop.add_reader(sock.fileno(), self._successor_connects, sock)

    # -- ask

    def spawn(self, body: Body) -> "asyncio.Future[None]":
        """Ask for a program; it is handed over before the future is done, or has the error."""
        if self._channel is not None and not self._channel.has_room:
            raise LimitReached(resource=WAITING, limit=1, remedy="try again in a moment")
        future = self.expect(body)
        try:
            self.tell({"op": "spawn", **body})
        except TooLarge as error:
            del self._spawns[body["id"]]
            raise LimitReached(
                resource="bytes of arguments and environment", limit=FRAME_LIMIT, remedy=SMALLER
            ) from error
        return future

    def expect(self, body: Body) -> "asyncio.Future[None]":
        """Wait for a program that was asked for, perhaps by the daemon before us."""
        future: asyncio.Future[None] = self._loop.create_future()
        self._spawns[body["id"]] = body, future
        return future

    def tell(self, body: Body) -> None:
        """Tell the keeper; while there is none, its successor learns all from us."""
        if self._channel is None:
            return
        try:
            self._channel.send(body)
            self._write_on(self._channel)
        except Gone:
            self._lost()

    # -- hear

    def _readable(self, channel: Channel) -> None:
        try:
            for body, fds in channel.receive():
                self.heard(body, fds)
        except Gone:
            if channel is self._channel:
                self._lost()

    def heard(self, body: Body, fds: list[int]) -> None:
        """Act on one frame of the keeper."""
        op = body.get("op")
        if op == "take":
            self.restarts = body["restarts"]
            self._take_listeners(body, fds)
            self.tell({"op": "taken"})
        elif op == "sessions":
            for described in body["sessions"]:
                self.on_handed(_handed(described, fds))
            self.tell({"op": "taken"})
        elif op == "spawned":
            self._spawned(_handed(body, fds))
        elif op == "failed":
            self._failed(body)
        elif op == "exited":
            self.on_exited(body["id"], body["exit"])
        elif op == "handed":
            for blob in body.get("spawning", ()):
                self.on_expected(blob)
            self.on_settled()
        elif op == "listen":
            self._listen(body, fds)

    def _take_listeners(self, body: Body, fds: list[int]) -> None:
        # Two for each time the sockets were bound; the last two are the reachable ones.
        for at, fd in enumerate(fds):
            sock = socket.socket(fileno=fd)
            if at % 2 == 0:
                self._take_client_listener(sock)
            else:
                self.adopt_from(sock)
        self.listeners.inodes = body["inodes"][-2:]

    def _take_client_listener(self, sock: socket.socket) -> None:
        self.listeners.clients.append(sock)
        self.on_listening(sock)

    def _listen(self, body: Body, fds: list[int]) -> None:
        sock = socket.socket(fileno=fds[0])
        if body["name"] == "hold.sock":
            self.listeners.inodes[0] = body["inode"]
            self._take_client_listener(sock)
        else:
            self.listeners.inodes[1] = body["inode"]
            self.adopt_from(sock)

    def _spawned(self, handed: Handed) -> None:
        _, future = self._spawns.pop(handed.id, (None, None))
        try:
            # At once: the next frame may say that it has ended already.
            self.on_handed(handed)
        except HoldfastError as error:
            if future is not None and not future.done():
                future.set_exception(error)
        else:
            if future is not None and not future.done():
                future.set_result(None)

    def _failed(self, body: Body) -> None:
        waiting = self._spawns.pop(body["id"], None)
        if waiting is not None and not waiting[1].done():
            waiting[1].set_exception(_error(body, waiting[0]))

    # -- a keeper that died

    def _lost(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            self._loop.remove_reader(channel.fileno())
            self._loop.remove_writer(channel.fileno())
            channel.close()
            print("the keeper is gone; starting its successor", file=sys.stderr, flush=True)  # noqa: T201
            self._start_successor()

    def _start_successor(self) -> None:
        if self._channel is not None:
            return
        if self._successor is None or self._successor.poll() is not None:
            argv = launch.command(self.spec, "keeper")
            null = subprocess.DEVNULL
            try:
                self._successor = subprocess.Popen(
                    argv, stdin=null, stdout=null, start_new_session=True, cwd="/"
                )
            except OSError as error:
                print(f"no successor: {error}", file=sys.stderr, flush=True)  # noqa: T201
        self._loop.call_later(SUCCESSOR_PATIENCE, self._start_successor)

    def _successor_connects(self, listener: socket.socket) -> None:
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        channel = Channel(sock)
        if self._channel is not None:
            channel.close()  # we have a keeper; there can be only one
            return
        self.attach(channel)
        listeners = self.listeners
        fds = [listeners.clients[-1].fileno(), listeners.adoption[-1].fileno()]
        channel.send({"op": "adopted", "version": VERSION, "inodes": listeners.inodes}, fds)
        for some in grouped(list(self.everything()), lambda one: one.described()[0]):
            described, all_fds = [], []
            for handed in some:
                body, own = handed.described()
                described.append(body)
                all_fds += own
            channel.send({"op": "sessions", "sessions": described}, all_fds)
        facts = {"pid": os.getpid(), "restarts": self.restarts, **self.ready}
        channel.send({**facts, "op": "handed"})
        for body, _ in self._spawns.values():
            if "env" in body:  # else it was asked for by the daemon before us
                channel.send({"op": "spawn", **body})
        self._write_on(channel)

    def _write_on(self, channel: Channel) -> None:
        if channel.wants_to_write:
            self._loop.add_writer(channel.fileno(), self._writable, channel)

    def _writable(self, channel: Channel) -> None:
        try:
            channel.flush()
        except Gone:
            self._lost()
            return
        if not channel.wants_to_write:
            self._loop.remove_writer(channel.fileno())


def _handed(described: Body, fds: list[int]) -> Handed:
    own = [fds.pop(0) for _ in range(described["count"])]
    master, out, inp, *pidfd = own
    held = Held(
        pid=described["pid"],
        master=master,
        out=out,
        inp=inp,
        pidfd=pidfd[0] if pidfd else -1,
        started=described["started"],
    )
    exit_, kill_at = described.get("exit"), described.get("kill_at")
    return Handed(described["id"], described["blob"], held, exit_, kill_at)


def _error(failed: Body, asked: Body) -> HoldfastError:
    """Return the error that the keeper's code and detail stand for."""
    code, detail = failed["code"], failed["detail"]
    command = shown(asked["argv"][0])
    if code == "COMMAND_NOT_FOUND":
        return CommandNotFound(command=command)
    if code == "CWD_MISSING":
        return CwdMissing(path=shown(asked["cwd"]), reason=detail)
    if code == "PERMISSION_DENIED":
        return PermissionDenied(action=f"running {command!r}: {detail}")
    if code == "LIMIT_REACHED":
        error = LimitReached(resource=detail, limit=0)
        what = f"{command!r} could not be started: {detail}"
        return error.said(what, "end what is no longer needed, or raise the limit (ulimit -a)")
    if code == "IO_ERROR":
        return IoFailed(action=f"starting {command!r}", reason=detail)
    return Internal(summary=detail)
