"""Whether this terminal may change the session, and what size it gives it.

Who attaches asks for the session on every connection, before the viewer comes back; who is
refused looks on, until nobody owns it any more or it is taken over on purpose.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from holdfast.client.calls import Result
from holdfast.client.core import Core, Heard
from holdfast.errors import HoldfastError, Mirrored, NotConnected, OwnerRequired
from holdfast.protocol.messages import Claim, Lost, Message, Resize, SessionInfo, Takeover

Size = tuple[int, int]
AWAY = "its own terminal"


class Told(NamedTuple):
    """Who is told what."""

    owned: Callable[[], None]
    """It is ours now."""
    looks_on: Callable[[str], None]
    """It is not: who owns it instead."""
    failed: Callable[[HoldfastError], None]


class Owning:
    """One terminal's claim on one session."""

    def __init__(
        self, core: Core, session: SessionInfo, size: Callable[[], Size | None], told: Told
    ) -> None:
        self.owner = session.owner or ""
        """Who owns it instead of us, by label."""
        self.is_owner = False
        self.may_own = not session.mirrored
        """Whether it can be owned at all."""
        self._core = core
        self._session = session.id
        self._told = told
        self._look = size
        self._size: Size | None = (session.cols, session.rows)
        self._wanted: Message | None = None
        self._is_sizing = self._is_asking = False

    @property
    def is_clear(self) -> bool:
        """Whether it is known who owns it, or cannot be asked."""
        return not self._core.is_online or not (self._wanted or self._is_asking)

    def begin_with(self, *, observes: bool, takeover: bool, is_ours: bool) -> None:
        """Ask for the session, unless it is only looked at."""
        self.may_own = self.may_own and not observes
        if is_ours:
            self._gained()
        elif self.may_own:
            name = self._session
            self._wanted = Takeover(session=name) if takeover else Claim(session=name)
        else:
            self._told.looks_on(self.owner)
        self._core.add(self)

    def take_over(self) -> bool:
        """Take it from whoever has it; return whether that is possible."""
        if self.may_own and not self.is_owner:
            self._ask(Takeover(session=self._session))
        return self.may_own

    def typed(self, error: HoldfastError | None) -> None:
        """Something that was typed was taken, or refused."""
        if error is None:
            self._gained()
        elif isinstance(error, OwnerRequired | Mirrored):
            self._refused(error)

    def look_at_size(self) -> None:
        """Say how large our terminal is, when that has changed."""
        size = self._look() if self.may_own else None
        if size is None or size == self._size or self._is_sizing or not self._core.is_online:
            return
        self._size, self._is_sizing = size, True
        asked = Resize(session=self._session, cols=size[0], rows=size[1])
        self._core.ask(asked, self._sized)

    # -- for the core

    def begin(self) -> None:
        self._is_sizing = self._is_asking = False
        if self._wanted is not None:
            self._ask(self._wanted)
            self._wanted = None
        elif self.is_owner:
            self._ask(Claim(session=self._session))
        self.look_at_size()

    def hear(self, heard: Heard) -> None:
        if isinstance(heard, Lost) and heard.session == self._session:
            self.is_owner, self._size = False, None
            self.owner = heard.reason.partition(" took session ")[0]
            self._told.looks_on(self.owner)

    def lost(self, _error: HoldfastError) -> None:
        self._size = None  # nobody knows whether it was set

    def over(self, error: HoldfastError) -> None:
        self.lost(error)

    # -- answers

    def _ask(self, message: Message) -> None:
        self._is_asking = True
        self._core.ask(message, partial(self._heard, message))

    def _heard(self, message: Message, result: Result) -> None:
        self._is_asking = False
        if isinstance(result, SessionInfo):
            self._gained()
        elif isinstance(result, NotConnected):
            if not self.is_owner:
                self._wanted = message
        elif isinstance(result, OwnerRequired | Mirrored):
            self._refused(result)
        elif isinstance(result, HoldfastError):
            self._told.failed(result)

    def _sized(self, result: Result) -> None:
        self._is_sizing = False
        if isinstance(result, HoldfastError) and not isinstance(result, NotConnected | Mirrored):
            self._told.failed(result)

    def _gained(self) -> None:
        if not self.is_owner:
            self.is_owner, self.owner = True, ""
            self._told.owned()

    def _refused(self, error: OwnerRequired | Mirrored) -> None:
        # Who looks on says its size again, also where it is that of the session by chance: the
        # daemon remembers it for the moment in which the session becomes ours.
        self.is_owner, self._size = False, None
        if isinstance(error, Mirrored):
            self.may_own = False
        self.owner = str(error.facts.get("owner", AWAY))
        self._told.looks_on(self.owner)
