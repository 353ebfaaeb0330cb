"""A client that asks one thing after another, takes the time, and drops everything else."""

import time
from types import TracebackType
from typing import Any, Self

from holdfast.client.reach import open_socket
from holdfast.errors import HoldfastError
from holdfast.protocol.client_end import ReplyReceived, Welcomed
from holdfast.protocol.connection import ConnectionEnded
from holdfast.protocol.messages import (
    Attach,
    Attached,
    Create,
    Detach,
    Detached,
    Get,
    Hello,
    Input,
    List,
    Message,
    Output,
    Role,
)
from holdfast.protocol.version import OURS
from tests.support.home import PATIENCE, Home, until
from tests.support.link import Link

ECHO = ("sh", "-c", "stty raw -echo; printf r; exec cat")


class Prober:
    """One connection with a session of its own that echoes."""

    def __init__(self, home: Home, name: str) -> None:
        hello = Hello(protocol=OURS, client_id=f"prober-{name}", role=Role.CONTROL)
        self.link = Link(open_socket(str(home.paths.socket)), hello)
        self.times: dict[str, list[float]] = {}
        self._typed = 0
        self._wait_for(Welcomed)
        created: Any = self.ask(home.create_request(*ECHO))
        self.session: str = created.session.id
        until(lambda: self.ask(Get(session=self.session)).offset == 1, "the program to be ready")

    def probe(self, busy: str) -> None:
        """List, attach to a busy session, leave it, and see a key come back."""
        self.look_briefly(busy)
        begin = time.perf_counter()
        self.ask(Input(session=self.session, offset=self._typed, data=b"x"))
        self._typed += 1
        self.ask(Output(session=self.session, since=self._typed, wait=10))
        self.times.setdefault("echo", []).append(time.perf_counter() - begin)

    def look_briefly(self, busy: str) -> None:
        """List, attach to a session, and leave it."""
        self.ask(List())
        attached = self.ask(Attach(session=busy, window=64 << 10))
        assert isinstance(attached, Attached)
        assert isinstance(self.ask(Detach(viewer=attached.viewer)), Detached)

    def ask(self, message: Message) -> Any:
        begin = time.perf_counter()
        number = self.link.request(message)
        while True:
            reply = self._wait_for(ReplyReceived)
            if reply.number == number:
                break
        if isinstance(reply.result, HoldfastError):
            raise reply.result
        if not isinstance(message, Create | Get | Output):
            took = time.perf_counter() - begin
            self.times.setdefault(type(message).__name__, []).append(took)
        return reply.result

    def _wait_for(self, kind: type[Any]) -> Any:
        deadline = time.monotonic() + PATIENCE
        while self.link.wait(deadline):
            events = self.link.receive()
            assert not any(isinstance(event, ConnectionEnded) for event in events)
            if found := [event for event in events if isinstance(event, kind)]:
                return found[0]
        raise AssertionError(f"no {kind.__name__} within {PATIENCE:g} s")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.link.close()


def slowest(probers: list[Prober]) -> dict[str, float]:
    """Return the 99th percentile of each kind, in seconds."""
    kinds = {kind for prober in probers for kind in prober.times}
    return {kind: _p99([t for one in probers for t in one.times.get(kind, [])]) for kind in kinds}


def _p99(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]
