"""The daemon's line to the keeper: what it is handed, what it asks for.

When the keeper dies nothing else does: this side holds the same descriptors and hands them
to a successor. Requests that were not answered are asked again.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from holdfast.daemon.record import Held, shown
from holdfast.daemon.reporting import report
from holdfast.daemon.successors import Successors
from holdfast.errors import (
    CommandNotFound,
    CwdMissing,
    HoldfastError,
    Internal,
    IoFailed,
    LimitReached,
    PermissionDenied,
)
from holdfast.keeper.sessions import grouped
from holdfast.keeper.wire import FRAME_LIMIT, VERSION, Body, Channel, Gone, TooLarge

CLIENTS = "hold.sock"
WAITING = "programs that wait to be started while the keeper is busy"
SENT_WITHIN = 1.0  # seconds; a keeper needs a millisecond, those before 0.2 say nothing
SMALLER = "pass less: a file instead of an argument, fewer variables"


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


class KeeperLink:
    """Talk with whichever keeper there is."""

    def __init__(self, loop: asyncio.AbstractEventLoop, spec: dict[str, Any]) -> None:
        self.clients: list[socket.socket] = []
        self.successors = Successors(loop, spec, self._claimed)
        self.restarts = 0
        self.on_exited: Callable[[str, dict[str, Any]], None] = lambda _id, _exit: None
        self.on_handed: Callable[[Handed], None] = lambda _handed: None
        self.on_listening: Callable[[socket.socket], object] = lambda _sock: None
        self.on_settled: Callable[[], object] = lambda: None
        self.on_expected: Callable[[str], object] = lambda _blob: None
        self.on_reader: Callable[[socket.socket, int], object] = lambda sock, _pid: sock.close()
        self.on_unable: Callable[[], object] = lambda: None
        """Told that there will be no reader."""
        self.on_keeper: Callable[[], object] = lambda: None
        self.ready: dict[str, Any] = {}
        self.everything: Callable[[], Iterable[Handed]] = lambda: ()
        self._loop = loop
        self._channel: Channel | None = None
        self._arrived = asyncio.Event()
        self._ask = 0
        self._asks: dict[int, asyncio.Future[bool]] = {}  # signals not known to have been sent
        self._spawns: dict[str, tuple[Body, asyncio.Future[None]]] = {}
        self._clients_inode = 0
        self._keeper_pid = 0
        self._soft_files = 0
        self.leaving = False
        """Whether the system ends the keeper and all programs, as at a shutdown."""
        self.on_leaving: Callable[[], object] = lambda: None
        self.is_ending = False
        """Whether this daemon goes: then the end of its keeper is no news."""

    # -- begin

    def attach(self, channel: Channel) -> None:
        """Listen to this keeper from now on."""
        self._channel = channel
        self._arrived.set()
        self._loop.add_reader(channel.fileno(), self._readable, channel)

    def close(self) -> None:
        """Hear no more: what the keeper says from now on is for the next daemon."""
        self.is_ending = True
        if self._channel is not None:
            self._loop.remove_reader(self._channel.fileno())

    # -- ask

    @property
    def has_keeper(self) -> bool:
        return self._channel is not None

    def nothing_left(self) -> None:
        """Tell the keeper that we end because nobody needs us; it may end as well."""
        self.tell({"op": "idle"})

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

    async def signal(self, body: Body) -> bool:
        """Return True when the keeper has sent a signal, False when it died before it said so."""
        while self._channel is None:
            await self._arrived.wait()
        self._ask += 1
        sent: asyncio.Future[bool] = self._loop.create_future()
        self._asks[self._ask] = sent
        try:
            self.tell({"op": "signal", **body, "ask": self._ask})
            return await asyncio.wait_for(sent, SENT_WITHIN)
        except TimeoutError:
            return True  # it is one of those that do not say it
        finally:
            self._asks = {ask: one for ask, one in self._asks.items() if one is not sent}

    # -- hear

    def _readable(self, channel: Channel) -> None:
        try:
            for body, fds in channel.receive():
                self.heard(body, fds)
                if body.get("op") == "sessions":
                    # The next ones are there by now, but so are clients; first they have a turn.
                    self._loop.call_soon(self._readable, channel)
                    return
        except Gone:
            if channel is self._channel:
                self._lost()

    def heard(self, body: Body, fds: list[int]) -> None:
        """Act on one frame of the keeper."""
        if act := self._table.get(str(body.get("op"))):
            act(body, fds)

    @cached_property
    def _table(self) -> dict[str, Callable[[Body, list[int]], object]]:
        return {
            "take": self._take,
            "sessions": self._take,
            "spawned": lambda body, fds: self._spawned(_handed(body, fds)),
            "failed": lambda body, _: self._failed(body),
            "exited": lambda body, _: self.on_exited(body["id"], body["exit"]),
            "signalled": lambda body, _: self._signalled(body["ask"], sent=True),
            "handed": lambda body, _: self._settled(body),
            "leaving": lambda _body, _: self._leave(),
            "listen": lambda body, fds: self._listen(body["name"], body["inode"], fds[0]),
            "reader": lambda body, fds: self.on_reader(socket.socket(fileno=fds[0]), body["pid"]),
            "unable": lambda _body, _: self.on_unable(),
        }

    def _settled(self, body: Body) -> None:
        for blob in body.get("spawning", ()):
            self.on_expected(blob)
        self.on_settled()

    def _take(self, body: Body, fds: list[int]) -> None:
        # Before anything is done with them: the keeper makes the next frame meanwhile.
        self.tell({"op": "taken"})
        if body["op"] == "take":
            self._take_sockets(body, fds)
        for described in body.get("sessions", ()):
            self.on_handed(_handed(described, fds))

    def _take_sockets(self, body: Body, fds: list[int]) -> None:
        self.restarts = body["restarts"]
        self._keeper_pid = body["keeper"]
        self._soft_files = body["soft_files"]
        if body.get("leaving"):
            self._leave()
        for name, inode, fd in zip(body["names"], body["inodes"], fds, strict=True):
            self._listen(name, inode, fd)

    def _leave(self) -> None:
        self.leaving = True
        self.on_leaving()

    def _listen(self, name: str, inode: int, fd: int) -> None:
        # Some may be from before the socket was deleted: whoever waits there is served too.
        sock = socket.socket(fileno=fd)
        if name == CLIENTS:
            self.clients.append(sock)
            self._clients_inode = inode
            self.on_listening(sock)
        else:
            self.successors.listen_on(sock, inode)

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

    def _signalled(self, ask: int, *, sent: bool) -> None:
        waiting = self._asks.get(ask)
        if waiting is not None and not waiting.done():
            waiting.set_result(sent)

    # -- a keeper that died

    def _lost(self) -> None:
        channel, self._channel = self._channel, None
        self._arrived.clear()
        for ask in self._asks:
            self._signalled(ask, sent=False)
        if channel is None:
            return
        self._loop.remove_reader(channel.fileno())
        self._loop.remove_writer(channel.fileno())
        channel.close()
        if self.is_ending:
            return
        report("the keeper is gone; starting its successor")
        self.successors.start()
        # What it had not handed over yet has ended with it; serve the rest.
        self.on_settled()

    def _claimed(self, channel: Channel, said: Body) -> None:
        if self._channel is not None:
            # It may have died, and we have not read so far.
            self._readable(self._channel)
        if self._channel is None:
            self.successors.has_come()
            self._hand_to(channel, said)
            return
        try:
            channel.send({"op": "refused", "keeper": self._keeper_pid})
        except Gone:
            pass
        channel.close()

    def _hand_to(self, channel: Channel, said: Body) -> None:
        self._keeper_pid = said.get("keeper", 0)
        self.attach(channel)
        try:
            self._describe_all(channel)
        except Gone:
            self._lost()
        else:
            self._write_on(channel)
            self.on_keeper()

    def _describe_all(self, channel: Channel) -> None:
        inodes = [self._clients_inode, self.successors.inode]
        fds = [self.clients[-1].fileno(), self.successors.listeners[-1].fileno()]
        channel.send({"op": "adopted", "version": VERSION, "inodes": inodes}, fds)
        for some in grouped(list(self.everything()), lambda one: one.described()[0]):
            described, all_fds = [], []
            for handed in some:
                body, own = handed.described()
                described.append(body)
                all_fds += own
            channel.send({"op": "sessions", "sessions": described}, all_fds)
        facts = {"pid": os.getpid(), "restarts": self.restarts, "soft_files": self._soft_files}
        channel.send({**self.ready, **facts, "op": "handed"})
        for body, _ in self._spawns.values():
            if "env" in body:  # else it was asked for by the daemon before us
                channel.send({"op": "spawn", **body})

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
