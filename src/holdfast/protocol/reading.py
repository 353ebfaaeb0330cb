"""What daemon and reader say to each other, on a socket pair that the keeper gives them.

Both may die at any moment and both begin anew: whoever finds the other new tells it all it
needs to know. Nothing here holds a promise; what the reader knows can be derived again.
"""

import struct
from collections.abc import Iterator

import msgspec

from holdfast.errors import RemoteProtocolError
from holdfast.protocol.about_viewing import Profile

LENGTH = struct.Struct(">I")
LIMIT = 16 << 20  # bytes of one message; a picture is the largest


class Said(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """One message between the two."""


# -- daemon to reader


class Follow(Said, frozen=True):
    """A session whose log is to be read, as far as *end*; known ones are corrected."""

    session: str
    directory: str
    epoch: bytes
    end: int
    cols: int
    rows: int
    lives: bool
    """Whether its log may grow."""
    ephemeral: bool = False
    """Nothing of it may be written to a disk."""
    answered: int = 0
    """Queries that end at or before it are settled: they are not to be asked again. Those that
    end behind it are, each with the offset it has, also by a reader that was told to follow
    the session before: the daemon that heard of them may be dead."""
    profile: Profile | None = None
    """The terminal on whose behalf queries are answered."""


class Grew(Said, frozen=True):
    """The log ends there now."""

    session: str
    end: int


class Sized(Said, frozen=True):
    """From that offset on the terminal has another size."""

    session: str
    offset: int
    cols: int
    rows: int


class Cleared(Said, frozen=True):
    """What was printed before the screen is no more: the scrollback goes, checkpoints too."""

    session: str


class Leave(Said, frozen=True):
    """Nothing is to be known of it any more; *erase* removes what was kept of it on disk."""

    session: str
    erase: bool = False


class Paint(Said, frozen=True):
    """Ask for a picture: at *end* if the reader gets there soon, else where it is."""

    number: int
    session: str
    end: int
    scrollback: int | None = None
    """Lines; None is all of them, and fewer when they do not fit into *most* bytes."""
    most: int = 3 << 20
    form: str = "vt"
    """vt, text or json."""


# -- reader to daemon


class Painted(Said, frozen=True):
    """The picture of a session at *offset*; whoever shows it goes on with the log from there."""

    number: int
    offset: int
    data: bytes
    cols: int
    rows: int
    lines: int
    """Of scrollback that it has."""
    fidelity: str = "exact"
    cursor: tuple[int, int] | None = None
    """Column and row of the cursor on the screen, from 0."""


class NotPainted(Said, frozen=True):
    """There is no picture, and why: unknown, behind, fenced, unreadable or large.

    Large: the screen alone does not fit into *most* bytes.
    """

    number: int
    reason: str


class Reached(Said, frozen=True):
    """How far a session was read: when all of it is, and while it is not every few MiB."""

    session: str
    offset: int


class Noted(Said, frozen=True):
    """What a program says of itself changed, at *offset*; told again after each Follow."""

    session: str
    offset: int
    title: str
    cwd: str = ""


class Rang(Said, frozen=True):
    """The bell, as often as *count* up to *offset*."""

    session: str
    offset: int
    count: int


class Asked(Said, frozen=True):
    """A query of the program whose last byte is before *offset*, and what its terminal answers.

    Of one session they come in the order of their offsets, one for each offset.
    """

    session: str
    offset: int
    answer: bytes


class Fenced(Said, frozen=True):
    """The reader cannot read that session's bytes: it died of them twice."""

    session: str
    start: int
    end: int


ToReader = Follow | Grew | Sized | Cleared | Leave | Paint
ToDaemon = Painted | NotPainted | Reached | Noted | Rang | Asked | Fenced

_encoder = msgspec.msgpack.Encoder()


def encode(said: Said) -> bytes:
    """Return the whole frame of one message."""
    payload = _encoder.encode(said)
    return LENGTH.pack(len(payload)) + payload


class Hearing:
    """Cut the bytes that arrive into messages of one direction."""

    def __init__(self, kinds: object) -> None:
        self._decoder: msgspec.msgpack.Decoder[Said] = msgspec.msgpack.Decoder(kinds)
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Said]:
        """Yield what is complete by now; raise RemoteProtocolError when it makes no sense."""
        self._buffer += data
        while len(self._buffer) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._buffer)
            if length > LIMIT:
                raise RemoteProtocolError(problem=f"a message of {length} bytes, limit {LIMIT}")
            end = LENGTH.size + length
            if len(self._buffer) < end:
                return
            try:
                said = self._decoder.decode(bytes(self._buffer[LENGTH.size : end]))
            except msgspec.MsgspecError as error:
                raise RemoteProtocolError(problem=str(error)) from None
            del self._buffer[:end]
            yield said
