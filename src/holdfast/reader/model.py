"""What a screen model is: it is fed with output, and says what a terminal would show.

Whoever uses a model knows this file alone; `ghostty.py` has the one there is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self, TypeAlias

Rgb: TypeAlias = tuple[int, int, int]

# Past this a cell is a grain of sand, and the library's own limits are not ours to find.
SIZE_LIMIT = 1000  # columns and rows
SCROLLBACK_LIMIT = 10_000  # lines, as many as a viewer may ask for


class ScreenError(Exception):
    """The screen cannot be had: the library refused, or a checkpoint is not one of ours."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The terminal on whose behalf queries are answered: the last owner's.

    What is None stays unanswered, as in a terminal that does not know.
    """

    foreground: Rgb | None = None
    background: Rgb | None = None
    cursor: Rgb | None = None
    palette: Mapping[int, Rgb] = field(default_factory=dict)  # what differs from the library's
    dark: bool | None = None
    cell_width: int = 8  # pixels
    cell_height: int = 16
    conformance: int = 62  # DA1: a VT220, which is what everything looks for
    features: tuple[int, ...] = (22,)  # DA1: colours
    device: tuple[int, int, int] = (1, 10, 0)  # DA2: kind, version, cartridge
    version: str = "holdfast"  # XTVERSION


@dataclass(frozen=True)
class Reply:
    """What a terminal says to a query that ended `end` bytes into what was fed last.

    `end` is exact for a query that is written plainly; one with control characters in its
    midst is placed at the end of the piece it came with, never before it.
    """

    end: int
    data: bytes


@dataclass(frozen=True)
class Picture:
    """Bytes which make a fresh terminal of this size look and behave like the model.

    Scrollback comes first, then the screen. No query is in it.
    """

    cols: int
    rows: int
    lines: int  # of scrollback, as far as they were asked for and are there
    data: bytes


class ScreenModel(Protocol):
    """A terminal nobody looks at. After `close` nothing may be called."""

    @classmethod
    def create(cls, cols: int, rows: int, profile: Profile | None = None) -> Self:
        """Return an empty screen."""
        ...

    @classmethod
    def restore(cls, checkpoint: bytes, profile: Profile | None = None) -> Self:
        """Return the screen of a checkpoint; raises `ScreenError` where it is none."""
        ...

    def feed(self, data: bytes, *, answering: bool = False) -> None:
        """Take output in. What is replayed was answered long ago: then `answering` is False."""
        ...

    def replies(self) -> list[Reply]:
        """Return what the last `feed` would have answered, in order."""
        ...

    def resize(self, cols: int, rows: int) -> None:
        """Change the size, as an owner's terminal does; sizes are held within 1 and 1000."""
        ...

    def snapshot(self, scrollback: int | None = None) -> Picture:
        """Return the picture, with so many lines of scrollback; None means all there are."""
        ...

    def text(self, scrollback: int | None = 0) -> list[str]:
        """Return the lines as they stand, without trailing blanks."""
        ...

    def set_profile(self, profile: Profile) -> None:
        """Answer as this terminal from now on."""
        ...

    def checkpoint(self) -> bytes:
        """Return all there is, for `restore`."""
        ...

    def compress(self) -> None:
        """Use less memory, and a moment more when it is fed or asked again."""
        ...

    def close(self) -> None:
        """Give everything back; twice does no harm."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        ...

    @property
    def title(self) -> str:
        """What the program calls its window."""
        ...

    @property
    def cwd(self) -> str:
        """The directory the program told by OSC 7, as it spelled it, or nothing."""
        ...

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row, from 0."""
        ...

    @property
    def bells(self) -> int:
        """How often the bell rang in what was fed last; not counted where it hardly stops."""
        ...

    @property
    def modes(self) -> frozenset[str]:
        """The modes that are set: `?2004` for a DEC mode, `4` for an ANSI one."""
        ...
