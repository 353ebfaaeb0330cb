"""What a session is called whose starter did not say: its program, or its directory.

The daemon adds a number where another has that name.
"""

import os

SHELLS = frozenset(
    ("sh", "bash", "zsh", "fish", "dash", "ash", "ksh", "mksh", "tcsh", "csh", "nu", "xonsh")
)
LONGEST = 40  # characters: it is typed, and stands in a column
FALLBACK = "session"


def name_for(argv: list[bytes], cwd: bytes) -> str:
    """Return a name that says which it is."""
    program = _word(os.path.basename(argv[0])).lstrip("-")  # noqa: PTH119 - bytes
    directory = _word(os.path.basename(cwd.rstrip(b"/")))  # noqa: PTH119 - bytes
    return (directory if program in SHELLS else program) or program or FALLBACK


def _word(text: bytes) -> str:
    """Return what can be typed without quoting."""
    decoded = text.decode(errors="replace")[:LONGEST]
    kept = "".join(each if each.isalnum() or each in "._+@-" else "-" for each in decoded)
    return kept.strip("-")
