"""Both ends of a connection joined in memory; their states are compared at every step."""

from holdfast.protocol.client_end import ClientEnd
from holdfast.protocol.connection import ConnectionEnded
from holdfast.protocol.daemon_end import DaemonEnd, HelloReceived
from holdfast.protocol.messages import Hello, Role, Welcome
from holdfast.protocol.state import State
from holdfast.protocol.version import OURS, Versions

WELCOME = Welcome(protocol=1, version="0.1.0", pid=4711, started=1_750_000_000.0)


def hello(
    client_id: str = "tester",
    role: Role = Role.CONTROL,
    protocol: Versions = OURS,
    label: str = "terminal pts/3",
) -> Hello:
    return Hello(protocol=protocol, client_id=client_id, role=role, label=label)


class Joined:
    """A client and a daemon whose bytes go straight to each other, in chunks of any size."""

    def __init__(self, first: Hello | None = None, *, versions: Versions = OURS) -> None:
        self.client = ClientEnd(first or hello(), now=0.0)
        self.daemon = DaemonEnd(now=0.0, versions=versions)
        self.heard_by_daemon: list[object] = []
        self.heard_by_client: list[object] = []

    def greet(self) -> "Joined":
        """Go through the handshake."""
        self.to_daemon()
        assert isinstance(self.heard_by_daemon.pop(), HelloReceived)
        self.daemon.welcome(WELCOME)
        self.to_client()
        self.heard_by_client.clear()
        return self

    def to_daemon(self, chunk: int = 1 << 20) -> None:
        sent = b"".join(self.client.drain())
        for at in range(0, len(sent), chunk):
            self.daemon.feed(sent[at : at + chunk])
            while (event := self.daemon.next_event()) is not None:
                self.heard_by_daemon.append(event)
        self.compare()

    def to_client(self, chunk: int = 1 << 20) -> None:
        sent = b"".join(self.daemon.drain())
        for at in range(0, len(sent), chunk):
            self.client.feed(sent[at : at + chunk])
            while (event := self.client.next_event()) is not None:
                self.heard_by_client.append(event)
        self.compare()

    def compare(self) -> None:
        """With nothing in flight both ends are in the same state."""
        if not self.client._outbox and not self.daemon._outbox:
            assert self.client.state is self.daemon.state or self.broken

    @property
    def broken(self) -> bool:
        """A client that gives up closes without a word; the daemon learns it from the socket."""
        ends = (*self.heard_by_client, *self.heard_by_daemon)
        return self.client.state is State.CLOSED and any(
            isinstance(event, ConnectionEnded) for event in ends
        )
