"""Input that is applied exactly once: the numbers, and what a new daemon finds.

Input is numbered by its offset in all that one client typed into one session, so that a
piece sent twice is recognised however it was cut. Before a piece is written, `pending`
(whose it is, and the offset after it) is stored; then the piece and one sentinel byte are
put into a pipe that the keeper holds; the piece is moved to the PTY; `done` is stored; the
sentinel is taken out. Wherever the daemon dies, the pipe says how far it came.
"""

import enum
from typing import NamedTuple

PIECE = 4000  # bytes a turn: with the sentinel less than PIPE_BUF, so a write is all or nothing
QUEUE_LIMIT = 2 << 20  # bytes of input waiting for a program that does not read
OFFSET_BITS = 48  # 280 TB of typing
PASTED_BIT = 63
OFFSET_LIMIT = (1 << OFFSET_BITS) - 1


class Found(enum.Enum):
    """What a daemon's death left of the piece it was applying."""

    NOTHING = "no piece was under way, or it was wholly applied"
    NOT_APPLIED = "noted, but never written"
    HALF = "in the pipe: go on"
    APPLIED = "with the program, but not noted as done"


class Pending(NamedTuple):
    """Whose piece is being applied, and the offset after it."""

    slot: int
    end: int

    def packed(self) -> int:
        """One 64-bit word, so that a store is seen whole or not at all."""
        return (self.slot + 1) << OFFSET_BITS | self.end

    @classmethod
    def unpacked(cls, word: int) -> "Pending | None":
        slot = word >> OFFSET_BITS
        return cls(slot - 1, word & (1 << OFFSET_BITS) - 1) if slot else None


class Unit(NamedTuple):
    """A `send` under way: whose it is, the offset after it, whether it is in paste marks."""

    slot: int
    end: int
    is_pasted: bool

    def packed(self) -> int:
        return Pending(self.slot, self.end).packed() | int(self.is_pasted) << PASTED_BIT

    @classmethod
    def unpacked(cls, word: int) -> "Unit | None":
        pending = Pending.unpacked(word & ~(1 << PASTED_BIT))
        return cls(*pending, bool(word >> PASTED_BIT)) if pending else None


def found(pending: Pending | None, done: int, held: int) -> Found:
    """Return what happened, from *done* of the pending slot and the bytes *held* in the pipe."""
    if held > 1:
        return Found.HALF
    if pending is None or done >= pending.end:
        return Found.NOTHING
    return Found.APPLIED if held else Found.NOT_APPLIED


class Fresh(NamedTuple):
    """The part of a piece that was not applied yet."""

    offset: int
    data: bytes


def fresh_part(done: int, offset: int, data: bytes) -> Fresh | None:
    """Return what is new of a piece, None when nothing is; raise ValueError for a gap."""
    if offset > done:
        raise ValueError(f"input at {offset}, but only {done} bytes came before it")
    rest = data[done - offset :]
    return Fresh(done, rest) if rest else None
