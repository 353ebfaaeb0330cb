"""A loop that a test runs by hand: turns one by one, and time that only moves when told to."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any, cast

ENDLESS = 100_000  # turns after which a loop that never comes to rest is given up


class HandLoop:
    """What callbacks need of a loop, and nothing that waits."""

    def __init__(self) -> None:
        self._now = 1000.0
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[asyncio.TimerHandle] = []

    @property
    def as_loop(self) -> asyncio.AbstractEventLoop:
        return cast("asyncio.AbstractEventLoop", self)

    # -- what callbacks see

    def time(self) -> float:
        return self._now

    def get_debug(self) -> bool:
        return False

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self.as_loop, context)
        self._ready.append(handle)
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self.as_loop, context)
        self._timers.append(handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        if handle in self._timers:  # else its time has come already
            self._timers.remove(handle)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        raise context["exception"]

    # -- what the test does

    @property
    def is_idle(self) -> bool:
        """Whether nothing happens until time moves."""
        return not self._ready

    def turn(self) -> None:
        """Run what is ready now, not what becomes ready by that."""
        for _ in range(len(self._ready)):
            handle = self._ready.popleft()
            if not handle.cancelled():
                handle._run()

    def rest(self) -> None:
        """Run until nothing is ready."""
        for _ in range(ENDLESS):
            if not self._ready:
                return
            self.turn()
        raise AssertionError("the loop never comes to rest")

    def advance(self, seconds: float) -> None:
        """Let time go by, and what is due happen when it is due."""
        until = self._now + seconds
        self.rest()
        while due := [timer for timer in self._timers if timer.when() <= until]:
            first = min(due, key=lambda timer: timer.when())
            self._timers.remove(first)
            self._now = max(self._now, first.when())
            self._ready.append(first)
            self.rest()
        self._now = until
