"""A fault proxy: it stands on a socket path below a client, and forwards to the real daemon.

    with proxied(home.paths.socket, tmp_path / "s") as proxy:
        proxy.connection(0).freeze()         # the first there is
        proxy.future.cut_after(100)          # each that is to come
        proxy.every.delay(0.1, DOWN)         # all there are, and those to come

From outside: `python -m tests.support.proxy LISTEN TARGET`, then `help`. It connects to the
daemon when a client comes; a client that comes while no daemon listens is accepted and dropped.
"""

import math
import selectors
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tests.support.proxying.controls import Controls
from tests.support.proxying.flow import Count, Direction
from tests.support.proxying.relay import Counts, Relay

UP, DOWN = Direction.UP, Direction.DOWN
PATIENCE = 20.0  # seconds for anything to come true on a busy machine

T = TypeVar("T")


class Proxy:
    """The face of the thread that forwards. Whatever is asked of it is done in that thread."""

    def __init__(self, target: Path | str, listen: Path | str) -> None:
        self._relay = Relay(str(target), str(listen))
        self._relay.listen()
        self._button, self._bell = socket.socketpair()
        self._relay.selector.register(self._bell, selectors.EVENT_READ, self._obey)
        self._tasks: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._hopes: list[tuple[Callable[[Counts], object], Future[None]]] = []
        self._is_stopping = False
        self.every = self._controls(self._relay.numbers, is_for_future=True)
        """The connections there are, and those to come."""
        self.future = self._controls(list, is_for_future=True)
        """Connections to come."""
        self._thread = threading.Thread(target=self._run, name="fault proxy")
        self._thread.start()

    # -- controls

    def connection(self, number: int, patience: float = PATIENCE) -> Controls:
        """Return the controls of what was accepted as this, from 0, or wait for it.

        -1 is the newest. Connections that were refused are counted too, and have no controls.
        """
        self.until(
            lambda counts: counts.accepted > max(number, 0), f"connection {number}", patience
        )
        exact = number if number >= 0 else self.counts().accepted + number
        return self._controls(lambda: [exact])

    def refuse(self, times: float = math.inf) -> None:
        """Accept and drop at once, so often or until `accept`."""
        self._do(lambda: setattr(self._relay, "refusals", times))

    def accept(self) -> None:
        """Refuse no longer."""
        self.refuse(0)

    def gone(self) -> None:
        """Take the path away, and turn away who waits there. What is connected stays."""
        self._do(self._relay.leave)

    def back(self) -> None:
        """Return on the same path."""
        self._do(self._relay.listen)

    # -- looking

    def counts(self) -> Counts:
        return self._do(self._relay.counts)

    def counts_of(self, number: int) -> tuple[Count, Count]:
        """Return what was passed on of one connection, up and down."""
        return self._do(lambda: self._relay.counts_of(number))

    def until(
        self, is_enough: Callable[[Counts], object], what: str = "it", patience: float = PATIENCE
    ) -> None:
        """Wait until the counts satisfy *is_enough*."""
        hope: Future[None] = Future()
        self._do(lambda: self._hopes.append((is_enough, hope)))
        try:
            hope.result(patience)
        except TimeoutError:
            if hope.cancel():
                raise AssertionError(
                    f"waited {patience:g} s in vain for {what}: {self.counts()}"
                ) from None

    def close(self) -> None:
        """Close everything and take the path away; closing twice is fine."""
        if self._thread.is_alive():
            self._do(lambda: setattr(self, "_is_stopping", True))
            self._thread.join()

    # -- the thread

    def _controls(
        self, numbers: Callable[[], list[int]], *, is_for_future: bool = False
    ) -> Controls:
        return Controls(
            lambda ways, change: self._do(
                lambda: self._relay.change(numbers(), ways, change, is_for_future=is_for_future)
            ),
            lambda: self._do(lambda: self._relay.cut(numbers())),
        )

    def _do(self, act: Callable[[], T]) -> T:
        done: Future[T] = Future()
        self._tasks.append((act, done))
        self._button.send(b"\0")
        return done.result(PATIENCE)

    def _obey(self) -> None:
        self._bell.recv(1 << 12)
        while self._tasks:
            act, done = self._tasks.popleft()
            try:
                done.set_result(act())
            except Exception as error:  # noqa: BLE001 - it is whoever asked who is to know
                done.set_exception(error)

    def _run(self) -> None:
        try:
            while not self._is_stopping:
                self._round()
        finally:
            self._relay.close()
            self._button.close()  # who asks from now on gets an error at once
            self._bell.close()
            for _, waiting in (*self._tasks, *self._hopes):
                waiting.cancel()

    def _round(self) -> None:
        self._relay.move()
        self._fulfil()
        due = self._relay.deadline()
        timeout = None if due is None else max(0.0, due - time.monotonic())
        for key, mask in self._relay.selector.select(timeout):
            if mask & selectors.EVENT_READ:
                key.data()

    def _fulfil(self) -> None:
        if not self._hopes:
            return
        counts, hopes, self._hopes = self._relay.counts(), self._hopes, []
        for is_enough, hope in hopes:
            if not is_enough(counts):
                self._hopes.append((is_enough, hope))
            elif hope.set_running_or_notify_cancel():
                hope.set_result(None)


@contextmanager
def proxied(target: Path | str, listen: Path | str) -> Iterator[Proxy]:
    """A proxy on *listen* below whoever connects there, in front of *target*."""
    proxy = Proxy(target, listen)
    try:
        yield proxy
    finally:
        proxy.close()


if __name__ == "__main__":
    from tests.support.proxying.console import main  # it needs what this file has

    sys.exit(main(sys.argv[1:]))
