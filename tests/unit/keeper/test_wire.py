"""The keeper's wire: whole frames out of any pieces, with the descriptors that are theirs."""

import array
import json
import os
import resource
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.keeper.wire import FRAME_LIMIT, Body, Channel, Gone


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, Channel]]:
    """A raw end and a channel."""
    raw, sock = socket.socketpair()
    channel = Channel(sock)
    with raw:
        yield raw, channel
        channel.close()


def frame(body: Body) -> bytes:
    payload = json.dumps(body).encode()
    return struct.pack(">I", len(payload)) + payload


def bodies(channel: Channel) -> list[Body]:
    return [{k: v for k, v in body.items() if k != "fds"} for body, _ in channel.receive()]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


WANTED: list[Body] = [{"op": "a"}, {}, {"op": "\udcff", "text": "é" * 30}, {"op": "last", "n": [1]}]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 11, 64, 1000])
def test_frames_come_out_whole_in_every_chunking(
    ends: tuple[socket.socket, Channel], size: int
) -> None:
    raw, channel = ends
    data = b"".join(frame(body) for body in WANTED)
    got = []

    for at in range(0, len(data), size):
        raw.sendall(data[at : at + size])
        got += bodies(channel)

    assert got == WANTED
    assert channel.is_quiet


@pytest.mark.parametrize("cut", range(len(frame({"op": "taken"}))))
def test_half_a_frame_is_not_quiet(ends: tuple[socket.socket, Channel], cut: int) -> None:
    raw, channel = ends
    raw.sendall(frame({"op": "taken"})[:cut])

    assert bodies(channel) == []
    assert channel.is_quiet is (cut == 0)


def test_a_reader_that_stops_between_two_frames_finds_the_second_later(
    ends: tuple[socket.socket, Channel],
) -> None:
    raw, channel = ends
    raw.sendall(frame({"op": "first"}) + frame({"op": "second"}))

    next(channel.receive())

    assert bodies(channel) == [{"op": "second"}]


def test_descriptors_belong_to_their_frame(ends: tuple[socket.socket, Channel]) -> None:
    raw, channel = ends
    sender = Channel(raw)
    reader, writer = os.pipe()
    sender.send({"op": "none"})
    sender.send({"op": "one"}, [reader])
    sender.send({"op": "none"})
    sender.send({"op": "two"}, [reader, writer])

    got = [(body["op"], fds) for body, fds in channel.receive()]

    assert [(op, len(fds)) for op, fds in got] == [("none", 0), ("one", 1), ("none", 0), ("two", 2)]
    (same, other) = got[3][1]
    assert os.fstat(same) == os.fstat(reader)
    assert os.fstat(other) == os.fstat(writer)
    assert not os.get_inheritable(same)
    for fd in (reader, writer, *(fd for _, fds in got for fd in fds)):
        os.close(fd)


def test_descriptors_survive_a_peer_that_takes_one_byte_at_a_time() -> None:
    raw, sock = socket.socketpair()
    with raw, sock:
        reader, writer = os.pipe()
        Channel(sock).send({"op": "x" * 50}, [reader, writer])

        first, ancillary, _, _ = raw.recvmsg(1, socket.CMSG_SPACE(8))
        rest = raw.recv(1000)

        fds = array.array("i", ancillary[0][2])
        assert len(fds) == 2
        assert json.loads((first + rest)[4:])["fds"] == 2
        for fd in (reader, writer, *fds):
            os.close(fd)


def test_253_descriptors_fit_into_a_frame(ends: tuple[socket.socket, Channel]) -> None:
    raw, channel = ends
    null = os.open("/dev/null", os.O_RDONLY)
    Channel(raw).send({"op": "many"}, [null] * 253)

    ((_, fds),) = channel.receive()

    assert len(fds) == 253
    for fd in (null, *fds):
        os.close(fd)


def test_descriptors_of_half_a_frame_are_closed_with_the_channel() -> None:
    before = open_files()
    raw, sock = socket.socketpair()
    channel = Channel(sock)
    with raw, Path("/dev/null").open("rb") as null:
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [null.fileno()] * 3))]
        raw.sendmsg([b"\0\0"], ancillary)
        assert list(channel.receive()) == []
        assert not channel.is_quiet
        channel.close()

    assert open_files() == before


LOW_LIMIT = """
import os, resource, socket, sys
from holdfast.keeper.wire import Channel, Gone
raw, sock = socket.socketpair()
null = os.open("/dev/null", os.O_RDONLY)
Channel(raw).send({"op": "many"}, [null] * 100)
channel = Channel(sock)
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
try:
    list(channel.receive())
except Gone as gone:
    print(gone)
channel.close()
print(len(os.listdir("/proc/self/fd")) < 12)
"""


def test_lost_descriptors_are_an_end_and_leak_nothing() -> None:
    """The kernel cuts them off in silence (MSG_CTRUNC) when too many files are open."""
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 100

    done = subprocess.run(
        [sys.executable, "-c", LOW_LIMIT],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines() == [
        "descriptors were lost: the limit of open files is too low",
        "True",
    ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (struct.pack(">I", FRAME_LIMIT + 1), f"a frame of {FRAME_LIMIT + 1} bytes"),
        (b"\xff\xff\xff\xff", "a frame of 4294967295 bytes"),
        (struct.pack(">I", 3) + b"{x}", "not JSON"),
        (struct.pack(">I", 0), "not JSON"),
        (struct.pack(">I", 2) + b"\xff\xfe", "not JSON"),
        (struct.pack(">I", 2) + b"[]", "not an object"),
        (struct.pack(">I", 4) + b"null", "not an object"),
        (frame({"fds": "many"}), "not an object"),
        (frame({"fds": None}), "not an object"),
        (struct.pack(">I", 200_000) + b"[" * 200_000, "not JSON"),
    ],
)
def test_rubbish_is_an_end(ends: tuple[socket.socket, Channel], data: bytes, reason: str) -> None:
    raw, channel = ends
    raw.sendall(data)

    with pytest.raises(Gone, match=reason):
        list(channel.receive())


@pytest.mark.parametrize("count", [-1, 5, 10**9])
def test_a_number_of_descriptors_that_is_a_lie_yields_those_that_came(
    ends: tuple[socket.socket, Channel], count: int
) -> None:
    raw, channel = ends
    raw.sendall(frame({"op": "x", "fds": count}))

    assert [fds for _, fds in channel.receive()] == [[]]


def test_the_end_of_the_peer_comes_after_its_last_frame(
    ends: tuple[socket.socket, Channel],
) -> None:
    raw, channel = ends
    raw.sendall(frame({"op": "last"}))
    raw.close()
    received = channel.receive()

    assert next(received)[0] == {"op": "last"}
    with pytest.raises(Gone, match="closed"):
        next(received)


def test_a_peer_that_does_not_read_is_given_up_and_nothing_blocks(
    ends: tuple[socket.socket, Channel],
) -> None:
    _, channel = ends

    for _ in range(15):
        channel.send({"op": "x" * 1_000_000})

    assert channel.wants_to_write
    assert not channel.is_quiet
    with pytest.raises(Gone, match="does not read"):
        channel.send({"op": "x" * 2_000_000})


def test_what_the_socket_did_not_take_follows_when_there_is_room(
    ends: tuple[socket.socket, Channel],
) -> None:
    raw, channel = ends
    raw.setblocking(False)
    other = Channel(raw)
    sent: list[Body] = [{"op": f"{n}", "text": "x" * 100_000} for n in range(20)]
    for body in sent:
        channel.send(body)
    got: list[Body] = []

    while channel.wants_to_write or len(got) < len(sent):
        got += bodies(other)
        channel.flush()

    assert got == sent


def test_sending_to_the_dead_is_gone(ends: tuple[socket.socket, Channel]) -> None:
    raw, channel = ends
    raw.close()

    with pytest.raises(Gone):
        channel.send({"op": "x"})
