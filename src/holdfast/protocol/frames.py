"""Frames: a byte stream cut into control and data frames, however the bytes arrive.

    length u32 | type u8 | payload                  type 1: a control message
    length u32 | type u8 | channel u32 | offset u64 | bytes    type 2: data

All numbers are big-endian; the length counts what follows the type. Frames of other
types are for later versions: they are bounded like any other and skipped.
"""

import struct
from typing import NamedTuple

from holdfast.errors import LocalProtocolError, RemoteProtocolError

HEADER = struct.Struct(">IB")
DATA_HEADER = struct.Struct(">IBIQ")
CONTROL, DATA = 1, 2
ADDRESS_SIZE = DATA_HEADER.size - HEADER.size

# A stranger may cost us this much memory; a hello with a whole label needs 1 KiB.
LIMIT_BEFORE_HANDSHAKE = 64 * 1024
# Above the largest message (a create with a large environment is 2 MiB at most) and
# small enough that 256 half-sent frames fit into memory.
LIMIT = 4 * 1024 * 1024

Buffer = bytes | bytearray | memoryview


class Control(NamedTuple):
    """The payload of one control message."""

    payload: memoryview


class Data(NamedTuple):
    """A run of bytes of one channel (a viewer's number), with its offset."""

    channel: int
    offset: int
    payload: memoryview


def control_frame(payload: bytes) -> bytes:
    """Return the whole frame; control messages are small, so one copy is cheapest."""
    if len(payload) > LIMIT:
        raise LocalProtocolError(problem=f"a message of {len(payload)} bytes, limit {LIMIT}")
    return HEADER.pack(len(payload), CONTROL) + payload


def data_frame(channel: int, offset: int, payload: Buffer) -> tuple[bytes, Buffer]:
    """Return header and payload for a gathered write; the payload is not copied."""
    length = ADDRESS_SIZE + len(payload)
    if length > LIMIT:
        raise LocalProtocolError(problem=f"a data frame of {length} bytes, limit {LIMIT}")
    return DATA_HEADER.pack(length, DATA, channel, offset), payload


class FrameReader:
    """Cut a byte stream into frames.

    `feed` a chunk, then call `next_frame` until it returns None. A frame that lies
    whole within one chunk is handed out as a view of that chunk, so the fed object
    must not change while the view is in use; one that straddles chunks is copied once.
    """

    def __init__(self, limit: int = LIMIT_BEFORE_HANDSHAKE) -> None:
        self.limit = limit
        self.skipped = 0
        self._chunk = memoryview(b"")
        self._partial = bytearray()

    def feed(self, data: Buffer) -> None:
        if self._chunk:
            raise LocalProtocolError(problem="fed before the last chunk was used up")
        self._chunk = memoryview(data)

    @property
    def held(self) -> int:
        """Bytes of an unfinished frame kept between chunks; never more than the limit."""
        return len(self._partial)

    def next_frame(self) -> Control | Data | None:
        """Return the next whole frame, or None when the chunk is used up."""
        while (frame := self._take()) is not None:
            kind = frame[HEADER.size - 1]
            if kind == DATA:
                if len(frame) < DATA_HEADER.size:
                    raise RemoteProtocolError(problem=f"a data frame of {len(frame)} bytes")
                _, _, channel, offset = DATA_HEADER.unpack_from(frame)
                return Data(channel, offset, frame[DATA_HEADER.size :])
            if kind == CONTROL:
                return Control(frame[HEADER.size :])
            self.skipped += 1
        return None

    def _take(self) -> memoryview | None:
        if self._partial:
            return self._complete()
        size = self._size_of(self._chunk)
        if size is None or len(self._chunk) < size:
            self._partial += self._chunk
            self._chunk = memoryview(b"")
            return None
        frame, self._chunk = self._chunk[:size], self._chunk[size:]
        return frame

    def _complete(self) -> memoryview | None:
        # First the header, because only it says how much more may be kept.
        self._move(HEADER.size - len(self._partial))
        size = self._size_of(self._partial)
        if size is None:
            return None
        self._move(size - len(self._partial))
        if len(self._partial) < size:
            return None
        frame, self._partial = memoryview(self._partial).toreadonly(), bytearray()
        return frame

    def _move(self, wanted: int) -> None:
        if wanted > 0:
            self._partial += self._chunk[:wanted]
            self._chunk = self._chunk[wanted:]

    def _size_of(self, start: memoryview | bytearray) -> int | None:
        if len(start) < HEADER.size:
            return None
        length, _ = HEADER.unpack_from(start)
        if length > self.limit:
            raise RemoteProtocolError(problem=f"a frame of {length} bytes, limit {self.limit}")
        return HEADER.size + int(length)
