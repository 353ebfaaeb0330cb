"""What size the session has now: who looks on has a picture made for that."""

from collections.abc import Callable

from holdfast.client.core import Core, Heard
from holdfast.errors import HoldfastError
from holdfast.protocol.messages import Event, Subscribe

RESIZED = "resized"


class Sizes:
    """Asks to be told, on every connection."""

    def __init__(self, core: Core, session: str, told: Callable[[tuple[int, int]], None]) -> None:
        self._core = core
        self._session = session
        self._told = told
        core.add(self)

    # -- for the core

    def begin(self) -> None:
        self._core.ask(Subscribe(session=self._session), lambda _: None)

    def hear(self, heard: Heard) -> None:
        if isinstance(heard, Event) and heard.kind == RESIZED and heard.session == self._session:
            cols, rows = heard.facts.get("cols"), heard.facts.get("rows")
            if isinstance(cols, int) and isinstance(rows, int):
                self._told((cols, rows))

    def lost(self, _error: HoldfastError) -> None:
        pass

    def over(self, _error: HoldfastError) -> None:
        pass
