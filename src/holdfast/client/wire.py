"""The asyncio shell around a client's core: it connects, moves bytes, and keeps time."""

import asyncio
import random
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import cast

from holdfast.client.attempts import Policy, State
from holdfast.client.calls import Call, Result
from holdfast.client.core import Core, not_prepared, only_calls
from holdfast.client.reach import Reach
from holdfast.errors import HoldfastError, NotConnected

Prepare = Callable[[], Awaitable[None]]
RECEIVE_SIZE = 256 << 10  # a socket holds no more
CHANGES = 1000  # of the state that nobody has asked for; beyond it the oldest are dropped


class Wire:
    """One client's connections, one after the other."""

    def __init__(self, reach: Reach, *, policy: Policy, prepare: Prepare | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._reach = reach
        self._prepare = prepare
        self.line: _Line | None = None
        self.lines: set[_Line] = set()  # whose sockets are not closed yet
        self._dialing: asyncio.Task[None] | None = None
        self._preparing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._news = asyncio.Event()
        self._watchers: list[asyncio.Queue[State]] = []
        self.core = Core(
            reach.hello,
            policy=policy,
            jitter=random.random,
            changed=self._changed,
            now=self.now(),
        )

    def now(self) -> float:
        return time.monotonic()

    # -- states

    def watch(self) -> "asyncio.Queue[State]":
        """Return a queue of the state as it is and of every later one."""
        watcher: asyncio.Queue[State] = asyncio.Queue(CHANGES)
        watcher.put_nowait(self.core.state)
        self._watchers.append(watcher)
        return watcher

    def unwatch(self, watcher: "asyncio.Queue[State]") -> None:
        self._watchers.remove(watcher)

    async def until(self, is_enough: Callable[[State], bool]) -> State:
        """Return the first state from now on that is enough."""
        while not is_enough(self.core.state):
            await self._news.wait()
        return self.core.state

    def _changed(self, state: State) -> None:
        for watcher in self._watchers:
            if watcher.full():
                watcher.get_nowait()
            watcher.put_nowait(state)
        self._news.set()
        self._news = asyncio.Event()

    # -- asking

    async def call(self, call: Call, *, early: bool) -> Result:
        """Make a call and return its result."""
        answer: asyncio.Future[None] = self._loop.create_future()
        call.done = lambda: None if answer.done() else answer.set_result(None)
        self.core.call(call, early=early)
        self.settle()
        if call.result is None:
            try:
                await answer
            except asyncio.CancelledError:
                # Nobody waits for it any more, so it must not be made later.
                call.settle(NotConnected(reason="the call was cancelled"))
                raise
        assert call.result is not None
        return call.result

    def refuse_while_preparing(self) -> None:
        """Raise an error where what waits for a connection would wait for ever."""
        if self._preparing is not None and self._preparing is asyncio.current_task():
            raise only_calls()

    def settle(self) -> None:
        """Write what is to be written, and be awake when something has to happen."""
        line = self.line
        if line is not None:
            if buffers := self.core.drain():
                line.transport.writelines(buffers)
            if not self.core.is_connected:
                line.transport.abort()
                self.line = None
                self._stop_preparing()
        if self.core.is_greeted and self._preparing is None:
            self._preparing = self._loop.create_task(self._offer())
        self._arm()

    def retry_now(self) -> None:
        self.core.retry_now(self.now())
        self.settle()

    async def close(self, *, goodbye: bool = True) -> None:
        """Say goodbye, or don't, and let go of everything."""
        self.core.close(goodbye=goodbye)
        self.settle()
        for task in (self._dialing, self._preparing):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        line, self.line = self.line, None
        if line is not None:
            line.transport.close()
        for closing in [*self.lines]:
            await closing.is_lost.wait()
        if self._timer is not None:
            self._timer.cancel()

    # -- connecting

    async def _dial(self) -> None:
        if self._preparing is not None:  # it never runs twice at once
            await asyncio.wait([self._preparing])
        core, again = self.core, self.core.connections > 0
        core.dialing()
        opening = self._loop.run_in_executor(None, lambda: self._reach.open(again=again))
        try:
            sock, token = await asyncio.shield(opening)
        except HoldfastError as error:
            core.ended(error, self.now())
            return
        except asyncio.CancelledError:
            opening.add_done_callback(_close_again)  # the thread opens it all the same
            raise
        line = _Line(self)
        try:
            await self._loop.create_unix_connection(lambda: line, sock=sock)
        except BaseException:
            # uvloop closes what it was told to make no more, and does not say that it is lost.
            self.lines.discard(line)
            raise
        self.line = line
        core.connected(token, self.now())

    async def _offer(self) -> None:
        """Have the connection prepared, then offer it to everybody."""
        connection = self.line
        try:
            if self._prepare is not None:
                await self._prepare()
        except Exception as error:  # noqa: BLE001 - somebody else's code; it is told as a reason
            if connection is self.line:
                self.core.ended(not_prepared(error), self.now())
        else:
            if connection is self.line and self.core.is_greeted:
                self.core.offer(self.now())
        finally:
            self._preparing = None
            self._loop.call_soon(self.settle)

    def _stop_preparing(self) -> None:
        if self._preparing is not None:
            self._preparing.cancel()

    async def _explain(self) -> None:
        """The daemon does not greet us: ask its keeper why."""
        error = await self._loop.run_in_executor(None, self._reach.silent)
        if self.core.is_late(self.now()):
            self.core.ended(error, self.now())

    async def _doubt(self) -> None:
        """It has not greeted us for a while: ask its keeper whether it will."""
        self.core.doubted()
        error = await self._loop.run_in_executor(None, self._reach.hopeless)
        if error is not None and self.core.is_connected and not self.core.is_welcomed:
            self.core.ended(error, self.now())

    # -- time

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = [self.core.calls_deadline]
        if self._dialing is None:
            due += [self.core.greeting_deadline, self.core.dial_at]
        soonest = min((each for each in due if each is not None), default=None)
        if soonest is not None:
            self._timer = self._loop.call_later(max(0.0, soonest - self.now()), self._wake)

    def _wake(self) -> None:
        self._timer = None
        core, now = self.core, self.now()
        core.expire(now)
        if self._dialing is None and core.is_late(now):
            self._begin(self._explain())
        elif self._dialing is None and core.is_doubtful(now):
            self._begin(self._doubt())
        elif self._dialing is None and core.dial_at is not None and core.dial_at <= now:
            self._begin(self._dial())
        self._arm()

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        self._dialing = self._loop.create_task(work)
        self._dialing.add_done_callback(self._begun)

    def _begun(self, task: "asyncio.Task[None]") -> None:
        self._dialing = None
        if not task.cancelled() and (error := task.exception()) is not None:
            self.core.ended(NotConnected(reason=str(error)), self.now())
        self.settle()


class _Line(asyncio.BufferedProtocol):
    """One connection."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        # Used again and again: fresh memory of this size costs as much as what is copied into it.
        self._inbox = bytearray(RECEIVE_SIZE)
        self._fresh = memoryview(self._inbox)
        self.is_lost = asyncio.Event()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._wire.lines.add(self)

    def get_buffer(self, _hint: int) -> bytearray:
        return self._inbox

    def buffer_updated(self, count: int) -> None:
        if self._wire.line is self:
            self._wire.core.feed(self._fresh[:count], self._wire.now())
            self._wire.settle()

    def connection_lost(self, _error: Exception | None) -> None:
        self.is_lost.set()
        self._wire.lines.discard(self)
        if self._wire.line is self:
            self._wire.core.feed_end(self._wire.now())
            self._wire.settle()


def _close_again(opening: "asyncio.Future[tuple[socket.socket, str]]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result()[0].close()
