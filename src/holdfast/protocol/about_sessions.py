"""Messages about one session or all: created, looked at, typed into, ended."""

from holdfast.protocol.message import Message


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
    owner: str | None = None
    """Who may change it, by label; nobody may be."""
    owned: bool = False
    """Whether that is the client that asks."""
    duration: float | None = None
    """Seconds this life has lasted, once it is over."""
    maxrss_kib: int | None = None
    """The most memory its program had, if the system told."""
    killed_by: str = ""
    """The label of who asked for its end."""
    viewers: int = 0
    """How many look at it."""
    lag: int = 0
    """Bytes that the last of them is behind."""
    last_activity: float | None = None
    """When it last printed something, was typed into or began, in seconds since 1970."""
    mirrored: bool = False
    """Its terminal lives in a client, which alone types into it."""
    attributes: dict[str, str] = {}
    """What the client of a mirrored session says of it: shell, pid, tty, hostname, parent."""
    title: str = ""
    """What its program calls its window."""
    last_line: str = ""
    """What it printed last, without colours; only in a list that was asked for it."""


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
    numbered: bool = False
    """The name is only proposed: where a session has it, it gets a number (build-2)."""


class Created(Message, frozen=True):
    """The new session, or the one that the key or the token named.

    `outcome` is created, attached (it lived) or restored (it could be started again).
    """

    session: SessionInfo
    outcome: str = "created"


class List(Message, frozen=True):
    """Ask for every session."""

    ended: bool = False
    after: str = ""
    """Those behind a page: what `next` was there."""
    limit: int = 0
    """So many at most, and no more than fit into a reply; 0 is all, if they fit."""
    lines: bool = False
    """With the last line of each one that lives."""


class Listed(Message, frozen=True):
    """The sessions, oldest first."""

    sessions: list[SessionInfo]
    next: str = ""
    """There are more: what to ask for them with, as `after`."""


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
    takeover: bool = False
    """Take the session over if somebody else owns it."""


class InputTaken(Message, frozen=True):
    """The program's terminal has this client's input up to here; it never gets it twice."""

    end: int


class Send(Message, frozen=True):
    """Text for the program as one unit, between which and its Enter nobody else types.

    It is in paste marks if the program asked for them, unless it begins with a control
    character: then it is keys. Its place in what this client typed there is *offset*.
    """

    session: str
    offset: int
    text: bytes
    enter: bool = False
    settle: bool = True
    """Wait until the screen is quiet before Enter, or a program takes it for a part of the text."""
    takeover: bool = False
    """Take the session over if somebody else owns it."""


class Sent(Message, frozen=True):
    """The program's terminal has all of it, and this client's input goes on at *end*."""

    end: int
    pasted: str = "unknown"
    """Whether it was put into paste marks: yes, no, or unknown, when nothing tells whether the
    program wants them (then there are none), or an earlier daemon typed it."""
    caught_up: bool = True
    """Whether that was read from all it had printed; if not, from what was known before."""


class Resize(Message, frozen=True):
    """Give a session's terminal another size."""

    session: str
    cols: int
    rows: int
    takeover: bool = False
    """Take the session over if somebody else owns it."""


class Kill(Message, frozen=True):
    """End a session's program: TERM, grace, KILL; or KILL at once."""

    session: str
    now: bool = False
    takeover: bool = False
    """Take the session over if somebody else owns it."""


class Signal(Message, frozen=True):
    """Send a signal to the process group of a session's program."""

    session: str
    signal: str
    """Its name, with or without SIG, in any case."""
    token: str = ""
    """Of the client's choice: a signal sent twice with it is sent once."""
    takeover: bool = False
    """Take the session over if somebody else owns it."""


class Rename(Message, frozen=True):
    """Call a session by another name, or by none."""

    session: str
    name: str = ""
    takeover: bool = False
    """Take the session over if somebody else owns it."""


class KillAll(Message, frozen=True):
    """End every session that lives and that this client may end."""

    now: bool = False
    asked: float = 0.0
    """The time by the clock; what was created later is not meant. Sent twice, it stays the same."""
    takeover: bool = False
    """Take the session over if somebody else owns it."""


class Spared(Message, frozen=True):
    """A session that was not killed, and the error that says why."""

    session: str
    name: str
    code: str
    what: str


class KilledAll(Message, frozen=True):
    """What is being ended, and what is not."""

    killed: list[SessionInfo]
    spared: list[Spared] = []


class Wait(Message, frozen=True):
    """Ask for a session once it has ended; fails with TIMEOUT when that takes too long."""

    session: str
    timeout: float = 60.0
    """Seconds; the daemon waits a minute at most, and is asked again."""
