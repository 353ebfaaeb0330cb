"""How a cell looks, as the library keeps it, and as the escape sequence that says it."""

import struct
from functools import lru_cache

STYLE_SIZE = 16
STYLE = struct.Struct("<4s4s4sHH")  # foreground, background, underline, attributes, nothing
PLAIN = bytes(STYLE_SIZE)
RESET = "\x1b[m"

ATTRIBUTES = ("1", "3", "2", "5", "7", "8", "9", "53")  # in the order of their bits
UNDERLINES = ("", "4", "4:2", "4:3", "4:4", "4:5")
NONE, INDEXED, RGB = range(3)


def sgr(style: bytes) -> str:
    """Return the sequence that makes this the style, whatever it was before."""
    if style == PLAIN:
        return RESET
    if style[0] == RGB and style[4:] == PLAIN[4:]:  # where there are many styles, they are this
        return "\x1b[0;38;2;%d;%d;%dm" % tuple(style[1:4])  # noqa: UP031 - a third quicker
    foreground, background, underline, attributes, _ = STYLE.unpack(style)
    words = ["0"]
    words += [word for bit, word in enumerate(ATTRIBUTES) if attributes >> bit & 1]
    words += [UNDERLINES[attributes >> 8 & 7]]
    words += [_color(foreground, 30, 90), _color(background, 40, 100), _underline_color(underline)]
    return f"\x1b[{';'.join(word for word in words if word)}m"


@lru_cache(4096)
def has_background(style: bytes) -> bool:
    """Return whether erasing with this style leaves colour behind."""
    return style[4] != NONE


def background_only(kind: int, content: int) -> str:
    """Return the style of a cell that was erased with a colour: kind 2 is indexed, 3 is RGB."""
    if kind == 2:
        color = bytes((1, content & 0xFF, 0, 0))
    else:
        color = bytes((2, content & 0xFF, content >> 8 & 0xFF, content >> 16 & 0xFF))
    return f"\x1b[0;{_color(color, 40, 100)}m"


def _color(color: bytes, low: int, bright: int) -> str:
    kind, first, second, third = color
    if kind == NONE:
        return ""
    if kind != INDEXED:
        return f"{low + 8};2;{first};{second};{third}"
    if first < 8:
        return str(low + first)
    return str(bright + first - 8) if first < 16 else f"{low + 8};5;{first}"


def _underline_color(color: bytes) -> str:
    # With colons, so that a terminal which does not know it takes no part of it for something else.
    kind, first, second, third = color
    if kind == NONE:
        return ""
    return f"58:5:{first}" if kind == INDEXED else f"58:2::{first}:{second}:{third}"
