"""The TERMINAL record: what belongs to the whole terminal and to no screen of it."""

import struct
from dataclasses import dataclass

from holdfast.reader.model import Rgb

HEAD = struct.Struct("<HHIIHHHHBHHIBBBBBBBBBBQQQ")
TAIL = struct.Struct("<QQ")  # limits of the scrollback, ours anyway
COLOR = struct.Struct("<B3BB3B")  # default: present, red, green, blue; then what the program set
NO_CODEPOINT = 0xFFFFFFFF

# The number a program uses for each mode, in the order of their bits; without "?" an ANSI mode.
MODES = (
    "2", "4", "12", "20", "?1", "?3", "?4", "?5", "?6", "?7", "?8", "?9", "?12", "?25", "?40",
    "?45", "?47", "?66", "?67", "?69", "?1000", "?1002", "?1003", "?1004", "?1005", "?1006",
    "?1007", "?1015", "?1016", "?1035", "?1036", "?1039", "?1045", "?1047", "?1048", "?1049",
    "?2004", "?2026", "?2027", "?2031", "?2033", "?2048", "?5522",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TerminalState:
    """What the record says, in the order of `painter`'s needs rather than the record's."""

    cols: int
    rows: int
    region: tuple[int, int, int, int]  # top, bottom, left, right; from 0, both ends within
    active_screen: int
    previous: int | None  # the character REP repeats
    cursor_is_default: bool
    modify_other_keys: bool
    mouse_event: int  # none, X10, normal, button, any
    mouse_format: int  # X10, UTF-8, SGR, urxvt, SGR pixels
    mouse_shape: int
    modes: frozenset[str]
    saved_modes: frozenset[str]
    default_modes: frozenset[str]
    colors: tuple[Rgb | None, Rgb | None, Rgb | None]  # background, foreground, cursor: as set
    tabs: tuple[int, ...]  # columns
    palette: dict[int, Rgb]  # what the program has set
    cwd: bytes
    title: bytes


def parse_terminal(data: bytes) -> TerminalState:
    head = HEAD.unpack_from(data)
    cols, rows = head[0], head[1]
    at = HEAD.size
    colors = tuple(_color(data, at + COLOR.size * which) for which in range(3))
    at += 3 * COLOR.size + TAIL.size
    tabs = int.from_bytes(data[at : at + (cols + 7) // 8], "little")
    at += (cols + 7) // 8
    palette, at = _palette(data, at + 3 * 256)
    cwd, at = _string(data, at)
    title, at = _string(data, at)
    return TerminalState(
        cols=cols,
        rows=rows,
        region=(head[4], head[5], head[6], head[7]),
        active_screen=head[9],
        previous=None if head[11] == NO_CODEPOINT else head[11],
        cursor_is_default=bool(head[12]),
        modify_other_keys=bool(head[16]),
        mouse_event=head[17],
        mouse_format=head[18],
        mouse_shape=head[20],
        modes=_modes(head[22]),
        saved_modes=_modes(head[23]),
        default_modes=_modes(head[24]),
        colors=(colors[0], colors[1], colors[2]),
        tabs=tuple(col for col in range(cols) if tabs >> col & 1),
        palette=palette,
        cwd=cwd,
        title=title,
    )


def _modes(bits: int) -> frozenset[str]:
    return frozenset(name for bit, name in enumerate(MODES) if bits >> bit & 1)


def _color(data: bytes, at: int) -> Rgb | None:
    _, _, _, _, is_set, red, green, blue = COLOR.unpack_from(data, at)
    return (red, green, blue) if is_set else None


def _palette(data: bytes, at: int) -> tuple[dict[int, Rgb], int]:
    mask = int.from_bytes(data[at : at + 32], "little")
    at += 32
    palette: dict[int, Rgb] = {}
    for index in range(256):
        if mask >> index & 1:
            palette[index] = (data[at], data[at + 1], data[at + 2])
            at += 3
    return palette, at


def _string(data: bytes, at: int) -> tuple[bytes, int]:
    length = int.from_bytes(data[at : at + 4], "little")
    return data[at + 4 : at + 4 + length], at + 4 + length
