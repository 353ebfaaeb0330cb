"""Logs as downloads: what they have, what they say is missing, and how long they last."""

import signal
import socket
import time

import pytest

from holdfast.protocol.messages import Forget
from tests.support.home import Home
from tests.support.hosting import HostProcess, running_host
from tests.support.intruder import request

pytestmark = pytest.mark.slow


def test_a_download_names_what_is_missing_in_it(home: Home) -> None:
    with home.client() as client:
        session = home.create(client, "seq", "1", "100000").id
        home.ended(client, session)
        log = home.output(client, session)
        client.call(Forget(session=session, since=1000, until=3000))
    end = len(log)
    with running_host(home) as host:
        path = f"/api/sessions/{session}/output"

        whole = request(host, path, token=host.token)
        assert f"holdfast-range: 0-{end}\r\n" in whole.head
        assert "holdfast-missing: 1000-3000 forgotten\r\n" in whole.head
        assert host.read(path[1:]) == log[:1000] + log[3000:]

        before = request(host, f"{path}?since=0&until=1000", token=host.token)
        assert "holdfast-missing" not in before.head
        assert host.read(f"{path[1:]}?until=2000") == log[:1000]

        within = request(host, f"{path}?since=2000", token=host.token)
        assert (within.status, within.code) == (410, "OFFSET_PRUNED")
        assert b"3000" in within.body


def test_a_download_without_since_begins_with_the_oldest_byte_that_is_kept(home: Home) -> None:
    with home.client() as client:
        session = home.create(client, "seq", "1", "100000").id
        home.ended(client, session)
        log = home.output(client, session)
        client.call(Forget(session=session, until=3000))
    with running_host(home) as host:
        path = f"/api/sessions/{session}/output"

        answer = request(host, path, token=host.token)

        assert f"holdfast-range: 3000-{len(log)}\r\n" in answer.head
        assert host.read(path[1:]) == log[3000:]
        assert request(host, f"{path}?since=0", token=host.token).status == 410


def test_a_hole_that_is_made_meanwhile_ends_a_download_unfinished(home: Home) -> None:
    with home.client() as client:
        session = home.create(client, "sh", "-c", "yes abcdefg | head -c 40000000").id
        home.ended(client, session)
        with running_host(home) as host, socket.create_connection(("127.0.0.1", host.port)) as sock:
            sock.settimeout(60)
            sock.sendall(_asking(host, session))
            begun = sock.recv(1 << 16)  # as much as fits is on its way, and no more
            client.call(Forget(session=session, since=39_000_000, until=39_500_000))
            while piece := sock.recv(1 << 20):
                begun = begun[-100:] + piece
            assert not begun.endswith(b"0\r\n\r\n")
            assert "a download is broken off" in host.log()


def test_a_download_by_who_reads_slowly_outlives_a_timeout_of_three_seconds(home: Home) -> None:
    """For more than ten seconds nothing else happens, and then the host ends in time."""
    with home.client() as client:
        session = home.create(client, "sh", "-c", "yes abcdefg | head -c 20000000").id
        home.ended(client, session)
    with running_host(home, "--idle-timeout", "3s") as host:
        begin, size, last = time.monotonic(), 0, b""
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
            sock.settimeout(60)
            sock.connect(("127.0.0.1", host.port))
            sock.sendall(_asking(host, session))
            while piece := sock.recv(1 << 16):
                size += len(piece)
                last = piece
                if time.monotonic() - begin < 11:
                    time.sleep(0.1)  # a line of half a megabyte a second
        took = time.monotonic() - begin

        assert took > 10
        assert size > 20_000_000
        assert last.endswith(b"0\r\n\r\n")
        assert host.ended(3 + 20) == 0


def test_there_is_no_icon_but_nobody_is_refused_for_asking(home: Home) -> None:
    with running_host(home) as host:
        assert request(host, "/favicon.ico").status == 404
        assert " refused " not in host.log()


def test_a_link_goes_through_a_host_that_answers_or_the_one_that_was_chosen(home: Home) -> None:
    with home.client() as client:
        session = home.create(client, "cat").id
    with running_host(home) as older, running_host(home) as newer:
        assert home.hold("share", session).startswith(newer.url)
        assert home.hold("share", session, "--port", str(older.port)).startswith(older.url)
        assert "at port 1" in home.failing("share", session, "--port", "1")
        newer.process.send_signal(signal.SIGSTOP)  # it runs, and serves nobody
        try:
            assert home.hold("share", session).startswith(older.url)
        finally:
            newer.process.send_signal(signal.SIGCONT)


def _asking(host: HostProcess, session: str) -> bytes:
    head = f"GET /api/sessions/{session}/output HTTP/1.1\r\nHost: 127.0.0.1:{host.port}"
    words = f"{head}\r\nAuthorization: Bearer {host.token}\r\nConnection: close\r\n\r\n"
    return words.encode()
