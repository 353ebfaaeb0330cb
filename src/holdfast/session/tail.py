"""Where the last bytes of a log can be cut, so that a terminal shows them as they were meant.

Not in a character, and not in an escape sequence: behind the end of a line, else before an
escape character, which begins anew whatever was under way, else before a whole character.
"""

TAIL_SIZE = 64 * 1024  # some screens, of any width
ESC, NEWLINE = b"\x1b", b"\n"
LONGEST_CHARACTER = 4  # bytes in UTF-8


def safe_cut(data: bytes) -> int:
    """Return how many bytes to leave out from the front of *data*."""
    newline = data.find(NEWLINE)
    if newline >= 0:
        return newline + 1
    escape = data.find(ESC)
    if escape >= 0:
        return escape
    for at, byte in enumerate(data[:LONGEST_CHARACTER]):
        if byte & 0xC0 != 0x80:
            return at
    return len(data) if len(data) < LONGEST_CHARACTER else 0
