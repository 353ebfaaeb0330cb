"""What a create may ask for, and what must be free before its program is started."""

import errno
import os
import resource
from pathlib import Path

from holdfast.errors import DiskFull, HoldfastError, InvalidArgument, IoFailed, LimitReached
from holdfast.protocol.messages import Create
from holdfast.session.recovery import Policy
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
    _check_words(wanted)
    if not 0 <= wanted.umask <= 0o777:
        raise InvalidArgument(argument="umask", value=str(wanted.umask), problem="not 0 to 0o777")
    try:
        return Size(wanted.cols, wanted.rows)
    except ValueError as error:
        value = f"{wanted.cols}x{wanted.rows}"
        raise InvalidArgument(argument="size", value=value, problem=str(error)) from error


def _check_words(wanted: Create) -> None:
    for name, text in (("name", wanted.name), ("key", wanted.key), ("creation", wanted.creation)):
        if len(text) > LABEL_LIMIT or not text.isprintable():
            problem = f"must be printable, {LABEL_LIMIT} characters at most"
            raise InvalidArgument(argument=name, value=text[:LABEL_LIMIT], problem=problem)
    if wanted.restore not in {"", *(policy.value for policy in Policy)}:
        known = ", ".join(policy.value for policy in Policy)
        raise InvalidArgument(
            argument="restore", value=wanted.restore, problem=f"not one of {known}"
        )


def check_descriptors(living: int) -> None:
    """Raise LimitReached while one more session could leave us, or our successor, without."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Much is opened only when it is needed; each session that lives may come to need all.
    used = max(living * DESCRIPTORS, len(os.listdir("/dev/fd")))  # noqa: PTH208 - just a number
    if used + DESCRIPTORS + RESERVED > limit:
        remedy = "end some sessions, or raise the limit (ulimit -Hn) where the keeper is started"
        raise LimitReached(resource="open files of the daemon", limit=limit, remedy=remedy)


def failed(directory: Path, error: OSError) -> HoldfastError:
    """Return the error of ours that stands for one of the system."""
    if error.errno in FULL:
        return DiskFull(path=str(directory))
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return LimitReached(resource="open files", limit=0, remedy="end some sessions")
    return IoFailed(action=f"making {directory}", reason=error.strerror or str(error))
