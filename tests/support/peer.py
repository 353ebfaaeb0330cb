"""One raw connection to a daemon: says what it likes, and tells how it ended."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from holdfast.client.reach import open_socket
from holdfast.errors import HoldfastError
from holdfast.protocol.connection import ConnectionEnded
from holdfast.protocol.messages import Hello, Message, Role
from holdfast.protocol.version import OURS
from tests.support.home import PATIENCE, Home
from tests.support.link import Event, Link


class Peer:
    """A link whose events are kept."""

    def __init__(self, sock: socket.socket, hello: Hello) -> None:
        self.link = Link(sock, hello)
        self.heard: list[Event] = []

    def wait(self, kind: type[Event], patience: float = PATIENCE) -> Event:
        """Return the next event of *kind*."""
        deadline = time.monotonic() + patience
        while True:
            for event in self.heard:
                if isinstance(event, kind):
                    self.heard.remove(event)
                    return event
            assert self.link.wait(deadline), f"no {kind.__name__} within {patience:g} s"
            self.heard += self.link.receive()

    def ending(self, patience: float = PATIENCE) -> HoldfastError | None:
        """Return what the daemon ended the connection with."""
        event = self.wait(ConnectionEnded, patience)
        assert isinstance(event, ConnectionEnded)
        return event.error

    def request(self, message: Message) -> int:
        return self.link.request(message)


@contextmanager
def peer(
    home: Home, client_id: str = "peer", role: Role = Role.CONTROL, token: str = ""
) -> Iterator[Peer]:
    """A connection that has said hello, and leaves without goodbye."""
    hello = Hello(protocol=OURS, client_id=client_id, role=role, token=token)
    sock = open_socket(str(home.paths.socket))
    with sock:
        yield Peer(sock, hello)


def silent(home: Home) -> socket.socket:
    """A connection that has said nothing yet."""
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(home.paths.socket))
    sock.settimeout(PATIENCE)
    return sock


def rest_of(sock: socket.socket) -> bytes:
    """Return everything a connection still hears, up to its end."""
    heard = b""
    try:
        while data := sock.recv(65536):
            heard += data
    except ConnectionResetError:
        pass  # what it said itself was never read
    return heard
