"""The request can never succeed as it is."""

from holdfast.errors.error import HoldfastError


class FixRequest(HoldfastError):
    """The request itself has to change."""


class InvalidArgument(FixRequest):
    """A value is of the wrong type, out of range, or makes no sense here."""

    code = "INVALID_ARGUMENT"
    status = 400
    what_template = "{argument}: {problem} (got {value})"
    fix_template = "{remedy}"
    argument: str
    value: str
    problem: str
    remedy: str = "correct the value and try again"


class InvalidSetting(InvalidArgument):
    """A flag, variable or line of config.toml has a value that cannot be used."""


class InvalidSignal(FixRequest):
    """The signal has an unknown name or may not be sent."""

    code = "INVALID_SIGNAL"
    status = 400
    what_template = "{value!r} is not a signal that can be sent"
    fix_template = "use one of {known}"
    value: str
    known: str


class CwdMissing(FixRequest):
    """The directory a program should start in is not there."""

    code = "CWD_MISSING"
    status = 422
    what_template = "cannot start in {path!r}: {reason}"
    fix_template = "create the directory or choose another with --cwd"
    path: str
    reason: str = "no such directory"


class CommandNotFound(FixRequest):
    """The program to run does not exist."""

    code = "COMMAND_NOT_FOUND"
    status = 422
    what_template = "no program {command!r}"
    fix_template = "check the spelling, or give its full path"
    command: str


class PermissionDenied(FixRequest):
    """The operating system does not let this user do that."""

    code = "PERMISSION_DENIED"
    status = 403
    what_template = "not allowed: {action}"
    fix_template = "{remedy}"
    action: str
    remedy: str = "check owner and permissions of what the message names"


class NotFound(FixRequest):
    """There is no session of that id, name or key."""

    code = "NOT_FOUND"
    status = 404
    what_template = "no session {session!r}"
    fix_template = "`hold ls --all` lists every session"
    session: str


class SessionGone(FixRequest):
    """The session has ended; what it printed can still be read."""

    code = "SESSION_GONE"
    status = 410
    what_template = "session {session!r} has ended"
    fix_template = "`hold output {session}` shows what it printed"
    session: str


class SessionTerminating(FixRequest):
    """The session is being ended and takes no changes any more."""

    code = "SESSION_TERMINATING"
    status = 409
    what_template = "session {session!r} is ending and takes no changes"
    fix_template = "wait for its end; `hold kill --now {session}` does not wait"
    session: str


class OffsetPruned(FixRequest):
    """The bytes asked for are no longer kept."""

    code = "OFFSET_PRUNED"
    status = 410
    what_template = "offset {wanted} is no longer kept; the oldest byte kept is {oldest}"
    fix_template = "read from {oldest} on"
    wanted: int
    oldest: int


class Mirrored(FixRequest):
    """The session's terminal lives in a client, so this cannot be done from here."""

    code = "MIRRORED"
    status = 409
    what_template = "{operation} is not possible: session {session!r} is a mirror"
    fix_template = "use the terminal that `hold wrap` runs in"
    session: str
    operation: str


class OwnerRequired(FixRequest):
    """Somebody else owns the session."""

    code = "OWNER_REQUIRED"
    status = 403
    what_template = "session {session!r} is owned by {owner}"
    fix_template = "add --takeover to take it over; its owner will be told"
    session: str
    owner: str


class RoleForbidden(FixRequest):
    """A read-only client asked for a change."""

    code = "ROLE_FORBIDDEN"
    status = 403
    what_template = "a {role} client may not {operation}"
    fix_template = "connect with the role control; a {role} client may: {allowed}"
    operation: str
    role: str
    allowed: str


class UnknownRequest(FixRequest):
    """The peer is older and does not know this request."""

    code = "UNKNOWN_REQUEST"
    status = 501
    what_template = "unknown request {kind!r}"
    fix_template = "the daemon is older than this client: `hold daemon restart` upgrades it"
    kind: str
