"""The keeper's place in the file system: its lock, its sockets, its log.

The caller has made the directories and checked that they are private.
"""

import errno
import fcntl
import json
import os
import signal
import socket
import stat

from holdfast.keeper.plain import Plain

BACKLOG = 4096  # connects that wait while no daemon runs; a full backlog fails them oddly
PUMP_LOCK = "pump.lock"  # beside the logs: who holds it may write to them
LOG_LIMIT = 5 << 20  # bytes of a program log before it is rotated; two older ones are kept


class PlaceTaken(Exception):
    """Another keeper of this user lives."""


class PlaceRefused(Exception):
    """Something is in the way that must not be touched; the text says what to do."""


def lock(path: str, runtime: str) -> int:
    """Return the descriptor whose lock makes this process the keeper; raise PlaceTaken."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        note = os.pread(fd, 4096, 0)
        os.close(fd)
        raise PlaceTaken(note.decode(errors="replace")) from None
    owner = {"pid": os.getpid(), "host": socket.gethostname(), "runtime": runtime}
    os.ftruncate(fd, 0)
    os.pwrite(fd, json.dumps(owner).encode(), 0)
    return fd


def nudge(note: str) -> None:
    """Ask the living keeper to look after its sockets: one may have been deleted."""
    try:
        owner = json.loads(note)
        if owner["host"] == socket.gethostname():
            nudge_pid(int(owner["pid"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        pass  # it is just writing its note; the caller tries again anyway


def nudge_pid(pid: int) -> None:
    """The same, when its pid is known."""
    try:
        if _is_keeper(pid):
            os.kill(pid, signal.SIGHUP)
    except OSError:
        pass  # just ended


def _is_keeper(pid: int) -> bool:
    """Whether a note still tells the truth.

    One that a killed keeper left is read by whoever comes between its successor's lock and
    its successor's note; by then the pid may be an innocent program's.
    """
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return b"keeper/__main__.py" in file.read()
    except FileNotFoundError:
        return not os.path.exists("/proc/self")  # a system without /proc cannot tell


def pump_holder(state: str) -> int | None:
    """Return the pid of the daemon that holds the pump's lock, whoever started it."""
    try:
        fd = os.open(os.path.join(state, PUMP_LOCK), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        note = os.pread(fd, 100, 0).removeprefix(b"pid ")
        return int(note) if note.isdigit() else None
    else:
        return None
    finally:
        os.close(fd)


class Listener(Plain):
    """A listening socket and the file that leads to it."""

    path: str
    sock: socket.socket
    inode: int

    def is_reachable(self) -> bool:
        try:
            return os.lstat(self.path).st_ino == self.inode
        except OSError:
            return False

    def remove(self) -> None:
        """Take the file away, if it is still ours."""
        if self.is_reachable():
            os.unlink(self.path)


def somebody_listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as sock:
        try:
            sock.connect(path)
        except OSError:
            return False
        return True


def listen(path: str) -> Listener:
    """Bind *path* for this user alone. The caller knows that nobody answers there."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise PlaceRefused(f"{path} is in the way and is no socket; move it elsewhere")
        os.unlink(path)
    except FileNotFoundError:
        pass
    sock = socket.socket(socket.AF_UNIX)
    # A later chmod would leave a moment when anyone may connect.
    previous = os.umask(0o177)
    try:
        sock.bind(path)
    except OSError:
        sock.close()
        raise
    finally:
        os.umask(previous)
    sock.listen(BACKLOG)
    sock.setblocking(False)
    return Listener(path, sock, os.lstat(path).st_ino)


def open_log(path: str) -> int:
    """Return a descriptor that appends to a program log, rotated when it has grown."""
    try:
        if os.stat(path).st_size > LOG_LIMIT:
            for newer, older in ((f"{path}.1", f"{path}.2"), (path, f"{path}.1")):
                if os.path.exists(newer):
                    os.replace(newer, older)
    except FileNotFoundError:
        pass
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


def turn_over(path: str) -> None:
    """Have stdout and stderr go on in a fresh log, if the one they go to has grown or was rotated.

    A spare had its log open long before its turn came: then *path* is another file by now.
    """
    try:
        ours = os.fstat(2)
        if not stat.S_ISREG(ours.st_mode):
            return
        if ours.st_size <= LOG_LIMIT and os.path.samestat(ours, os.stat(path)):
            return
    except FileNotFoundError:
        pass  # somebody took it away; what is written now goes nowhere
    try:
        log = open_log(path)
    except OSError:
        return  # a full disk, most likely; the old one is better than none
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)


class Doorman:
    """Accepts connections; one for which no descriptor is free is closed.

    Left in the backlog it would wake the loop without end.
    """

    def __init__(self) -> None:
        self._reserve = self._reserved()

    def accept(self, listener: socket.socket) -> socket.socket | None:
        """Return a connection, or None when there is none after all."""
        try:
            return listener.accept()[0]
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE) or self._reserve < 0:
                return None
        os.close(self._reserve)
        try:
            listener.accept()[0].close()
        except OSError:
            pass  # another process took what was free; the next turn tries again
        self._reserve = self._reserved()
        return None

    def _reserved(self) -> int:
        try:
            return os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return -1


def log_tail(path: str, limit: int = 600) -> str:
    """Return the last line or two of a program log: why it died, in its own words."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        size = os.fstat(fd).st_size
        text = os.pread(fd, limit, max(0, size - limit)).decode(errors="replace")
    except OSError:
        return ""  # it says why somebody died; it must not be why nobody notices
    finally:
        os.close(fd)
    return "\n".join(text.strip().splitlines()[-2:])
