"""Another daemon in place of the living one, without a gap, and only if it works.

First the new one checks itself (imports, config); then it is started as the spare; only
when that has imported everything is the old one ended. A new daemon that cannot start
changes nothing but the answer.
"""

import os
import signal
import time
from collections.abc import Callable

from holdfast.keeper.plain import Any, Plain
from holdfast.keeper.processes import start_check
from holdfast.keeper.service import Process
from holdfast.keeper.supervisor import Supervisor
from holdfast.keeper.wire import Body

TIMEOUT = 15.0  # seconds for the whole of it; imports on a busy machine take one
REASON_LIMIT = 4000  # bytes kept of what a failing check prints


class _Attempt(Plain):
    spec: dict[str, Any]
    previous: dict[str, Any]
    reply: Callable[[Body], None]
    check_pid: int
    output: int
    deadline: float
    spare: Process | None = None
    ended_old: bool = False


class Upgrade:
    """At most one restart of the daemon at a time."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._attempt: _Attempt | None = None

    @property
    def under_way(self) -> bool:
        return self._attempt is not None

    def deadline(self) -> float | None:
        return self._attempt.deadline if self._attempt else None

    def begin(self, spec: dict[str, Any], reply: Callable[[Body], None]) -> None:
        """Start with the check; *reply* is called once, with how it went."""
        if self._attempt is not None:
            reply({"ok": False, "reason": "a restart is under way already"})
            return
        pid, reader = start_check(spec, "daemon")
        os.set_blocking(reader, False)
        now = time.monotonic()
        previous = self._supervisor.spec
        self._attempt = _Attempt(spec, previous, reply, pid, reader, now + TIMEOUT)

    def reaped(self, pid: int, status: int) -> bool:
        """Go on when the check has ended; False when it was somebody else."""
        attempt = self._attempt
        if attempt is None or attempt.check_pid != pid:
            return False
        said = _read(attempt.output)
        attempt.check_pid = 0
        if status:
            self._fail(said or f"the check ended with {os.waitstatus_to_exitcode(status)}")
            return True
        self._supervisor.spec = attempt.spec
        try:
            attempt.spare = self._supervisor.replace_spare(time.monotonic())
        except OSError as error:
            self._fail(str(error))
        return True

    def tick(self, now: float) -> None:
        """End the old daemon when the new one is loaded; answer when it serves."""
        attempt, service = self._attempt, self._supervisor.daemon
        if attempt is None:
            return
        if now >= attempt.deadline:
            self._give_up(attempt, now)
            self._fail(f"it did not get ready within {TIMEOUT:g} s")
        elif attempt.spare is None:
            return
        elif attempt.spare is service.active:
            if attempt.spare.ready_at is not None:
                self._supervisor.renew_reader(now)
                self._done({"ok": True, "pid": attempt.spare.pid})
        elif attempt.spare is not service.spare:
            self._fail(service.reason)
        elif attempt.spare.imported and not attempt.ended_old:
            attempt.ended_old = True
            if service.active is not None:
                self._supervisor.end(service.active, now)
            else:
                service.failures, service.next_try = 0, now
                self._supervisor.tick(now)

    def _give_up(self, attempt: _Attempt, now: float) -> None:
        """End what hangs; the spec of before is the one that is started then."""
        supervisor = self._supervisor
        if attempt.check_pid:
            os.kill(attempt.check_pid, signal.SIGKILL)
        elif attempt.spare is supervisor.daemon.spare:
            supervisor.drop_spare()
        elif attempt.spare is not None and attempt.spare is supervisor.daemon.active:
            supervisor.end(attempt.spare, now)

    def _fail(self, reason: str) -> None:
        assert self._attempt is not None
        self._supervisor.spec = self._attempt.previous
        self._done({"ok": False, "reason": reason})

    def _done(self, body: Body) -> None:
        attempt, self._attempt = self._attempt, None
        assert attempt is not None
        os.close(attempt.output)
        attempt.reply(body)


def _read(fd: int) -> str:
    try:
        return os.read(fd, REASON_LIMIT).decode(errors="replace").strip()
    except BlockingIOError:
        return ""
