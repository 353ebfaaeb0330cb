"""The keeper becomes a newer keeper: same process, same children, same descriptors.

exec is a point of no return, so the new code first reads the state as a child of ours.
The state lies in memory that has a descriptor; argv carries only its number.
"""

import json
import os
import signal
import socket
import time

from holdfast.keeper import place
from holdfast.keeper.children import Child
from holdfast.keeper.plain import TYPE_CHECKING, Any, Plain
from holdfast.keeper.processes import SIGNALS, command, start_check
from holdfast.keeper.service import Process, Service
from holdfast.keeper.wire import Body, Channel

if TYPE_CHECKING:
    from holdfast.keeper.keeper import Keeper

CHECK_TIMEOUT = 5.0  # seconds; it is 30 ms of imports
QUIET_TIMEOUT = 5.0  # seconds to wait for a moment without half a frame anywhere
ROW = ("restarts", "failures", "reason", "wanted", "unable")
PROCESS = tuple(name for name in Process.__annotations__ if name != "channel")


class _Pending(Plain):
    channel: Channel
    spec: dict[str, Any]
    give_up: float


class Reexec:
    """At most one re-exec that waits for a quiet moment."""

    def __init__(self, keeper: "Keeper") -> None:
        self._keeper = keeper
        self._pending: _Pending | None = None

    @property
    def under_way(self) -> bool:
        return self._pending is not None

    def deadline(self) -> float | None:
        return self._pending.give_up if self._pending else None

    def begin(self, channel: Channel, spec: dict[str, Any]) -> None:
        """Check the new code, then exec it at the next quiet moment."""
        try:
            reason = _check(self._keeper, spec)
        except OSError as error:
            reason = str(error)
        if not reason and self._pending is None:
            self._pending = _Pending(channel, spec, time.monotonic() + QUIET_TIMEOUT)
        else:
            self._refuse(channel, reason or "a re-exec is under way already")

    def tick(self, now: float) -> None:
        """Exec if one is pending and nothing is in flight."""
        pending, self._pending = self._pending, None
        if pending is None or pending.channel.fileno() < 0:
            return  # or whoever asked has gone
        if now >= pending.give_up:
            self._refuse(pending.channel, "no quiet moment")
        elif self._keeper.is_busy or not self._keeper.supervisor.is_quiet:
            self._pending = pending
        else:
            try:
                _exec(self._keeper, pending)
            except OSError as error:
                self._refuse(pending.channel, str(error))

    def _refuse(self, channel: Channel, reason: str) -> None:
        self._keeper.answer(channel, {"ok": False, "reason": reason})


def revive(
    kind: "type[Keeper]", spec: dict[str, Any], fd: int, *, checking: bool
) -> "Keeper | None":
    """Return the keeper that the state in *fd* describes; None when only checking."""
    state = json.loads(os.pread(fd, os.fstat(fd).st_size, 0))
    os.close(fd)
    if checking:
        return None
    for number in state["fds"]:
        # First of all: one that leaks into a child would keep its PTY open for ever.
        os.set_inheritable(number, False)
    keeper = kind(spec, state["lock"])
    keeper.started = state["started"]
    keeper.sessions.soft_files = state["soft_files"]
    keeper.supervisor.listeners = [_listener(one) for one in state["listeners"]]
    keeper.control = _listener(state["control"])
    keeper.resume()
    for described in state["sessions"]:
        keeper.sessions.adopt(Child.taken(described, described["at"], ours=described["ours"]))
    for name, row in state["services"].items():
        _revive_service(keeper, keeper.supervisor.services[name], row)
    keeper.reap()  # SIGCHLD may have come between the two keepers
    channel = Channel(socket.socket(fileno=state["reply"]))
    keeper.converse(channel)
    keeper.answer(channel, {"ok": True, "pid": os.getpid()})
    return keeper


def _check(keeper: "Keeper", spec: dict[str, Any]) -> str:
    fd = _written(keeper, spec, reply=0)
    os.set_inheritable(fd, True)
    try:
        pid, reader = start_check(spec, "keeper", str(fd))
    finally:
        os.close(fd)
    with os.fdopen(reader, errors="replace") as pipe:
        give_up = time.monotonic() + CHECK_TIMEOUT
        while True:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                said = pipe.read(4000).strip() if status else ""
                return (said or f"exit {status}") if status else ""
            if time.monotonic() > give_up:
                os.kill(pid, 9)
                os.waitpid(pid, 0)
                return f"its check took more than {CHECK_TIMEOUT:g} s"
            time.sleep(0.005)


def _exec(keeper: "Keeper", pending: _Pending) -> None:
    reply = pending.channel.fileno()
    fd = _written(keeper, pending.spec, reply)
    kept = [fd, *_described(keeper, reply)["fds"]]
    argv = command(pending.spec, "keeper", "--state", str(fd))
    try:
        for number in kept:
            os.set_inheritable(number, True)
        # exec takes the handlers away: a signal that comes before the new ones would kill.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        os.execv(argv[0], argv)
    finally:  # only reached when it failed
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        for number in kept:
            os.set_inheritable(number, False)
        os.close(fd)


def _written(keeper: "Keeper", spec: dict[str, Any], reply: int) -> int:
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("keeper.state")  # needs no room on a disk
    else:
        path = os.path.join(spec["state"], f"keeper.state-{os.getpid()}")
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        os.unlink(path)
    data = json.dumps(_described(keeper, reply)).encode()
    while data:
        data = data[os.write(fd, data) :]
    return fd


def _described(keeper: "Keeper", reply: int) -> Body:
    assert keeper.control is not None
    listeners = [_placed(one) for one in keeper.supervisor.listeners]
    children = [
        {**child.described(), "at": child.fds, "ours": child.ours}
        for child in keeper.sessions.by_id.values()
    ]
    services = {name: _row(one) for name, one in keeper.supervisor.services.items()}
    control = _placed(keeper.control)
    fds = [keeper.lock, control["fd"], *(one["fd"] for one in listeners)]
    fds += [fd for child in keeper.sessions.by_id.values() for fd in child.fds]
    for process in keeper.supervisor.processes:
        fds += [fd for fd in (process.channel.fileno(), process.pidfd) if fd >= 0]
    return {
        "lock": keeper.lock,
        "started": keeper.started,
        "soft_files": keeper.sessions.soft_files,
        "listeners": listeners,
        "control": control,
        "sessions": children,
        "services": services,
        "reply": reply,
        "fds": [*fds, reply],
    }


def _placed(listener: place.Listener) -> Body:
    return {"path": listener.path, "fd": listener.sock.fileno(), "inode": listener.inode}


def _listener(described: Body) -> place.Listener:
    sock = socket.socket(fileno=described["fd"])
    return place.Listener(described["path"], sock, described["inode"])


def _row(service: Service) -> Body:
    row: Body = {name: getattr(service, name) for name in ROW}
    for name, process in (("active", service.active), ("spare", service.spare)):
        row[name] = None
        if process is not None:
            facts = {fact: getattr(process, fact) for fact in PROCESS}
            row[name] = {**facts, "fd": process.channel.fileno()}
    return row


def _revive_service(keeper: "Keeper", service: Service, row: Body) -> None:
    for name in ROW:
        setattr(service, name, row.get(name, getattr(service, name)))  # an older keeper has fewer
    for name in ("active", "spare"):
        if row[name] is not None:
            fields = dict(row[name])
            channel = Channel(socket.socket(fileno=fields.pop("fd")))
            process = Process(channel=channel, **fields)
            setattr(service, name, process)
            keeper.supervisor.watch(process)
