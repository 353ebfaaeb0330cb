"""Bytes that are missing: nothing is fed for them, and a picture says when it is not all there."""

from pathlib import Path

import pytest

from holdfast.formats.timeline import Hole, HoleReason, Life
from holdfast.protocol.reading import Grew
from holdfast.session.tail import safe_cut
from holdfast.store.removal import remove
from tests.support.reading import NOW, Printing, lines, running_reader, screen


@pytest.fixture
def printing(tmp_path: Path) -> Printing:
    return Printing(tmp_path / "sessions" / "abcd", segment_size=1 << 16)


def lose(printing: Printing, start: int, end: int) -> None:
    printing.log.seal()
    hole = Hole(start, end - start, HoleReason.PRUNED)
    remove(printing.directory, printing.timeline, [hole])


def test_a_hole_in_the_middle_is_fed_nothing_for(tmp_path: Path, printing: Printing) -> None:
    """What came before stays; behind it a screen begins where bytes can be cut."""
    before, after = lines(0, 500) + b"\x1b[?2004h", lines(600, 610) + b"end"
    start = printing.write(before)
    end = printing.write(b"x" * 5000)
    printing.write(after)
    lose(printing, start, end)
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow())

        picture = daemon.picture(printing)

        left = after[safe_cut(after) :]
        assert picture.data == screen(before, left).snapshot(None).data
        assert picture.fidelity == "partial"


def test_a_life_behind_a_hole_is_read_from_its_first_byte(
    tmp_path: Path, printing: Printing
) -> None:
    """The marker of a restore stands there, and what resets the modes."""
    before, marker = lines(0, 50) + b"\x1b[?1049h", b"\x1b[?1049l[restored]\r\n$ "
    start = printing.write(before)
    end = printing.write(b"x" * 5000)
    printing.timeline.append(Life(end, NOW, 2))
    printing.write(marker)
    lose(printing, start, end)
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow())

        assert daemon.picture(printing).data == screen(before, marker).snapshot(None).data


def test_what_retention_dropped_is_no_matter_once_the_screen_is_full_again(
    tmp_path: Path, printing: Printing
) -> None:
    printing.write(lines(0, 20_000))
    lose(printing, 0, 200_000)
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow())

        picture = daemon.picture(printing)

        kept = lines(0, 20_000)[200_000:]
        assert picture.data == screen(kept[safe_cut(kept) :]).snapshot(None).data
        assert picture.fidelity == "exact"


@pytest.mark.parametrize("clear", [b"\x1b[2J", b"\x1bc"])
def test_a_program_that_clears_its_screen_heals_it(
    tmp_path: Path, printing: Printing, clear: bytes
) -> None:
    printing.write(b"x" * 5000 + b"\r\nhalf a screen")
    lose(printing, 0, 4000)
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow())
        assert daemon.picture(printing).fidelity == "partial"

        daemon.say(Grew(printing.session, printing.write(clear + b"anew")))

        assert daemon.picture(printing).fidelity == "exact"


def test_a_reader_that_is_overtaken_jumps_forward(tmp_path: Path, printing: Printing) -> None:
    """It had read the first lines when retention dropped them and many more."""
    printing.write(lines(0, 10))
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow())
        daemon.reached(printing)
        printing.write(lines(10, 20_000))
        lose(printing, 0, 399_000)
        daemon.say(Grew(printing.session, printing.end))

        picture = daemon.picture(printing)

        kept = lines(0, 20_000)[399_000:]
        assert picture.data == screen(kept[safe_cut(kept) :]).snapshot(None).data
        assert picture.offset == printing.end


def test_everything_may_be_gone(tmp_path: Path, printing: Printing) -> None:
    printing.write(lines(0, 20_000))
    lose(printing, 0, printing.end)
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow())

        picture = daemon.picture(printing)

        assert (picture.offset, picture.fidelity) == (printing.end, "partial")
        printing.write(b"\x1b[2Jhello")
        assert b"hello" in daemon.picture(printing).data
