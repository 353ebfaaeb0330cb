"""What programs say of themselves, as the reader hears it: titles, directories, bells.

A title that turns a wheel ten times a second is known at once and told now and then: each
event is a row that others wait for.
"""

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from holdfast.daemon.record import Record
from holdfast.protocol.reading import Noted, Rang
from holdfast.session.lifecycle import LIVE

LONGEST_TITLE = 512  # characters; a title bar shows a hundred
TITLE_EVERY, BELL_EVERY = 5.0, 1.0  # seconds between two events of a session

Tell = Callable[..., None]


class Said:
    """The newest of it, and when it may be told next."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        known: Callable[[str], Record | None],
        event: Tell,
        changed: Callable[[Record], None],
        host: str,
    ) -> None:
        self._loop = loop
        self._known = known
        self._event = event
        self._changed = changed
        self._host = host
        self._told: dict[str, str] = {}
        self._bells: dict[str, int] = {}
        self._resting: dict[tuple[str, str], asyncio.TimerHandle] = {}

    def noted(self, said: Noted) -> None:
        record = self._known(said.session)
        if record is None:
            return
        directory = directory_of(said.cwd, self._host)
        if directory and not _system_tells(record):
            record.last_cwd = directory
        title = "".join(c for c in said.title[:LONGEST_TITLE] if c.isprintable())
        if title != record.title:
            # The one that was there may be from before this daemon, told then.
            self._told.setdefault(record.id, record.title)
            record.title = title
            if record.state in LIVE:
                self._title(record)
            else:
                self._changed(record)

    def rang(self, said: Rang) -> None:
        record = self._known(said.session)
        if record is not None:
            self._bells[record.id] = self._bells.get(record.id, 0) + said.count
            self._bell(record)

    def over(self, record: Record) -> None:
        """Nothing more is told of it but its last title, which its record has."""
        self._told.pop(record.id, None)
        self._bells.pop(record.id, None)
        for kind in ("title", "bell"):
            if timer := self._resting.pop((record.id, kind), None):
                timer.cancel()

    def close(self) -> None:
        for timer in self._resting.values():
            timer.cancel()

    def _title(self, record: Record) -> None:
        if self._told.get(record.id) != record.title and self._may_tell("title", record):
            self._told[record.id] = record.title
            self._tell(record, "title", title=record.title)
            self._changed(record)
            self._rest("title", record, TITLE_EVERY, self._title)

    def _bell(self, record: Record) -> None:
        if self._bells.get(record.id) and self._may_tell("bell", record):
            self._tell(record, "bell", count=self._bells.pop(record.id))
            self._rest("bell", record, BELL_EVERY, self._bell)

    def _may_tell(self, kind: str, record: Record) -> bool:
        return (record.id, kind) not in self._resting

    def _tell(self, record: Record, kind: str, **facts: Any) -> None:
        self._event(record, kind, time.time(), **facts)

    def _rest(
        self, kind: str, record: Record, seconds: float, again: Callable[[Record], None]
    ) -> None:
        def rested() -> None:
            del self._resting[record.id, kind]
            again(record)

        self._resting[record.id, kind] = self._loop.call_later(seconds, rested)


def _system_tells(record: Record) -> bool:
    """Whether the system says where the program is; what a program says may be anything."""
    try:
        return bool(os.readlink(f"/proc/{record.pid}/cwd"))  # noqa: PTH115 - may be no UTF-8
    except OSError:
        return False


def directory_of(told: str, host: str) -> str:
    """Return the directory that OSC 7 names, or nothing if it is on another machine."""
    if told.startswith("/"):
        return told
    try:
        parts = urlsplit(told)
    except ValueError:
        return ""
    is_here = parts.scheme == "file" and parts.netloc in ("", "localhost", host)
    path = unquote(parts.path, errors="surrogateescape")
    return path if is_here and path.startswith("/") and "\0" not in path else ""
