"""What a create may ask for, and what must be there before its program is started."""

import errno
import os
import resource
from pathlib import Path

from holdfast.daemon.input_page import Page
from holdfast.daemon.record import Record
from holdfast.errors import DiskFull, HoldfastError, InvalidArgument, IoFailed, LimitReached
from holdfast.protocol.messages import Create
from holdfast.store.sessions import SessionTable
from holdfast.types import LABEL_LIMIT, Size

# What one more session takes: master, two pipes, pidfd, log, timeline, two to read with, and
# the page of its input.
DESCRIPTORS = 9
RESERVED = 48  # for clients, listeners, the loop; and for the spare that takes all this over
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def checked(wanted: Create) -> Size:
    """Return the size of a create whose values make sense; raise InvalidArgument."""
    if not wanted.argv or not wanted.argv[0]:
        raise InvalidArgument(argument="argv", value="", problem="no program is named")
    variables = (*wanted.env, *wanted.env.values())
    if any(b"\0" in word for word in (*wanted.argv, wanted.cwd, *variables)):
        raise InvalidArgument(argument="argv", value="\\0", problem="a NUL cannot be passed on")
    for variable in wanted.env:
        if not variable or b"=" in variable:
            value = variable.decode(errors="backslashreplace")
            raise InvalidArgument(argument="env", value=value, problem="not the name of a variable")
    if not wanted.cwd.startswith(b"/"):
        value = wanted.cwd.decode(errors="backslashreplace")
        raise InvalidArgument(argument="cwd", value=value, problem="not an absolute path")
    for name, text in (("name", wanted.name), ("key", wanted.key), ("creation", wanted.creation)):
        if len(text) > LABEL_LIMIT or not text.isprintable():
            problem = f"must be printable, {LABEL_LIMIT} characters at most"
            raise InvalidArgument(argument=name, value=text[:LABEL_LIMIT], problem=problem)
    if not 0 <= wanted.umask <= 0o777:
        raise InvalidArgument(argument="umask", value=str(wanted.umask), problem="not 0 to 0o777")
    try:
        return Size(wanted.cols, wanted.rows)
    except ValueError as error:
        value = f"{wanted.cols}x{wanted.rows}"
        raise InvalidArgument(argument="size", value=value, problem=str(error)) from error


def check_descriptors(living: int) -> None:
    """Raise LimitReached while one more session could leave us, or our successor, without."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Much is opened only when it is needed; each session that lives may come to need all.
    used = max(living * DESCRIPTORS, len(os.listdir("/dev/fd")))  # noqa: PTH208 - just a number
    if used + DESCRIPTORS + RESERVED > limit:
        remedy = "end some sessions, or raise the limit (ulimit -Hn) where the keeper is started"
        raise LimitReached(resource="open files of the daemon", limit=limit, remedy=remedy)


class Places:
    """Where the files of sessions are: their logs, and the pages of their input."""

    def __init__(self, table: SessionTable, pages: Path) -> None:
        self._table = table
        self._pages = pages
        pages.mkdir(mode=0o700, exist_ok=True)

    def directory(self, record: Record) -> Path:
        return self._table.directory(record.id)

    def page(self, record: Record) -> Path:
        return self._pages / record.id

    def make(self, record: Record) -> None:
        """Make what a session writes to; no program is started for which there is no room."""
        directory, page = self.directory(record), self.page(record)
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            page.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # cleaners of /tmp come by
            Page(page).close()
        except OSError as error:
            raise failed(directory, error) from error

    def remove(self, record: Record) -> None:
        """Remove what was made for a program that could not be started."""
        self.page(record).unlink(missing_ok=True)
        self._table.remove(record.id)


def failed(directory: Path, error: OSError) -> HoldfastError:
    """Return the error of ours that stands for one of the system."""
    if error.errno in FULL:
        return DiskFull(path=str(directory))
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return LimitReached(resource="open files", limit=0, remedy="end some sessions")
    return IoFailed(action=f"making {directory}", reason=error.strerror or str(error))
