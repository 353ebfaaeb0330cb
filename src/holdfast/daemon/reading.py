"""The daemon's side of the reader: its rooms, and what passes from one to the other.

`screens.py` has what it is told and the pictures it draws, `answers.py` who answers queries,
`said.py` what programs say of themselves.
"""

import asyncio
import socket
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec

from holdfast.daemon.answers import Terminal, Terminals
from holdfast.daemon.books import Books
from holdfast.daemon.growing import Growing
from holdfast.daemon.keeper_link import KeeperLink
from holdfast.daemon.record import Record
from holdfast.daemon.said import Said
from holdfast.daemon.screens import Screens
from holdfast.daemon.session import Session
from holdfast.protocol import reading as wire
from holdfast.protocol.about_viewing import Profile
from holdfast.session.cursor import Cursor
from holdfast.session.lifecycle import LIVE
from holdfast.store.timeline import epoch_of

HIGHEST_OFFSET = 1 << 53  # no log ends there


class Place(Protocol):
    """What has to be known of sessions."""

    def following(self, record: Record) -> Growing | None:
        """Return the session if its output may still grow."""

    def program(self, record: Record) -> Session | None:
        """Return the session if its program lives here."""

    def directory(self, record: Record) -> Path:
        """Return where its files are."""

    def owner_of(self, record: Record) -> str:
        """Return the client id of its owner, or nothing."""

    def changed(self, record: Record) -> None:
        """Its record is to be written down."""

    @property
    def growing_ones(self) -> list[Growing]:
        """Sessions whose output may still grow."""


class Reading:
    """What a reader makes of what sessions print."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        link: KeeperLink,
        place: Place,
        books: Books,
        *,
        is_wanted: bool,
    ) -> None:
        self._loop = loop
        self._place = place
        self._books = books
        self._terminals: dict[str, Terminals] = {}
        self.screens = Screens(
            loop,
            self,
            is_wanted=is_wanted,
            ask=lambda: link.tell({"op": "reader", "wanted": is_wanted}),
            growing=lambda: place.growing_ones,
        )
        self._said = Said(
            loop,
            known=self.known,
            event=books.scribe.event,
            changed=place.changed,
            host=socket.gethostname(),
        )
        self.screens.on_said = self._heard
        self.screens.on_new = self._begin_anew
        self.grew = self.screens.grew
        self.paint = self.screens.paint
        link.on_reader = self.screens.come
        link.on_unable = self.screens.expect_none
        link.on_keeper = self.screens.keeper_changed

    # -- what the screens ask

    def known(self, session: str) -> Record | None:
        return self._books.records.by_id.get(session)

    def following(self, record: Record) -> Growing | None:
        return self._place.following(record)

    def describe(self, record: Record) -> wire.Follow:
        session, directory = self._place.following(record), self._place.directory(record)
        end = record.offset
        return wire.Follow(
            session=record.id,
            directory=str(directory),
            epoch=epoch_of(directory) if session is None else session.printed.epoch,
            end=end,
            cols=record.size.cols,
            rows=record.size.rows,
            lives=session is not None,
            ephemeral=record.ephemeral,
            answered=self._settled(record),
            profile=_profile_of(record),
        )

    def directory(self, record: Record) -> Path:
        return self._place.directory(record)

    def has_files(self, record: Record) -> bool:
        return self.directory(record).is_dir()

    # -- terminals

    def terminal(
        self, record: Record, client_id: str, cursor: Cursor, *, since: int | None
    ) -> Terminal | None:
        """Return what answers queries in the place of the reader, as far as it is sent them."""
        terminals = self._of(record)
        return terminals.add(client_id, cursor, since=since) if terminals else None

    def answered(self, record: Record) -> int:
        """Return the last query that no terminal has answered."""
        program = self._place.program(record)
        return program.input.answered if program is not None else self._settled(record)

    def _settled(self, record: Record) -> int:
        """Return up to which offset queries are settled."""
        if program := self._place.program(record):
            return program.input.settled(record.offset)
        # What is mirrored is answered by its own terminal, now and later.
        return HIGHEST_OFFSET if record.mirrored else record.offset

    def _of(self, record: Record) -> Terminals | None:
        session = self._place.program(record)
        if session is None:
            return None
        found = self._terminals.get(record.id)
        if found is None:
            owner = partial(self._place.owner_of, record)
            found = self._terminals[record.id] = Terminals(self._loop, session.input, owner)
            found.on_profile = partial(self._introduced, record)
        return found

    def _introduced(self, record: Record, profile: Profile) -> None:
        """Its owner has this terminal: queries that nobody sees are answered as by it."""
        if profile != _profile_of(record):
            record.profile = msgspec.to_builtins(profile, str_keys=True)
            self._place.changed(record)
            self.screens.changed(record)

    # -- what happens to sessions

    def changed(self, record: Record) -> None:
        """It may have another owner."""
        if terminals := self._terminals.get(record.id):
            terminals.owner_changed()

    def sized(self, session: Growing) -> None:
        self.screens.sized(session)

    def finished(self, record: Record) -> None:
        """Nothing more will be printed in this life."""
        if terminals := self._terminals.pop(record.id, None):
            terminals.close()
        self.screens.finished(record)

    def cleared(self, record: Record) -> None:
        self.screens.cleared(record)

    def forgotten(self, record: Record, *, gone: bool) -> None:
        if gone:
            self._said.over(record)
        self.screens.forget(record, gone=gone)

    # -- what the reader says

    def _begin_anew(self) -> None:
        for terminals in self._terminals.values():
            terminals.forget_asked()

    def _heard(self, said: wire.Said) -> None:
        if isinstance(said, wire.Noted):
            self._said.noted(said)
        elif isinstance(said, wire.Rang):
            self._said.rang(said)
        elif isinstance(said, wire.Asked):
            record = self.known(said.session)
            if record is not None and record.state in LIVE and (terminals := self._of(record)):
                terminals.asked(said)

    def close(self) -> None:
        self._said.close()
        for terminals in self._terminals.values():
            terminals.close()
        self.screens.close()


def _profile_of(record: Record) -> Profile | None:
    """Return the terminal of its last owner, if this version can read what was kept of it."""
    try:
        return msgspec.convert(record.profile, Profile, str_keys=True) if record.profile else None
    except msgspec.ValidationError:
        return None
