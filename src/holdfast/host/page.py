"""What one tab is told: what holds is kept, and told again to a page that begins anew."""

from collections.abc import Callable

from holdfast.host.bootstrap import Bootstrap
from holdfast.host.calls import Payload
from holdfast.host.listing import Change
from holdfast.host.registry import Registry, Tab

# States in which the daemon may be about to say what sessions there are.
HOPEFUL = ("connecting", "online", "lost")


class TabPage:
    """The page in one tab."""

    def __init__(
        self,
        registry: Registry,
        tab: Tab,
        *,
        is_blocked: Callable[[str], bool],
        is_busy: Callable[[], bool],
    ) -> None:
        self._registry = registry
        self._tab = tab
        self._is_blocked = is_blocked
        self._bootstrap = Bootstrap()
        self._wants_all = self._was_told = False
        self._is_known = False  # whether there are sessions, or that nobody can say
        self.is_busy = is_busy

    def is_blocked(self) -> bool:
        """Whether more would only wait in the socket's queue."""
        return self._is_blocked(self._tab.connection)

    def ready(self) -> None:
        """The page begins (anew): tell everything, once it is known."""
        self._wants_all, self._was_told = True, False
        self._tell_all()

    def keep(self, change: Change) -> None:
        """Tell what holds from now on."""
        event, key, payload = change
        if event == "gone":
            self._bootstrap.drop("session", key=key)
        else:
            self._bootstrap.keep(event, payload, key=key)
        self._is_known |= event in ("welcome", "layout") or (
            event == "daemon" and payload["state"] not in HOPEFUL
        )
        if self._was_told:
            self._registry.tell(self._tab, event, payload)
        else:
            self._tell_all()

    def tell(self, event: str, payload: Payload) -> None:
        """Tell what has just happened."""
        self._registry.tell(self._tab, event, payload)

    def _tell_all(self) -> None:
        # In one go and in order, so a page knows whether there are sessions before it draws.
        if self._wants_all and self._is_known and not self._was_told:
            self._was_told = True
            for told in self._bootstrap.replay():
                self._registry.tell(self._tab, told.event, told.payload)
