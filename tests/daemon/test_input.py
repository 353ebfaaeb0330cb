"""Input as a client sees it: in order, complete, once; and nobody else waits for it."""

import os
import statistics
import sys
import time
from pathlib import Path

import pytest

from holdfast.errors import InputQueueFull, InvalidArgument
from holdfast.protocol.messages import (
    Get,
    Input,
    InputTaken,
    List,
    Output,
    Release,
    Resize,
    Role,
    SessionInfo,
)
from tests.support.asking import Client
from tests.support.home import Home, running_home, until
from tests.support.looker import Looker

pytestmark = pytest.mark.slow

SLOW_READER = """
import os, sys, time, tty
tty.setraw(0)
os.write(1, b"ready")
with open(sys.argv[1], "wb", buffering=0) as file:
    while data := os.read(0, 4096):
        file.write(data)
        time.sleep(0.002)
"""
NOT_READING = "stty raw -echo; echo ready; until [ -e {go} ]; do sleep 0.02; done; exec cat > {got}"


def typed(client: Client, session: SessionInfo, offset: int, data: bytes) -> int:
    return client.call(Input(session=session.id, offset=offset, data=data), 30).end


def ask(client: Client, message: Input) -> None:
    """Send a request whole, and do not wait for its answer."""
    client.ask(message)

    def sent() -> bool:
        client.flush()
        return not client.wants_to_write

    until(sent, "the request to be sent")


def ready(home: Home, client: Client, *argv: str) -> SessionInfo:
    session = home.create(client, *argv)
    until(lambda: b"ready" in home.output(client, session.id), "the program to be ready")
    return session


def echo_time(home: Home, client: Client, session: SessionInfo, at: int) -> float:
    """Type one byte and wait until it is printed; return the seconds."""
    begin = time.perf_counter()
    typed(client, session, at, b"x")
    chunk = client.call(Output(session=session.id, since=at, wait=10))
    assert chunk.data == b"x"
    return time.perf_counter() - begin


def test_a_large_paste_arrives_whole_and_delays_nobody(tmp_path: Path) -> None:
    """T9, T31."""
    paste = os.urandom(1 << 20)
    got = tmp_path / "got"
    with running_home(tmp_path / "h") as home, home.client() as client, home.client() as other:
        slow = ready(home, client, sys.executable, "-Ic", SLOW_READER, str(got))
        echo = home.create(other, "sh", "-c", "stty raw; exec cat > /dev/null")
        until(lambda: echo_is_on(other, echo), "echo")
        ask(client, Input(session=slow.id, offset=0, data=paste))
        times = []
        at = 1
        while not (answers := client.replies()):
            begin = time.perf_counter()
            other.call(List())
            times.append(time.perf_counter() - begin)
            times.append(echo_time(home, other, echo, at))
            at += 1
        assert isinstance(answers[0].result, InputTaken)
        assert answers[0].result.end == len(paste)
        until(lambda: got.stat().st_size >= len(paste), "the last byte")

        assert got.read_bytes() == paste
        assert len(times) > 20
        assert sorted(times)[int(len(times) * 0.99)] < 0.1


def echo_is_on(client: Client, session: SessionInfo) -> bool:
    return typed(client, session, 0, b"x") == 1


def test_input_of_several_clients_keeps_its_pieces_whole(tmp_path: Path) -> None:
    got, go = tmp_path / "got", tmp_path / "go"
    with running_home(tmp_path / "h") as home, home.client() as ann, home.client() as bob:
        session = ready(home, ann, "sh", "-c", NOT_READING.format(go=go, got=got))
        pieces = [(client, b"%c%05d\n" % (name, n)) for n in range(100)
                  for client, name in ((ann, 65), (bob, 66))]  # fmt: skip
        offsets = {ann: 0, bob: 0}
        for client, piece in pieces:
            ask(client, Input(session=session.id, offset=offsets[client], data=piece))
            client.call(Release(session=session.id))
            offsets[client] += len(piece)
        go.touch()
        until(lambda: got.exists() and got.stat().st_size == 200 * 7, "all of it")

        lines = got.read_bytes().splitlines()
        for name in (b"A", b"B"):
            assert [line for line in lines if line[:1] == name] == [
                b"%b%05d" % (name, n) for n in range(100)
            ]


def test_a_queue_that_is_full_says_so_and_goes_on_later(tmp_path: Path) -> None:
    got, go = tmp_path / "got", tmp_path / "go"
    piece = os.urandom(1 << 20)
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = ready(home, client, "sh", "-c", NOT_READING.format(go=go, got=got))
        for n in range(2):
            ask(client, Input(session=session.id, offset=n << 20, data=piece))
        with pytest.raises(InputQueueFull):
            typed(client, session, 2 << 20, piece)
        with pytest.raises(InputQueueFull):
            typed(client, session, 2 << 20, bytes(3 << 20))
        with pytest.raises(InvalidArgument, match="resend from 2097152"):
            typed(client, session, 3 << 20, b"x")
        go.touch()
        answers = 0
        while answers < 2:
            answers += len(client.replies())
        assert typed(client, session, 2 << 20, b"end") == (2 << 20) + 3
        until(lambda: got.stat().st_size >= 2 * len(piece) + 3, "all of it")

        assert got.read_bytes() == piece + piece + b"end"


def test_input_survives_its_client_and_the_daemon(tmp_path: Path) -> None:
    """T33: what the PTY has not taken is sent again by the client, and applied once."""
    got, go = tmp_path / "got", tmp_path / "go"
    data = os.urandom(200_000)
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = ready(home, client, "sh", "-c", NOT_READING.format(go=go, got=got))
        ask(client, Input(session=session.id, offset=0, data=data))
        client.call(Get(session=session.id))
        pid = home.kill_daemon()
        home.next_daemon(pid)
        with home.client() as other:  # typed before the resend, in the middle of a piece
            ask(other, Input(session=session.id, offset=0, data=b"<other>", takeover=True))
            other.call(Release(session=session.id))
            client.reconnect()
            ask(client, Input(session=session.id, offset=0, data=data))
            client.call(Get(session=session.id))
            go.touch()
            until(lambda: got.exists() and got.stat().st_size >= len(data) + 7, "all of it")
    all_of_it = got.read_bytes()

    assert all_of_it.replace(b"<other>", b"", 1) == data


def test_a_program_that_types_does_not_wait_for_echoes(tmp_path: Path) -> None:
    """A person's key is answered together with its echo; a hundred keys of a program are not."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = ready(
            home, client, "sh", "-c", "stty raw -echo; echo ready; exec cat > /dev/null"
        )
        client.call(Release(session=session.id))
        with (
            Looker(home, session.id, role=Role.CONTROL) as looking,
            Looker(home, session.id, role=Role.CONTROL) as blind,
        ):
            blind.detach()
            at = {looking: 0, blind: 0}

            def hundred_keys(who: Looker) -> float:
                begin = time.perf_counter()
                for _ in range(100):
                    taken = who.ask(
                        Input(session=session.id, offset=at[who], data=b"x"), InputTaken
                    )
                    at[who] = taken.end
                took = time.perf_counter() - begin
                who.ask(Release(session=session.id), SessionInfo)
                return took

            pairs = [(hundred_keys(looking), hundred_keys(blind)) for _ in range(7)]

    ratio = statistics.median(seen / unseen for seen, unseen in pairs)
    assert ratio < 3, f"a key takes {ratio:.1f} x as long for who looks on"


def test_the_last_of_hundreds_is_typed_into_while_they_are_handed_over(tmp_path: Path) -> None:
    """Clients are let in before all sessions are there: what is for one that is not yet waits."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        for _ in range(150):
            home.create(client, "/bin/sleep", "600")
        last = ready(home, client, "sh", "-c", "stty raw -echo; echo ready; exec cat")
        begin, keys = len(home.output(client, last.id)), b""
        for kill in range(6):
            killed = home.kill_daemon()
            for _ in range(10):
                key = b"%c" % (ord("a") + kill)
                assert typed(client, last, len(keys), key) == len(keys) + 1
                keys += key
            home.next_daemon(killed)
        until(lambda: len(home.output(client, last.id, begin)) >= len(keys), "all of it")

        assert home.output(client, last.id, begin) == keys


def test_a_program_sees_its_new_size(tmp_path: Path) -> None:
    script = "trap 'stty size' WINCH; echo ready; while :; do sleep 0.02; done"
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = ready(home, client, "sh", "-c", script)
        answer = client.call(Resize(session=session.id, cols=91, rows=37))
        assert (answer.cols, answer.rows) == (91, 37)
        until(lambda: b"37 91" in home.output(client, session.id), "the new size")
        client.call(Resize(session=session.id, cols=91, rows=37))  # the same: no signal
        client.call(Resize(session=session.id, cols=92, rows=37))
        until(lambda: b"37 92" in home.output(client, session.id), "the next size")
        assert home.output(client, session.id).count(b"37 91") == 1
        for cols, rows in ((0, 10), (10, 0), (-1, 5), (1 << 40, 5)):
            with pytest.raises(InvalidArgument):
                client.call(Resize(session=session.id, cols=cols, rows=rows))
        home.another_daemon(home.kill_daemon())
        assert client.call(Get(session=session.id)).cols == 92
