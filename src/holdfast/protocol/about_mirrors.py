"""Messages about mirrored sessions: the PTY lives in a client, which sends a copy of its output.

Everything here may be sent again: a registration by its session's id, output by its offset, a
record by its own id.
"""

from holdfast.protocol.about_sessions import SessionInfo
from holdfast.protocol.message import Message


class Register(Message, frozen=True):
    """Make a mirrored session known, or known again; what is not given stays as it was.

    A registration that another connection still holds passes to this one.
    """

    session: str
    """Its id, of the client's choice, since a program may run before there is a daemon."""
    argv: list[bytes] = []
    cwd: bytes = b""
    cols: int = 0
    rows: int = 0
    name: str = ""
    started: float = 0.0
    """When its program began, in seconds since 1970."""
    attributes: dict[str, str] = {}
    """Facts for people: shell, pid, tty, hostname, parent (a session's id)."""


class Registered(Message, frozen=True):
    """The mirrored session; what the client still has of it goes on at *end*."""

    session: SessionInfo
    end: int
    epoch: bytes
    outcome: str = "registered"
    """Or re-registered, when the daemon knew it: log and records were kept."""


class Append(Message, frozen=True):
    """Bytes that the program printed; what the log has of them must be the same bytes."""

    session: str
    offset: int
    data: bytes


class Skip(Message, frozen=True):
    """Bytes that the client could not keep: a gap with a reason, and never a silent one."""

    session: str
    start: int
    end: int
    reason: str = "overflowed"


class Appended(Message, frozen=True):
    """The log now ends there."""

    end: int


class End(Message, frozen=True):
    """The program of a mirrored session has ended; its output ends at *offset*."""

    session: str
    offset: int
    exit_code: int | None = None
    exit_signal: int | None = None


class CommandRecord(Message, frozen=True):
    """One command that ran in a session."""

    id: str
    """Unique in its session: the same id again replaces the record."""
    line: str
    cwd: str = ""
    started: float = 0.0
    ended: float | None = None
    exit_code: int | None = None
    author: str = ""
    """The label of who typed it."""
    summary: str = ""
    """Its output in few words, or the head and the tail of it."""
    offset: int = 0
    """Where its output begins in the log."""
    length: int = 0


class RecordCommand(Message, frozen=True):
    """Keep a record with a session."""

    session: str
    record: CommandRecord


class Recorded(Message, frozen=True):
    """The record is kept, also across the end of the session and a death of the daemon."""

    id: str


class Commands(Message, frozen=True):
    """Ask for the records of a session, oldest first."""

    session: str
    last: int = 0
    """Only so many of the newest; 0 is all that one reply holds."""


class CommandsListed(Message, frozen=True):
    """The records, and how many older ones are not among them."""

    records: list[CommandRecord]
    omitted: int = 0


class GetContext(Message, frozen=True):
    """Ask for recent commands as text, for a person or a language model."""

    session: str = ""
    """Empty is every session that runs."""
    last: int = 10
    budget: int = 16_000
    """Characters at most."""


class Context(Message, frozen=True):
    """The text, how many commands it tells of, and how many it had to leave out."""

    text: str
    commands: int
    omitted: int = 0
