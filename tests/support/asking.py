"""The client of a command, with which tests also ask several things at once.

`ask` sends a request and returns its number, `replies` has what was answered. After a loss
`replies` raises, once; `reconnect` goes on.
"""

import socket
from collections.abc import Mapping

from holdfast.client import plain
from holdfast.client.calls import Result
from holdfast.client.core import Heard, Standing
from holdfast.client.reach import Reach
from holdfast.client.repeating import is_repeatable, random_id
from holdfast.client.sync_events import Events
from holdfast.config.paths import Paths
from holdfast.errors import HoldfastError, NotConnected
from holdfast.protocol.client_end import ReplyReceived
from holdfast.protocol.messages import Hello, Lost, Message, Role
from holdfast.protocol.version import OURS

__all__ = ["Client", "connect", "is_repeatable", "subscribed"]


def connect(
    paths: Paths,
    environ: Mapping[str, str],
    *,
    role: Role = Role.CONTROL,
    label: str = "",
    kind: str = "script",
    autostart: bool = True,
) -> "Client":
    hello = Hello(protocol=OURS, client_id=random_id(), role=role, label=label, kind=kind)
    return Client(Reach(paths, environ, hello, autostart, restarts=True))


class Losses(Standing):
    """Hears which sessions were taken from this client."""

    def __init__(self) -> None:
        self.all: list[Lost] = []

    def hear(self, heard: Heard) -> None:
        if isinstance(heard, Lost):
            self.all.append(heard)

    def begin(self) -> None:
        return

    def lost(self, error: HoldfastError) -> None:  # noqa: ARG002 - the core's grammar
        return

    def over(self, error: HoldfastError) -> None:  # noqa: ARG002 - the core's grammar
        return


class Client(plain.Client):
    """Sends without waiting, and hears what has come."""

    def __init__(self, reach: Reach) -> None:
        super().__init__(reach)
        self._asked = 0
        self._answered: list[ReplyReceived] = []
        self._losses = Losses()
        self.steps.core.add(self._losses)

    def lost(self, timeout: float) -> Lost:
        """Return how a session was taken from this client, when it was."""
        losses = self._losses.all
        assert self.steps.until(lambda: bool(losses), self.steps.now() + timeout)
        return losses.pop(0)

    def fileno(self) -> int:
        assert self.steps.line is not None
        return self.steps.line.fileno()

    @property
    def wants_to_write(self) -> bool:
        return self.steps.wants_to_write

    def flush(self) -> None:
        self.steps.flush()

    def ask(self, message: Message) -> int:
        """Send a request and return its number; its reply comes out of `replies`."""
        if not self.steps.core.is_online:
            raise NotConnected(reason=self.steps.core.state.reason)
        self._asked += 1
        number = self._asked

        def done(result: Result) -> None:
            if not isinstance(result, NotConnected):
                self._answered.append(ReplyReceived(number, result))

        self.steps.core.ask(message, done)
        self.steps.flush()
        return number

    def replies(self) -> list[ReplyReceived]:
        """Return the replies that have arrived; raise what ended the connection."""
        core = self.steps.core
        if core.is_online:
            self.steps.turn()
        answered, self._answered = self._answered, []
        if not answered and not core.is_online:
            raise core.state.error or NotConnected(reason=core.state.reason)
        return answered

    def reconnect(self) -> None:
        """Come back on another connection; one that there is breaks, without a goodbye."""
        if self.steps.line is not None:
            core = self.steps.core
            self.steps.line.shutdown(socket.SHUT_RDWR)
            self.steps.until(lambda: not core.is_online)
        super().reconnect()

    def hear(self, timeout: float) -> None:
        """Wait for the end of the connection, for so long."""
        core = self.steps.core
        self.steps.until(lambda: not core.is_online, self.steps.now() + timeout)
        if not core.is_online:
            raise core.state.error or NotConnected(reason=core.state.reason)


def subscribed(client: plain.Client, since: int | None = None, session: str = "") -> Events:
    """Return the events after a number, or from now on, heard from now on."""
    events = client.events(since, session)
    events.begin()
    return events
