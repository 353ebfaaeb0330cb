"""Keys by their names, and what a terminal sends for them. Pure."""

from collections.abc import Iterator, Mapping

from holdfast.cli.exits import Usage

# CSI letter, or SS3 letter while the program has switched application cursor keys on.
CURSOR = {"Up": "A", "Down": "B", "Right": "C", "Left": "D", "Home": "H", "End": "F"}
# CSI number ~
NUMBERED = {
    "Insert": 2, "Delete": 3, "PageUp": 5, "PageDown": 6,
    "F5": 15, "F6": 17, "F7": 18, "F8": 19, "F9": 20, "F10": 21, "F11": 23, "F12": 24,
}  # fmt: skip
# SS3 letter; with a modifier CSI 1;modifier letter
FUNCTION = {"F1": "P", "F2": "Q", "F3": "R", "F4": "S"}
PLAIN = {
    "Enter": "\r",
    "Tab": "\t",
    "BackTab": "\x1b[Z",
    "Esc": "\x1b",
    "Space": " ",
    "Backspace": "\x7f",
    "Comma": ",",
}
ALIASES = {
    "Escape": "Esc",
    "Return": "Enter",
    "PgUp": "PageUp",
    "PgDn": "PageDown",
    "Ins": "Insert",
}
ALIASES |= {"Del": "Delete", "BSpace": "Backspace", "S-Tab": "BackTab"}
MODIFIERS: Mapping[str, int] = {"S": 1, "M": 2, "A": 2, "C": 4}  # as xterm counts them
NAMES = (*PLAIN, *CURSOR, *NUMBERED, *FUNCTION)
# Control and a character that has no letter of its own.
CONTROLS = {" ": 0, "@": 0, "[": 27, "\\": 28, "]": 29, "^": 30, "_": 31, "/": 31, "?": 127}
DIGITS = {"2": 0, "3": 27, "4": 28, "5": 29, "6": 30, "7": 31, "8": 127}


def bytes_of(names: str, *, application: bool = False) -> bytes:
    """Return what a terminal sends for `C-c,Up,x`; *application* is its mode of cursor keys."""
    return b"".join(_key(name, application) for name in _split(names))


def depends_on_mode(names: str) -> bool:
    """Whether any of the keys is sent in another way in application cursor mode."""
    return any(ALIASES.get(name, name) in CURSOR for name in _split(names))


def _split(names: str) -> Iterator[str]:
    for name in names.split(","):
        if not name.strip():
            raise Usage(f"--keys {names!r} has an empty key", "a comma itself is called Comma")
        yield name.strip()


def _key(name: str, application: bool) -> bytes:
    plain = ALIASES.get(name, name)
    modifier, left = 0, plain
    while len(left) > 2 and left[1] == "-" and left[0] in MODIFIERS:
        modifier |= MODIFIERS[left[0]]
        left = ALIASES.get(left[2:], left[2:])
    found = _special(left, modifier, application)
    if found is None:
        found = _character(left, modifier)
    if found is None:
        raise _unknown(name)
    return found.encode()


def _special(name: str, modifier: int, application: bool) -> str | None:
    if name in CURSOR:
        if modifier:
            return f"\x1b[1;{modifier + 1}{CURSOR[name]}"
        return ("\x1bO" if application else "\x1b[") + CURSOR[name]
    if name in NUMBERED:
        return f"\x1b[{NUMBERED[name]}{f';{modifier + 1}' if modifier else ''}~"
    if name in FUNCTION:
        return f"\x1b[1;{modifier + 1}{FUNCTION[name]}" if modifier else f"\x1bO{FUNCTION[name]}"
    if name == "Tab" and modifier == MODIFIERS["S"]:
        return PLAIN["BackTab"]
    return _character(PLAIN[name], modifier) if name in PLAIN else None


def _character(text: str, modifier: int) -> str | None:
    """Return a character with control and meta; shift is in the character itself."""
    if len(text) != 1 and modifier:
        return None
    if modifier & MODIFIERS["C"]:
        if text.isascii() and text.isalpha():
            text = chr(ord(text.upper()) - 64)
        elif text in CONTROLS or text in DIGITS:
            text = chr({**CONTROLS, **DIGITS}[text])
        else:
            return None
    if len(text) != 1 and text not in PLAIN.values():
        return None
    return "\x1b" * bool(modifier & MODIFIERS["M"]) + text


def _unknown(name: str) -> Usage:
    import difflib  # noqa: PLC0415 - only for mistakes

    wanted = [] if name[1:2] == "-" else [name.capitalize()]
    close = [each for one in wanted for each in difflib.get_close_matches(one, NAMES, n=1)]
    known = "write one character, C-x, M-x, or a name as in `hold help keys`"
    return Usage(f"there is no key {name!r}", f"did you mean {close[0]}?" if close else known)
