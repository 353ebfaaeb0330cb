"""The SCREEN record: cursor, pen, charsets and keys of the primary or the alternate screen."""

import struct
from dataclasses import dataclass

from holdfast.reader.styles import STYLE_SIZE

PRIMARY, ALTERNATE = 0, 1

HEAD = struct.Struct(f"<HHQHHBB{STYLE_SIZE}sIHBB8sBBB")
SAVED = struct.Struct(f"<HH{STYLE_SIZE}sBH")
LENGTH = struct.Struct("<I")


@dataclass(frozen=True)
class Link:
    """A hyperlink. `name` is what the program called it, or nothing."""

    uri: bytes
    name: bytes = b""


@dataclass(frozen=True)
class Charsets:
    """G0 to G3, and which of them are in use on the left, on the right and for one character."""

    sets: tuple[int, int, int, int]  # UTF-8, ASCII, British, line drawing
    left: int
    right: int
    once: int | None


@dataclass(frozen=True, kw_only=True)
class SavedCursor:
    x: int
    y: int
    pen: bytes
    protected: bool
    pending_wrap: bool
    origin: bool
    charsets: Charsets


@dataclass(frozen=True, kw_only=True)
class ScreenState:
    key: int
    history_rows: int
    x: int
    y: int
    shape: int  # bar, block, underline, hollow block
    pending_wrap: bool
    protected: bool
    pen: bytes
    charsets: Charsets
    kitty: tuple[int, ...]  # the stack of keyboard flags, the one in force last
    saved: SavedCursor | None
    link: Link | None  # open at the cursor


def parse_screen(data: bytes) -> ScreenState:
    (
        key,
        _pages,
        history,
        x,
        y,
        shape,
        flags,
        pen,
        _implicit,
        charsets,
        _mode,
        index,
        kitty,
        *rest,
    ) = HEAD.unpack_from(data)
    at = HEAD.size
    saved = None
    if rest[2]:
        saved = _saved(data, at)
        at += SAVED.size
    return ScreenState(
        key=key,
        history_rows=history,
        x=x,
        y=y,
        shape=shape,
        pending_wrap=bool(flags & 1),
        protected=bool(flags & 2),
        pen=pen,
        charsets=_charsets(charsets),
        kitty=_kitty(kitty, index),
        saved=saved,
        link=parse_link(data, at)[0],
    )


def parse_link(data: bytes, at: int) -> tuple[Link | None, int]:
    """Return the link that begins there, and where it ends."""
    kind = data[at]
    at += 1
    if kind == 0:
        return None, at
    if kind == 1:  # the library's own number, which means nothing elsewhere
        name, at = b"", at + 4
    else:
        name, at = _string(data, at)
    uri, at = _string(data, at)
    return Link(uri, name), at


def _string(data: bytes, at: int) -> tuple[bytes, int]:
    (length,) = LENGTH.unpack_from(data, at)
    return data[at + 4 : at + 4 + length], at + 4 + length


def _charsets(bits: int) -> Charsets:
    once = bits >> 12 & 7
    return Charsets(
        (bits & 3, bits >> 2 & 3, bits >> 4 & 3, bits >> 6 & 3),
        bits >> 8 & 3,
        bits >> 10 & 3,
        once - 1 if once else None,
    )


def _kitty(flags: bytes, index: int) -> tuple[int, ...]:
    # A ring of eight: what lies behind the index is older, if it is there at all.
    older = flags[index + 1 :]
    return (*(older if any(older) else b""), *flags[: index + 1])


def _saved(data: bytes, at: int) -> SavedCursor:
    x, y, pen, flags, charsets = SAVED.unpack_from(data, at)
    return SavedCursor(
        x=x,
        y=y,
        pen=pen,
        protected=bool(flags & 1),
        pending_wrap=bool(flags & 2),
        origin=bool(flags & 4),
        charsets=_charsets(charsets),
    )
