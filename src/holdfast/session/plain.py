"""Text out of raw output, when no terminal is there to draw it: an approximation, and said so.

Escape sequences go, and of a line that was written over the newest part stays. What a program
has drawn by moving the cursor about is not put where it was.
"""

import re

_SEQUENCE = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    rb"|\x1b[\]PX^_][^\x07\x1b\x18\x1a]*(?:\x07|\x1b\\|\Z|(?=[\x1b\x18\x1a]))"  # strings
    rb"|\x1b(?:\[[0-?]*)?[ -/]*\Z"  # one that is cut off
    rb"|\x1b[ -/]*[0-~]"  # the short ones
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def plain_lines(data: bytes, limit: int | None = None) -> list[str]:
    """Return the lines in *data*, the last *limit* of them."""
    text = _SEQUENCE.sub(b"", data).decode(errors="replace")
    lines = [_line(one) for one in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines if limit is None else lines[max(0, len(lines) - limit) :]


def _line(text: str) -> str:
    written = [part for part in text.split("\r") if part]
    if not written:
        return ""
    newest = written[-1]
    return _CONTROL.sub("", _without_erased(newest) if "\b" in newest else newest).rstrip()


def _without_erased(text: str) -> str:
    left: list[str] = []
    for character in text:
        if character != "\b":
            left.append(character)
        elif left:
            left.pop()
    return "".join(left)
