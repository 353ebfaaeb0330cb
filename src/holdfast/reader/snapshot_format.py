"""The library's binary snapshot, version 1: an envelope and a row of tagged records.

This file knows the records and their order; what is in one is read by `terminal_state`,
`screen_state` and `pages`. The checksums are those of a library that wrote the bytes an
instant ago, in this process: they are checked where bytes come from a disk (`checkpoints`).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from holdfast.reader.model import ScreenError
from holdfast.reader.screen_state import ScreenState, parse_screen
from holdfast.reader.terminal_state import TerminalState, parse_terminal

ENVELOPE = b"GHOSTSNP" + (1).to_bytes(2, "little")
RECORD = struct.Struct("<HII")  # tag, length, CRC-32C
HISTORY = struct.Struct("<HI")  # screen, pages

TERMINAL, SCREEN, PAGE, HISTORY_TAG, READY, FINISH, CONTINUATION = range(1, 8)


class Record(NamedTuple):
    tag: int
    checksum: int
    payload: bytes


@dataclass
class Screen:
    """One screen: its state, and pages of rows from the oldest to the newest."""

    state: ScreenState
    pages: list[bytes] = field(default_factory=list)
    history: list[bytes] = field(default_factory=list)  # from the newest to the oldest


@dataclass
class Snapshot:
    """What one encoding says. History is as long as the encoder was let go on."""

    terminal: TerminalState
    screens: dict[int, Screen]
    continuation: bytes

    @property
    def active(self) -> Screen:
        return self.screens[self.terminal.active_screen]


def parse(data: bytes) -> Snapshot:
    """Return what a whole snapshot says, or one that was cut after READY."""
    try:
        return _parse(data)
    except (struct.error, IndexError, KeyError) as error:
        raise ScreenError(f"the snapshot is damaged: {error}") from error


def _parse(data: bytes) -> Snapshot:
    records = list(_records(data))
    if not records or records[0].tag != TERMINAL:
        raise ScreenError("the snapshot does not begin with a terminal")
    snapshot = Snapshot(parse_terminal(records[0].payload), {}, b"")
    pages: list[bytes] = []
    for record in records[1:]:
        if record.tag == SCREEN:
            screen = Screen(parse_screen(record.payload))
            snapshot.screens[screen.state.key] = screen
            pages = screen.pages
        elif record.tag == HISTORY_TAG:
            pages = snapshot.screens[HISTORY.unpack_from(record.payload)[0]].history
        elif record.tag == PAGE:
            pages.append(record.payload)
        elif record.tag == CONTINUATION:
            snapshot.continuation = record.payload
        elif record.tag not in (READY, FINISH):
            raise ScreenError(f"record {record.tag} of the snapshot is unknown")
    if snapshot.terminal.active_screen not in snapshot.screens:
        raise ScreenError("the snapshot lacks the screen that is shown")
    return snapshot


def _records(data: bytes) -> Iterator[Record]:
    """Cut a snapshot into records; the last may be missing, not half."""
    if data[: len(ENVELOPE)] != ENVELOPE:
        raise ScreenError("these bytes are no snapshot of format 1")
    at = len(ENVELOPE)
    while at < len(data):
        if at + RECORD.size > len(data):
            raise ScreenError("the snapshot ends within a record")
        tag, length, checksum = RECORD.unpack_from(data, at)
        at += RECORD.size
        if at + length > len(data):
            raise ScreenError("the snapshot ends within a record")
        yield Record(tag, checksum, data[at : at + length])
        at += length
