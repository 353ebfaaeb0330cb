"""The keeper's own wire: length-prefixed JSON over a Unix stream socket, with descriptors.

    length u32 big-endian | JSON object of that many bytes

Descriptors ride on the first byte of their frame, so a receiver that counts bytes knows
which frame they belong to. Byte strings (paths, arguments) travel as `os.fsdecode` gives
them; JSON escapes what is not UTF-8. Keys are only added; unknown keys and ops are ignored.
Every call may fail at any time, because the peer may die at any time: an OSError on the
socket means "gone", never more.
"""

import array
import errno
import json
import os
import socket
import struct
from collections import deque
from collections.abc import Iterator, Sequence

from holdfast.keeper.plain import Any

Body = dict[str, Any]

VERSION = 1
HEADER = struct.Struct(">I")
FRAME_LIMIT = 4 << 20  # a spawn with the largest environment Linux takes is 2 MiB
FDS_LIMIT = 253  # what one message may carry (SCM_MAX_FD)
_RECEIVE_SIZE = 64 << 10
_QUEUE_LIMIT = 16 << 20  # bytes for a peer that does not read; beyond it the peer is given up
# A full socket; or more descriptors in flight than this user may have open, until the peer
# has taken some.
_LATER = {errno.EAGAIN, errno.EINTR, errno.ETOOMANYREFS}


class Gone(Exception):
    """The peer closed, died, or sent what no peer sends."""


class TooLarge(Exception):
    """A frame that no peer takes was not sent; the connection is as it was."""


class Channel:
    """One end of a non-blocking connection; whole frames in and out, descriptors with them."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self._incoming = bytearray()
        self._received: deque[int] = deque()
        self._outgoing: deque[tuple[memoryview, tuple[int, ...]]] = deque()
        self._queued = 0

    def fileno(self) -> int:
        return self.sock.fileno()

    @property
    def wants_to_write(self) -> bool:
        return bool(self._outgoing)

    @property
    def has_room(self) -> bool:
        """Whether the largest frame can be queued, and small ones beside it."""
        return self._queued <= _QUEUE_LIMIT - 2 * FRAME_LIMIT

    @property
    def is_quiet(self) -> bool:
        """Nothing is half received or still to be sent."""
        return not self._incoming and not self._outgoing and not self._received

    def send(self, body: Body, fds: Sequence[int] = ()) -> None:
        """Queue a frame and write what the socket takes now; raise Gone or TooLarge."""
        payload = json.dumps({"fds": len(fds), **body}).encode()
        if len(payload) > FRAME_LIMIT:
            raise TooLarge(f"a frame of {len(payload)} bytes, limit {FRAME_LIMIT}")
        if self._queued + len(payload) > _QUEUE_LIMIT:
            raise Gone("the peer does not read")
        self._outgoing.append((memoryview(HEADER.pack(len(payload)) + payload), tuple(fds)))
        self._queued += len(payload)
        self.flush()

    def flush(self) -> None:
        """Write what the socket takes; raise Gone."""
        while self._outgoing:
            data, fds = self._outgoing[0]
            ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]
            try:
                sent = self.sock.sendmsg([data], ancillary if fds else [])
            except OSError as error:
                if error.errno in _LATER:
                    return
                raise Gone(str(error)) from error
            self._queued -= sent
            if sent == len(data):
                self._outgoing.popleft()
            else:
                self._outgoing[0] = (data[sent:], ())

    def receive(self) -> Iterator[tuple[Body, list[int]]]:
        """Yield each whole frame that has arrived, with its descriptors; raise Gone at the end."""
        yield from self._frames()  # of a caller that stopped half-way through the last ones
        while True:
            try:
                data, fds, flags = self._receive_once()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                raise Gone(str(error)) from error
            self._received.extend(fds)
            if flags & socket.MSG_CTRUNC:
                raise Gone("descriptors were lost: the limit of open files is too low")
            if not data:
                raise Gone("closed")
            self._incoming += data
            yield from self._frames()

    def close(self) -> None:
        """Close the socket and whatever descriptors nobody took."""
        for fd in self._received:
            os.close(fd)
        self._received.clear()
        self.sock.close()

    def _receive_once(self) -> tuple[bytes, list[int], int]:
        space = socket.CMSG_SPACE(FDS_LIMIT * 4)
        data, ancillary, flags, _ = self.sock.recvmsg(_RECEIVE_SIZE, space, CLOEXEC)
        fds = array.array("i")
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
        if not CLOEXEC:
            for fd in fds:
                os.set_inheritable(fd, False)
        return data, list(fds), flags

    def _frames(self) -> Iterator[tuple[Body, list[int]]]:
        while len(self._incoming) >= HEADER.size:
            (length,) = HEADER.unpack_from(self._incoming)
            if length > FRAME_LIMIT:
                raise Gone(f"a frame of {length} bytes")
            end = HEADER.size + length
            if len(self._incoming) < end:
                return
            body = _parsed(bytes(self._incoming[HEADER.size : end]))
            del self._incoming[:end]
            count = body.get("fds", 0)
            yield body, [self._received.popleft() for _ in range(min(count, len(self._received)))]


# macOS has no flag to receive descriptors closed-on-exec; there it is set afterwards.
CLOEXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


def _parsed(payload: bytes) -> Body:
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise Gone(f"not JSON: {error}") from error
    if not isinstance(body, dict) or not isinstance(body.get("fds", 0), int):
        raise Gone("not an object with a number of descriptors")
    return body
