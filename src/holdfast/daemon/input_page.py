"""The numbers of one session's input that outlive a daemon: a page in a mapped file.

    word 0      whose piece is under way, and the offset after it
    word 1      the `send` under way: whose it is, the offset after it, if it is in paste marks
    word 2      the last query of the program that we have answered, by its offset
    word 3      the last one that a terminal has answered, as we know
    word 4      whether a terminal that answers is attached
    words 5-7   for later versions
    then        three words a client: its name, how far it came, when it was last heard of

They are stored through a memoryview of 64-bit words: `struct.pack_into` zeroes a field
first, and torn values were seen.
"""

import hashlib
import mmap
import os
from collections.abc import Container
from functools import lru_cache
from pathlib import Path

from holdfast.session.typed import OFFSET_LIMIT, Pending, Unit

PAGE = 4096
_PENDING, _UNIT, _ANSWERED, _SETTLED, _TERMINAL = range(5)
_FIRST_SLOT = 8
_NAME, _DONE, _USED = range(3)
SLOTS = (PAGE // 8 - _FIRST_SLOT) // 3
ANSWERS = SLOTS
"""Whose the answers to queries are: behind the clients, with a word of its own."""
_KNOWN = OFFSET_LIMIT + 1  # a bit that an offset never has


class Page:
    """Whose piece is under way, and how much of each client's input was applied."""

    def __init__(self, path: Path) -> None:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            size = os.fstat(fd).st_size
            if size < PAGE:
                # Written, not truncated to size: a hole for which a full disk has no page
                # would end the daemon with SIGBUS when it is touched.
                os.pwrite(fd, bytes(PAGE - size), size)
            self._map = mmap.mmap(fd, PAGE)
        finally:
            os.close(fd)
        self._words = memoryview(self._map).cast("Q")
        used = {slot: self._word(slot, _USED) for slot in range(SLOTS) if self._word(slot, _NAME)}
        self._uses = max(used.values(), default=0)
        # Least recently heard of first.
        self._slots = {self._word(slot, _NAME): slot for slot in sorted(used, key=used.__getitem__)}

    @property
    def pending(self) -> Pending | None:
        return Pending.unpacked(self._words[_PENDING])

    @pending.setter
    def pending(self, pending: Pending) -> None:
        self._words[_PENDING] = pending.packed()

    @property
    def unit(self) -> Unit | None:
        return Unit.unpacked(self._words[_UNIT])

    @unit.setter
    def unit(self, unit: Unit | None) -> None:
        self._words[_UNIT] = unit.packed() if unit else 0

    def done(self, slot: int) -> int:
        """How much of a client's input was applied."""
        if slot == ANSWERS:
            return self._words[_ANSWERED] & OFFSET_LIMIT
        return self._word(slot, _DONE)

    def set_done(self, slot: int, end: int) -> None:
        if slot == ANSWERS:
            self._words[_ANSWERED] = end | _KNOWN
        else:
            self._store(slot, _DONE, end)

    @property
    def settled(self) -> int | None:
        """Up to which offset every query has its answer, or never gets one; None is unknown."""
        if not self._words[_ANSWERED]:
            return None
        return max(self.done(ANSWERS), self._words[_SETTLED])

    def settled_from(self, end: int) -> int:
        """The same; if nothing tells, it is *end* from now on."""
        if self.settled is None:
            self.set_done(ANSWERS, end)
        return self.settled or 0

    def settle(self, offset: int) -> None:
        """Note that a terminal has answered the query there."""
        self._words[_SETTLED] = max(offset, self._words[_SETTLED])

    @property
    def has_terminal(self) -> bool:
        return bool(self._words[_TERMINAL])

    @has_terminal.setter
    def has_terminal(self, has: bool) -> None:
        self._words[_TERMINAL] = int(has)

    def slot_of(self, client_id: str, offset: int, busy: Container[int]) -> int | None:
        """Return a client's slot; a new client begins at *offset*.

        The client unheard of for longest makes room, unless it is *busy*: what it typed is
        still on its way. None when everybody is.
        """
        name = _name_of(client_id)
        slot = self._slots.pop(name, None)
        if slot is None:
            slot = self._make_room(busy)
            if slot is None:
                return None
            self._store(slot, _NAME, 0)  # nobody's, while its number changes
            self._store(slot, _DONE, offset)  # its earlier input was before our memory
            self._store(slot, _NAME, name)
        self._slots[name] = slot
        self._uses += 1
        self._store(slot, _USED, self._uses)
        return slot

    def _make_room(self, busy: Container[int]) -> int | None:
        if len(self._slots) < SLOTS:
            return next(slot for slot in range(SLOTS) if not self._word(slot, _NAME))
        name = next((name for name, slot in self._slots.items() if slot not in busy), None)
        return None if name is None else self._slots.pop(name)

    def close(self) -> None:
        self._words.release()
        self._map.close()

    def _word(self, slot: int, field: int) -> int:
        return self._words[_FIRST_SLOT + 3 * slot + field]

    def _store(self, slot: int, field: int, value: int) -> None:
        self._words[_FIRST_SLOT + 3 * slot + field] = value


@lru_cache(maxsize=1024)
def _name_of(client_id: str) -> int:
    digest = hashlib.blake2b(client_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") | 1  # never 0, which marks a free slot
