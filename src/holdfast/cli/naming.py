"""What a session is called by whose starter did not say: its program, or its directory."""

import os
from collections.abc import Container

SHELLS = frozenset(
    ("sh", "bash", "zsh", "fish", "dash", "ash", "ksh", "mksh", "tcsh", "csh", "nu", "xonsh")
)
LONGEST = 40  # characters: it is typed, and stands in a column
FALLBACK = "session"


def name_for(argv: list[bytes], cwd: bytes, taken: Container[str]) -> str:
    """Return a name that nobody has: build, build-2."""
    program = _word(os.path.basename(argv[0])).lstrip("-")  # noqa: PTH119 - bytes
    directory = _word(os.path.basename(cwd.rstrip(b"/")))  # noqa: PTH119 - bytes
    wanted = (directory if program in SHELLS else program) or program or FALLBACK
    number, name = 1, wanted
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name


def _word(text: bytes) -> str:
    """Return what can be typed without quoting."""
    decoded = text.decode(errors="replace")[:LONGEST]
    kept = "".join(each if each.isalnum() or each in "._+@-" else "-" for each in decoded)
    return kept.strip("-")
