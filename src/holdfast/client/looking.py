"""A viewer of a client: it comes back on each connection, and what it sees waits here. Pure."""

from collections import deque
from collections.abc import Callable

from holdfast.client.calls import Result
from holdfast.client.core import Core, Heard
from holdfast.client.view import Chunk, Item, View
from holdfast.errors import HoldfastError, NotConnected
from holdfast.protocol.messages import (
    Attach,
    Attached,
    Detach,
    Introduce,
    Profile,
)


class Looking:
    """What one viewer has seen and nobody has taken yet.

    It is bounded by the window: what was not taken is not acknowledged, and no more is sent.
    """

    def __init__(self, core: Core, asked: Attach) -> None:
        self._core = core
        self._view = View(asked)
        self._items: deque[Item] = deque()
        self.attached: Attached | None = None
        """What the daemon answered when this viewer came last."""
        self.error: HoldfastError | None = None
        """Why nothing follows, if it is not the end."""
        self._profile: Profile | None = None
        self.changed: Callable[[], None] = lambda: None
        self.has_said = False
        """Whether taking something has left something to be written."""
        core.add(self)

    # -- for who looks

    @property
    def mismatches(self) -> int:
        """How often bytes were not those of the log; a picture has replaced them."""
        return self._view.mismatches

    @property
    def is_over(self) -> bool:
        """Nothing follows what waits here."""
        return self._view.is_over or self.error is not None

    @property
    def has_news(self) -> bool:
        """Whether there is something to take, or nothing will follow."""
        return bool(self._items) or self.is_over

    def take(self) -> Item | None:
        """Return what comes next, None if nothing has come yet; it counts as used."""
        if not self._items:
            return None
        item = self._items.popleft()
        if isinstance(item, Chunk) and (ack := self._view.used(item.offset + len(item.data))):
            self._core.notify(ack)
            self.has_said = True
        return item

    def introduce(self, profile: Profile) -> None:
        """Say what terminal it looks through, now and whenever it comes back."""
        self._profile = profile
        self._say_profile()

    def close(self) -> None:
        """Look no longer."""
        self._core.remove(self)
        if self._view.number is not None and not self.is_over:
            self._leave()

    # -- for the core

    def begin(self) -> None:
        self._core.ask(self._view.request(), self._answered)

    def hear(self, heard: Heard) -> None:
        if self._view.owns(heard):
            self._see(self._view.feed(heard))
            if self._view.has_to_begin_anew:
                self._leave()
                self.begin()

    def lost(self, _error: HoldfastError) -> None:
        self._view.lost()

    def over(self, error: HoldfastError) -> None:
        self._view.lost()
        self._fail(error)

    def _answered(self, result: Result) -> None:
        if isinstance(result, Attached):
            self.attached = result
            self._see(self._view.attached(result))
            self._say_profile()
        elif isinstance(result, HoldfastError) and not isinstance(result, NotConnected):
            self._fail(result)

    def _say_profile(self) -> None:
        number = self._view.number
        if self._profile is not None and number is not None:
            self._core.notify(Introduce(viewer=number, profile=self._profile))

    def _leave(self) -> None:
        if self._view.number is not None:
            self._core.ask(Detach(viewer=self._view.number), lambda _reply: None)
        self._view.lost()

    def _fail(self, error: HoldfastError) -> None:
        if not self.is_over:
            self.error = error
            self._core.remove(self)
        self.changed()

    def _see(self, items: list[Item]) -> None:
        self._items += items
        if self._view.is_over:
            self._core.remove(self)
        self.changed()
