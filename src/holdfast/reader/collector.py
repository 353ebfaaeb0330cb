"""Takes a snapshot in as the library encodes it, and stops it once there is enough.

Screens come first and history from the newest page to the oldest: a picture without all of
the scrollback does not wait for it.
"""

from holdfast.reader.snapshot_format import ENVELOPE, HISTORY, HISTORY_TAG, PAGE, READY, RECORD


class Collector:
    """Bytes of one snapshot, with as many lines of the primary's history as are wanted."""

    def __init__(self, scrollback: int | None) -> None:
        self._data = bytearray()
        self.is_complete = False  # all that was asked for is here
        self._wanted = scrollback
        self._at = len(ENVELOPE)
        self._history: int | None = None  # the screen whose history is coming

    @property
    def taken(self) -> bytes:
        """Whole records: what comes after the last one that was wanted may be half of one."""
        return bytes(memoryview(self._data)[: self._at])

    def take(self, data: bytes) -> bool:
        """Take the next bytes; return whether the library shall go on."""
        self._data += data
        while not self.is_complete:
            if len(self._data) < self._at + RECORD.size:
                return True
            tag, length, _ = RECORD.unpack_from(self._data, self._at)
            end = self._at + RECORD.size + length
            if len(self._data) < end:
                return True
            self.is_complete = self._is_enough(tag, self._at + RECORD.size)
            self._at = end
        return False

    def _is_enough(self, tag: int, payload: int) -> bool:
        if self._wanted is None:
            return False
        if tag == HISTORY_TAG:
            self._history, _ = HISTORY.unpack_from(self._data, payload)
        elif tag == PAGE and self._history == 0:
            self._wanted -= int.from_bytes(self._data[payload + 2 : payload + 4], "little")
        return (tag == READY or self._history == 0) and self._wanted <= 0
