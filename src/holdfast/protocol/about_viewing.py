"""Messages about viewers: a viewer is a cursor of one client into what one session printed.

Its bytes come as data frames whose channel is the viewer's number; what is no byte - gaps,
pictures, checksums, the end - comes as an event among them, exactly where it belongs.
"""

from typing import Annotated

from msgspec import Meta

from holdfast.protocol.about_sessions import SessionInfo
from holdfast.protocol.message import Message

Part = Annotated[int, Meta(ge=0, le=255)]
Color = tuple[Part, Part, Part]
Number = Annotated[int, Meta(ge=0, le=0xFFFF)]
Pixels = Annotated[int, Meta(ge=1, le=1000)]
# It is typed into programs: so nothing in it may be a key.
Printable = Annotated[str, Meta(max_length=100, pattern=r"\A[ -~]*\Z")]


class Attach(Message, frozen=True):
    """Look at a session from now on.

    Who comes back says what it holds: `since` is the offset behind its last byte, `epoch`
    that of the attachment before, `crc` the CRC-32 of the newest `length` bytes it has.
    """

    session: str
    since: int | None = None
    """None when nothing is held: a picture of the screen comes first."""
    epoch: bytes = b""
    """Empty is not compared."""
    length: int = 0
    crc: int = 0
    policy: str = "latest"
    """lossless: every byte, however late. latest: skip what can't be caught up with."""
    window: int = 1 << 20
    """Bytes that may be on their way without an `ack`."""
    pause: str = ""
    """owner: as long as this client owns the session, its program waits for this viewer."""
    scrollback: int | None = 10_000
    """Lines above the screen that a picture has, 0 is the screen alone; None is all that fit."""
    terminal: bool = False
    """What it is sent goes into a terminal, which answers the queries of programs: as long as
    this client may type there, nobody else answers those that it was sent."""


class Gap(Message, frozen=True):
    """Bytes that a viewer does not get: from *start* to *end*, and why.

    pruned, cleared, forgotten, torn, overflowed, lost: they are not kept. skipped: they are
    in the log, but the viewer was too far behind; a snapshot follows.
    """

    viewer: int
    start: int
    end: int
    reason: str


class Attached(Message, frozen=True):
    """How a viewer goes on; its bytes follow from `offset` on.

    `outcome` is exact (what is held is right; `offset` is where it ends), snapshot (what is
    held is not, or nothing is: `snapshot` replaces it and shows the session at `offset`) or
    gone (what was printed is not there any more; there is no viewer).
    """

    viewer: int
    session: SessionInfo
    outcome: str
    offset: int
    oldest: int
    """The first offset that is kept."""
    end: int
    """Where the log ends now."""
    epoch: bytes
    owner: str
    """me, other or none."""
    reason: str = ""
    """Why it is not exact."""
    snapshot: bytes = b""
    fidelity: str = ""
    """How good the snapshot is. exact: as if a terminal had watched from the start. partial: a
    picture as well, but of a log with a hole, and not every row was written since. tail: the
    last bytes, from a place where they can be cut, with the queries of programs in them."""
    answered: int = 0
    """Queries of the program in bytes before it were answered while nobody looked: a terminal
    that shows those bytes must not answer them again."""
    gap: Gap | None = None
    """What was held ends before the snapshot begins: these bytes are not shown."""


class Detach(Message, frozen=True):
    """Look no longer."""

    viewer: int


class Detached(Message, frozen=True):
    """The viewer is no more; nothing was sent to it behind *offset*."""

    offset: int


class Ack(Message, frozen=True):
    """The viewer has made use of everything before *offset*: a notice, without a reply."""

    viewer: int
    offset: int


class Profile(Message, frozen=True):
    """What a terminal has said of itself; None and what is missing it has not said."""

    foreground: Color | None = None
    """Red, green and blue, 0 to 255."""
    background: Color | None = None
    cursor: Color | None = None
    palette: dict[Part, Color] = {}
    attributes: Annotated[tuple[Number, ...], Meta(max_length=32)] = ()
    """The numbers of its answer to `CSI c`."""
    device: tuple[Number, Number, Number] | None = None
    """Those of its answer to `CSI > c`."""
    version: Printable = ""
    """Its name and version, in its answer to `CSI > q`."""
    cell: tuple[Pixels, Pixels] | None = None
    """Width and height of a cell."""


class Introduce(Message, frozen=True):
    """Say what terminal the viewer's is: a notice, without a reply.

    Once its client owns the session, queries that no terminal sees are answered as this one
    would answer them, until another owner's terminal is introduced.
    """

    viewer: int
    profile: Profile


class Snapshot(Message, frozen=True):
    """A picture of the session at *offset*, instead of what a gap has left out."""

    viewer: int
    offset: int
    data: bytes
    fidelity: str


class Digest(Message, frozen=True):
    """The CRC-32 of the 256 KiB before *offset*, all of which the viewer was sent."""

    viewer: int
    offset: int
    crc: int


class Lag(Message, frozen=True):
    """A viewer has fallen behind, or has caught up; told when the level changes."""

    viewer: int
    level: str
    """live, behind (more than a window) or far (so far that `latest` may skip)."""
    bytes: int


class Finished(Message, frozen=True):
    """Nothing follows *offset*, and the viewer is no more.

    Why is the state of the session, exited, dormant or lost; or forgotten, when it is no more;
    or unreadable, when the disk does not give back what it took.
    """

    viewer: int
    offset: int
    reason: str


class GetScreen(Message, frozen=True):
    """Ask what a session shows now, or showed last, without a viewer."""

    session: str
    form: str = "text"
    """text: lines without colours. vt: what makes a terminal show it. json: cells and modes."""
    scrollback: int | None = 0
    """Lines above the screen; None is all that fit."""


class Screen(Message, frozen=True):
    """What a session showed at *offset*."""

    session: str
    offset: int
    end: int
    """Where the log ended; beyond *offset* nobody has drawn it yet."""
    form: str
    data: bytes
    cols: int
    rows: int
    lines: int
    """Of scrollback in it."""
    fidelity: str
    """As of an attachment: of a screen that is partial or tail, something may be missing."""
    title: str = ""
    cursor: tuple[int, int] | None = None
    """Column and row on the screen, from 0; None is unknown."""
