"""Bounds that hold for the second time as well: of tries, complaints, connections and sockets."""

import asyncio

from holdfast.host.asgi import Message, Receive, Scope, Send
from holdfast.host.complaints import EVERY, LINES, Complaints
from holdfast.host.crowd import Crowd
from holdfast.host.sockets import Sockets
from holdfast.host.tries import PEERS, PER_PEER, REFILL, Tries
from tests.support.asgi import scope_of
from tests.support.twins import run


def test_who_is_quiet_for_longest_is_forgotten_and_not_who_came_first() -> None:
    tries = Tries(over_all=10**6)
    for _ in range(PER_PEER):
        tries.failed("first", 0.0)
    for number in range(PEERS - 1):
        tries.failed(str(number), 0.0)
    tries.failed("first", 0.0)
    tries.failed("one more", 0.0)

    assert tries.wait("first", 0.0) > 0


def test_a_hundred_tries_too_many_cost_no_more_time_than_one() -> None:
    tries = Tries(over_all=10**6)
    for _ in range(PER_PEER + 100):
        tries.failed("peer", 0.0)

    assert tries.wait("peer", 0.0) <= REFILL / PER_PEER


def test_what_was_counted_is_said_once() -> None:
    complaints = Complaints(0.0)
    for _ in range(LINES + 5):
        complaints.count(0.0)

    assert complaints.count(EVERY) == (True, 5)
    assert complaints.count(2 * EVERY) == (True, 0)


def test_who_is_silent_goes_before_who_is_served() -> None:
    crowd: Crowd[str] = Crowd(silent_limit=5, limit=2)
    crowd.serve("served")
    crowd.wait("silent")
    assert crowd.serve("new") == "silent"


def test_a_socket_that_has_ended_makes_room() -> None:
    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        assert sockets.is_full

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    async def send(_message: Message) -> None:
        raise AssertionError("nothing is sent")

    sockets = Sockets(complain=lambda _peer, _what: None, limit=1)

    async def work() -> None:
        scope = scope_of("websocket", "/socket.io/")
        await sockets.serve(app, scope, receive, send)
        assert not sockets.is_full

    run(work())


def test_behind_its_close_a_socket_is_told_nothing() -> None:
    sent: list[str] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "websocket.close"})
        await send({"type": "websocket.send", "bytes": b"late"})

    async def send(message: Message) -> None:
        sent.append(message["type"])

    async def work() -> None:
        sockets = Sockets(complain=lambda _peer, _what: None)
        await sockets.serve(app, scope_of("websocket", "/socket.io/"), asyncio.Event().wait, send)  # type: ignore[arg-type]

    run(work())
    assert sent == ["websocket.close"]
