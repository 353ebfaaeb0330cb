"""Each fault of a proxy does to connections exactly what it says."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from holdfast.protocol.frames import control_frame
from tests.support.both_ends import FRAME, BothEnds, by_way, heard
from tests.support.peer import rest_of
from tests.support.proxy import DOWN, UP
from tests.support.proxying.flow import Direction


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[BothEnds]:
    with ExitStack() as stack:
        yield BothEnds(tmp_path, stack)


both_ways = pytest.mark.parametrize("way", [UP, DOWN])


def test_a_cut_closes_both_sides_at_once(scene: BothEnds) -> None:
    first, second = scene.pair(), scene.pair()
    scene.proxy.connection(0).cut()
    assert scene.proxy.counts().open == 1
    assert scene.proxy.counts().cut == 1
    assert [rest_of(sock) for sock in first] == [b"", b""]
    scene.assert_still(*second)


@both_ways
def test_a_cut_comes_after_exactly_so_many_bytes(scene: BothEnds, way: Direction) -> None:
    for size in range(len(FRAME) * 2 + 1):
        scene.proxy.future.cut_after(size, way)
        speaker, hearer = by_way((scene.client(), scene.accepted()), way)
        try:
            speaker.sendall(FRAME * 2)
        except BrokenPipeError:
            assert size == 0
        assert rest_of(hearer) == (FRAME * 2)[:size]
        assert rest_of(speaker) == b""
    assert scene.proxy.counts().cut == len(FRAME) * 2 + 1


@both_ways
def test_a_cut_comes_on_the_boundary_of_a_frame(scene: BothEnds, way: Direction) -> None:
    speaker, hearer = by_way(scene.pair(), way)
    scene.proxy.every.cut_after(0, way, frame=2)
    speaker.sendall(FRAME * 5)
    assert rest_of(hearer) == FRAME * 2


@both_ways
def test_a_half_open_direction_swallows_and_the_other_does_not(
    scene: BothEnds, way: Direction
) -> None:
    speaker, hearer = by_way(scene.pair(), way)
    scene.proxy.connection(-1).half_open(way)
    speaker.sendall(FRAME)
    hearer.sendall(b"other way")
    assert heard(speaker, 9) == b"other way"
    scene.assert_still(hearer)


@both_ways
def test_neither_side_of_a_half_open_connection_learns_that_the_other_left(
    scene: BothEnds, way: Direction
) -> None:
    leaver, stayer = by_way(scene.pair(), way)
    scene.proxy.every.half_open()
    leaver.close()
    scene.assert_still(stayer)
    stayer.sendall(FRAME)
    scene.proxy.connection(0).heal()
    assert rest_of(stayer) == b""


@both_ways
def test_a_delayed_frame_comes_no_sooner(scene: BothEnds, way: Direction) -> None:
    speaker, hearer = by_way(scene.pair(), way)
    scene.proxy.every.delay(0.1, way)
    begin = time.monotonic()
    speaker.sendall(FRAME * 2)
    assert heard(hearer, len(FRAME) * 2) == FRAME * 2
    assert time.monotonic() - begin >= 0.1
    hearer.sendall(FRAME)
    assert heard(speaker, len(FRAME)) == FRAME


@both_ways
def test_throttled_bytes_come_no_faster(scene: BothEnds, way: Direction) -> None:
    speaker, hearer = by_way(scene.pair(), way)
    scene.proxy.every.throttle(100_000, way)
    begin = time.monotonic()
    speaker.sendall(bytes(20_000))
    assert heard(hearer, 20_000) == bytes(20_000)
    assert time.monotonic() - begin >= 0.18  # the first 20 ms worth are free


@both_ways
def test_a_frame_comes_twice_and_another_late(scene: BothEnds, way: Direction) -> None:
    speaker, hearer = by_way(scene.pair(), way)
    one, two, three, four = (control_frame(b"%d" % number) for number in range(4))
    scene.proxy.every.duplicate(1, way)
    scene.proxy.every.reorder(3, way)
    speaker.sendall(one + two + three + four)
    speaker.shutdown(socket.SHUT_WR)
    assert rest_of(hearer) == one + one + two + four + three


def test_nothing_moves_in_what_is_frozen_until_it_thaws(scene: BothEnds) -> None:
    client, daemon = scene.pair()
    scene.proxy.every.freeze()
    client.sendall(FRAME)
    client.close()
    scene.assert_still(daemon)
    scene.proxy.every.thaw()
    assert rest_of(daemon) == FRAME


def test_what_is_healed_has_no_fault_any_more(scene: BothEnds) -> None:
    for fault in (scene.proxy.every.freeze, scene.proxy.every.half_open):
        fault()
    scene.proxy.every.cut_after(100)
    client, daemon = scene.pair()
    scene.proxy.every.heal()
    daemon.sendall(bytes(1000))
    assert heard(client, 1000) == bytes(1000)
