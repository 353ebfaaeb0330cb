"""When a reply goes out: with the echo if there will be one, and never much later."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from holdfast.daemon.outlet import ECHO_WITHIN, Outlet
from holdfast.daemon.viewer import Viewer
from holdfast.daemon.viewers import Viewers
from holdfast.protocol.daemon_end import DaemonEnd
from tests.support.hand_loop import HandLoop

REPLY, ECHO = b"reply", b"echo"


class Line(asyncio.Transport):
    """The system's end of it, which takes everything."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__({"socket": sock})

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0


@contextmanager
def outlet(loop: HandLoop) -> Iterator[tuple[Outlet, socket.socket]]:
    """One whose core always has a reply to write, until it has been written."""
    ours, theirs = socket.socketpair()
    left = [REPLY]

    def settled() -> None:
        if left:
            one.write([left.pop()])

    one = Outlet(loop.as_loop, DaemonEnd(now=loop.time()), settled)
    with ours, theirs:
        one.open(Line(ours))
        theirs.setblocking(False)
        yield one, theirs


def has_viewer(one: Outlet) -> None:
    """Its client looks at a session, and is shown what it prints."""
    one.begin(cast("Viewers", None), cast("Viewer", type("Numbered", (), {"number": 1})()))


def heard(sock: socket.socket) -> bytes:
    try:
        return sock.recv(100)
    except BlockingIOError:
        return b""


def test_who_looks_at_nothing_hears_at_once() -> None:
    with outlet(HandLoop()) as (one, client):
        one.write_with_echo()

        assert heard(client) == REPLY


def test_without_an_echo_the_reply_comes_a_moment_later() -> None:
    loop = HandLoop()
    with outlet(loop) as (one, client):
        has_viewer(one)
        one.write_with_echo()
        loop.rest()
        assert heard(client) == b""

        loop.advance(ECHO_WITHIN)

        assert heard(client) == REPLY


def test_what_is_written_meanwhile_takes_the_place_of_the_moment() -> None:
    loop = HandLoop()
    with outlet(loop) as (one, client):
        has_viewer(one)
        one.write_with_echo()
        one.write([ECHO])  # `drain` would have put the reply before it
        assert heard(client) == ECHO

        loop.advance(ECHO_WITHIN)

        assert heard(client) == b""  # nothing is timed any more
