"""A fault proxy changes nothing unless told to, and its path comes and goes as told."""

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.both_ends import FRAME, BothEnds, by_way, heard
from tests.support.peer import rest_of
from tests.support.proxy import DOWN, PATIENCE, UP
from tests.support.proxying.flow import BUFFER_LIMIT, Count, Direction


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[BothEnds]:
    with ExitStack() as stack:
        yield BothEnds(tmp_path, stack)


both_ways = pytest.mark.parametrize("way", [UP, DOWN])


# -- no fault


@both_ways
def test_everything_passes_unchanged(scene: BothEnds, way: Direction) -> None:
    speaker, hearer = by_way(scene.pair(), way)
    data = FRAME * 3 + bytes(range(256)) * 40_000
    thread = threading.Thread(target=speaker.sendall, args=(data,))
    thread.start()
    assert heard(hearer, len(data)) == data
    thread.join()


@both_ways
def test_who_only_stops_speaking_still_hears(scene: BothEnds, way: Direction) -> None:
    speaker, hearer = by_way(scene.pair(), way)
    speaker.sendall(b"last words")
    speaker.shutdown(socket.SHUT_WR)
    assert rest_of(hearer) == b"last words"
    hearer.sendall(b"answer")
    hearer.close()
    assert rest_of(speaker) == b"answer"
    scene.proxy.until(lambda counts: counts.open == 0)


@both_ways
def test_who_leaves_is_missed_on_the_other_side(scene: BothEnds, way: Direction) -> None:
    speaker, hearer = by_way(scene.pair(), way)
    speaker.sendall(FRAME)
    speaker.close()
    assert rest_of(hearer) == FRAME
    with pytest.raises(BrokenPipeError):
        hearer.sendall(FRAME)
    hearer.close()
    scene.proxy.until(lambda counts: counts.open == 0)


def test_what_was_said_before_leaving_is_heard_though_more_was_on_its_way(scene: BothEnds) -> None:
    client, daemon = scene.pair()
    daemon.setblocking(False)
    while select.select([], [daemon], [], 0)[1]:
        daemon.send(b"x" * (1 << 16))
    client.sendall(FRAME)
    client.close()
    daemon.setblocking(True)
    assert rest_of(daemon) == FRAME


def test_bytes_frames_and_connections_are_counted(scene: BothEnds) -> None:
    begin = time.monotonic()
    for client, daemon in [scene.pair() for _ in range(3)]:
        client.sendall(FRAME * 2)
        heard(daemon, len(FRAME) * 2)
        daemon.sendall(FRAME)
        heard(client, len(FRAME))
    scene.proxy.connection(0).cut()
    counts = scene.proxy.counts()
    size = len(FRAME)
    assert (counts.accepted, counts.open, counts.refused, counts.unreachable) == (3, 2, 0, 0)
    assert (counts.up, counts.down) == (Count(6 * size, 6), Count(3 * size, 3))
    assert scene.proxy.counts_of(2) == (Count(2 * size, 2), Count(size, 1))
    assert begin <= counts.accept_times[0] <= counts.accept_times[-1] <= time.monotonic()


def test_a_herd_is_counted_one_by_one(scene: BothEnds) -> None:
    clients = [scene.client() for _ in range(200)]
    for client in clients:
        client.sendall(FRAME)
    for _ in clients:
        assert heard(scene.accepted(), len(FRAME)) == FRAME
    assert len(scene.proxy.counts().accept_times) == 200


@both_ways
def test_a_side_is_read_no_further_than_the_other_keeps_up(scene: BothEnds, way: Direction) -> None:
    speaker, hearer = by_way(scene.pair(), way)
    speaker.setblocking(False)
    taken = 0
    while select.select([], [speaker], [], 0.2 if taken > BUFFER_LIMIT else PATIENCE)[1]:
        taken += speaker.send(b"x" * (1 << 16))
    buffers = 2 * speaker.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    assert taken < BUFFER_LIMIT + 2 * buffers + (1 << 17)
    assert heard(hearer, taken) == b"x" * taken


# -- faults of the path


def test_who_is_refused_is_accepted_and_dropped(scene: BothEnds) -> None:
    scene.proxy.refuse(2)
    assert [rest_of(scene.client()) for _ in range(2)] == [b"", b""]
    client, daemon = scene.pair()
    client.sendall(FRAME)
    assert heard(daemon, len(FRAME)) == FRAME
    counts = scene.proxy.counts()
    assert (counts.accepted, counts.refused, counts.open) == (3, 2, 1)


def test_refusing_goes_on_until_it_is_taken_back(scene: BothEnds) -> None:
    scene.proxy.refuse()
    assert [rest_of(scene.client()) for _ in range(20)] == [b""] * 20
    scene.proxy.accept()
    scene.pair()


def test_the_path_goes_and_returns_and_who_is_connected_stays(scene: BothEnds) -> None:
    client, daemon = scene.pair()
    scene.proxy.gone()
    assert not scene.path.exists()
    with pytest.raises(FileNotFoundError):
        scene.client()
    client.sendall(FRAME)
    assert heard(daemon, len(FRAME)) == FRAME
    scene.proxy.back()
    scene.pair()


def test_who_comes_while_no_daemon_listens_is_dropped(scene: BothEnds) -> None:
    scene.listener.close()
    assert rest_of(scene.client()) == b""
    scene.proxy.until(lambda counts: counts.unreachable == 1)


def test_who_comes_while_the_backlog_is_full_waits(scene: BothEnds) -> None:
    scene.listener.listen(0)
    clients = [scene.client() for _ in range(5)]
    for client in clients:
        client.sendall(FRAME)
    assert [heard(scene.accepted(), len(FRAME)) for _ in clients] == [FRAME] * 5


def test_closing_ends_everything_and_takes_the_path_away(scene: BothEnds) -> None:
    ends = scene.pair()
    scene.proxy.close()
    scene.proxy.close()
    assert [rest_of(sock) for sock in ends] == [b"", b""]
    assert not scene.path.exists()
