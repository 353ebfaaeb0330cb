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

from holdfast.errors.bugs import Internal, InvalidTransition
from holdfast.errors.error import Fact, HoldfastError
from holdfast.errors.fix_request import (
    CommandNotFound,
    CwdMissing,
    FixRequest,
    InvalidArgument,
    InvalidSetting,
    InvalidSignal,
    Mirrored,
    NotFound,
    OffsetPruned,
    OwnerRequired,
    PermissionDenied,
    RoleForbidden,
    SessionGone,
    SessionTerminating,
    UnknownRequest,
)
from holdfast.errors.peers import (
    AlreadyAuthenticated,
    AuthFailed,
    InvalidClientId,
    LocalProtocolError,
    NotAuthenticated,
    ProtocolError,
    ProtocolMismatch,
    Refused,
    RemoteProtocolError,
    Superseded,
    Unfamiliar,
)
from holdfast.errors.try_again import (
    DaemonUnreachable,
    DiskFull,
    InputQueueFull,
    IoFailed,
    JournalDamaged,
    LimitReached,
    NewerFormat,
    NotConnected,
    TimedOut,
    TryAgain,
)

__all__ = [
    "BY_CODE",
    "AlreadyAuthenticated",
    "AuthFailed",
    "CommandNotFound",
    "CwdMissing",
    "DaemonUnreachable",
    "DiskFull",
    "Fact",
    "FixRequest",
    "HoldfastError",
    "InputQueueFull",
    "Internal",
    "InvalidArgument",
    "InvalidClientId",
    "InvalidSetting",
    "InvalidSignal",
    "InvalidTransition",
    "IoFailed",
    "JournalDamaged",
    "LimitReached",
    "LocalProtocolError",
    "Mirrored",
    "NewerFormat",
    "NotAuthenticated",
    "NotConnected",
    "NotFound",
    "OffsetPruned",
    "OwnerRequired",
    "PermissionDenied",
    "ProtocolError",
    "ProtocolMismatch",
    "Refused",
    "RemoteProtocolError",
    "RoleForbidden",
    "SessionGone",
    "SessionTerminating",
    "Superseded",
    "TimedOut",
    "TryAgain",
    "Unfamiliar",
    "UnknownRequest",
]


def _declared(kind: type[HoldfastError]) -> dict[str, type[HoldfastError]]:
    found = {kind.__dict__["code"]: kind} if "code" in kind.__dict__ else {}
    for child in kind.__subclasses__():
        found |= _declared(child)
    return found


BY_CODE: dict[str, type[HoldfastError]] = _declared(HoldfastError)
