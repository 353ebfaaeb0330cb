"""The sessions' processes: what is held of each, how they end, how they are signalled."""

import fcntl
import os
import signal
import struct
import time

from holdfast.keeper.plain import Plain
from holdfast.keeper.wire import Body

_GET_INFO = 0xC040FF0B  # PIDFD_GET_INFO for the 64-byte struct pidfd_info
_INFO_EXIT = 1 << 3
_INFO = struct.Struct("=QQ11Ii")
_LOOK_AGAIN = 0.3  # seconds until we look whether one that was asked to end is a shell; doubles
_TOLD = ("id", "pid", "blob", "started", "exit", "kill_at")  # beside the descriptors
_EXIT_CODE = 48  # of the fields after the state in /proc/PID/stat: 52 of proc(5)


class Child(Plain):
    """One session's program and the descriptors that keep it alive."""

    id: str
    pid: int
    master: int
    out: int
    inp: int
    pidfd: int
    blob: str
    started: float
    ours: bool = True
    """Whether waitpid works; not for children taken over from a keeper that died."""
    exit: Body | None = None
    kill_at: float | None = None
    look_at: float | None = None
    """When to see whether the one that was asked to end turned out to be a shell."""
    patience: float = _LOOK_AGAIN

    @property
    def fds(self) -> tuple[int, ...]:
        """In the order in which they are handed over; the pidfd only where there is one."""
        all_four = (self.master, self.out, self.inp, self.pidfd)
        return tuple(fd for fd in all_four if fd >= 0)

    def described(self) -> Body:
        """What the daemon, a successor or a re-executed keeper is told; fds go beside it."""
        return {"count": len(self.fds), **{name: getattr(self, name) for name in _TOLD}}

    @classmethod
    def taken(cls, body: Body, fds: list[int], *, ours: bool) -> "Child":
        """The child that `described` described."""
        master, out, inp, pidfd = fds if len(fds) == 4 else [*fds, -1]
        told: Body = {name: body.get(name) for name in _TOLD}
        return cls(master=master, out=out, inp=inp, pidfd=pidfd, ours=ours, **told)

    def reaped(self, status: int, usage: object) -> None:
        """Note the end that waitpid reported."""
        self.kill_at = self.look_at = None
        self.exit = {"status": status, "maxrss_kib": getattr(usage, "ru_maxrss", None)}

    def vanished(self) -> None:
        """Note the end of a child that is not ours, with its exit code if the kernel tells."""
        self.kill_at = self.look_at = None
        self.exit = {"status": status_of(self.pidfd, self.pid), "maxrss_kib": None}

    def signal(self, number: int) -> None:
        """Signal the process group. Safe while the leader was not reaped: its id is taken."""
        if self.exit is None:
            _signal_group(self.pid, number)

    def terminate(self) -> None:
        """Ask the group to end, in the way its leader listens to."""
        is_shell = _has(self.pid, "SigIgn:", signal.SIGTERM)  # as it is before it does something
        # One that catches TERM and ignores it from then on is at its own clearing up.
        if self.look_at is None and not _has(self.pid, "SigCgt:", signal.SIGTERM):
            self.look_at = time.monotonic() + self.patience
        self.signal(signal.SIGTERM)
        if is_shell:
            self._hang_up()
        self.signal(signal.SIGCONT)

    def look_again(self) -> None:
        """Hang up on a shell that heard nothing.

        It ignores TERM, but not while it starts and while it forks; and a hang-up that comes
        just before it waits, for a key or for a job, is noted by it and forgotten.
        """
        self.patience *= 2
        self.look_at = time.monotonic() + self.patience
        if _has(self.pid, "SigIgn:", signal.SIGTERM):
            self._hang_up()

    def _hang_up(self) -> None:
        # What a closing terminal sends to an interactive shell, which ignores TERM, and to the
        # job in the foreground, for which it may just have begun to wait.
        self.signal(signal.SIGHUP)
        self._hang_up_foreground()

    def _hang_up_foreground(self) -> None:
        try:
            group = os.tcgetpgrp(self.master)
            # The number may have been given away meanwhile; to one of this session it was not.
            if self.exit is None and group != self.pid and os.getsid(group) == self.pid:
                _signal_group(group, signal.SIGHUP)
        except OSError:
            pass  # nobody is in the foreground any more

    def close(self) -> None:
        for fd in self.fds:
            os.close(fd)
        self.master = self.out = self.inp = self.pidfd = -1


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass  # it is a zombie that the next SIGCHLD reports
    except PermissionError:
        pass  # a setuid program (sudo): it hears the terminal closing, and nothing else


def _has(pid: int, mask: str, number: int) -> bool:
    # Never asked of what it blocks: a shell does that for the moment of a fork, a server that
    # waits for signals for ever, and HUP would end both before they have done what TERM asks.
    return any(int(bits, 16) >> (number - 1) & 1 for bits in _facts(pid, mask))


def is_stopped(pid: int) -> bool:
    """Whether a process was stopped by a signal; False where the system does not tell."""
    return _facts(pid, "State:") == ["T"]


def _facts(pid: int, *names: str) -> list[str]:
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            return [line.split()[1] for line in status if line.startswith(names)]
    except OSError:
        return []


def status_of(pidfd: int, pid: int) -> int | None:
    """Return the wait status of an ended process that somebody else reaps, if known.

    The pidfd tells once it was reaped, its zombie does until then; the second look at the
    pidfd is for one that was reaped in between.
    """
    for look in (_told_by_pidfd, _told_by_zombie, _told_by_pidfd):
        status = look(pidfd, pid)
        if status is not None:
            return status
    return None


def _told_by_pidfd(pidfd: int, _pid: int) -> int | None:
    info = bytearray(_INFO.pack(_INFO_EXIT, *[0] * 13))
    try:
        fcntl.ioctl(pidfd, _GET_INFO, info)
    except OSError:
        return None  # an older kernel, or no pidfd
    mask, *_, status = _INFO.unpack(info)
    return status if mask & _INFO_EXIT else None


def _told_by_zombie(_pidfd: int, pid: int) -> int | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            state, *fields = file.read().rpartition(b") ")[2].split()
    except OSError:
        return None
    return int(fields[_EXIT_CODE]) if state == b"Z" else None
