"""Both pumps on a real PTY, a real pipe and real files; and whose turn it is."""

import asyncio
import errno
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from holdfast.daemon.pump import SLICE, SPLICES, Choice, Pump, Stalled, choose, pump_for
from holdfast.daemon.turns import FEW, HOT_BYTES, Turns
from holdfast.store import LogReader, LogWriter
from tests.support.desk import Desk, desk

KINDS = ["splice", "copy"]


@contextmanager
def pumping(kind: str, directory: Path) -> Iterator[tuple[Desk, Pump, LogWriter]]:
    with desk() as on, LogWriter(directory) as log:
        yield on, pump_for(Choice(kind, ""), on.master, on.pipe, log), log


@contextmanager
def file_limit(size: int) -> Iterator[None]:
    """Files larger than *size* cannot be written: EFBIG, as a full disk would be ENOSPC."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    assert signal.getsignal(signal.SIGXFSZ) is signal.SIG_IGN
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def printed(directory: Path) -> bytes:
    with LogReader(directory) as reader:
        return reader.read(0, 1 << 20)


@pytest.mark.parametrize("kind", KINDS)
def test_every_byte_reaches_the_log(tmp_path: Path, kind: str) -> None:
    with pumping(kind, tmp_path) as (on, pump, log):
        sent = b""
        for size in (1, 7, 4095, 4096, 4097):
            piece = os.urandom(size)
            sent += piece
            while piece:
                piece = piece[os.write(on.slave, piece) :]
                while pump.slice().taken:
                    pass
        assert log.end == len(sent)

    assert printed(tmp_path) == sent


@pytest.mark.parametrize("kind", KINDS)
def test_a_terminal_without_news_gives_nothing(tmp_path: Path, kind: str) -> None:
    with pumping(kind, tmp_path) as (_, pump, _log):
        assert pump.slice() == (0, False)


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_words_come_before_the_hang_up(tmp_path: Path, kind: str) -> None:
    with pumping(kind, tmp_path) as (on, pump, _log):
        os.write(on.slave, b"last words")
        on.close_slave()

        assert pump.slice().taken == 10
        assert pump.slice() == (0, True)

    assert printed(tmp_path) == b"last words"


@pytest.mark.parametrize("kind", KINDS)
def test_a_terminal_that_is_opened_again_goes_on(tmp_path: Path, kind: str) -> None:
    with pumping(kind, tmp_path) as (on, pump, _log):
        name = os.ttyname(on.slave)
        on.close_slave()
        assert pump.slice().hung_up

        on.reopen_slave(name)
        assert pump.slice() == (0, False)
        os.write(on.slave, b"back")
        assert pump.slice().taken == 4


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_pump_before_left_in_the_pipe_comes_first(tmp_path: Path, kind: str) -> None:
    """A daemon with the other pump may have died; the setting may have been changed."""
    with desk() as on, LogWriter(tmp_path) as log:
        os.write(on.pipe, b"first ")
        os.write(on.slave, b"second")
        pump = pump_for(Choice(kind, ""), on.master, on.pipe, log)
        pump.drain()
        pump.slice()

    assert printed(tmp_path) == b"first second"


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_stalls_and_nothing_is_lost_or_doubled(tmp_path: Path, kind: str) -> None:
    """T18."""
    with pumping(kind, tmp_path) as (on, pump, _log):
        os.write(on.slave, b"0123456789" * 100)
        with file_limit(333):
            for _ in range(3):
                with pytest.raises(Stalled) as stalled:
                    pump.slice()
                assert stalled.value.reason == "disk-full"
            assert len(printed(tmp_path)) == 333
            with pytest.raises(Stalled):
                pump.drain()
        pump.drain()

    assert printed(tmp_path) == b"0123456789" * 100


@pytest.mark.parametrize("kind", KINDS)
def test_a_log_that_cannot_be_written_for_any_reason_stalls(tmp_path: Path, kind: str) -> None:
    """T18: a disk that was remounted read-only after an error, a lost network disk."""

    class Refusing(LogWriter):
        def place(self) -> "None":  # type: ignore[override]
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with desk() as on, Refusing(tmp_path) as log:
        pump = pump_for(Choice(kind, ""), on.master, on.pipe, log)
        os.write(on.slave, b"x")
        with pytest.raises(Stalled) as stalled:
            assert pump.slice() != pump.slice()  # the second at the latest is refused

    assert stalled.value.reason == "disk-error"


def test_a_slice_is_bounded(tmp_path: Path) -> None:
    with pumping("splice", tmp_path) as (on, pump, _log):
        os.set_blocking(on.slave, False)
        for _ in range(20):
            try:
                os.write(on.slave, bytes(8192))
            except BlockingIOError:
                break

        assert 0 < pump.slice().taken <= SLICE


def test_sixteen_single_bytes_fill_no_pipe_for_good(tmp_path: Path) -> None:
    """Each splice takes one of sixteen slots, however small."""
    with pumping("splice", tmp_path) as (on, pump, log):
        for number in range(100):
            os.write(on.slave, b"%d" % (number % 10))
            assert pump.slice().taken == 1
        assert log.end == 100


def test_the_setting_chooses_the_pump(tmp_path: Path) -> None:
    assert choose("copy", tmp_path) == ("copy", "session.pump is set to copy")
    assert choose("splice", tmp_path).kind == "splice"


def test_a_full_disk_says_nothing_against_splice(tmp_path: Path) -> None:
    """T18: the copy pump would empty the pipes into its memory, and die with it."""
    with file_limit(0):
        choice = choose("splice", tmp_path)

    assert choice.kind == "splice"
    assert "File too large" in choice.reason


def test_a_flooding_terminal_leaves_turns_to_a_quiet_one() -> None:
    """T31: no more than one slice of the hot ones lies between two looks at the quiet ones."""

    async def scene() -> list[str]:
        loop, served = asyncio.get_running_loop(), []
        turns = Turns(loop)
        quiet_reader, quiet_writer = os.pipe()
        hot_reader, hot_writer = os.pipe()
        os.write(hot_writer, b"x")
        answered = loop.create_future()

        def hot(_pieces: int) -> int:  # never read, so it is always ready
            served.append("hot")
            if len(served) == 20:
                os.write(quiet_writer, b"key")
            return HOT_BYTES + 1

        def quiet(_pieces: int) -> int:
            served.append("quiet")
            answered.set_result(None)
            return len(os.read(quiet_reader, 10))

        turns.add(hot_reader, hot)
        turns.add(quiet_reader, quiet)
        await asyncio.wait_for(answered, 5)
        turns.close()
        for fd in (quiet_reader, quiet_writer, hot_reader, hot_writer):
            os.close(fd)
        return served

    served = asyncio.run(scene())

    assert served.index("quiet") <= 22


def test_just_after_a_key_a_flood_gets_less_of_each_turn() -> None:
    async def scene() -> list[int]:
        loop, shares = asyncio.get_running_loop(), list[int]()
        turns = Turns(loop)
        reader, writer = os.pipe()
        os.write(writer, b"x")
        done = loop.create_future()

        def flood(pieces: int) -> int:
            shares.append(pieces)
            if len(shares) == 10:
                turns.hurry()
            elif pieces == SPLICES and len(shares) > 10:
                done.set_result(None)
                turns.remove(reader)
            return HOT_BYTES + 1

        turns.add(reader, flood)
        await asyncio.wait_for(done, 5)
        turns.close()
        os.close(reader)
        os.close(writer)
        return shares

    shares = asyncio.run(scene())

    assert shares[0] == FEW  # it was quiet, and fifty that begin at once have to take turns
    assert shares[1:10] == [SPLICES] * 9
    assert shares[10] == FEW
    assert shares[-1] == SPLICES


@pytest.mark.parametrize("heat", [0, HOT_BYTES + 1])
def test_a_number_that_is_used_again_belongs_to_the_new_terminal(heat: int) -> None:
    async def scene() -> list[str]:
        loop, served = asyncio.get_running_loop(), []
        turns = Turns(loop)
        reader, writer = os.pipe()
        os.write(writer, b"x")
        came = asyncio.Event()

        def serve(name: str) -> int:
            served.append(name)
            came.set()
            return heat

        turns.add(reader, lambda _pieces: serve("old"))
        await came.wait()
        await asyncio.sleep(0)
        turns.remove(reader)
        os.close(reader)
        second, other = os.pipe()
        assert second == reader
        served.clear()
        came.clear()
        turns.add(second, lambda _pieces: serve("new"))
        turns.add(second, lambda _pieces: serve("newer"))
        os.write(other, b"y")
        await came.wait()
        turns.close()
        for fd in (writer, second, other):
            os.close(fd)
        return served

    assert set(asyncio.run(scene())) == {"newer"}


def test_one_terminal_that_fails_does_not_end_the_turns_of_the_others() -> None:
    async def scene() -> int:
        loop, faults = asyncio.get_running_loop(), 0
        turns = Turns(loop)
        loop.set_exception_handler(lambda _loop, _context: None)
        done = loop.create_future()
        pipes = [os.pipe() for _ in range(2)]
        for _, writer in pipes:
            os.write(writer, b"x")
        count = 0

        def good(_pieces: int) -> int:
            nonlocal count
            count += 1
            if faults > 3 and not done.done() and count > 10:
                done.set_result(None)
            return HOT_BYTES + 1

        def bad(_pieces: int) -> int:
            nonlocal faults
            faults += 1
            if faults > 1:
                raise RuntimeError
            return HOT_BYTES + 1

        turns.add(pipes[0][0], bad)
        turns.add(pipes[1][0], good)
        await asyncio.wait_for(done, 5)
        turns.close()
        for pair in pipes:
            os.close(pair[0])
            os.close(pair[1])
        return faults

    assert asyncio.run(scene()) > 3
