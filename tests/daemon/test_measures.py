"""What the daemon says of itself is true, and its log has one shape and no secrets."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.errors import NotFound
from holdfast.protocol.client_end import ReplyReceived, Welcomed
from holdfast.protocol.messages import (
    Get,
    GetMetrics,
    GetStats,
    Input,
    Kill,
    Output,
    Role,
    Stats,
    Subscribe,
)
from tests.support.asking import Client
from tests.support.home import Home, running_home, until
from tests.support.peer import peer

pytestmark = pytest.mark.slow

CAT = ("sh", "-c", "stty -echo; echo ready; exec cat")
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|warning|error) \S.*")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with running_home(tmp_path / "h") as running:
        running.hold("daemon", "start")
        yield running


def stats(client: Client) -> Stats:
    return client.call(GetStats())


def ready(home: Home, client: Client) -> str:
    session = home.create(client, *CAT).id
    until(lambda: home.offset(client, session) == len("ready\r\n"), "the program to be ready")
    return session


def test_what_is_typed_and_printed_is_counted_with_its_echo(home: Home) -> None:
    with home.client() as client:
        session = ready(home, client)
        before = stats(client)
        client.call(Input(session=session, offset=0, data=b"hello\n"))
        until(lambda: home.offset(client, session) == 14, "the answer")
        after = stats(client)

    assert after.bytes_in - before.bytes_in == 6
    assert after.bytes_out == 14
    assert sum(after.echo.counts) == sum(before.echo.counts) + 1
    assert (after.sessions, after.connections) == ({"running": 1}, 1)
    assert (after.restarts, after.recovery, after.complaint) == (0, {}, "")


def test_who_waits_is_counted(home: Home) -> None:
    with home.client() as client, peer(home, role=Role.STREAM) as watcher:
        session = ready(home, client)
        watcher.wait(Welcomed)
        watcher.request(Output(session=session, since=7, wait=60))
        watcher.request(Subscribe())

        found = until(
            lambda: s if (s := stats(client)).followers and s.subscribers else None, "both to wait"
        )

    assert (found.followers, found.subscribers, found.connections) == (1, 1, 2)


def test_what_is_refused_is_counted_by_its_reason(home: Home) -> None:
    with home.client() as client, peer(home, role=Role.STREAM) as watcher:
        watcher.wait(Welcomed)
        for _ in range(3):
            watcher.request(Kill(session="x"))
            watcher.wait(ReplyReceived)
        with pytest.raises(NotFound):
            client.call(Get(session="nobody"))

        found = stats(client)

    assert (found.role_denied, found.failures) == (3, {"NOT_FOUND": 1})


def test_a_death_is_counted_and_what_became_of_the_sessions(home: Home) -> None:
    with home.client() as client:
        ready(home, client)
        home.next_daemon(home.kill_daemon())

        found = stats(client)

    assert (found.restarts, found.recovery, found.sessions) == (1, {"adopted": 1}, {"running": 1})


def test_prometheus_reads_the_same(home: Home) -> None:
    with home.client() as client:
        ready(home, client)
        text = client.call(GetMetrics()).text

    sample = re.compile(r"holdfast_\w+(\{\w+=\"[^\"]*\"\})? [\d.e+-]+")
    lines = text.splitlines()
    assert [x for x in lines if not x.startswith("# ") and not sample.fullmatch(x)] == []
    assert 'holdfast_sessions{state="running"} 1' in lines
    assert "holdfast_connections 1" in lines
    assert "holdfast_echo_seconds_count 0" in lines
    assert "holdfast_printed_bytes_total 7" in home.hold("daemon", "metrics").splitlines()


def test_the_status_fits_one_screen_and_is_true(home: Home) -> None:
    with home.client() as client:
        ready(home, client)
        home.next_daemon(home.kill_daemon())
        shown = home.hold("daemon", "status").splitlines()

    assert len(shown) <= 24
    assert max(len(line) for line in shown) <= 80
    assert "sessions  1 running" in shown
    assert "recovery  1 adopted" in shown
    assert "restarts  1" in shown


def test_every_line_of_the_log_has_one_shape_and_nothing_that_was_typed(home: Home) -> None:
    with home.client() as client:
        session = ready(home, client)
        client.call(Input(session=session, offset=0, data=b"s3cret-of-ada\n"))
        home.kill_keeper()
        home.running()
        home.next_daemon(home.kill_daemon())
        client.call(Kill(session=session, now=True))
        home.ended(client, session)
    lines = (home.paths.state / "daemon.log").read_text().splitlines()

    assert [line for line in lines if not LOG_LINE.fullmatch(line)] == []
    assert any(" info serving pid=" in line for line in lines)
    assert any(f" info created session={session} life=1" in line for line in lines)
    assert any(f" info exit session={session} life=1 signal=9" in line for line in lines)
    assert any("warning the keeper is gone" in line for line in lines)
    assert not any("s3cret" in line for line in lines)
