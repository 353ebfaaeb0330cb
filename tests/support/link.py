"""One raw connection to the daemon: a socket around a `ClientEnd`, which never comes back."""

import select
import socket
import time

from holdfast.protocol.client_end import ClientEnd, EventReceived, ReplyReceived, Welcomed
from holdfast.protocol.connection import ConnectionEnded, DataReceived
from holdfast.protocol.messages import Goodbye, Hello, Message
from holdfast.protocol.state import State

Event = Welcomed | ReplyReceived | EventReceived | DataReceived | ConnectionEnded

RECEIVE_SIZE = 256 << 10
GATHER = 64  # buffers of one write; the system takes 1024


class Link:
    """Moves bytes between one socket and one core, without ever waiting but in `wait`."""

    def __init__(self, sock: socket.socket, hello: Hello, *, first_number: int = 1) -> None:
        self._sock = sock
        self._core = ClientEnd(hello, now=time.monotonic(), first_number=first_number)
        self._outbox: list[memoryview] = []
        self._ended: ConnectionEnded | None = None
        self.flush()

    def fileno(self) -> int:
        return self._sock.fileno()

    @property
    def is_open(self) -> bool:
        return self._core.state is State.OPEN

    @property
    def next_number(self) -> int:
        return self._core.next_number

    @property
    def wants_to_write(self) -> bool:
        return bool(self._outbox)

    def request(self, message: Message) -> int:
        """Send a request and return its number."""
        number = self._core.request(message)
        self.flush()
        return number

    def notify(self, message: Message) -> None:
        """Send a message that wants no reply."""
        self._core.notify(message)
        self.flush()

    def flush(self) -> None:
        """Write what the socket takes now.

        A broken socket is not told here: what the daemon said last is still to be read,
        and it ends with the news.
        """
        self._outbox += [memoryview(part) for part in self._core.drain() if len(part)]
        try:
            while self._outbox:
                self._wrote(self._sock.sendmsg(self._outbox[:GATHER]))
        except BlockingIOError:
            pass
        except OSError:
            self._outbox.clear()

    def receive(self) -> list[Event]:
        """Return what has arrived, in order; after its end, only the end, each time."""
        if self._ended is not None:
            return [self._ended]
        try:
            data = self._sock.recv(RECEIVE_SIZE)
        except BlockingIOError:
            return []
        except OSError:  # a daemon killed with our request unread: the same as an end
            data = b""
        if data:
            self._core.feed(data)
        else:
            self._core.feed_end()
        events: list[Event] = []
        while (event := self._core.next_event()) is not None:
            events.append(event)
            if isinstance(event, ConnectionEnded):
                self._ended = event
        return events

    def wait(self, deadline: float) -> bool:
        """Wait until something can be received; return False when the time is up."""
        while (left := deadline - time.monotonic()) > 0:
            writers = [self] if self._outbox else []
            readable, writable, _ = select.select([self], writers, [], left)
            if writable:
                self.flush()
            if readable:
                return True
        return False

    def close(self) -> None:
        """Say goodbye where that is still possible, and close; closing twice is fine."""
        if self._sock.fileno() < 0:
            return
        if self.is_open:
            self._core.notify(Goodbye())
            self.flush()
        self._sock.close()

    def _wrote(self, count: int) -> None:
        while count:
            first = self._outbox[0]
            if count < len(first):
                self._outbox[0] = first[count:]
                return
            count -= len(first)
            del self._outbox[0]
