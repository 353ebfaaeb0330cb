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
ADDRESS = struct.Struct(">IQ")

# A stranger may cost us this much memory; a hello with a whole label needs 1 KiB.
LIMIT_BEFORE_HANDSHAKE = 64 * 1024
# Above the largest message (a create with a large environment is 2 MiB at most) and
# small enough that 256 half-sent frames fit into memory.
LIMIT = 4 * 1024 * 1024

Buffer = bytes | bytearray | memoryview
_NOTHING = memoryview(b"")


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
    length = ADDRESS.size + len(payload)
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
        self._chunk = _NOTHING
        self._at = 0
        self._partial = bytearray()

    def feed(self, data: Buffer) -> None:
        if self.is_behind:
            raise LocalProtocolError(problem="fed before the last chunk was used up")
        self._chunk, self._at = memoryview(data), 0

    @property
    def is_behind(self) -> bool:
        """Whether the last chunk is not used up."""
        return self._at < len(self._chunk)

    @property
    def held(self) -> int:
        """Bytes of an unfinished frame kept between chunks; never more than the limit."""
        return len(self._partial)

    def next_frame(self) -> Control | Data | None:
        """Return the next whole frame, or None when the chunk is used up."""
        while (whole := self._take()) is not None:
            kind, payload = whole
            if kind == DATA:
                return _data(payload)
            if kind == CONTROL:
                return Control(payload)
            self.skipped += 1
        return None

    def _take(self) -> tuple[int, memoryview] | None:
        if self._partial:
            return self._complete()
        chunk, start = self._chunk, self._at + HEADER.size
        if start <= len(chunk):
            length, kind = HEADER.unpack_from(chunk, self._at)
            self._check(length)
            if start + length <= len(chunk):
                self._at = start + length
                return kind, chunk[start : self._at]
        self._move(len(chunk) - self._at)
        self._chunk, self._at = _NOTHING, 0  # views of it may live on; we do not hold it
        return None

    def _complete(self) -> tuple[int, memoryview] | None:
        # First the header, because only it says how much more may be kept.
        self._move(HEADER.size - len(self._partial))
        if len(self._partial) < HEADER.size:
            return None
        length, kind = HEADER.unpack_from(self._partial)
        self._check(length)
        self._move(HEADER.size + length - len(self._partial))
        if len(self._partial) < HEADER.size + length:
            return None
        whole, self._partial = memoryview(self._partial).toreadonly(), bytearray()
        return kind, whole[HEADER.size :]

    def _move(self, wanted: int) -> None:
        if wanted > 0:
            self._partial += self._chunk[self._at : self._at + wanted]
            self._at = min(self._at + wanted, len(self._chunk))

    def _check(self, length: int) -> None:
        if length > self.limit:
            raise RemoteProtocolError(problem=f"a frame of {length} bytes, limit {self.limit}")


def _data(payload: memoryview) -> Data:
    if len(payload) < ADDRESS.size:
        raise RemoteProtocolError(problem=f"a data frame of {len(payload)} bytes")
    channel, offset = ADDRESS.unpack_from(payload)
    return Data(channel, offset, payload[ADDRESS.size :])
