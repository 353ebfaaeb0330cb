"""Messages about the daemon itself: how it is, and what it has counted."""

from holdfast.protocol.message import Message


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
    viewers: int = 0
    lag: int = 0
    """Bytes that the last viewer of all is behind."""
    reader: int = 0
    """The pid of the reader; 0 is none."""
    followed: int = 0
    """Sessions that it was told of."""
    unread: int = 0
    """Bytes of them that it has not read yet."""
    fenced: int = 0
    """Sessions that it cannot read."""


class GetMetrics(Message, frozen=True):
    """Ask for the same as text for Prometheus."""


class Metrics(Message, frozen=True):
    """Metrics in the text format of Prometheus, version 0.0.4."""

    text: str
