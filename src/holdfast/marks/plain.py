"""What a terminal would show of bytes that were printed, as plain lines.

Only for reading: no screen is kept, so what a full-screen program painted is rubbish here.
"""

import re

# Each ends at its own end, or where the text does: a summary may be cut off in the middle.
ESCAPES = re.compile(
    r"""
    (?: \x1b\] | \x9d) [^\x07\x18\x1a\x1b\x9c]* (?: \x07 | \x1b\\ | \x9c | \Z)?   # OSC
  | (?: \x1b[PX^_] | [\x90\x98\x9e\x9f])                                        # DCS, SOS, PM, APC
    [^\x18\x1a\x1b\x9c]* (?: \x1b\\ | \x9c | \Z)?
  | (?: \x1b\[ | \x9b) [0-?]* [ -/]* (?: [@-~] | \Z)?                             # CSI
  | \x1b [ -/]* (?: [0-~] | \Z)?                                                  # the rest
    """,
    re.VERBOSE,
)
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def plain(text: str) -> str:
    """Return text without escape sequences, each line as it was shown last."""
    return "\n".join(_shown(line) for line in ESCAPES.sub("", text).split("\n"))


def plain_lines(printed: bytes, limit: int | None = None) -> list[str]:
    """Return the lines that were printed, the last *limit* of them."""
    lines = plain(printed.decode(errors="replace")).split("\n")
    while lines and not lines[-1]:
        lines.pop()
    return lines if limit is None else lines[max(0, len(lines) - limit) :]


def _shown(line: str) -> str:
    """Return what is left of a line over which a program has written again and again."""
    written = [part for part in line.split("\r") if part]
    if not written:
        return ""
    newest = written[-1]
    return CONTROLS.sub("", _without_erased(newest) if "\b" in newest else newest).rstrip()


def _without_erased(text: str) -> str:
    left: list[str] = []
    for character in text:
        if character != "\b":
            left.append(character)
        elif left:
            left.pop()
    return "".join(left)


def one_line(text: str) -> str:
    """Return text for a place that has one line."""
    return " ".join(plain(text).split())


def shortened(text: str, room: int) -> str:
    """Return at most *room* characters: head and tail by whole lines, and what is left out."""
    if len(text) <= room:
        return text
    lines = text.split("\n")
    note = f"[... {len(lines)} lines, {len(text)} characters left out ...]"  # never longer later
    half = (room - len(note) - 2) // 2
    if half < 1:
        return text[: max(0, room)]
    head, tail = _whole(lines, half), _whole(lines[::-1], half)[::-1]
    if not head and not tail:  # lines that are longer than all the room
        head, tail, cut = [text[:half]], [text[-half:]], len(text) - 2 * half
        return "\n".join([*head, f"[... {cut} characters left out ...]", *tail])
    left_out = len(lines) - len(head) - len(tail)
    characters = sum(len(line) + 1 for line in lines[len(head) : len(lines) - len(tail)])
    middle = f"[... {left_out} lines, {characters} characters left out ...]"
    return "\n".join([*head, middle, *tail])


def _whole(lines: list[str], room: int) -> list[str]:
    """Return so many of the first lines as fit."""
    taken = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        taken.append(line)
    return taken
