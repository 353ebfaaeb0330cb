"""What goes out through one connection: gathered writes, and the viewers it has.

Written straight into the socket: a transport of asyncio copies what it is given, and costs
70 us an echo. Only what the socket does not take goes through the transport, which says when
that is gone. Viewers then wait for everything to be gone; replies, and reading what a client
asks, only for its bulk, or a flood would keep a key from being heard.
"""

import asyncio
import errno
import os
from collections.abc import Callable

from holdfast.daemon.viewer import Bytes, Viewer
from holdfast.daemon.viewers import Viewers
from holdfast.errors import InvalidArgument, LimitReached
from holdfast.protocol.daemon_end import DaemonEnd
from holdfast.protocol.frames import Buffer
from holdfast.protocol.messages import Ack, Introduce, Message

BULK = 256 * 1024  # bytes that wait; a viewer leaves half of it at most
GATHER = 64  # buffers of one write; the system takes 1024
GONE = (errno.EPIPE, errno.ECONNRESET)
VIEWERS = 1024  # of one connection; each costs a kilobyte
ECHO_WITHIN = 0.003  # seconds; on a busy machine most echoes are there by then


class Outlet:
    """One connection's way out."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, core: DaemonEnd, settled: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._core = core
        self._settled = settled
        self._transport: asyncio.Transport
        self._fd = -1
        self._is_clogged = False
        self._viewers: dict[int, tuple[Viewers, Viewer]] = {}
        self._last_number = 0
        self._later: asyncio.TimerHandle | None = None
        self.has_room_for_replies = asyncio.Event()
        self.has_room_for_replies.set()

    def open(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._fd = transport.get_extra_info("socket").fileno()
        transport.set_write_buffer_limits(high=0)

    # -- writing

    def write_with_echo(self) -> None:
        """Have what was said go out together with the next output, or in a moment without.

        On its own it would wake the client just before the echo does, and on a busy machine the
        client has then had its turn.
        """
        if not self._viewers:
            self._settled()
        elif self._later is None:
            self._later = self._loop.call_later(ECHO_WITHIN, self._without_echo)

    def _without_echo(self) -> None:
        self._later = None
        self._settled()

    def _stop_waiting(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None

    def write(self, buffers: list[Buffer]) -> None:
        """Write all of it, now as far as the socket takes it."""
        self._stop_waiting()
        if self._transport.get_write_buffer_size() == 0:
            buffers = self._write_now(buffers)
        if buffers:
            self._transport.writelines(buffers)
            if self._transport.get_write_buffer_size() > BULK:
                self.has_room_for_replies.clear()

    def _write_now(self, buffers: list[Buffer]) -> list[Buffer]:
        while buffers:
            try:
                count = os.writev(self._fd, buffers[:GATHER])
            except OSError as error:  # full, or gone: then the transport finds out, and says so
                if error.errno in GONE and self._is_heard:
                    # It would drop what is still to be read with the line: a goodbye, perhaps.
                    return []
                break
            buffers = _behind(buffers, count)
        return buffers

    @property
    def _is_heard(self) -> bool:
        """Whether what it says is read and acted upon at once, and so is its end."""
        return self._transport.is_reading() and not self._core.is_behind

    @property
    def has_room(self) -> bool:
        return not self._is_clogged and not self._transport.is_closing()

    def clogged(self) -> None:
        """The transport holds something."""
        self._is_clogged = True

    def cleared(self) -> None:
        """The transport holds nothing more."""
        self._is_clogged = False
        self.has_room_for_replies.set()
        for viewers, viewer in [*self._viewers.values()]:
            viewers.cleared(viewer)

    # -- viewers

    def send(self, viewer: int, offset: int, payload: Bytes) -> None:
        self._core.send_data(viewer, offset, payload)
        self.write(self._core.drain())

    def say(self, message: Message) -> None:
        self._core.tell(message)
        self._settled()

    def next_number(self) -> int:
        """Return the number of a viewer that is about to begin."""
        if len(self._viewers) >= VIEWERS:
            raise LimitReached(resource="viewers", limit=VIEWERS, remedy="detach some")
        self._last_number += 1
        return self._last_number

    def begin(self, viewers: Viewers, viewer: Viewer) -> None:
        self._viewers[viewer.number] = viewers, viewer

    def ack(self, ack: Ack) -> None:
        """What is said of a viewer that has ended meanwhile counts for nothing."""
        if found := self._viewers.get(ack.viewer):
            viewers, viewer = found
            viewer.ack(ack.offset, self._loop.time())
            viewers.wake(viewer)

    def introduce(self, said: Introduce) -> None:
        """Take note of what terminal a viewer's is; one that has ended has none."""
        if found := self._viewers.get(said.viewer):
            found[1].introduce(said.profile)

    def detach(self, number: int) -> int:
        """Let a viewer end; return where it stopped."""
        found = self._viewers.pop(number, None)
        if found is None:
            problem = "is no viewer of this connection"
            raise InvalidArgument(argument="viewer", value=str(number), problem=problem)
        viewers, viewer = found
        return viewers.remove(viewer)

    def over(self, viewer: int) -> None:
        self.detach(viewer)

    def close(self) -> None:
        """The connection is gone."""
        self._stop_waiting()
        for number in [*self._viewers]:
            self.detach(number)


def _behind(buffers: list[Buffer], count: int) -> list[Buffer]:
    """Return what is left of buffers of which so many bytes are written."""
    for index, buffer in enumerate(buffers):
        if count < len(buffer):
            return [memoryview(buffer)[count:], *buffers[index + 1 :]]
        count -= len(buffer)
    return []
