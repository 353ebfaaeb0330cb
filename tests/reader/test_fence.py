"""What the reader dies of: noted before, blamed after, left alone the second time."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from holdfast import __version__
from holdfast.protocol.reading import Fenced, Grew, Leave, NotPainted, Reached
from holdfast.reader.fence import AT_REST, NOTE, Fence, Suspect
from tests.support.home import ROOT
from tests.support.reading import Daemon, Printing, Reader, lines, running_reader


def died(runtime: Path, session: str, start: int, end: int, version: str = "1") -> None:
    """Leave what a process leaves that dies in the middle of its work."""
    fence = Fence(runtime, version)
    note = runtime / NOTE
    with suppress(ZeroDivisionError), fence.watching(session, start, end):
        left = note.read_bytes()
        _ = 1 / 0
    fence.close()
    note.write_bytes(left)


def test_one_death_is_a_suspicion_and_two_are_a_fence(tmp_path: Path) -> None:
    died(tmp_path, "abcd", 100, 200)
    fence = Fence(tmp_path, "1")
    assert fence.fenced("abcd") is None
    assert fence.suspects("abcd")
    died(tmp_path, "abcd", 150, 250)

    again = Fence(tmp_path, "1")

    assert again.fenced("abcd") == Suspect(150, 250, 2)
    assert again.fenced("other") is None


def test_deaths_of_two_ranges_are_no_fence(tmp_path: Path) -> None:
    died(tmp_path, "abcd", 100, 200)
    died(tmp_path, "abcd", 200, 300)

    assert Fence(tmp_path, "1").fenced("abcd") is None


def test_what_went_well_afterwards_is_no_suspicion_any_more(tmp_path: Path) -> None:
    """Somebody's kill is not a poison: the next reader gets past it."""
    died(tmp_path, "abcd", 100, 200)
    fence = Fence(tmp_path, "1")
    with fence.watching("abcd", 0, 150):
        pass
    assert fence.suspects("abcd")
    with fence.watching("abcd", 150, 200):
        pass

    assert not fence.suspects("abcd")
    died(tmp_path, "abcd", 100, 200)
    assert Fence(tmp_path, "1").fenced("abcd") is None


def test_an_error_is_no_death(tmp_path: Path) -> None:
    with suppress(ZeroDivisionError), Fence(tmp_path, "1").watching("abcd", 0, 9):
        _ = 1 / 0

    assert not Fence(tmp_path, "1").suspects("abcd")


def test_another_version_may_get_over_it(tmp_path: Path) -> None:
    died(tmp_path, "abcd", 100, 200)
    died(tmp_path, "abcd", 100, 200)

    assert Fence(tmp_path, "2").fenced("abcd") is None


def test_rubbish_in_its_files_is_no_reason_not_to_start(tmp_path: Path) -> None:
    for note, fence in ((b"!", "{"), (b"! a b", "[]"), (b"!x 1 zz", '{"version": "1"}')):
        (tmp_path / NOTE).write_bytes(note)
        (tmp_path / "reader.fence").write_text(fence)

        assert Fence(tmp_path, "1").fenced("x") is None


def test_work_that_never_ends_ends_the_process(tmp_path: Path) -> None:
    """Native code hears no exception: the system's own signal is what stops it."""
    code = (
        "import pathlib, sys\n"
        "from holdfast.reader import fence\n"
        "fence.PATIENCE = 0.2\n"
        "with fence.Fence(pathlib.Path(sys.argv[1]), '1').watching('abcd', 5, 9):\n"
        "    while True: pass\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", code, tmp_path], env=environ, check=False)

    assert done.returncode == -signal.SIGPROF
    assert Fence(tmp_path, "1").suspects("abcd")


# -- a real one


def kill_while_it_reads(reader: Reader, daemon: Daemon, printing: Printing) -> bool:
    """SIGKILL it while its note says that this session is being read; False if it was too quick."""
    reader.said()  # by now the note is there
    note = reader.paths.runtime / NOTE
    daemon.say(printing.follow())
    while not daemon.of(Reached):
        os.kill(reader.process.pid, signal.SIGSTOP)
        if note.read_bytes().startswith(b"!poison 0 %d\n" % printing.end):
            reader.kill()
            return True
        os.kill(reader.process.pid, signal.SIGCONT)
        daemon.listen(0.0005)
    return False


def dies(reader: Reader, printing: Printing, times: int) -> None:
    """Have it die so often in a row of a session, and be started again."""
    done = 0
    while done < times:
        if kill_while_it_reads(reader, reader.daemon(), printing):
            done += 1
        else:
            done = 0
            reader.kill()
        reader.start()


def poisoned(tmp_path: Path) -> Printing:
    """A log so long that it is seen being read; one slice, so that it is the same one twice."""
    printing = Printing(tmp_path / "sessions" / "poison")
    printing.write(b"\x1b[38;5;1mx\x1b[m" * 17_000)
    return printing


def test_who_dies_twice_of_a_session_leaves_it_alone_and_goes_on(tmp_path: Path) -> None:
    poison, other = poisoned(tmp_path), Printing(tmp_path / "sessions" / "other")
    other.write(lines(0, 100))
    with running_reader(tmp_path / "h") as reader:
        dies(reader, poison, times=2)
        daemon = reader.daemon()
        daemon.say(poison.follow(), other.follow())

        fenced = daemon.hear(Fenced)

        assert (fenced.session, fenced.start) == ("poison", 0)
        assert fenced.end == poison.end
        assert daemon.ask(poison) == NotPainted(1, "fenced")
        daemon.picture(other)
        daemon.say(Grew(poison.session, poison.write(b"more")))
        assert daemon.ask(poison) == NotPainted(3, "fenced")

        after = reader.daemon()  # another daemon hears of it too
        after.say(poison.follow())
        assert after.hear(Fenced) == fenced


def test_a_kill_from_outside_fences_nobody(tmp_path: Path) -> None:
    poison = poisoned(tmp_path)
    with running_reader(tmp_path / "h") as reader:
        dies(reader, poison, times=1)
        daemon = reader.daemon()
        daemon.say(poison.follow())
        daemon.reached(poison)
        assert (reader.paths.runtime / NOTE).read_bytes()[:1] == AT_REST
        assert daemon.of(Fenced) == []
        assert daemon.picture(poison).offset == poison.end


def test_what_is_forgotten_is_fenced_no_more(tmp_path: Path) -> None:
    printing = Printing(tmp_path / "sessions" / "abcd")
    printing.write(b"hello")
    with running_reader(tmp_path / "h") as reader:
        reader.kill()
        died(reader.paths.runtime, "abcd", 0, 5, __version__)
        died(reader.paths.runtime, "abcd", 0, 5, __version__)
        daemon = reader.again()
        daemon.say(printing.follow())
        daemon.hear(Fenced)

        daemon.say(Leave("abcd", erase=True), printing.follow())

        assert b"hello" in daemon.picture(printing).data
