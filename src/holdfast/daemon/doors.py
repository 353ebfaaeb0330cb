"""The sockets at which clients arrive, as long as they are let in.

The keeper owns them. Here are copies: a door that is closed can be opened again, and whoever
comes while it is closed waits.
"""

import asyncio
import socket
import sys
from collections.abc import Callable
from typing import Any

from holdfast.daemon.keeper_link import KeeperLink

BACKLOG = 4096  # as the keeper has it; listening again with less would cut it
# From 3.13 on a server that is closed removes the file of its socket unless it is told not to:
# that is the keeper's, and who comes next would find nothing. Before, there is no such argument.
KEEP_FILE: dict[str, Any] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}


class Doors:
    """Let clients in, or not."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        link: KeeperLink,
        protocol: Callable[[], asyncio.BufferedProtocol],
    ) -> None:
        self._loop = loop
        self._link = link
        self._protocol = protocol
        self._servers: list[asyncio.Server] = []

    async def open(self) -> None:
        """Let in who comes, at every socket there is and will be."""
        for sock in self._link.clients:
            await self._serve(sock)
        self._link.on_listening = lambda sock: self._loop.create_task(self._serve(sock))

    async def _serve(self, sock: socket.socket) -> None:
        server = await self._loop.create_unix_server(
            self._protocol, sock=sock.dup(), backlog=BACKLOG, **KEEP_FILE
        )
        self._servers.append(server)

    def close(self) -> None:
        """Let nobody in; who is in stays."""
        while self._servers:
            self._servers.pop().close()
