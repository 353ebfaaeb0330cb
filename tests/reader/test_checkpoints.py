"""Screens on the disk: written at quiet moments, believed when they fit, gone when they must be."""

import os
import stat
from pathlib import Path

import pytest

from holdfast.protocol.messages import Profile
from holdfast.protocol.reading import Asked, Cleared, Grew, Leave, Reached, Sized
from holdfast.store.clear import clear
from holdfast.store.forget import forget
from tests.support.home import until
from tests.support.reading import Daemon, Printing, Reader, lines, running_reader, screen


@pytest.fixture
def printing(tmp_path: Path) -> Printing:
    """A session that has printed enough for its screen to be worth keeping."""
    printing = Printing(tmp_path / "sessions" / "abcd", segment_size=1 << 20)
    printing.write(lines(0, 6000))
    return printing


def kept(reader: Reader, printing: Printing) -> Daemon:
    """Have a session read and its screen written."""
    daemon = reader.daemon()
    daemon.say(printing.follow())
    daemon.reached(printing)
    until(printing.checkpoint.exists, "a checkpoint")
    return daemon


def test_it_is_written_once_when_it_is_quiet_and_for_this_user_alone(
    tmp_path: Path, printing: Printing
) -> None:
    """T23: then nothing is written any more."""
    with running_reader(tmp_path / "h") as reader:
        daemon = kept(reader, printing)
        found = printing.checkpoint.stat()
        assert stat.S_IMODE(found.st_mode) == 0o600
        daemon.say(Grew(printing.session, printing.write(b"a word\r\n")))
        daemon.reached(printing)
        daemon.picture(printing)

        other = Printing(tmp_path / "sessions" / "other")
        other.write(lines(0, 6000))
        daemon.say(other.follow())
        until(other.checkpoint.exists, "that of another, which is due later")

        assert printing.checkpoint.stat().st_ino == found.st_ino


def test_a_reader_goes_on_where_the_one_before_wrote_it(tmp_path: Path, printing: Printing) -> None:
    """What lies before is not read again: here it stands no longer in the file."""
    with running_reader(tmp_path / "h") as reader:
        kept(reader, printing)
        upto = printing.end
        more = b"\x1b[1mmore\r\n"
        printing.write(more)
        scramble(printing, upto)
        reader.kill()

        daemon = reader.again()
        daemon.say(printing.follow())

        expected = screen(lines(0, 6000), more).snapshot(None)
        assert daemon.picture(printing).data == expected.data


def test_a_screen_answers_as_the_terminal_of_whoever_had_it_last(
    tmp_path: Path, printing: Printing
) -> None:
    """One from the disk as any other, and one whose scrollback was cleared."""
    light, dark = Profile(background=(255, 255, 255)), Profile(background=(0, 0, 0))
    with running_reader(tmp_path / "h") as reader:
        daemon = kept(reader, printing)
        daemon.say(printing.follow(profile=light))
        white = ask(daemon, printing)
        reader.kill()

        daemon = reader.again()
        daemon.say(printing.follow(profile=light))
        assert ask(daemon, printing) == white == b"\x1b]11;rgb:ffff/ffff/ffff\x07"
        daemon.say(Cleared(printing.session))
        assert ask(daemon, printing) == white
        daemon.say(printing.follow(profile=dark))
        assert ask(daemon, printing) == b"\x1b]11;rgb:0000/0000/0000\x07"


def ask(daemon: Daemon, printing: Printing) -> bytes:
    """Have the program ask for the background; return what the reader would answer."""
    asked = printing.write(b"\x1b]11;?\x07")
    daemon.say(Grew(printing.session, asked))
    return daemon.hear(Asked, lambda said: said.offset == asked).answer


def test_a_flood_is_kept_every_few_megabytes(tmp_path: Path) -> None:
    printing = Printing(tmp_path / "sessions" / "abcd")
    printing.write(lines(0, 2_000_000))
    with running_reader(tmp_path / "h") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow())
        until(printing.checkpoint.exists, "a checkpoint")
        daemon.listen()

        assert daemon.heard  # it is told meanwhile how far it is
        reader.kill()
        again = reader.again()
        scramble(printing, 30 << 20)
        again.say(printing.follow())
        again.reached(printing)

        text = again.picture(printing, form="text").data
        assert text.split(b"\n")[-2] == b"line %011d" % 1_999_999
        assert b"#" not in again.picture(printing).data


@pytest.mark.parametrize("wrong", ["epoch", "beyond", "cut", "bits", "magic", "empty"])
def test_what_does_not_fit_the_log_is_not_believed_and_removed(
    tmp_path: Path, printing: Printing, wrong: str
) -> None:
    with running_reader(tmp_path / "h") as reader:
        kept(reader, printing)
        reader.kill()
        printing.write(b"more")
        epoch = b"e" * 16 if wrong == "epoch" else printing.timeline.epoch
        end = 1000 if wrong == "beyond" else printing.end
        damaged = damage(printing.checkpoint, wrong)

        daemon = reader.again()
        daemon.say(printing.follow(epoch=epoch, end=end))
        picture = daemon.picture(printing, end=end)

        whole = (lines(0, 6000) + b"more")[:end]
        assert (picture.offset, picture.data) == (end, screen(whole).snapshot(None).data)
        assert not printing.checkpoint.exists() or printing.checkpoint.read_bytes() != damaged


def test_what_may_not_be_on_a_disk_is_not(tmp_path: Path, printing: Printing) -> None:
    other = Printing(tmp_path / "sessions" / "other")
    other.write(lines(0, 6000))
    with running_reader(tmp_path / "h", HOLDFAST_READER_MEMORY="1MiB") as reader:
        daemon = reader.daemon()
        daemon.say(printing.follow(ephemeral=True))
        daemon.reached(printing)
        daemon.say(other.follow())
        until(other.checkpoint.exists, "that of another, which is due later")

        assert not printing.checkpoint.exists()
        assert daemon.picture(printing).data == screen(lines(0, 6000)).snapshot(None).data


def test_it_was_small_for_a_moment_after_it_was_kept(tmp_path: Path, printing: Printing) -> None:
    printing.write(b"\x1b[?1049h" + lines(0, 6000) + b"wide " * 30)
    with running_reader(tmp_path / "h") as reader:
        daemon = kept(reader, printing)
        for size in ((40, 10), (80, 24)):
            printing.resize(*size)
            daemon.say(Sized(printing.session, printing.end, *size))
        before = daemon.picture(printing)
        reader.kill()

        daemon = reader.again()
        daemon.say(printing.follow())

        assert daemon.picture(printing).data == before.data


def test_whoever_leaves_may_take_it_along(tmp_path: Path, printing: Printing) -> None:
    with running_reader(tmp_path / "h") as reader:
        daemon = kept(reader, printing)
        daemon.say(Leave(printing.session), printing.follow())
        daemon.reached(printing)
        assert printing.checkpoint.exists()

        daemon.say(Leave(printing.session, erase=True))

        until(lambda: not printing.checkpoint.exists(), "it to be gone")


def test_a_clear_keeps_the_screen_and_nothing_before_it(tmp_path: Path, printing: Printing) -> None:
    printing.write(b"\x1b[?2004h\x1b[1mprompt")
    with running_reader(tmp_path / "h") as reader:
        daemon = kept(reader, printing)
        before = daemon.picture(printing, scrollback=0)
        cut(printing, printing.end - 5000)
        daemon.say(Cleared(printing.session))

        after = daemon.picture(printing)

        assert (after.lines, after.data) == (0, before.data)
        until(printing.checkpoint.exists, "the screen to be kept")
        reader.kill()
        again = reader.again()
        again.say(printing.follow())
        assert again.picture(printing).data == before.data


def test_a_cleared_log_is_read_from_the_line_at_which_it_was_cut(
    tmp_path: Path, printing: Printing
) -> None:
    with running_reader(tmp_path / "h") as reader:
        start = 5800 * len(lines(0, 1))
        cut(printing, start)
        daemon = reader.daemon()
        daemon.say(printing.follow())

        picture = daemon.picture(printing)

        assert picture.data == screen(lines(5800, 6000)).snapshot(None).data
        assert picture.fidelity == "exact"  # every row was written since


@pytest.mark.parametrize("reads", [True, False])
def test_what_is_forgotten_is_on_no_screen_that_was_kept(
    tmp_path: Path, printing: Printing, *, reads: bool
) -> None:
    """Also while nobody reads, and also if the daemon has not told of it yet."""
    secret = 5990 * len(lines(0, 1))
    with running_reader(tmp_path / "h") as reader:
        daemon = kept(reader, printing)
        if not reads:
            reader.kill()
        printing.log.seal()
        forget(printing.directory, printing.timeline, secret, secret + 100)
        assert not printing.checkpoint.exists()
        if not reads:
            daemon = reader.again()
            daemon.say(printing.follow())
        # Enough for the screen to be worth keeping: then it is looked whether it may be.
        printing.write(lines(6000, 11_000))
        daemon.say(Grew(printing.session, printing.end))
        until(lambda: _read(daemon, printing) > reads, "the log to be read again")

        assert b"line %011d" % 5992 not in daemon.picture(printing).data
        assert b"line %011d" % 5989 in daemon.picture(printing).data


def _read(daemon: Daemon, printing: Printing) -> int:
    """Return how often the log was read to its end."""
    daemon.listen(0.1)
    return sum(said.offset == printing.end for said in daemon.of(Reached))


def test_a_full_disk_is_no_trouble(tmp_path: Path, printing: Printing) -> None:
    """A directory stands where the file would be written, which is as good as no room."""
    (printing.directory / "screen.new").mkdir()
    with running_reader(tmp_path / "h", HOLDFAST_READER_MEMORY="1MiB") as reader:
        other = Printing(tmp_path / "sessions" / "other")
        other.write(lines(0, 6000))
        daemon = reader.daemon()
        daemon.say(printing.follow())
        daemon.reached(printing)
        daemon.say(other.follow())
        until(other.checkpoint.exists, "that of another, which is due later")

        assert daemon.picture(printing).data == screen(lines(0, 6000)).snapshot(None).data


# -- memory


def test_screens_beyond_the_budget_are_put_on_the_disk_and_come_back(tmp_path: Path) -> None:
    all_of_them = [Printing(tmp_path / "sessions" / f"many{n:03}") for n in range(24)]
    with running_reader(tmp_path / "h", HOLDFAST_READER_MEMORY="140MiB") as reader:
        daemon = reader.daemon()
        for number, one in enumerate(all_of_them):
            one.write(coloured(number))
            daemon.say(one.follow())
        for one in all_of_them:
            daemon.reached(one)

        def fits() -> bool:
            words = Path(f"/proc/{reader.process.pid}/statm").read_text().split()
            return int(words[1]) * os.sysconf("SC_PAGE_SIZE") < 145 << 20

        until(fits, "memory to be given back", patience=40)
        for number, one in enumerate(all_of_them):
            assert daemon.picture(one).data == screen(coloured(number)).snapshot(None).data


def coloured(number: int) -> bytes:
    return b"".join(
        b"\x1b[38;2;%d;%d;%dmline %d of %d, and some more of it\x1b[m\r\n"
        % (line % 256, line // 256, number, line, number)
        for line in range(8000)
    )


# -- as others do it


def cut(printing: Printing, at: int) -> None:
    printing.log.seal()
    clear(printing.directory, printing.timeline, at)


def damage(path: Path, wrong: str) -> bytes:
    data = bytearray(path.read_bytes())
    if wrong == "cut":
        del data[len(data) // 2 :]
    elif wrong == "bits":
        data[len(data) // 2] ^= 4
    elif wrong == "magic":
        data[:8] = b"holdscr9"
    elif wrong == "empty":
        data.clear()
    path.write_bytes(data)
    return bytes(data)


def scramble(printing: Printing, upto: int) -> None:
    """Have the log say something else before *upto*."""
    for path in sorted(printing.directory.glob("*.log")):
        first, size = int(path.stem), path.stat().st_size
        with path.open("r+b") as file:
            file.write(b"#" * max(0, min(size, upto - first)))
