"""The same request may succeed later."""

from holdfast.errors.error import HoldfastError


class TryAgain(HoldfastError):
    """Nothing is wrong with the request; the moment is."""


class NotConnected(TryAgain):
    """The connection to the daemon is down, so the call was not made."""

    code = "NOT_CONNECTED"
    status = 503
    what_template = "not connected to the daemon: {reason}"
    fix_template = "wait until the client is online again, or call with wait=True"
    reason: str


class DaemonUnreachable(TryAgain):
    """No daemon answers on the socket, and none could be started."""

    code = "DAEMON_UNREACHABLE"
    status = 503
    what_template = "no daemon answers on {path}: {reason}"
    fix_template = "`hold daemon status` shows what is known; `hold daemon start` starts one"
    path: str
    reason: str


class TimedOut(TryAgain):
    """The time allowed for something ran out."""

    code = "TIMEOUT"
    status = 504
    what_template = "{action} did not finish within {seconds:g} s"
    fix_template = "try again, or allow more time"
    action: str
    seconds: float


class LimitReached(TryAgain):
    """A configured or built-in bound is in use to the last unit."""

    code = "LIMIT_REACHED"
    status = 429
    what_template = "no more than {limit} {resource} at a time"
    fix_template = "{remedy}"
    resource: str
    limit: int
    remedy: str = "end some that are no longer needed, or raise the limit in config.toml"


class InputQueueFull(TryAgain):
    """The program is not reading its input and the queue for it is full."""

    code = "INPUT_QUEUE_FULL"
    status = 429
    what_template = "session {session!r} has {queued} bytes of unread input, limit {limit}"
    fix_template = "wait until its program reads; nothing of this input was taken"
    session: str
    queued: int
    limit: int


class DiskFull(TryAgain):
    """There is no room left for what has to be written."""

    code = "DISK_FULL"
    status = 507
    what_template = "no space left for {path}"
    fix_template = "free some space; Holdfast goes on by itself when there is room"
    path: str


class IoFailed(TryAgain):
    """The operating system refused something that should have worked."""

    code = "IO_ERROR"
    status = 500
    what_template = "{action} failed: {reason}"
    fix_template = "{remedy}"
    action: str
    reason: str
    remedy: str = "mend what the message names and try again"


class NewerFormat(IoFailed):
    """A file was written by a newer Holdfast in a format that this one cannot read."""

    remedy: str = "upgrade Holdfast: a newer one wrote that file, and it is left as it is"


class JournalDamaged(IoFailed):
    """The journal cannot be used any more and has to be begun anew."""

    remedy: str = "Holdfast keeps the damaged file aside and begins a new one"
