"""Messages about what lasts: what is kept, what has happened, and who owns what."""

from holdfast.protocol.message import Message


class Restore(Message, frozen=True):
    """Start the program of a session again that is gone: same id, log and place."""

    session: str
    life: int = 0
    """The life that is known to be over: sent twice, the program is started once."""


class Clear(Message, frozen=True):
    """Drop what a session printed before the last screenful."""

    session: str
    takeover: bool = False
    """Take the session over if somebody else owns it."""


class Forget(Message, frozen=True):
    """Destroy what a session printed, or a range of it; an ended one with its record."""

    session: str
    since: int = 0
    until: int | None = None
    takeover: bool = False
    """Take the session over if somebody else owns it."""


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

    session: str = ""
    """Only what this one does."""


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


class Claim(Message, frozen=True):
    """Own a session that nobody owns; whoever changes one claims it anyway."""

    session: str


class Takeover(Message, frozen=True):
    """Own a session, whoever does; that client is told and goes on as an observer."""

    session: str
    reason: str = ""


class Release(Message, frozen=True):
    """Leave a session to whoever claims it next."""

    session: str


class Lost(Message, frozen=True):
    """Another client has taken over a session that this one owned: it observes from now on."""

    session: str
    reason: str


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
