"""A reader follows logs: what it paints, what it tells, who has to wait."""

import json
from pathlib import Path

import pytest

from holdfast.protocol.reading import (
    Asked,
    Grew,
    Leave,
    Noted,
    NotPainted,
    Paint,
    Painted,
    Rang,
    Sized,
)
from tests.support.reading import Daemon, Printing, Reader, lines, running_reader, screen


@pytest.fixture
def printing(tmp_path: Path) -> Printing:
    return Printing(tmp_path / "sessions" / "abcd")


def test_a_picture_is_of_everything_that_was_printed(tmp_path: Path, printing: Printing) -> None:
    printing.write(lines(0, 5000) + b"\x1b[?2004h\x1b[31mred")
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow())

        picture = daemon.picture(printing, scrollback=100)

        expected = screen(lines(0, 5000) + b"\x1b[?2004h\x1b[31mred").snapshot(100)
        assert (picture.data, picture.lines) == (expected.data, 100)
        assert (picture.offset, picture.fidelity) == (printing.end, "exact")
        assert picture.cursor == (3, 23)


def test_it_follows_a_log_that_grows(tmp_path: Path, printing: Printing) -> None:
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow())
        for count in range(20):
            daemon.say(Grew(printing.session, printing.write(b"%d\r\n" % count)))
            daemon.reached(printing)

        shown = daemon.picture(printing, form="text").data.decode().split()

        assert shown == [str(count) for count in range(20)]


def test_a_picture_is_of_the_offset_asked_for_although_nobody_told_of_it(
    tmp_path: Path, printing: Printing
) -> None:
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow())
        end = printing.write(b"just now")

        assert daemon.picture(printing).offset == end


def test_who_was_small_for_a_moment_has_lost_what_did_not_fit(
    tmp_path: Path, printing: Printing
) -> None:
    """Also for a reader that finds both sizes at one offset, with nothing printed between."""
    model = screen()
    wide = b"\x1b[?1049h" + b"wide " * 60
    printing.write(wide)
    model.feed(wide)
    for size in ((40, 10), (80, 24)):
        printing.resize(*size)
        model.resize(*size)
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow())
        assert daemon.picture(printing).data == model.snapshot(None).data

        for size in ((30, 9), (80, 24)):
            printing.resize(*size)
            model.resize(*size)
            daemon.say(Sized(printing.session, printing.end, *size))
        assert daemon.picture(printing).data == model.snapshot(None).data

        printing.write(b"more")
        model.feed(b"more")
        daemon.say(Grew(printing.session, printing.end))
        assert daemon.picture(printing).data == model.snapshot(None).data


def test_sizes_are_applied_where_they_changed(tmp_path: Path, printing: Printing) -> None:
    """From the timeline for what is old, as told for what is new: wraps depend on it."""
    model = screen()

    def write(data: bytes) -> None:
        printing.write(data)
        model.feed(data)

    def resize(cols: int, rows: int) -> None:
        printing.resize(cols, rows)
        model.resize(cols, rows)

    write(b"a" * 100)
    resize(50, 20)
    write(b"b" * 120)
    resize(90, 30)
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow())
        daemon.reached(printing)
        write(b"c" * 130)
        resize(33, 11)
        told = Sized(printing.session, printing.end, 33, 11)
        write(b"d" * 140)
        daemon.say(told, Grew(printing.session, printing.end))
        assert daemon.picture(printing).data == model.snapshot(None).data

        resize(40, 12)  # and nothing printed since
        daemon.say(Sized(printing.session, printing.end, 40, 12))
        picture = daemon.picture(printing)
        assert (picture.cols, picture.rows) == (40, 12)
        assert picture.data == model.snapshot(None).data


def test_nobody_waits_for_a_long_log_of_another(tmp_path: Path, printing: Printing) -> None:
    short = Printing(tmp_path / "sessions" / "short")
    printing.write(lines(0, 1_000_000))
    short.write(b"hello")
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow(), short.follow())

        daemon.picture(short)

        assert daemon.ask(printing) == NotPainted(2, "behind")
        daemon.reached(printing)
        assert daemon.picture(printing).offset == printing.end


def test_a_session_that_is_over_is_read_when_somebody_asks(
    tmp_path: Path, printing: Printing
) -> None:
    printing.write(b"the end")
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow(lives=False))

        assert b"the end" in daemon.picture(printing).data


def test_scrollback_is_left_out_where_it_does_not_fit(tmp_path: Path, printing: Printing) -> None:
    printing.write(lines(0, 9000))
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow())
        whole = daemon.picture(printing)

        picture = daemon.picture(printing, most=40_000)

        assert len(whole.data) > 40_000
        assert 20_000 < len(picture.data) <= 40_000
        assert 500 < picture.lines < whole.lines
        assert daemon.ask(printing, most=100) == NotPainted(3, "large")


def test_json_has_what_a_program_wants_to_know(tmp_path: Path, printing: Printing) -> None:
    printing.write(b"\x1b]0;editor\a" + b"".join(b"%d\r\n" % n for n in range(30)) + b"\x1b[?25lx")
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow())

        picture = daemon.picture(printing, form="json", scrollback=3)

    said = json.loads(picture.data)
    assert said["scrollback"] == ["4", "5", "6"]
    assert (said["screen"][0], said["screen"][-1]) == ("7", "x")
    assert (said["title"], said["cursor"]) == ("editor", {"col": 1, "row": 23})
    assert (said["offset"], said["fidelity"]) == (printing.end, "exact")
    assert "?25" not in said["modes"]


def test_what_nobody_knows_has_no_picture(tmp_path: Path, printing: Printing) -> None:
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        assert daemon.ask(printing) == NotPainted(1, "unknown")
        daemon.say(printing.follow(), Leave(printing.session))
        assert daemon.ask(printing) == NotPainted(2, "unknown")


def test_a_log_that_is_not_there_has_no_picture_until_it_is(tmp_path: Path) -> None:
    printing = Printing(tmp_path / "sessions" / "abcd")
    printing.write(b"hello")
    away = printing.directory.rename(tmp_path / "away")
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow())
        assert daemon.ask(printing) == NotPainted(1, "unreadable")

        away.rename(printing.directory)

        assert b"hello" in daemon.picture(printing).data


# -- what it tells


def test_queries_are_told_with_the_offset_behind_them(tmp_path: Path, printing: Printing) -> None:
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow())
        first = printing.write(b"abc\x1b[c")
        printing.write(b"def\x1b[")
        daemon.say(Grew(printing.session, printing.end))
        daemon.reached(printing)
        second = printing.write(b"6n")
        printing.write(b"ghi")
        daemon.say(Grew(printing.session, printing.end))
        daemon.reached(printing)

        told = [(asked.offset, asked.answer) for asked in daemon.of(Asked)]

        assert told == [(first, b"\x1b[?62;22c"), (second, b"\x1b[1;7R")]


def test_settled_queries_are_not_told_and_open_ones_to_every_daemon(
    tmp_path: Path, printing: Printing
) -> None:
    """T10: a replay asks nothing again; what no daemon has answered is."""
    settled = printing.write(b"\x1b[c")
    open_ = printing.write(b"\x1b[c")
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow(answered=settled))
        daemon.reached(printing)
        assert [asked.offset for asked in daemon.of(Asked)] == [open_]

        after = reader.daemon()
        after.say(printing.follow(answered=settled))
        after.reached(printing)
        assert [asked.offset for asked in after.of(Asked)] == [open_]

        reader.kill()
        another = reader.again()
        another.say(printing.follow(answered=settled))
        another.reached(printing)
        assert [asked.offset for asked in another.of(Asked)] == [open_]

        last = reader.daemon()
        last.say(printing.follow(answered=open_))
        last.reached(printing)
        assert last.of(Asked) == []


def test_titles_and_directories_are_told_when_they_change(
    tmp_path: Path, printing: Printing
) -> None:
    printing.write(b"\x1b]0;old\a")
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow())
        assert daemon.hear(Noted).title == "old"
        printing.write(b"\x1b]0;new")  # in two pieces
        daemon.say(Grew(printing.session, printing.end))
        daemon.reached(printing)
        printing.write(b"\a\x1b]7;file:///tmp\x1b\\")
        daemon.say(Grew(printing.session, printing.end))
        daemon.reached(printing)
        daemon.say(Grew(printing.session, printing.write(b"plain \\ \a")))
        daemon.reached(printing)
        noted = [(n.title, n.cwd) for n in daemon.of(Noted)]
        assert noted == [("old", ""), ("new", "file:///tmp")]

        after = reader.daemon()
        after.say(printing.follow())
        assert after.hear(Noted).title == "new"


def test_bells_ring_for_what_is_printed_now(tmp_path: Path, printing: Printing) -> None:
    printing.write(b"long ago\a")
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow())
        daemon.reached(printing)
        printing.write(b"\a\a\x1b]0;no bell\a\a")
        daemon.say(Grew(printing.session, printing.end))
        daemon.reached(printing)

        assert [(rang.offset, rang.count) for rang in daemon.of(Rang)] == [(printing.end, 3)]


# -- daemons come and go


def test_what_was_read_outlives_a_daemon(tmp_path: Path, printing: Printing) -> None:
    """The bytes are read once: what stands in the file afterwards is not looked at again."""
    printing.write(lines(0, 1000))
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow())
        before = daemon.picture(printing)
        daemon.close()
        _scramble(printing)

        after = reader.daemon()
        after.say(printing.follow())

        assert after.picture(printing).data == before.data


def test_another_epoch_is_read_from_its_start(tmp_path: Path, printing: Printing) -> None:
    printing.write(b"one")
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow())
        daemon.reached(printing)
        _scramble(printing)
        daemon.say(printing.follow(epoch=b"e" * 16))

        assert b"###" in daemon.picture(printing).data


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\xff\xff\xff\xff",
        b"\0\0\0\3abc",
        b"\0\0\0\1\x90",
    ],
)
def test_rubbish_ends_the_line_and_not_the_reader(
    tmp_path: Path, printing: Printing, rubbish: bytes
) -> None:
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.sock.sendall(rubbish)
        _over(daemon)

        assert _serves(reader, printing)


@pytest.mark.parametrize(
    "facts",
    [
        {"session": "../../etc"},
        {"directory": "relative"},
        {"directory": "/nul\0"},
        {"end": -1},
        {"cols": 0},
        {"rows": 1_000_000},
    ],
)
def test_a_session_that_cannot_be_ends_the_line_and_not_the_reader(
    tmp_path: Path, printing: Printing, facts: dict[str, object]
) -> None:
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow(**facts))
        _over(daemon)

        assert _serves(reader, printing)


def test_what_is_said_of_the_log_is_not_believed(tmp_path: Path, printing: Printing) -> None:
    printing.write(b"short")
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow(), Grew(printing.session, 1 << 50), Grew("nobody", -3))

        assert isinstance(daemon.ask(printing, end=1 << 50), Painted | NotPainted)
        assert daemon.picture(printing).offset == printing.end


def test_a_daemon_that_does_not_read_costs_no_memory(tmp_path: Path, printing: Printing) -> None:
    """T5 of the reader: 500 pictures of a megabyte would be half a gigabyte."""
    printing.write(b"\x1b[31mx\x1b[32my" * 200_000)
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow())
        one = len(daemon.picture(printing).data)
        before = _most_resident(reader)
        daemon.say(*(Paint(n, printing.session, printing.end) for n in range(100, 600)))

        other = reader.daemon()  # a busy reader sees it after the pictures it may queue
        other.say(printing.follow())
        other.picture(printing)

        assert one > 100_000
        assert _most_resident(reader) - before < 64 << 20


def _most_resident(reader: Reader) -> int:
    """Return the most memory it ever had; what waited is given back as soon as nobody wants it."""
    status = Path(f"/proc/{reader.process.pid}/status").read_text()
    (line,) = [each for each in status.splitlines() if each.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


def _serves(reader: Reader, printing: Printing) -> bool:
    daemon = reader.daemon()
    daemon.say(printing.follow())
    return daemon.picture(printing).offset == printing.end


def _over(daemon: Daemon) -> None:
    try:
        while daemon.listen(20.0):
            pass
    except ConnectionResetError:
        pass  # it had not read all of it


def _scramble(printing: Printing) -> None:
    for path in printing.directory.glob("*.log"):
        path.write_bytes(b"#" * path.stat().st_size)
