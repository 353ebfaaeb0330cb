"""The shell around a client's core for who has a loop of its own: a turn never waits.

So the connect is a non-blocking one, which fails at once while the socket's queue is full, and
nobody asks the keeper why a daemon is silent: both would take seconds.
"""

import os
import random
import socket
import time

from holdfast.client.at_once import connect_at_once
from holdfast.client.attempts import FOR_EVER, Kind, State
from holdfast.client.core import Core
from holdfast.client.reach import distrust_strangers
from holdfast.config.paths import Paths
from holdfast.config.token import read_token
from holdfast.errors import DaemonUnreachable, HoldfastError, NotConnected, PermissionDenied
from holdfast.protocol.frames import Buffer
from holdfast.protocol.messages import Hello

RECEIVE_SIZE = 64 << 10  # bytes of a turn
GATHER = 64  # buffers of one write; the system takes 1024
POKE_PAUSE = 1.0  # seconds between two looks whether the socket is there


class Turns:
    """One client's connections, one after the other; nothing is ever started."""

    def __init__(self, paths: Paths, hello: Hello, first: socket.socket | None) -> None:
        self._paths = paths
        self._first = first  # a connection that somebody has made for us
        self._sock: socket.socket | None = None
        self._outbox: list[Buffer] = []
        self._inbox = memoryview(bytearray(RECEIVE_SIZE))
        self._poked_at = 0.0
        self.core = Core(
            hello,
            policy=FOR_EVER,
            jitter=random.random,
            changed=self._changed,
            now=time.monotonic(),
        )

    @property
    def fd(self) -> int | None:
        """What is to be watched, for reading in any case."""
        return None if self._sock is None else self._sock.fileno()

    @property
    def wants_to_write(self) -> bool:
        return bool(self._outbox)

    @property
    def is_waiting(self) -> bool:
        """Whether the last try was in vain, and the next one is some time away."""
        return self._sock is None and self.core.state.kind is not Kind.CONNECTING

    def deadline(self) -> float | None:
        """When to come for a turn at the latest."""
        core = self.core
        if core.is_greeted or (self._sock is not None and not core.is_connected):
            return 0.0
        times = (core.calls_deadline, core.greeting_deadline, core.dial_at)
        return min((each for each in times if each is not None), default=None)

    def turn(self, now: float, *, readable: bool) -> None:
        """Do what can be done now."""
        core = self.core
        core.expire(now)
        if readable and self._sock is not None:
            self._receive(self._sock, now)
        if self._sock is not None and not core.is_connected:
            self._drop()
        if core.is_late(now):
            core.ended(self._unreachable("it does not answer"), now)
            self._drop()
        if core.dial_at is not None and core.dial_at <= now:
            self._dial(now)
        elif core.is_greeted:
            core.offer(now)
        self.flush()

    def poke(self, now: float) -> None:
        """Somebody is there: try at once if the socket has come into being."""
        waits = self.core.state.kind is Kind.WAITING
        if not waits or now - self._poked_at < POKE_PAUSE:
            return
        self._poked_at = now
        if isinstance(self.core.state.error, DaemonUnreachable) and self._paths.socket.exists():
            self.core.retry_now(now)

    def flush(self) -> None:
        """Write what the socket takes now."""
        if self._sock is None:
            return
        self._outbox += [part for part in self.core.drain() if len(part)]
        if not self._outbox:
            return
        try:
            self._wrote(self._sock.sendmsg(self._outbox[:GATHER]))
        except BlockingIOError:
            pass
        except OSError:
            self._outbox.clear()  # what it said last is still to be read, and its end

    def close(self) -> None:
        """Say goodbye, and let go of everything."""
        self.core.close()
        self.flush()
        self._drop()
        if self._first is not None:
            self._first.close()

    # -- a turn

    def _changed(self, state: State) -> None:
        pass  # whoever wants to know looks at the core, once a turn

    def _dial(self, now: float) -> None:
        self.core.dialing()
        try:
            token = read_token(self._paths.token, os.getuid())
            self._sock = self._connected()
        except HoldfastError as error:
            self.core.ended(error, now)
        else:
            self.core.connected(token, now)
            self.core.doubted()

    def _connected(self) -> socket.socket:
        first, self._first = self._first, None
        path = self._paths.socket
        sock = first
        try:
            if sock is None:
                sock = connect_at_once(path)
        except PermissionError as error:
            raise PermissionDenied(action=f"connecting to {path}") from error
        except BlockingIOError:
            raise NotConnected(reason="too many wait for it") from None
        except OSError as error:
            raise self._unreachable(error.strerror or str(error)) from error
        distrust_strangers(sock, str(path))
        return sock

    def _unreachable(self, reason: str) -> DaemonUnreachable:
        return DaemonUnreachable(path=str(self._paths.socket), reason=reason)

    def _receive(self, sock: socket.socket, now: float) -> None:
        try:
            count = sock.recv_into(self._inbox)
        except BlockingIOError:
            return
        except OSError:  # a daemon killed with our request unread: the same as an end
            count = 0
        if count:
            self.core.feed(self._inbox[:count], now)
        else:
            self.core.feed_end(now)

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
