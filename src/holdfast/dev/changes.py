"""What has changed since a page was loaded: states, counted, each with what it changed.

A change is a content that was not there before, whoever saw it first: the watcher, or the
server that was just asked for the file. Knows no files, sockets or clocks.
"""

from collections import deque
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import NamedTuple

# What a page can be given without loading it again.
STYLES = frozenset((".css",))
IMAGES = frozenset((".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg", ".ico", ".bmp"))
REMEMBERED = 256  # changes; a page that was away for longer loads anew


class Change(NamedTuple):
    """What leads to a state: which paths, and whether the page has to be loaded anew."""

    state: int
    reloads: bool
    paths: tuple[str, ...]


class History:
    """Counts states, and knows what lies between two of them."""

    def __init__(self) -> None:
        self.state = 0
        self._changes: deque[Change] = deque(maxlen=REMEMBERED)

    def note(self, paths: Iterable[str]) -> Change:
        """Begin the next state, which *paths* lead to."""
        self.state += 1
        named = tuple(sorted(set(paths)))
        change = Change(self.state, any(not is_swapped(path) for path in named), named)
        self._changes.append(change)
        return change

    def renew(self) -> Change:
        """Begin the next state, of which nobody knows what it changes."""
        self.state += 1
        change = Change(self.state, reloads=True, paths=())
        self._changes.append(change)
        return change

    def since(self, state: int) -> Change | None:
        """Return all that a page of *state* has missed, as one change; None if nothing."""
        if state == self.state:
            return None
        missed = [change for change in self._changes if change.state > state]
        if len(missed) != self.state - state:  # forgotten, or a state of the future
            return Change(self.state, reloads=True, paths=())
        paths = sorted({path for change in missed for path in change.paths})
        return Change(self.state, any(change.reloads for change in missed), tuple(paths))


def is_swapped(path: str) -> bool:
    """Return whether a page can be given the file without being loaded anew."""
    return PurePosixPath(path).suffix.lower() in STYLES | IMAGES
