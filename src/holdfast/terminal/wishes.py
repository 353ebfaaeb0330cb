"""What an attachment is asked for, what it is given, and how it is over."""

import os
from collections.abc import Callable
from typing import Any, NamedTuple

from holdfast.protocol.messages import SessionInfo
from holdfast.terminal.detach import KEY, WITHIN


class Local(NamedTuple):
    """This side's descriptors."""

    stdin: int
    stdout: int
    can_answer: bool = True
    """Whether it knows what it is asked; a `dumb` terminal and a `vt100` show the question."""
    has_title: bool = True
    modes: list[Any] | None = None
    """Its settings, where they were changed before."""
    is_painted: bool = False
    """It shows a first look at the session: what was there before is above, out of sight."""

    @property
    def is_terminal(self) -> bool:
        return os.isatty(self.stdin) and os.isatty(self.stdout)

    @property
    def may_be_asked(self) -> bool:
        """Whether what is asked through one is answered through the other."""
        if not (self.can_answer and self.is_terminal):
            return False
        # Not by name: the terminal of a container may have none inside.
        return os.fstat(self.stdin).st_rdev == os.fstat(self.stdout).st_rdev


class Wish(NamedTuple):
    """How to attach."""

    fresh: bool = False
    """It was started for us: it is shown from its first byte, and ours."""
    observe: bool = False
    takeover: bool = False
    since: int | None = None
    key: int = KEY
    """What leaves the session when it is pressed twice, and how soon that must be."""
    within: float | None = WITHIN

    @property
    def key_name(self) -> str:
        return f"Ctrl-{chr(self.key + 64)}"


class Around(NamedTuple):
    """What others do about an attachment."""

    note_undo: Callable[[bytes], None] = lambda _: None
    """Is told what would bring the terminal back, should we be killed."""
    owned: Callable[[], None] = lambda: None
    """The session is ours now."""


class Left(NamedTuple):
    """How an attachment was over."""

    ended: SessionInfo | None
    """The session as it is at its end; None for who has left it."""
    undelivered: int = 0
    """Bytes that were typed before and not taken."""
