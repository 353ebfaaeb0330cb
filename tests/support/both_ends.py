"""Both ends of proxied connections in one hand: the client's, and the daemon's as accepted."""

import select
import socket
from contextlib import ExitStack
from pathlib import Path

from holdfast.protocol.frames import control_frame
from tests.support.proxy import PATIENCE, UP, Proxy, proxied
from tests.support.proxying.flow import Direction

FRAME = control_frame(b"payload")
Ends = tuple[socket.socket, socket.socket]


class BothEnds:
    """A proxy, a daemon's socket behind it, and whoever comes."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.target, self.path = directory / "daemon", directory / "proxy"
        self._stack = stack
        self.listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        self.listener.bind(str(self.target))
        self.listener.listen(300)
        self.listener.settimeout(PATIENCE)
        self.proxy: Proxy = stack.enter_context(proxied(self.target, self.path))

    def client(self) -> socket.socket:
        sock = self._stack.enter_context(socket.socket(socket.AF_UNIX))
        sock.settimeout(PATIENCE)
        sock.connect(str(self.path))
        return sock

    def accepted(self) -> socket.socket:
        sock = self._stack.enter_context(self.listener.accept()[0])
        sock.settimeout(PATIENCE)
        return sock

    def pair(self) -> tuple[socket.socket, socket.socket]:
        """Return both ends of a new connection, the client's first."""
        return self.client(), self.accepted()

    def assert_still(self, *socks: socket.socket) -> None:
        """Nothing can be heard here, though the proxy has had time for others meanwhile."""
        self.proxy.future.heal()
        client, daemon = self.pair()
        for _ in range(20):
            client.sendall(FRAME)
            assert heard(daemon, len(FRAME)) == FRAME
        assert select.select(socks, [], [], 0)[0] == []


def heard(sock: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size and (more := sock.recv(size - len(data))):
        data += more
    return bytes(data)


def by_way(ends: Ends, way: Direction) -> Ends:
    """Return who speaks in a direction, and who hears it."""
    return ends if way is UP else ends[::-1]
