"""What a page is told when it says it is ready: the latest of everything, in a fixed order.

Pure. Who comes first is told who it is talking to before any state, and of each thing only
the latest: five reloads make no payload come twice.
"""

from collections.abc import Iterator
from typing import NamedTuple

# The order of the contract; what is not in it is no state, and is not replayed. `welcome`
# and `layout` exclude each other: a page shows either that there is no session, or them.
ORDER = ("started", "init", "welcome", "layout", "daemon", "session")
EXCLUDES = {"welcome": "layout", "layout": "welcome"}


class Told(NamedTuple):
    """One payload, under the key that tells it from others of its event."""

    event: str
    key: str
    payload: object


class Bootstrap:
    """The latest payload of each (event, key), for the tabs of one seat or for all."""

    def __init__(self) -> None:
        self._latest: dict[str, dict[str, object]] = {event: {} for event in ORDER}

    def keep(self, event: str, payload: object, *, key: str = "") -> None:
        """Remember it as the latest; KeyError says that an event of that name is no state.

        A key keeps its place: a list of sessions does not jump when one of them changes.
        """
        self._latest[event][key] = payload
        if event in EXCLUDES:
            self._latest[EXCLUDES[event]].clear()

    def drop(self, event: str, *, key: str = "") -> None:
        """Forget it, if it was known."""
        self._latest[event].pop(key, None)

    def replay(self) -> Iterator[Told]:
        """Yield each latest payload once, in order."""
        for event in ORDER:
            for key, payload in list(self._latest[event].items()):
                yield Told(event, key, payload)
