"""Every error of Holdfast, named by what the caller can do about it.

* HoldfastError
    * TryAgain             the same request may succeed later
        * NotConnected, DaemonUnreachable, TimedOut, LimitReached,
          InputQueueFull, DiskFull
        * IoFailed
            * NewerFormat, JournalDamaged
    * FixRequest           the request can never succeed as it is
        * InvalidArgument
            * InvalidSetting
        * InvalidSignal, CwdMissing, CommandNotFound, PermissionDenied,
          NotFound, SessionGone, SessionTerminating, OffsetPruned,
          Mirrored, OwnerRequired, RoleForbidden, UnknownRequest
    * Refused              this connection is not welcome as it introduced itself
        * ProtocolMismatch, AuthFailed, InvalidClientId,
          NotAuthenticated, AlreadyAuthenticated, Superseded
    * ProtocolError        a rule of the wire protocol was broken
        * LocalProtocolError    by us: a bug on this side
        * RemoteProtocolError   by them: close the connection
    * Unfamiliar           a newer peer sent a code that this version does not know
    * Internal             a bug in Holdfast
        * InvalidTransition

An error is declared as its facts; the sentence is made from them. `what` says what
happened with which value, `fix` what to do next. Codes are stable and never reused;
facts are only ever added, with a default. BY_CODE is the one map from code to class.
"""

from typing import ClassVar, Self, dataclass_transform

Fact = str | int | float | bool | list[str] | None


@dataclass_transform(kw_only_default=True, eq_default=False)
class HoldfastError(Exception):
    """Base class, so that callers can catch everything at one edge."""

    code: ClassVar[str]
    status: ClassVar[int]  # the HTTP status that means the same
    what_template: ClassVar[str]
    fix_template: ClassVar[str]
    fact_names: ClassVar[tuple[str, ...]] = ()

    # Plain annotations instead of dataclasses: that import alone would cost every
    # `hold` command 10 ms.
    def __init_subclass__(cls) -> None:
        own = [name for name, kind in cls.__annotations__.items() if "ClassVar" not in str(kind)]
        cls.fact_names = (*cls.fact_names, *own)

    def __init__(self, **facts: Fact) -> None:
        super().__init__()
        for name in facts:
            if name not in self.fact_names:
                raise TypeError(f"{type(self).__name__} has no fact {name!r}")
        for name in self.fact_names:
            if name in facts:
                setattr(self, name, facts[name])
            elif not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} needs the fact {name!r}")
        self.what = self.what_template.format(**self.facts)
        self.fix = self.fix_template.format(**self.facts)

    @property
    def facts(self) -> dict[str, Fact]:
        return {name: getattr(self, name) for name in self.fact_names}

    def __str__(self) -> str:
        return f"{self.what}\n{self.fix}" if self.fix else self.what

    def __repr__(self) -> str:
        facts = ", ".join(f"{name}={value!r}" for name, value in self.facts.items())
        return f"{type(self).__name__}({facts})"

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.facts)

    def said(self, what: str, fix: str) -> Self:
        """Return this error in the words of the peer that raised it."""
        self.what, self.fix = what, fix
        return self


def _rebuild(kind: type[HoldfastError], facts: dict[str, Fact]) -> HoldfastError:
    return kind(**facts)


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


class Refused(HoldfastError):
    """The handshake failed or was undone."""


class ProtocolMismatch(Refused):
    """Client and daemon share no version of the protocol."""

    code = "PROTOCOL_MISMATCH"
    status = 426
    what_template = "the client speaks protocol {client}, the daemon {daemon}"
    fix_template = "upgrade the {older}; `hold daemon restart` replaces a daemon without loss"
    client: str
    daemon: str
    older: str


class AuthFailed(Refused):
    """The client did not prove that it may connect."""

    code = "AUTH_FAILED"
    status = 401
    what_template = "access refused: {reason}"
    fix_template = "connect as the user who runs the daemon, with its token if it wants one"
    reason: str


class InvalidClientId(Refused):
    """The client id is empty, too long or has characters that are not allowed."""

    code = "INVALID_CLIENT_ID"
    status = 400
    what_template = "client id {value!r} cannot be used: {problem}"
    fix_template = "use 1 to 64 letters, digits, dots, dashes or underscores"
    value: str
    problem: str


class NotAuthenticated(Refused):
    """A request came before the handshake."""

    code = "NOT_AUTHENTICATED"
    status = 401
    what_template = "{kind!r} came before the handshake"
    fix_template = "send hello first and wait for welcome"
    kind: str


class AlreadyAuthenticated(Refused):
    """A second handshake on one connection."""

    code = "ALREADY_AUTHENTICATED"
    status = 409
    what_template = "this connection has already introduced itself as {client_id!r}"
    fix_template = "open another connection for another client"
    client_id: str


class Superseded(Refused):
    """A newer connection with the same client id, or a new owner, took the place."""

    code = "SUPERSEDED"
    status = 409
    what_template = "replaced by a newer connection: {reason}"
    fix_template = "reconnect to take the place back"
    reason: str


class ProtocolError(HoldfastError):
    """Bytes that are no frame, a message in the wrong state, a field of the wrong type."""

    code = "PROTOCOL_ERROR"
    status = 400
    what_template = "the wire protocol was broken: {problem}"
    fix_template = "connect again; docs/reference/protocol.md has what may be said, and when"
    problem: str


class LocalProtocolError(ProtocolError):
    """This side tried to send something illegal: a bug here."""


class RemoteProtocolError(ProtocolError):
    """The peer sent something illegal: close the connection."""


class Unfamiliar(HoldfastError):
    """An error of a newer peer; its own words say what it is."""

    status = 500
    what_template = "error {peer_code}"
    fix_template = ""
    peer_code: str


class Internal(HoldfastError):
    """A bug in Holdfast."""

    code = "INTERNAL"
    status = 500
    what_template = "a bug in Holdfast: {summary}"
    fix_template = "please report it with the end of daemon.log, which is in the state directory"
    summary: str


class InvalidTransition(Internal):
    """A state machine was asked for an impossible step."""

    what_template = "a bug in Holdfast: {summary}: {event} cannot happen in state {state}"
    state: str
    event: str


def _declared(kind: type[HoldfastError]) -> dict[str, type[HoldfastError]]:
    found = {kind.__dict__["code"]: kind} if "code" in kind.__dict__ else {}
    for child in kind.__subclasses__():
        found |= _declared(child)
    return found


BY_CODE: dict[str, type[HoldfastError]] = _declared(HoldfastError)
