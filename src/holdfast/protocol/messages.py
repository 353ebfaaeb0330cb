"""Every message of protocol v1, and the one list of all requests."""

from typing import NamedTuple

from holdfast.errors import Fact
from holdfast.protocol.about_health import (
    Echo,
    GetMetrics,
    GetStats,
    Metrics,
    Stats,
)
from holdfast.protocol.about_keeping import (
    CaughtUp,
    Claim,
    Clear,
    DiskUse,
    DiskUsed,
    Du,
    Erased,
    Event,
    Forget,
    Lost,
    Release,
    Restore,
    Subscribe,
    Subscribed,
    Takeover,
)
from holdfast.protocol.about_mirrors import (
    Append,
    Appended,
    CommandRecord,
    Commands,
    CommandsListed,
    Context,
    End,
    GetContext,
    RecordCommand,
    Recorded,
    Register,
    Registered,
    Skip,
)
from holdfast.protocol.about_sessions import (
    Create,
    Created,
    Get,
    Input,
    InputTaken,
    Kill,
    KillAll,
    KilledAll,
    List,
    Listed,
    Output,
    OutputChunk,
    Rename,
    Resize,
    Send,
    Sent,
    SessionInfo,
    Signal,
    Spared,
    Wait,
)
from holdfast.protocol.about_viewing import (
    Ack,
    Attach,
    Attached,
    Detach,
    Detached,
    Digest,
    Finished,
    Gap,
    GetScreen,
    Introduce,
    Lag,
    Profile,
    Screen,
    Snapshot,
)
from holdfast.protocol.message import (
    Message,
    Role,
)
from holdfast.protocol.version import Versions

__all__ = [
    "EVENTS",
    "FAILURE",
    "HELLO",
    "NOTICES",
    "REQUESTS",
    "WELCOME",
    "Ack",
    "Append",
    "Appended",
    "Attach",
    "Attached",
    "CaughtUp",
    "Claim",
    "Clear",
    "CommandRecord",
    "Commands",
    "CommandsListed",
    "Context",
    "Create",
    "Created",
    "Detach",
    "Detached",
    "Digest",
    "DiskUse",
    "DiskUsed",
    "Du",
    "Echo",
    "End",
    "Erased",
    "Event",
    "Failure",
    "Finished",
    "Forget",
    "Gap",
    "Get",
    "GetContext",
    "GetMetrics",
    "GetScreen",
    "GetStats",
    "Goodbye",
    "Hello",
    "Input",
    "InputTaken",
    "Introduce",
    "Kill",
    "KillAll",
    "KilledAll",
    "Lag",
    "List",
    "Listed",
    "Lost",
    "Message",
    "Metrics",
    "Output",
    "OutputChunk",
    "Ping",
    "Pong",
    "Profile",
    "RecordCommand",
    "Recorded",
    "Register",
    "Registered",
    "Release",
    "Rename",
    "Request",
    "Resize",
    "Restore",
    "Role",
    "Screen",
    "Send",
    "Sent",
    "SessionInfo",
    "Shutdown",
    "Signal",
    "Skip",
    "Snapshot",
    "Spared",
    "Stats",
    "Subscribe",
    "Subscribed",
    "Takeover",
    "Wait",
    "Welcome",
]


class Hello(Message, frozen=True):
    """The first message of every client."""

    protocol: Versions
    client_id: str
    role: Role
    token: str = ""
    label: str = ""
    kind: str = "script"


class Welcome(Message, frozen=True):
    """The daemon's answer to a hello."""

    protocol: int
    version: str
    pid: int
    started: float
    frame_limit: int = 0
    session_limit: int = 0


class Goodbye(Message, frozen=True):
    """The client leaves on purpose: its claims are released at once."""


class Failure(Message, frozen=True):
    """Why a request, or the whole connection, failed."""

    code: str
    what: str
    fix: str = ""
    facts: dict[str, Fact] = {}


class Ping(Message, frozen=True):
    """Ask for a sign of life."""

    nonce: int = 0


class Pong(Message, frozen=True):
    """The sign of life."""

    nonce: int = 0


class Shutdown(Message, frozen=True):
    """The daemon is about to end."""

    reason: str


class Request(NamedTuple):
    """One thing a client can ask for."""

    kind: str
    message: type[Message]
    reply: type[Message]
    role: Role


REQUESTS: dict[str, Request] = {
    request.kind: request
    for request in (
        Request("create", Create, Created, Role.CONTROL),
        Request("list", List, Listed, Role.STREAM),
        Request("get", Get, SessionInfo, Role.STREAM),
        Request("output", Output, OutputChunk, Role.STREAM),
        Request("attach", Attach, Attached, Role.STREAM),
        Request("detach", Detach, Detached, Role.STREAM),
        Request("screen", GetScreen, Screen, Role.STREAM),
        Request("input", Input, InputTaken, Role.CONTROL),
        Request("send", Send, Sent, Role.CONTROL),
        Request("resize", Resize, SessionInfo, Role.CONTROL),
        Request("kill", Kill, SessionInfo, Role.CONTROL),
        Request("signal", Signal, SessionInfo, Role.CONTROL),
        Request("rename", Rename, SessionInfo, Role.CONTROL),
        Request("kill_all", KillAll, KilledAll, Role.CONTROL),
        Request("wait", Wait, SessionInfo, Role.STREAM),
        Request("restore", Restore, SessionInfo, Role.CONTROL),
        Request("clear_scrollback", Clear, Erased, Role.CONTROL),
        Request("forget", Forget, Erased, Role.CONTROL),
        Request("du", Du, DiskUsed, Role.STREAM),
        Request("claim", Claim, SessionInfo, Role.CONTROL),
        Request("takeover", Takeover, SessionInfo, Role.CONTROL),
        Request("release", Release, SessionInfo, Role.CONTROL),
        Request("register", Register, Registered, Role.CONTROL),
        Request("append", Append, Appended, Role.CONTROL),
        Request("skip", Skip, Appended, Role.CONTROL),
        Request("end", End, SessionInfo, Role.CONTROL),
        Request("record_command", RecordCommand, Recorded, Role.CONTROL),
        Request("commands", Commands, CommandsListed, Role.STREAM),
        Request("context", GetContext, Context, Role.STREAM),
        Request("subscribe", Subscribe, Subscribed, Role.STREAM),
        Request("stats", GetStats, Stats, Role.STREAM),
        Request("metrics", GetMetrics, Metrics, Role.STREAM),
        Request("ping", Ping, Pong, Role.STREAM),
    )
}
NOTICES: dict[str, type[Message]] = {"goodbye": Goodbye, "ack": Ack, "introduce": Introduce}
EVENTS: dict[str, type[Message]] = {
    "shutdown": Shutdown,
    "superseded": Lost,
    "event": Event,
    "caught_up": CaughtUp,
    "gap": Gap,
    "snapshot": Snapshot,
    "digest": Digest,
    "lag": Lag,
    "finished": Finished,
}
HELLO, WELCOME, FAILURE = "hello", "welcome", "error"
