"""What is typed into the session, until it is taken: once, in order, and never blindly later.

The rules are those of every client (`client.typing`). Here is what a terminal adds: a program
that does not read is offered its input again, and what came too late for a person's screen is
counted - only what comes from a pipe, which looks at no screen, is typed all the same.
"""

import time
from collections.abc import Callable
from functools import partial

from holdfast.client.core import Core
from holdfast.client.typing import HandedBack, Typing, Written
from holdfast.errors import HoldfastError, InputQueueFull

ROOM = 1 << 20  # bytes waiting here; beyond it the terminal is not read, so a paste waits there
QUEUE_PAUSE = 0.1  # seconds before input is offered again to a program that does not read


class Delivering:
    """A queue of typed bytes. It tells of each piece what became of it."""

    def __init__(
        self,
        core: Core,
        session: str,
        *,
        is_person: bool,
        told: Callable[[HoldfastError | None], None],
    ) -> None:
        self.pending = 0
        """Bytes that are not taken yet."""
        self.handed_back = 0
        """Bytes that were typed at a screen that was gone; nobody has been told yet."""
        self._typing = Typing(core, session, time.monotonic)
        self._is_person = is_person
        self._told = told
        self._refused = bytearray()
        self._retry_at: float | None = None
        core.add(self._typing)

    @property
    def has_room(self) -> bool:
        return self.pending < ROOM

    def add(self, data: bytes) -> None:
        if not data:
            return
        self.pending += len(data)
        if self._refused:
            self._refused += data  # behind what was refused
        else:
            self._offer(data)

    def deadline(self) -> float | None:
        """Return when to call `expire`."""
        return self._retry_at

    def expire(self, now: float) -> None:
        """Offer again what the program did not take."""
        if self._retry_at is not None and now >= self._retry_at:
            data, self._retry_at = bytes(self._refused), None
            self._refused.clear()
            self._offer(data)

    def _offer(self, data: bytes) -> None:
        written = self._typing.add(data)
        if written.result is not None:
            self._done(written, len(data))
        else:
            written.done = partial(self._done, written, len(data))

    def _done(self, written: Written, count: int) -> None:
        result = written.result
        is_late = isinstance(result, HandedBack)
        if isinstance(result, InputQueueFull) or (is_late and not self._is_person):
            self.pending -= count - len(written.left)
            self._refused += written.left
            self._retry_at = time.monotonic() + QUEUE_PAUSE
            return
        self.pending -= count
        if is_late:
            self.handed_back += len(written.left)
        self._told(result if isinstance(result, HoldfastError) else None)
