"""What was typed and is not yet taken, by offset. Pure.

The daemon applies each offset of a client's input once, so whatever is in doubt after a
broken connection is simply offered again.
"""

ROOM = 1 << 20  # bytes waiting here; beyond it the terminal is not read, so a paste waits there
PIECE = 32 << 10  # bytes of one request: a pasted megabyte must not hold up the output


class Typed:
    """A queue of bytes whose front is an offset in this client's input."""

    def __init__(self) -> None:
        self.taken = 0
        """Everything before this offset has reached the program."""
        self._waiting = bytearray()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def has_room(self) -> bool:
        return len(self._waiting) < ROOM

    def add(self, data: bytes) -> None:
        self._waiting += data

    def next_piece(self) -> tuple[int, bytes] | None:
        """Return the offset and bytes to send next; the same again until they are taken."""
        return (self.taken, bytes(self._waiting[:PIECE])) if self._waiting else None

    def take(self, end: int) -> None:
        """The program has everything up to *end*."""
        del self._waiting[: max(0, end - self.taken)]
        self.taken = max(self.taken, end)

    def drop(self) -> None:
        """Forget what waits: nobody will ever take it."""
        self._waiting.clear()
