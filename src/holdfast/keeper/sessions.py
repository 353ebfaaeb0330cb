"""The keeper's sessions: spawned, told of, signalled, reaped, remembered, forgotten."""

import json
import os
import resource
import signal
import time
from collections.abc import Callable
from functools import partial

from holdfast.keeper import spawn
from holdfast.keeper.children import Child
from holdfast.keeper.loop import Loop, soonest
from holdfast.keeper.plain import TYPE_CHECKING
from holdfast.keeper.wire import FRAME_LIMIT, Body

if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")

Tell = Callable[[Body, tuple[int, ...]], None]
# In one frame of a hand-over: it takes the daemon 3 ms, and then clients have a turn. At most a
# fifth of what a message carries, for each has four descriptors.
BATCH = 16
BATCH_BYTES = FRAME_LIMIT // 2  # of JSON; a single session may have that much and more


class Sessions:
    """Every child of a session, from fork to forget."""

    def __init__(self, loop: Loop, tell: Tell) -> None:
        self.by_id: dict[str, Child] = {}
        self.spawning: dict[str, spawn.Spawning] = {}
        self._early: dict[int, tuple[int, object]] = {}
        self._loop = loop
        self._tell = tell
        self.soft_files, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    # -- what the daemon asks for

    def spawn(self, body: Body) -> None:
        """Start a program; `spawned` or `failed` is told when exec is over."""
        session = body["id"]
        if session in self.by_id or session in self.spawning:
            return  # asked again by a daemon that did not hear the answer; it will be told
        try:
            spawning = spawn.begin(body, self.soft_files)
        except spawn.SpawnFailed as failed:
            self._tell(_failure(session, failed), ())
            return
        self.spawning[session] = spawning
        self._loop.watch(spawning.errors, lambda: self._spawned(body))

    def _spawned(self, body: Body) -> None:
        session = body["id"]
        spawning = self.spawning.pop(session)
        child = spawning.child
        self._loop.unwatch(spawning.errors)
        try:
            spawn.finish(spawning)
        except spawn.SpawnFailed as failed:
            if self._early.pop(child.pid, None) is None:
                os.waitpid(child.pid, 0)
            child.close()
            self._tell(_failure(session, failed), ())
            return
        if early := self._early.pop(child.pid, None):
            child.reaped(*early)
        self.by_id[session] = child
        self._tell({"op": "spawned", **child.described()}, child.fds)

    def signal(self, body: Body) -> None:
        """Signal a program; what is noted of it comes in the same frame, so it happens once."""
        if child := self.by_id.get(body["id"]):
            child.blob = body.get("blob", child.blob)
            child.signal(int(body["signal"]))
        if "ask" in body:
            self._tell({"op": "signalled", "ask": body["ask"]}, ())

    def kill(self, body: Body) -> None:
        """TERM, and KILL when the grace is over; KILL at once without grace.

        The deadline lies here, so it holds while daemons come and go.
        """
        child = self.by_id.get(body["id"])
        if child is None or child.exit is not None:
            return
        grace = float(body.get("grace", 0))
        if grace > 0:
            child.terminate()
            due = time.monotonic() + grace
            child.kill_at = due if child.kill_at is None else min(child.kill_at, due)
        else:
            child.signal(signal.SIGKILL)

    def forget(self, body: Body) -> None:
        """Close what is held of an ended session: a closing terminal for whoever still has it."""
        child = self.by_id.get(body["id"])
        if child is not None and child.exit is not None:
            del self.by_id[child.id]
            child.close()

    def rewrite(self, body: Body) -> None:
        """Keep another blob with a session."""
        if child := self.by_id.get(body["id"]):
            child.blob = body["blob"]

    # -- what happens by itself

    def reaped(self, pid: int, status: int, usage: object) -> bool:
        """Note the end of a child of ours; False when it is none of the sessions'."""
        for child in self.by_id.values():
            if child.pid == pid and child.ours and child.exit is None:
                child.reaped(status, usage)
                self._tell(_exited(child), ())
                return True
        if any(spawning.child.pid == pid for spawning in self.spawning.values()):
            self._early[pid] = status, usage  # gone before we read that its exec succeeded
            return True
        return False

    def kill_all(self, grace: float) -> None:
        """End every session."""
        for session in list(self.by_id):
            self.kill({"id": session, "grace": grace})

    def kill_rest(self) -> None:
        """KILL whatever still lives, also a child on its way to exec."""
        for child in self.by_id.values():
            child.signal(signal.SIGKILL)
        for spawning in self.spawning.values():
            os.kill(spawning.child.pid, signal.SIGKILL)

    def adopt(self, child: Child) -> None:
        """Hold a child of a keeper that died."""
        self.by_id[child.id] = child
        if child.exit is None and not child.ours and child.pidfd >= 0:
            self._loop.watch(child.pidfd, lambda: self._vanished(child))
            if child.kill_at is not None:
                child.terminate()  # whether the keeper before us had come to it nobody knows

    def _vanished(self, child: Child) -> None:
        self._loop.unwatch(child.pidfd)
        child.vanished()
        self._tell(_exited(child), ())

    def deadline(self) -> float | None:
        children = self.by_id.values()
        return soonest(at for child in children for at in (child.kill_at, child.look_at))

    def tick(self, now: float) -> None:
        """KILL what has used up its grace, and see to those that did not hear."""
        for child in self.by_id.values():
            if child.look_at is not None and now >= child.look_at:
                child.look_again()
            if child.kill_at is not None and now >= child.kill_at:
                child.kill_at = child.look_at = None
                child.signal(signal.SIGKILL)

    # -- handing over

    def batches(self) -> list[Callable[[], tuple[Body, tuple[int, ...]]]]:
        """Frames that describe every session, with its descriptors, each made when it is sent."""
        groups = grouped(list(self.by_id.values()), Child.described)
        return [partial(_batch, few) for few in groups]

    def ended(self) -> list[Body]:
        """What was told, or should have been, of those that have ended."""
        return [_exited(child) for child in self.by_id.values() if child.exit is not None]

    @property
    def expected(self) -> list[str]:
        """The blobs of sessions whose exec is not over."""
        return [spawning.child.blob for spawning in self.spawning.values()]

    @property
    def living(self) -> int:
        return sum(child.exit is None for child in self.by_id.values()) + len(self.spawning)


def grouped(items: "list[T]", described: "Callable[[T], Body]") -> "list[list[T]]":
    """Return *items* in groups of which each fits into one frame of a hand-over."""
    groups: list[list[T]] = []
    size = 0
    for item in items:
        more = len(json.dumps(described(item)))
        if not groups or len(groups[-1]) == BATCH or size + more > BATCH_BYTES:
            groups.append([])
            size = 0
        groups[-1].append(item)
        size += more
    return groups


def children_in(body: Body, fds: list[int], *, ours: bool) -> list[Child]:
    """Return the children that a `sessions` frame describes."""
    found, at = [], 0
    for described in body["sessions"]:
        count = described["count"]
        found.append(Child.taken(described, fds[at : at + count], ours=ours))
        at += count
    return found


def _batch(children: list[Child]) -> tuple[Body, tuple[int, ...]]:
    fds = tuple(fd for child in children for fd in child.fds)
    return {"op": "sessions", "sessions": [child.described() for child in children]}, fds


def _exited(child: Child) -> Body:
    return {"op": "exited", "id": child.id, "exit": child.exit}


def _failure(session: str, failed: spawn.SpawnFailed) -> Body:
    return {"op": "failed", "id": session, "code": failed.code, "detail": failed.detail}
