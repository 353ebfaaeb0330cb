"""The messages of protocol v1, and the one list of all of them.

Wire rules: kinds are never reused; fields are only ever added, and always with a
default; unknown fields are skipped. Texts that the system knows as bytes (paths,
arguments, environment) stay bytes: they need not be UTF-8.
"""

import enum
from typing import NamedTuple

from msgspec import Struct

from holdfast.errors import Fact
from holdfast.protocol.version import Versions


class Role(enum.Enum):
    """What a client may do: change things, or only look."""

    CONTROL = "control"
    STREAM = "stream"


class Message(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of everything that travels in a control frame."""


# -- handshake


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


# -- sessions


class SessionInfo(Message, frozen=True):
    """What is known of one session."""

    id: str
    name: str
    key: str
    state: str
    recovery: str | None
    pid: int | None
    argv: list[str]
    cwd: str
    cols: int
    rows: int
    offset: int
    created: float
    last_attached: float | None = None
    ended: float | None = None
    exit_code: int | None = None
    exit_signal: int | None = None
    stalled: str | None = None
    life: int = 1
    """Which run of its program this is; a restore begins a new one."""
    restore: str = "shell"
    ephemeral: bool = False


class Create(Message, frozen=True):
    """Start a program in a new session."""

    argv: list[bytes]
    cwd: bytes
    env: dict[bytes, bytes]
    cols: int = 80
    rows: int = 24
    name: str = ""
    key: str = ""
    umask: int = 0o022
    creation: str = ""
    """A token of the client's choice: a create sent twice with it happens once."""
    restore: str = ""
    """Whether its program starts again after a reboot: never, shell (if it is one), always.
    Empty is what the daemon is set to."""
    ephemeral: bool = False
    """Keep its output in memory only, and nothing of it afterwards."""


class Created(Message, frozen=True):
    """The new session, or the one that the key or the token named.

    `outcome` is created, attached (it lived) or restored (it could be started again).
    """

    session: SessionInfo
    outcome: str = "created"


class List(Message, frozen=True):
    """Ask for every session."""

    ended: bool = False


class Listed(Message, frozen=True):
    """The sessions, oldest first."""

    sessions: list[SessionInfo]


class Get(Message, frozen=True):
    """Ask for one session by id, unique prefix of an id, name or key."""

    session: str


class Output(Message, frozen=True):
    """Ask for what a session printed, from offset *since* on."""

    session: str
    since: int = 0
    until: int | None = None
    wait: float = 0.0
    """Seconds to wait for the first byte when there is none yet."""


class OutputChunk(Message, frozen=True):
    """Bytes of a log, and where it ends now."""

    offset: int
    data: bytes
    end: int
    final: bool
    """No byte will ever follow *end*."""


class Input(Message, frozen=True):
    """Bytes for the program, numbered by their offset in what this client typed there."""

    session: str
    offset: int
    data: bytes


class InputTaken(Message, frozen=True):
    """The program's terminal has this client's input up to here; it never gets it twice."""

    end: int


class Resize(Message, frozen=True):
    """Give a session's terminal another size."""

    session: str
    cols: int
    rows: int


class Kill(Message, frozen=True):
    """End a session's program: TERM, grace, KILL; or KILL at once."""

    session: str
    now: bool = False


class Restore(Message, frozen=True):
    """Start the program of a session again that is gone: same id, log and place."""

    session: str
    life: int = 0
    """The life that is known to be over: sent twice, the program is started once."""


class Clear(Message, frozen=True):
    """Drop what a session printed before the last screenful."""

    session: str


class Forget(Message, frozen=True):
    """Destroy what a session printed, or a range of it; an ended one with its record."""

    session: str
    since: int = 0
    until: int | None = None


class Erased(Message, frozen=True):
    """What a clear or a forget took away, and where the kept output begins now."""

    bytes: int
    start: int
    gone: bool = False
    """Nothing is left of the session."""
    found: list[str] = []
    """Files that still hold what was to be forgotten. There should be none."""


class Du(Message, frozen=True):
    """Ask what everything kept takes up."""


class DiskUse(Message, frozen=True):
    """What one session takes up, and what of its output is kept."""

    session: str
    name: str
    state: str
    log: int
    other: int
    start: int
    end: int
    missing: list[tuple[int, int, str]] = []
    """Runs of offsets that are not kept, and why."""


class DiskUsed(Message, frozen=True):
    """What everything takes up, fattest first, and the bounds it is kept within."""

    sessions: list[DiskUse]
    journal: int
    budget: int
    per_session: int
    free: int


class Subscribe(Message, frozen=True):
    """Ask to be told what happens, in order, each event once; the last one asked for counts."""

    since: int | None = None
    """The number of the last event that is known; none means from now on."""
    session: str = ""
    """Only what happens to this session."""


class Subscribed(Message, frozen=True):
    """Events after `since` follow."""

    newest: int
    """The highest number there is; without `since` those after it follow."""
    oldest: int
    """The lowest number that is kept, 0 if none is."""
    missed: bool = False
    """Some after `since` may be no longer kept."""


class GetStats(Message, frozen=True):
    """Ask how the daemon is."""


class Echo(Message, frozen=True):
    """How long programs took to print something after a key."""

    bounds: list[float]
    counts: list[int]
    """How often it took at most each bound, and last, how often longer."""
    sum: float


class Stats(Message, frozen=True):
    """How the daemon is, and what it has counted since it began."""

    pid: int
    version: str
    started: float
    restarts: int
    pump: str
    pump_reason: str
    sessions: dict[str, int]
    """By state."""
    recovery: dict[str, int]
    """Sessions that are known, by what became of them."""
    stalled: int
    connections: int
    followers: int
    subscribers: int
    bytes_in: int
    bytes_out: int
    pruned: int
    gaps: int
    role_denied: int
    owner_denied: int
    failures: dict[str, int]
    """Requests that failed, by code."""
    input_queued: int
    journal_queued: int
    newest_event: int
    logs: int
    journal: int
    budget: int
    free: int
    echo: Echo
    complaint: str = ""
    """What went wrong last, and when; the daemon's log has the rest."""
    complained: float = 0.0


class GetMetrics(Message, frozen=True):
    """Ask for the same as text for Prometheus."""


class Metrics(Message, frozen=True):
    """Metrics in the text format of Prometheus, version 0.0.4."""

    text: str


class Ping(Message, frozen=True):
    """Ask for a sign of life."""

    nonce: int = 0


class Pong(Message, frozen=True):
    """The sign of life."""

    nonce: int = 0


class Shutdown(Message, frozen=True):
    """The daemon is about to end."""

    reason: str


class Event(Message, frozen=True):
    """Something happened to a session; numbers rise, with gaps, and are never given twice."""

    number: int
    time: float
    session: str
    kind: str
    facts: dict[str, object] = {}


class CaughtUp(Message, frozen=True):
    """Every event up to this number was told that was asked for; what follows happens now."""

    number: int


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
        Request("input", Input, InputTaken, Role.CONTROL),
        Request("resize", Resize, SessionInfo, Role.CONTROL),
        Request("kill", Kill, SessionInfo, Role.CONTROL),
        Request("restore", Restore, SessionInfo, Role.CONTROL),
        Request("clear_scrollback", Clear, Erased, Role.CONTROL),
        Request("forget", Forget, Erased, Role.CONTROL),
        Request("du", Du, DiskUsed, Role.STREAM),
        Request("subscribe", Subscribe, Subscribed, Role.STREAM),
        Request("stats", GetStats, Stats, Role.STREAM),
        Request("metrics", GetMetrics, Metrics, Role.STREAM),
        Request("ping", Ping, Pong, Role.STREAM),
    )
}
NOTICES: dict[str, type[Message]] = {"goodbye": Goodbye}
EVENTS: dict[str, type[Message]] = {
    "shutdown": Shutdown,
    "event": Event,
    "caught_up": CaughtUp,
}
HELLO, WELCOME, FAILURE = "hello", "welcome", "error"
