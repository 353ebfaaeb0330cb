"""Writes what a program has set beside the cells: modes, keys, mouse, colours, tabs, margins.

Everything is written as a difference from a fresh terminal, so that most pictures say nothing.
"""

from collections.abc import Iterator

from holdfast.reader.cells import printable
from holdfast.reader.model import Rgb
from holdfast.reader.screen_state import Charsets, ScreenState
from holdfast.reader.terminal_state import TerminalState

# Written elsewhere, in their order, or not at all: 132 columns (?3) is a resize of the terminal
# itself, and a blinking cursor (?12) goes with its shape.
APART = {
    "4", "?3", "?6", "?7", "?12", "?47", "?1047", "?1048", "?1049", "?2026",
    "?9", "?1000", "?1002", "?1003", "?1005", "?1006", "?1015", "?1016",
}  # fmt: skip

MOUSE_EVENTS = ("", "?9", "?1000", "?1002", "?1003")
MOUSE_FORMATS = ("", "?1005", "?1006", "?1015", "?1016")
SHAPES = (
    "default", "context-menu", "help", "pointer", "progress", "wait", "cell", "crosshair", "text",
    "vertical-text", "alias", "copy", "move", "no-drop", "not-allowed", "grab", "grabbing",
    "all-scroll", "col-resize", "row-resize", "n-resize", "e-resize", "s-resize", "w-resize",
    "ne-resize", "nw-resize", "se-resize", "sw-resize", "ew-resize", "ns-resize", "nesw-resize",
    "nwse-resize", "zoom-in", "zoom-out",
)  # fmt: skip
DESIGNATE = ("", "B", "A", "0")  # UTF-8 is what there is, ASCII looks the same
LOCK_LEFT = ("\x0f", "\x0e", "\x1bn", "\x1bo")
LOCK_RIGHT = ("", "\x1b~", "\x1b}", "\x1b|")
SINGLE = {2: "\x1bN", 3: "\x1bO"}
RIGHT_BY_DEFAULT = 2  # G2
FRESH_SHAPES = (0, 8)  # the default, and the text beam which it is


def set_mode(name: str, *, to: bool) -> str:
    return f"\x1b[{name}{'h' if to else 'l'}"


def write_names(state: TerminalState) -> Iterator[str]:
    """Write colours, directory, title and the shape of the pointer."""
    for index, color in state.palette.items():
        yield f"\x1b]4;{index};{_color(color)}\x1b\\"
    for number, which in ((11, 0), (10, 1), (12, 2)):
        chosen = state.colors[which]
        if chosen is not None:
            yield f"\x1b]{number};{_color(chosen)}\x1b\\"
    if state.cwd:
        yield f"\x1b]7;{printable(state.cwd)}\x1b\\"
    if state.title:
        yield f"\x1b]2;{printable(state.title)}\x1b\\"
    if state.mouse_shape not in FRESH_SHAPES:
        yield f"\x1b]22;{SHAPES[state.mouse_shape]}\x1b\\"


def write_modes(state: TerminalState) -> Iterator[str]:
    """Write tabs, margins and every mode which neither moves the cursor nor hinders painting."""
    yield from _saved_modes(state)
    if state.tabs != tuple(range(8, state.cols - 1, 8)):
        yield "\x1b[3g"
        yield from (f"\x1b[{col + 1}G\x1bH" for col in state.tabs)
    for name in sorted(state.modes ^ state.default_modes):
        if name not in APART:
            yield set_mode(name, to=name in state.modes)
    top, bottom, left, right = state.region
    if (top, bottom) != (0, state.rows - 1):
        yield f"\x1b[{top + 1};{bottom + 1}r"
    if "?69" in state.modes and (left, right) != (0, state.cols - 1):
        yield f"\x1b[{left + 1};{right + 1}s"
    yield from _last_wins(state, MOUSE_EVENTS, state.mouse_event)
    yield from _last_wins(state, MOUSE_FORMATS, state.mouse_format)
    if state.modify_other_keys:
        yield "\x1b[>4;2m"


def write_shape(state: TerminalState, screen: ScreenState) -> Iterator[str]:
    """Write the shape of the cursor, and whether it blinks."""
    blinks = "?12" in state.modes
    if not state.cursor_is_default:
        steady = {0: 6, 1: 2, 2: 4}.get(screen.shape, 2)
        yield f"\x1b[{steady - 1 if blinks else steady} q"
    elif blinks != ("?12" in state.default_modes):
        yield set_mode("?12", to=blinks)


def write_keys(screen: ScreenState) -> Iterator[str]:
    """Write the stack of kitty keyboard flags of one screen."""
    first, *rest = screen.kitty
    if first:
        yield f"\x1b[={first};1u"
    yield from (f"\x1b[>{flags}u" for flags in rest)


def write_charsets(charsets: Charsets) -> str:
    """Write designations and shifts, for a terminal with the charsets it began with."""
    out = ""
    for slot, chosen in zip("()*+", charsets.sets, strict=True):
        if chosen:
            out += f"\x1b{slot}{DESIGNATE[chosen]}"
    if charsets.left:
        out += LOCK_LEFT[charsets.left]
    if charsets.right != RIGHT_BY_DEFAULT:
        out += LOCK_RIGHT[charsets.right]
    return out + SINGLE.get(charsets.once or 0, "")


def _color(color: Rgb) -> str:
    return "rgb:" + "/".join(f"{part:02x}" for part in color)


def _last_wins(state: TerminalState, names: tuple[str, ...], effective: int) -> Iterator[str]:
    """Set every mode of a kind that is set; the one in force comes last."""
    chosen = names[effective]
    yield from (set_mode(name, to=True) for name in names if name in state.modes and name != chosen)
    if chosen:
        yield set_mode(chosen, to=True)
    elif state.modes & set(names):
        # Resetting any of them ends them all, and leaves those set that were.
        spare = next((name for name in names[1:] if name not in state.modes), names[1])
        yield set_mode(spare, to=True) + set_mode(spare, to=False)


def _saved_modes(state: TerminalState) -> Iterator[str]:
    """Write what XTSAVE has kept, by setting each as it was and saving it."""
    for name in sorted(state.saved_modes ^ (state.default_modes - {"?2027"})):
        if name.startswith("?") and name not in APART:
            yield set_mode(name, to=name in state.saved_modes)
            yield f"\x1b[{name}s"
            if (name in state.modes) == (name in state.default_modes):
                yield set_mode(name, to=name in state.modes)
