"""What `hold wrap` tells its user, and where it may be shown. Pure.

A line is shown only where it destroys nothing: after an Enter that the shell itself has
answered with a new line, on the main screen. What has changed back by then is never told, nor
is an outage that was over in two seconds.
"""

import re
from typing import NamedTuple

OUTAGE = 2.0  # seconds: a daemon that is killed is back within one
# A shell ends the line, and switches off what it had on while it was edited.
_LINE_END = re.compile(rb"\n(?:\r|\x1b\[[0-9;?<>=]*[hlmu]|\x1b[=>])*")
STILL_OPEN = "what you see goes on here and is sent when it is back"


class Notice(NamedTuple):
    """One line; good or bad news."""

    is_good: bool
    text: str


def line_end(data: bytes) -> int | None:
    """Return where in this output the cursor is at the beginning of a line for the first time."""
    found = _LINE_END.search(data)
    return None if found is None else found.end()


class Notices:
    """Compares what is with what was told."""

    def __init__(self, session: str, *, told_online: bool) -> None:
        self._session = session
        self._told = told_online
        self._is = told_online
        self._since = 0.0
        self._missing = 0
        self._refused = ""
        self._over = ""

    def online(self, now: float, missing: int) -> None:
        """The session is registered; so many bytes of it are lost in all."""
        if not self._is:
            self._is, self._since = True, now
        self._refused = ""
        if missing > self._missing:
            self._told = False  # a hole is told even if the outage was not

    def offline(self, now: float, refused: str = "") -> None:
        """The daemon is not there, or does not take the copy."""
        if self._is:
            self._is, self._since = False, now
        self._refused = refused

    def over(self, reason: str) -> None:
        """There will be no copy any more."""
        self._over = reason

    def due(self, now: float) -> bool:
        """Whether there is something to be told."""
        if self._over:
            return True
        if self._is == self._told:
            return False
        return self._is or now - self._since >= OUTAGE

    def take(self, missing: int) -> Notice:
        """Return what is to be told; it is told now."""
        if self._over:
            reason, self._over = self._over, ""
            self._told = self._is = False
            return Notice(is_good=False, text=f"no copy of this shell is kept any more: {reason}")
        self._told = self._is
        if not self._is:
            reason = self._refused or "the daemon does not answer"
            return Notice(is_good=False, text=f"{reason}; {STILL_OPEN}")
        lost, self._missing = missing - self._missing, missing
        if lost:
            text = f"session {self._session} goes on, {lost} bytes of it are missing"
            return Notice(is_good=False, text=text)
        return Notice(is_good=True, text=f"the daemon is there: session {self._session}")
