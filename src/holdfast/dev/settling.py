"""Tells a new content from a file that is just being written.

Editors truncate and write, rename, write in bursts, and touch what they do not change. Files
are looked at through `look`, time is an argument: feed `touched`, drain `settled`, `deadline`.
"""

from collections.abc import Callable
from typing import NamedTuple

# Seconds until an empty file, or none, is believed, and that a file which nobody asked for has
# to last. An editor takes milliseconds; more would make a page wait that is meant to be empty.
RIPE = 0.2


class Look(NamedTuple):
    """What a file is at one moment."""

    size: int
    digest: bytes


class Pending(NamedTuple):
    """A file that was touched."""

    since: float
    was_added: bool
    is_asked: bool


class Settling:
    """Which of the touched files have a content that nobody has seen."""

    def __init__(self, look: Callable[[str], Look | None]) -> None:
        self._look = look
        self._known: dict[str, Look | None] = {}
        self._pending: dict[str, Pending] = {}

    def touched(self, path: str, *, was_added: bool, is_asked: bool, now: float) -> None:
        """Somebody has done something to a file."""
        before = self._pending.get(path)
        if before is not None:
            since, was_added = before.since, was_added or before.was_added
        else:
            since = now
        self._pending[path] = Pending(since, was_added, is_asked)

    def served(self, path: str, look: Look | None) -> bool:
        """A page gets the file like this; return whether that is new to others."""
        is_new = path in self._known and self._known[path] != look
        self._known[path] = look
        return is_new

    def settled(self, now: float) -> list[str]:
        """Return the files with a new content; those that are being written stay behind."""
        changed = []
        for path, pending in list(self._pending.items()):
            if not pending.is_asked and now < pending.since + RIPE:
                continue  # not looked at before: a build writes thousands
            look = self._look(path)
            if now < self._ripe_at(pending, look):
                continue
            del self._pending[path]
            if self._is_new(path, pending, look):
                self._known[path] = look
                changed.append(path)
        return changed

    def deadline(self) -> float | None:
        """Return when to ask `settled` again although nothing is touched."""
        return min((each.since + RIPE for each in self._pending.values()), default=None)

    def _ripe_at(self, pending: Pending, look: Look | None) -> float:
        waits = not pending.is_asked or look is None or look.size == 0
        return pending.since + RIPE if waits else pending.since

    def _is_new(self, path: str, pending: Pending, look: Look | None) -> bool:
        if path in self._known:
            return self._known[path] != look
        # A file that came and went within a moment was somebody's temporary one.
        return look is not None or not pending.was_added
