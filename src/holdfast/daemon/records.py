"""Every record the daemon knows, living and ended, and how one is found."""

import hashlib
import time
from collections.abc import Callable

from holdfast.daemon.record import Record
from holdfast.errors import InvalidArgument, NotFound
from holdfast.protocol.messages import Create
from holdfast.session.lifecycle import LIVE, OVER

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is misread or misheard
SHORTEST_ID = 6


class Records:
    """Records by id."""

    def __init__(self) -> None:
        self.by_id: dict[str, Record] = {}
        # Ten thousand take 4 ms to sort, and a list of them is asked for page by page.
        self._in_order: list[Record] | None = None

    def add(self, record: Record) -> None:
        self.by_id[record.id] = record
        self._in_order = None

    def drop(self, record: Record) -> None:
        """Know nothing of it any more."""
        self.by_id.pop(record.id, None)
        self._in_order = None

    def all(self) -> list[Record]:
        """Return every record, oldest first."""
        if self._in_order is None:
            self._in_order = sorted(self.by_id.values(), key=lambda one: (one.created, one.id))
        return [*self._in_order]

    @property
    def living(self) -> int:
        return sum(record.state in LIVE for record in self.by_id.values())

    def find(self, wanted: str) -> Record:
        """Return the session of that id, name, key or unique beginning of an id."""
        if record := self.by_id.get(wanted):
            return record
        for living in (True, False):
            named = [
                record
                for record in self.by_id.values()
                if wanted and wanted in (record.name, record.key)
                if (record.state not in OVER) is living
            ]
            if named:
                return max(named, key=lambda record: record.created)
        begun = [record for record in self.by_id.values() if record.id.startswith(wanted)]
        if wanted and len(begun) == 1:
            return begun[0]
        if wanted and begun:
            several = ", ".join(record.id for record in begun[:5])
            raise InvalidArgument(
                argument="session",
                value=wanted,
                problem="several sessions begin like that",
                remedy=f"write one of {several}",
            )
        raise NotFound(session=wanted)

    def named(self, wanted: str) -> Record | None:
        """Return what `find` returns, and None where it raises."""
        try:
            return self.find(wanted)
        except (InvalidArgument, NotFound):
            return None

    def made_by(self, creation: str) -> Record | None:
        """Return the session that a create with this token made."""
        return self._first(lambda record: bool(creation) and record.creation == creation)

    def with_key(self, key: str) -> Record | None:
        """Return the session of this key that lives, or can be started again."""
        return self._first(
            lambda record: bool(key) and record.key == key and record.state not in OVER
        )

    def new_id(self, wanted: Create) -> str:
        """Return an id that a create which is sent again would get again.

        So a request cut off by our death and repeated finds its session at the keeper.
        """
        seed = wanted.creation or f"{time.time_ns()}-{id(wanted)}"
        number = int.from_bytes(hashlib.sha256(seed.encode()).digest(), "big")
        letters = ""
        while len(letters) < SHORTEST_ID or letters in self.by_id:
            number, digit = divmod(number, len(ALPHABET))
            letters += ALPHABET[digit]
        return letters

    def _first(self, is_wanted: Callable[[Record], bool]) -> Record | None:
        return next((record for record in self.by_id.values() if is_wanted(record)), None)
