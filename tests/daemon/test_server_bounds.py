"""What the daemon allows: how many, who, for how long, and how much at a time."""

import select
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from holdfast.errors import AuthFailed, LimitReached, Superseded
from holdfast.protocol.client_end import ReplyReceived, Welcomed
from holdfast.protocol.daemon_end import OWED_LIMIT
from holdfast.protocol.messages import Input, Output, Ping, Pong, Role
from tests.support.asking import Client
from tests.support.home import Home, running_home, until
from tests.support.peer import peer, rest_of, silent
from tests.support.processes import resident_kib

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with running_home(tmp_path / "h") as running:
        running.hold("daemon", "start")
        yield running


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Home]:
    """A daemon with three places."""
    with running_home(tmp_path / "h", {"HOLDFAST_DAEMON_CONNECTIONS": "3"}) as running:
        running.hold("daemon", "start")
        yield running


def connected(home: Home) -> Client | None:
    try:
        return home.client()
    except LimitReached:
        return None


# -- how many


def test_a_client_too_many_hears_the_limit_and_may_come_when_a_place_is_free(small: Home) -> None:
    with ExitStack() as seated:
        clients = [
            seated.enter_context(until(lambda: connected(small), "a place")) for _ in range(3)
        ]
        with pytest.raises(LimitReached, match="no more than 3 connections"):
            small.client()
        clients[0].close()
        with until(lambda: connected(small), "a place") as late:
            assert late.call(Ping(nonce=4)).nonce == 4
        assert [client.call(Ping(nonce=5)).nonce for client in clients[1:]] == [5, 5]


def test_who_never_speaks_keeps_nobody_out(small: Home) -> None:
    with ExitStack() as crowd:
        silents = [crowd.enter_context(silent(small)) for _ in range(20)]
        with small.client() as client:
            assert client.call(Ping(nonce=1)).nonce == 1
            assert b"LIMIT_REACHED" in rest_of(silents[0])


def test_a_handshake_that_is_not_finished_in_time_is_ended(home: Home) -> None:
    begin = time.monotonic()
    with silent(home) as mute, silent(home) as half:
        half.sendall(b"\0\0\0\x40\x01half a frame")

        assert b"TIMEOUT" in rest_of(mute)
        assert b"TIMEOUT" in rest_of(half)
    assert 4.5 < time.monotonic() - begin < 10


# -- who


def token_file(home: Home, token: str, mode: int = 0o600) -> Path:
    home.paths.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = home.paths.state / "token"
    file.write_text(token)
    file.chmod(mode)
    return file


@pytest.mark.parametrize("shown", ["", "wrong", "s3cret ", "s3cre", "\N{SNOWMAN}"])
def test_without_the_token_nobody_gets_in(tmp_path: Path, shown: str) -> None:
    with running_home(tmp_path / "h") as home:
        token_file(home, "s3cret\n")
        home.hold("daemon", "start")

        with peer(home, token=shown) as stranger:
            assert isinstance(stranger.ending(), AuthFailed)
        with peer(home, token="s3cret") as friend:
            assert isinstance(friend.wait(Welcomed), Welcomed)
        assert home.hold("ls", "--json")  # finds the token by itself


def test_a_wrong_token_replaces_nobody(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        token_file(home, "s3cret\n")
        home.hold("daemon", "start")
        with peer(home, "ada", token="s3cret") as ada:
            ada.wait(Welcomed)
            with peer(home, "ada", token="guess") as thief:
                assert isinstance(thief.ending(), AuthFailed)
            ada.request(Ping(nonce=3))

            assert isinstance(ada.wait(ReplyReceived), ReplyReceived)


def test_a_token_that_others_can_read_is_refused_with_the_fix(home: Home) -> None:
    daemon = home.with_spare()["daemon"]["pid"]
    file = token_file(home, "s3cret\n", 0o644)

    assert f"chmod 600 {file}" in home.failing("ls")
    assert f"chmod 600 {file}" in home.failing("daemon", "restart")
    assert home.running()["daemon"]["pid"] == daemon


# -- one connection for each client id and role


def test_a_newer_connection_of_a_client_replaces_the_older_which_hears_why(home: Home) -> None:
    with peer(home, "ada") as older:
        older.wait(Welcomed)
        with peer(home, "ada") as newer:
            newer.wait(Welcomed)
            error = older.ending()
            older.link.close()
            newer.request(Ping(nonce=8))

            assert isinstance(error, Superseded)
            assert "client ada has connected again" in error.what
            assert isinstance(newer.wait(ReplyReceived), ReplyReceived)


def test_a_replaced_connection_that_reads_nothing_is_cut(home: Home) -> None:
    with home.client() as client, peer(home, "ada") as older:
        older.wait(Welcomed)
        session = home.create(client, "sh", "-c", "stty raw; head -c 1000000 /dev/zero")
        home.ended(client, session.id)
        for _ in range(20):
            older.request(Output(session=session.id))
        end = select.poll()
        end.register(older.link, 0)  # only its end, which is seen without reading
        with peer(home, "ada") as newer:
            newer.wait(Welcomed)
            at_once = end.poll(0)

            assert end.poll(8000), "it was not cut"
            assert not at_once  # what was said last is kept for it for a while


def test_one_client_may_control_and_look_at_once(home: Home) -> None:
    with peer(home, "ada", Role.CONTROL) as control, peer(home, "ada", Role.STREAM) as stream:
        for each in (control, stream):
            each.wait(Welcomed)
            each.request(Ping(nonce=1))
        for each in (control, stream):
            assert isinstance(each.wait(ReplyReceived), ReplyReceived)


# -- how much at a time


def test_a_client_that_reads_slowly_costs_no_more_than_one_that_never_reads(home: Home) -> None:
    """Each time its socket has room again, one answer is made, not all that it waits for."""
    with home.client() as client, peer(home) as slow:
        session = home.create(client, "sh", "-c", "stty raw; head -c 1000000 /dev/zero")
        home.ended(client, session.id)
        slow.wait(Welcomed)
        daemon = home.running()["daemon"]["pid"]
        before = most = resident_kib(daemon)
        for _ in range(OWED_LIMIT):
            slow.request(Output(session=session.id))
        answers = 0
        while answers < OWED_LIMIT:
            slow.wait(ReplyReceived)
            answers += 1
            most = max(most, resident_kib(daemon))
        assert client.call(Ping(nonce=1)).nonce == 1

    print(f"grown by {most - before} KiB")
    assert most - before < 10_000


def test_followers_that_wake_together_are_answered_one_at_a_time(home: Home) -> None:
    """T1: two thousand wait for the first byte; a megabyte comes; nobody reads."""
    with home.client() as client, ExitStack() as followers:
        program = "stty -echo; printf r; read go; head -c 1000000 /dev/zero; exec cat"
        session = home.create(client, "sh", "-c", program)
        until(lambda: home.offset(client, session.id) == 1, "the program to be ready")
        for n in range(10):
            greedy = followers.enter_context(peer(home, f"greedy-{n}"))
            greedy.wait(Welcomed)
            for _ in range(200):
                greedy.request(Output(session=session.id, since=1, wait=60))
        daemon = home.running()["daemon"]["pid"]
        before = resident_kib(daemon)
        client.call(Input(session=session.id, offset=0, data=b"go\n"))
        until(lambda: home.offset(client, session.id) > 1_000_000, "the flood")
        for nonce in range(20):
            assert client.call(Ping(nonce=nonce)).nonce == nonce

        grown = resident_kib(daemon) - before
        print(f"grown by {grown} KiB")
        assert grown < 10_000


def test_every_request_of_a_flood_is_answered_or_refused(home: Home) -> None:
    count = OWED_LIMIT * 20
    with peer(home) as flood:
        flood.wait(Welcomed)
        for nonce in range(count):
            flood.request(Ping(nonce=nonce))
        numbers = set()
        for _ in range(count):
            reply = flood.wait(ReplyReceived)
            assert isinstance(reply, ReplyReceived)
            assert isinstance(reply.result, Pong | LimitReached)
            numbers.add(reply.number)

    assert len(numbers) == count
