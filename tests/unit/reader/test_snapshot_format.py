"""The library's snapshot as bytes: whatever is not version 1, whole and known, is refused."""

import pytest

from holdfast.reader.collector import Collector
from holdfast.reader.ghostty import GhosttyScreen
from holdfast.reader.history import Lines
from holdfast.reader.model import ScreenError
from holdfast.reader.snapshot_format import RECORD, parse

ENVELOPE = 10


def snapshot(lines: int = 30) -> bytes:
    screen = GhosttyScreen.create(20, 5)
    screen.feed("\x1b[31ma\x1b]8;;https://e.org\x07漢\x1b]8;;\x07🙂\r\n".encode() * lines)
    collector = Collector(None)
    screen._model.encode(collector.take)
    screen.close()
    return collector.taken


def test_a_snapshot_that_is_cut_is_refused_wherever_it_is() -> None:
    whole = snapshot(2)
    ends = set()
    at = ENVELOPE
    while at < len(whole):
        ends.add(at)
        at += RECORD.size + RECORD.unpack_from(whole, at)[1]
    for length in set(range(len(whole))) - ends:
        with pytest.raises(ScreenError):
            parse(whole[:length])


def test_another_version_is_refused() -> None:
    whole = bytearray(snapshot())
    whole[8] = 2

    with pytest.raises(ScreenError, match="format 1"):
        parse(bytes(whole))


def test_an_unknown_record_is_refused() -> None:
    whole = snapshot() + RECORD.pack(99, 0, 0)

    with pytest.raises(ScreenError, match="99"):
        parse(whole)


@pytest.mark.parametrize("at", range(ENVELOPE, 700, 3))
def test_damage_is_an_error_with_a_name_or_another_screen(at: int) -> None:
    """Checksums are checked where bytes come from a disk; here nothing may be worse than this."""
    whole = bytearray(snapshot(2))
    whole[at] ^= 0xFF
    try:
        found = parse(bytes(whole))
        for screen in found.screens.values():
            Lines(screen, found.terminal.rows)
    except ScreenError:
        pass


@pytest.mark.parametrize("piece", [1, 7, 100, 1 << 20])
def test_a_collector_takes_pieces_of_any_size(piece: int) -> None:
    whole = snapshot()
    collector = Collector(None)
    for at in range(0, len(whole), piece):
        assert collector.take(whole[at : at + piece])

    assert collector.taken == whole


@pytest.mark.parametrize("piece", [1, 7, 100, 1 << 20])
def test_a_collector_stops_at_what_was_asked_for(piece: int) -> None:
    whole = snapshot(400)
    collector = Collector(0)
    for at in range(0, len(whole), piece):
        if not collector.take(whole[at : at + piece]):
            break

    assert collector.is_complete
    assert len(collector.taken) < len(whole)
    assert parse(collector.taken).active.history == []
