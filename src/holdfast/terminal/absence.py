"""A daemon that is away: said when it lasts, and when there is another."""

from collections.abc import Callable

from holdfast.client.core import Core

AWAY = 1.0  # seconds without a daemon after which it is said: a restart takes 0.2


class Absence:
    """How long it has been away, and what was said of that. It knows no terminal."""

    def __init__(self, core: Core, say: Callable[[str, bool], None]) -> None:
        self._core = core
        self._say = say
        """Say a word, and whether it stays."""
        self._connections = core.connections
        self._since: float | None = None
        self._is_told = False

    def deadline(self) -> float | None:
        """Return when to look again."""
        return None if self._since is None or self._is_told else self._since + AWAY

    def look(self, now: float, *, has_other_news: bool) -> None:
        """Say what is so; that there is another daemon only where nothing else was said."""
        if not self._core.is_online:
            self._since = self._since or now
            if not self._is_told and now - self._since >= AWAY:
                self._is_told = True
                self._say("[the daemon is away; the program goes on]", True)
            return
        if self._core.connections > self._connections and not has_other_news:
            self._say("[the daemon was restarted; nothing is lost]", False)
        self._connections = self._core.connections
        self._since, self._is_told = None, False
