"""What a session printed: complete, by offset, while it grows and after its end."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from holdfast.errors import InvalidArgument, NotFound
from holdfast.formats.segments import SEGMENT_SIZE, first_offset
from holdfast.protocol.messages import Get, Output, OutputChunk, SessionInfo
from holdfast.store import verify
from tests.support.asking import Client
from tests.support.home import Home, running_home, until

pytestmark = pytest.mark.slow

FLOOD = 30_000_000
PROGRAM = f"stty raw; yes 0123456789 | head -c {FLOOD}"


def chunk(client: Client, session: SessionInfo, since: int, **wanted: float) -> OutputChunk:
    return client.call(Output(session=session.id, since=since, **wanted))  # type: ignore[arg-type]


def check_flood(home: Home, session: SessionInfo) -> None:
    """The segments are whole and lie end to end, and the timeline agrees with them."""
    directory = home.paths.state / "sessions" / session.id
    files = sorted(directory.glob("*.log"))
    at = 0
    for file in files:
        assert first_offset(file.name) == at
        at += file.stat().st_size
    assert at == FLOOD
    assert [file.stat().st_size for file in files[:-1]] == [SEGMENT_SIZE] * (FLOOD // SEGMENT_SIZE)
    data = b"".join(file.read_bytes() for file in files)
    assert data == (b"0123456789\n" * (FLOOD // 11 + 1))[:FLOOD]
    assert verify(directory) is None


def test_a_flood_lies_whole_in_contiguous_segments(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, "sh", "-c", PROGRAM)
        assert home.ended(client, session.id).exit_code == 0
        check_flood(home, session)


def test_a_flood_is_whole_although_the_daemon_dies_again_and_again(tmp_path: Path) -> None:
    """T14."""
    chance = random.Random(8)
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, "sh", "-c", PROGRAM)
        kills = 0
        while client.call(Get(session=session.id)).state == "running" and kills < 15:
            pid = home.running()["daemon"]["pid"]
            time.sleep(chance.random() * 0.05)  # the moment is the experiment
            os.kill(pid, signal.SIGKILL)
            home.next_daemon(pid)
            kills += 1
        assert home.ended(client, session.id).exit_code == 0
        assert kills >= 3
        check_flood(home, session)


def test_offsets_name_bytes(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, "sh", "-c", "printf 0123456789; exec cat")
        until(lambda: chunk(client, session, 0).end == 10, "ten digits")
        for _ in range(2):
            assert chunk(client, session, 3, until=5).data == b"34"
            assert chunk(client, session, 3).data == b"3456789"
            assert chunk(client, session, 5, until=5).data == b""
            assert chunk(client, session, 5, until=2).data == b""
            assert chunk(client, session, 9, until=1 << 60).data == b"9"
            whole = chunk(client, session, 10)
            assert (whole.data, whole.end, whole.final) == (b"", 10, False)
            home.another_daemon(home.kill_daemon())


def test_offsets_that_name_nothing_are_refused(tmp_path: Path) -> None:
    """An empty answer would have a client that follows ask again and again."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        living = home.create(client, "cat")
        ended = home.create(client, "true")
        home.ended(client, ended.id)
        for session in (living, ended):
            for since in (-1, 1, 1 << 60):
                for wait in (0.0, 5.0):
                    with pytest.raises(InvalidArgument):
                        chunk(client, session, since, wait=wait)
                with pytest.raises(InvalidArgument):
                    chunk(client, session, since, until=1 << 61)
        with pytest.raises(NotFound):
            client.call(Output(session="nobody"))


def test_a_request_waits_for_the_next_byte(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        go = tmp_path / "go"
        session = home.create(client, "sh", "-c", f"until [ -e {go} ]; do sleep 0.02; done; echo x")
        number = client.ask(Output(session=session.id, since=0, wait=20))
        client.call(Get(session=session.id))
        begin = time.monotonic()
        go.touch()
        answer = until(client.replies, "the answer")[0]

        assert answer.number == number
        assert isinstance(answer.result, OutputChunk)
        assert answer.result.data == b"x\r\n"
        assert time.monotonic() - begin < 2


def test_a_request_that_waits_hears_the_end(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, "sleep", "0.3")
        answer = chunk(client, session, 0, wait=20)

        assert (answer.data, answer.end, answer.final) == (b"", 0, True)


def test_a_request_waits_no_longer_than_it_said(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, "cat")
        begin = time.monotonic()
        answer = chunk(client, session, 0, wait=0.2)

        assert (answer.data, answer.final) == (b"", False)
        assert 0.2 <= time.monotonic() - begin < 3


def test_what_was_printed_can_be_read_after_the_end_and_by_another_daemon(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, "seq", "100000")
        ended = home.ended(client, session.id)
        wanted = b"".join(b"%d\r\n" % n for n in range(1, 100_001))
        assert ended.offset == len(wanted)
        assert home.output(client, session.id) == wanted
        home.another_daemon(home.kill_daemon())
        assert home.output(client, session.id, 1000) == wanted[1000:]
        assert chunk(client, session, len(wanted)).final
