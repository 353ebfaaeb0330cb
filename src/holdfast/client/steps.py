"""The blocking shell around a client's core: it goes on only while somebody waits for something.

No thread, so nothing happens between two calls; a viewer that is not asked for more is not
sent more, and whoever comes back later goes on where it was.
"""

import os
import select
import socket
import time
from collections import deque
from collections.abc import Callable

from holdfast.client.attempts import Policy, State
from holdfast.client.calls import Call, Result
from holdfast.client.core import Core, not_prepared, only_calls
from holdfast.client.reach import Reach
from holdfast.errors import HoldfastError, NotConnected
from holdfast.protocol.frames import Buffer

RECEIVE_SIZE = 256 << 10
GATHER = 64  # buffers of one write; the system takes 1024
CHANGES = 1000  # of the state that nobody has asked for; beyond it the oldest are dropped


class Steps:
    """One client's connections, one after the other."""

    def __init__(
        self, reach: Reach, *, policy: Policy, prepare: Callable[[], None] | None = None
    ) -> None:
        self.reach = reach
        self._prepare = prepare
        self._is_preparing = False
        self._sock: socket.socket | None = None
        self._outbox: list[Buffer] = []
        # Used again and again: fresh memory of this size costs as much as what is copied into it.
        self._inbox = memoryview(bytearray(RECEIVE_SIZE))
        self._watchers: list[deque[State]] = []
        self.core = Core(
            reach.hello,
            policy=policy,
            # Not `random`, whose import costs a command 5 ms.
            jitter=lambda: os.urandom(1)[0] / 255,
            changed=self._changed,
            now=self.now(),
        )

    def now(self) -> float:
        return time.monotonic()

    def watch(self) -> deque[State]:
        """Return what will have the state as it is, and every later one."""
        changes = deque([self.core.state], maxlen=CHANGES)
        self._watchers.append(changes)
        return changes

    def unwatch(self, changes: deque[State]) -> None:
        self._watchers = [each for each in self._watchers if each is not changes]

    def _changed(self, state: State) -> None:
        for changes in self._watchers:
            changes.append(state)

    def retry_now(self) -> None:
        self.core.retry_now(self.now())

    def call(self, call: Call, *, early: bool) -> Result:
        """Make a call and return its result."""
        if self._is_preparing and not self.core.is_greeted:
            # No other connection comes before this preparation is over.
            return NotConnected(reason="the connection that was being prepared is gone")
        self.core.call(call, early=early)
        self.until(lambda: call.result is not None)
        assert call.result is not None
        return call.result

    def refuse_while_preparing(self) -> None:
        """Raise an error where what waits for a connection would wait for ever."""
        if self._is_preparing:
            raise only_calls()

    def until(self, is_done: Callable[[], bool], deadline: float | None = None) -> bool:
        """Go on until something is done; False when the time is up before."""
        self.flush()
        while True:
            now = self.now()
            self.core.expire(now)  # first: what is given up now may be what is waited for
            if is_done():
                return True
            if deadline is not None and now >= deadline:
                return False
            self._step(now, deadline)

    # -- for who waits for other things, too

    @property
    def line(self) -> socket.socket | None:
        """What to wait for; another one after each loss, and none during an outage."""
        return self._sock

    @property
    def wants_to_write(self) -> bool:
        """`turn` is to be called once the socket takes more."""
        return bool(self._outbox)

    def deadline(self) -> float | None:
        """Return when to call `turn` even though nothing has come."""
        core = self.core
        is_due = core.is_greeted and not self._is_preparing
        if is_due or (self._sock is not None and not core.is_connected):
            return self.now()
        times = (core.calls_deadline, core.greeting_deadline, core.dial_at)
        return min((each for each in times if each is not None), default=None)

    def turn(self) -> None:
        """Go on as far as it goes without waiting: one step."""
        self.flush()
        now = self.now()
        self.core.expire(now)
        self._step(now, now)

    def flush(self) -> None:
        """Write what the socket takes now."""
        if self._sock is None:
            return
        said = self.core.drain()
        if not said and not self._outbox:
            return
        self._outbox += [part for part in said if len(part)]
        try:
            while self._outbox:
                self._wrote(self._sock.sendmsg(self._outbox[:GATHER]))
        except BlockingIOError:
            pass
        except OSError:
            self._outbox.clear()  # what it said last is still to be read, and its end

    def close(self, *, goodbye: bool = True) -> None:
        """Say goodbye, or don't, and let go of everything."""
        self.core.close(goodbye=goodbye)
        self.flush()
        self._drop()

    # -- a step

    def _step(self, now: float, deadline: float | None) -> None:
        core = self.core
        if self._sock is not None and not core.is_connected:
            self._drop()
        if core.is_late(now):
            core.ended(self.reach.silent(), self.now())
        elif core.is_doubtful(now):
            self._doubt()
        elif core.dial_at is not None and core.dial_at <= now:
            self._dial()
        elif core.is_greeted and not self._is_preparing:
            self._offer()
        else:
            self._wait(now, deadline)
        self.flush()

    def _wait(self, now: float, deadline: float | None) -> None:
        if self._sock is not None and deadline == now:
            self._receive(self._sock)  # who waits for other things, too, has waited
            return
        times = (deadline, self.deadline())
        soonest = min((each for each in times if each is not None), default=None)
        patience = None if soonest is None else max(0.0, soonest - now)
        if self._sock is None:
            if patience is None:
                raise NotConnected(reason=self.core.state.reason)
            time.sleep(patience)
            return
        poller = select.poll()  # `select` refuses descriptors from 1024 on
        poller.register(self._sock, select.POLLIN | (select.POLLOUT if self._outbox else 0))
        found = poller.poll(None if patience is None else patience * 1000)
        if found and found[0][1] & ~select.POLLOUT:
            self._receive(self._sock)

    def _receive(self, sock: socket.socket) -> None:
        try:
            count = sock.recv_into(self._inbox)
        except BlockingIOError:
            return
        except OSError:  # a daemon killed with our request unread: the same as an end
            count = 0
        if count:
            self.core.feed(self._inbox[:count], self.now())
        else:
            self.core.feed_end(self.now())

    def _dial(self) -> None:
        core, again = self.core, self.core.connections > 0
        core.dialing()
        try:
            self._sock, token = self.reach.open(again=again)
        except HoldfastError as error:
            core.ended(error, self.now())
        else:
            core.connected(token, self.now())

    def _doubt(self) -> None:
        self.core.doubted()
        if (error := self.reach.hopeless()) is not None:
            self.core.ended(error, self.now())

    def _offer(self) -> None:
        """Have the connection prepared, then offer it."""
        self._is_preparing = True
        try:
            if self._prepare is not None:
                self._prepare()
        except Exception as error:  # noqa: BLE001 - somebody else's code; it is told as a reason
            if self.core.is_greeted:
                self.core.ended(not_prepared(error), self.now())
        else:
            if self.core.is_greeted:
                self.core.offer(self.now())
        finally:
            self._is_preparing = False

    def _drop(self) -> None:
        sock, self._sock = self._sock, None
        self._outbox.clear()
        if sock is not None:
            sock.close()

    def _wrote(self, count: int) -> None:
        while count:
            first = self._outbox[0]
            if count < len(first):
                self._outbox[0] = memoryview(first)[count:]
                return
            count -= len(first)
            del self._outbox[0]
