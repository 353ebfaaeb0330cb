"""Start a program on a new PTY, or say by what name it failed.

fork and an error pipe instead of posix_spawn: a directory on a dead network disk then
hangs the child, never the keeper, and limits, umask and signals are plain code.
"""

import errno
import fcntl
import json
import os
import resource
import signal
import struct
import termios
import time

from holdfast.keeper.children import Child
from holdfast.keeper.plain import TYPE_CHECKING, Plain
from holdfast.keeper.wire import Body

if TYPE_CHECKING:
    from typing import NoReturn

# Descriptors that sessions may not use up: without them no daemon could be started any more.
RESERVED = 32
_LIMIT_ERRORS = {errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOSPC, errno.ENOMEM, errno.E2BIG}
_NO_SUCH = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP}
_DENIED = {errno.EACCES, errno.EPERM, errno.ENOEXEC, errno.EISDIR}


class SpawnFailed(Exception):
    """No program was started; *code* is an error code of Holdfast, *detail* the reason."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Spawning(Plain):
    """A child between fork and exec; *errors* becomes readable when either is over."""

    child: Child
    errors: int


def begin(request: Body, soft_files: int) -> Spawning:
    """Fork a child that will run the request's program; raise SpawnFailed."""
    fds: list[int] = []
    try:
        master, slave = os.openpty()
        fds += [master, slave]
        size = struct.pack("HHHH", request["rows"], request["cols"], 0, 0)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
        # Keeper and daemon share this flag: it belongs to the open file. Nobody clears it,
        # because splice on a blocking master blocks whatever its own flags say.
        os.set_blocking(master, False)
        fds.append(out := _pipe())
        fds.append(inp := _pipe())
        errors, report = os.pipe()
        fds += [errors, report]
        _leave_some(report)
        pid = os.fork()
    except OSError as error:
        _close(fds)
        if error.errno in _LIMIT_ERRORS:
            raise SpawnFailed("LIMIT_REACHED", os.strerror(error.errno or 0)) from error
        raise SpawnFailed("IO_ERROR", str(error)) from error
    if pid == 0:
        _become(request, slave, report, soft_files)
    _close([slave, report])
    pidfd, blob = _watch(pid), request.get("blob", "")
    return Spawning(Child(request["id"], pid, master, out, inp, pidfd, blob, time.time()), errors)


def finish(spawning: Spawning) -> None:
    """Return when exec succeeded; raise SpawnFailed with what the child reported."""
    with os.fdopen(spawning.errors, "rb") as pipe:
        report = pipe.read()
    if report:
        try:
            body = json.loads(report)
        except ValueError:  # killed while it wrote
            raise SpawnFailed("IO_ERROR", "its start was cut off") from None
        raise SpawnFailed(body["code"], body["detail"])


def _become(request: Body, slave: int, report: int, soft_files: int) -> "NoReturn":
    stage = "IO_ERROR"
    try:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for fd in (0, 1, 2):
            os.dup2(slave, fd)
        # A child that hangs before exec (a dead network disk) must not hold the keeper's lock,
        # its sockets or the terminals of others.
        os.closerange(3, report)
        os.closerange(report + 1, os.sysconf("SC_OPEN_MAX"))
        # Python hands down SIGPIPE and SIGXFSZ ignored, and nohup SIGHUP.
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (soft_files, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        )
        os.umask(request["umask"])
        stage = "CWD_MISSING"
        os.chdir(os.fsencode(request["cwd"]))
        stage = "COMMAND_NOT_FOUND"
        argv = [os.fsencode(word) for word in request["argv"]]
        env = {os.fsencode(k): os.fsencode(v) for k, v in request["env"].items()}
        os.execvpe(argv[0], argv, env)
    except OSError as error:
        detail = error.strerror or str(error)
        os.write(report, json.dumps({"code": _code(stage, error), "detail": detail}).encode())
    except BaseException as error:  # noqa: BLE001 - a forked child must never return to the loop
        os.write(report, json.dumps({"code": "INTERNAL", "detail": repr(error)}).encode())
    os._exit(127)


def _code(stage: str, error: OSError) -> str:
    if error.errno in _LIMIT_ERRORS:
        return "LIMIT_REACHED"
    if stage == "CWD_MISSING" or error.errno in _NO_SUCH:
        return stage
    return "PERMISSION_DENIED" if error.errno in _DENIED else "IO_ERROR"


def _pipe() -> int:
    """Return one descriptor that is both ends of a pipe: splice in and out works on it.

    It never sees an end of file, because it is its own writer; that is wanted here.
    """
    reader, writer = os.pipe()
    try:
        return os.open(f"/proc/self/fd/{reader}", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    finally:
        _close([reader, writer])


def _watch(pid: int) -> int:
    """Return a pidfd, or -1 where the system has none.

    It goes to the daemon too: should the keeper die, its successor learns through it of the
    end of a child that is not its own.
    """
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return -1


def _leave_some(newest: int) -> None:
    """Raise EMFILE when *newest*, the lowest number that was free, is near the limit."""
    if newest > resource.getrlimit(resource.RLIMIT_NOFILE)[0] - RESERVED:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def _close(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)
