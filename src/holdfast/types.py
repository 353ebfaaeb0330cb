"""The small values everybody passes around: ids, offsets, sizes, exits."""

import re
from typing import NewType

from msgspec import Struct

SessionId = NewType("SessionId", str)
"""Short, unique and never reused; lower case letters and digits."""

Offset = NewType("Offset", int)
"""Bytes a session has printed since it began. Never reset, never goes back."""

SESSION_ID = re.compile(r"[a-z0-9]{4,32}")
CLIENT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
LABEL_LIMIT = (
    256  # characters of a name, key or label: longer ones break every table they are shown in
)
LONGEST_SIDE = 1000  # cells; a larger screen costs the reader gigabytes and no display has it


class Size(Struct, frozen=True):
    """Columns and rows of a terminal."""

    cols: int
    rows: int

    def __post_init__(self) -> None:
        for name, value in (("cols", self.cols), ("rows", self.rows)):
            if not 1 <= value <= LONGEST_SIDE:
                raise ValueError(f"{name} is {value}, must be 1 to {LONGEST_SIDE}")

    @classmethod
    def parse(cls, text: str) -> "Size":
        """Return the size written as `COLSxROWS`; raise ValueError for anything else."""
        match = re.fullmatch(r"([0-9]{1,6})x([0-9]{1,6})", text.strip().lower())
        if match is None:
            raise ValueError("a size is written COLSxROWS, for example 120x40")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.cols}x{self.rows}"


class ExitStatus(Struct, frozen=True, kw_only=True):
    """How a program ended: a code, a signal, or nobody could learn it."""

    code: int | None = None
    signal: int | None = None

    @classmethod
    def from_wait(cls, status: int) -> "ExitStatus":
        """Return what a wait status says (code in the high byte, signal in the low one)."""
        signal = status & 0x7F
        return cls(signal=signal) if signal else cls(code=status >> 8 & 0xFF)

    @property
    def known(self) -> bool:
        return self.code is not None or self.signal is not None

    def as_shell_code(self) -> int | None:
        """Return what a shell would report: the code, or 128 + the signal."""
        return self.code if self.signal is None else 128 + self.signal
