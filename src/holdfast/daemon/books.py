"""The books of the daemon: what is known of sessions, and everywhere that this is written.

In memory for whoever asks, with the keeper for the daemon after us, in the journal for ever.
"""

import asyncio
import time
from pathlib import Path
from typing import Any

from holdfast.daemon.keeper_link import KeeperLink
from holdfast.daemon.places import Places
from holdfast.daemon.record import Record
from holdfast.daemon.records import Records
from holdfast.daemon.scribe import Scribe


class Books:
    """Records, the files beside them, and the two who write them down."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, link: KeeperLink, state: Path, runtime: Path
    ) -> None:
        self._link = link
        self.records = Records()
        self.places = Places(state, runtime)
        self.scribe = Scribe(loop, self.records.all)

    def write(self, record: Record) -> None:
        """Have a record written down that has changed."""
        self._tell_keeper(record)
        self.scribe.put(record)

    def write_last(self, record: Record) -> None:
        """Have the record of an ended program written down, and the keeper let go of it."""
        # First written down, then forgotten by the keeper: a death between is no loss.
        self._tell_keeper(record)
        if record.mirrored:
            self.scribe.put(record)
        else:
            self.scribe.put(record, lambda: self._link.tell({"op": "forget", "id": record.id}))

    def _tell_keeper(self, record: Record) -> None:
        if record.mirrored:
            return  # it has nothing of it
        self._link.tell({"op": "blob", "id": record.id, "blob": record.blob()})

    def note(self, record: Record, kind: str) -> None:
        """Note that a life has begun or ended."""
        when, facts = record.began, dict[str, Any](life=record.life)
        if kind == "lost":
            when, facts = record.ended or time.time(), {"recovery": record.recovery}
        if kind == "exit":
            when, end = record.ended or time.time(), record.exit
            facts |= {"code": end.code, "signal": end.signal, "offset": record.offset}
        self.scribe.event(record, kind, when, **facts, name=record.name)
