"""Which signals may be sent to a session's program, and how people write them.

Names only: systems number USR1, STOP and their like differently, so whoever sends brings
the numbers of its own.
"""

from collections.abc import Mapping

from holdfast.errors import InvalidSignal

# What a person at a terminal or a service manager sends. The others are how the kernel tells
# a program of a fault of its own (SEGV), or belong to nobody outside of it (ALRM, CHLD).
SIGNALS = (
    "HUP",
    "INT",
    "QUIT",
    "TERM",
    "KILL",
    "USR1",
    "USR2",
    "CONT",
    "STOP",
    "TSTP",
    "WINCH",
)


def parse_signal(text: str, numbers: Mapping[str, int]) -> int:
    """Return the number of a signal written with or without SIG, in any case.

    *numbers* maps full names (`SIGTERM`) to this system's numbers, as the members of
    `signal.Signals` do. Raises InvalidSignal with the list.
    """
    name = text.upper().removeprefix("SIG")
    # Upper case makes letters of other alphabets into ours: U+017F is an S then.
    if name not in SIGNALS or not text.isascii():
        raise InvalidSignal(value=text, known=", ".join(SIGNALS))
    return numbers[f"SIG{name}"]
