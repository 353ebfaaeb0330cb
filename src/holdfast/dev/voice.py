"""What `hold dev` says to a person, and how its work can fail. Prints nothing itself."""

from collections.abc import Callable
from dataclasses import dataclass, field


def _nobody(_: str) -> None:
    """Say it to nobody."""


@dataclass(kw_only=True)
class Voice:
    """Says things; whoever listens decides where they appear."""

    status: Callable[[str], None] = _nobody
    """How it stands now: the newest replaces the one before."""
    note: Callable[[str], None] = _nobody
    """Something that stays."""
    heard: Callable[[str], None] = _nobody
    """A line that the program behind has printed."""


@dataclass
class Failed(Exception):
    """It cannot go on: what happened, what to do, and what the program said last."""

    what: str
    fix: str
    tail: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return self.what
