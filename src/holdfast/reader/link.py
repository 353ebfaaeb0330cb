"""The reader's end of the line to a daemon: messages in and out, nothing of what they mean."""

import socket
from collections import deque
from collections.abc import Iterator

from holdfast.protocol.reading import Hearing, Said, ToReader, encode

RECEIVE_SIZE = 256 << 10
# Bytes for a daemon that does not read. Beyond it nothing more is read or painted for it, so
# what waits is bounded by this and one picture.
FULL = 4 << 20


class LinkLost(Exception):
    """The daemon has gone."""


class Link:
    """One line. After LinkLost or an error of the protocol only `close` is left."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._hearing = Hearing(ToReader)
        self._waiting: deque[memoryview] = deque()
        self._queued = 0

    def fileno(self) -> int:
        return self._sock.fileno()

    @property
    def wants_to_write(self) -> bool:
        return bool(self._waiting)

    @property
    def is_full(self) -> bool:
        return self._queued >= FULL

    def say(self, said: Said) -> None:
        """Queue a message; `flush` sends it."""
        data = memoryview(encode(said))
        self._waiting.append(data)
        self._queued += len(data)

    def flush(self) -> None:
        """Send what the socket takes; raise LinkLost."""
        while self._waiting:
            try:
                sent = self._sock.send(self._waiting[0])
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                raise LinkLost(str(error)) from error
            self._queued -= sent
            if sent == len(self._waiting[0]):
                self._waiting.popleft()
            else:
                self._waiting[0] = self._waiting[0][sent:]

    def receive(self) -> Iterator[Said]:
        """Yield what has arrived; raise LinkLost, or RemoteProtocolError for rubbish."""
        try:
            data = self._sock.recv(RECEIVE_SIZE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            raise LinkLost(str(error)) from error
        if not data:
            raise LinkLost("closed")
        yield from self._hearing.feed(data)

    def close(self) -> None:
        self._sock.close()
