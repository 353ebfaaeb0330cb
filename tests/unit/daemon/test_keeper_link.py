"""What a keeper hands over while others want their turn, and while it dies."""

import asyncio
import os
import socket
from typing import Any

import pytest

from holdfast.daemon.keeper_link import Handed, KeeperLink
from holdfast.keeper.wire import Channel

FACTS = {"pid": 1, "blob": "", "started": 0.0, "count": 3}


class Keeper:
    """The other end of the line, which hands over sessions of three descriptors each."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.channel, self.to_daemon = Channel(ours), Channel(theirs)

    def hand_over(self, *sessions: str) -> None:
        fds = [os.open(os.devnull, os.O_RDWR) for _ in sessions for _ in range(3)]
        described = [{"id": session, **FACTS} for session in sessions]
        self.channel.send({"op": "sessions", "sessions": described}, fds)
        for fd in fds:
            os.close(fd)


async def scene(keeper: Keeper, heard: list[str], *, dies: bool) -> list[dict[str, Any]]:
    """Return what went wrong while all of it was heard."""
    loop = asyncio.get_running_loop()
    wrong: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _loop, context: wrong.append(context))
    link = KeeperLink(loop, {})
    link.is_ending = True  # or it would start a successor

    def handed(one: Handed) -> None:
        heard.append(one.id)
        one.held.close()
        loop.call_soon(heard.append, "|")

    link.on_handed = handed
    if dies:
        keeper.channel.close()
    link.attach(keeper.to_daemon)
    for _ in range(20):
        await asyncio.sleep(0)
    link.close()
    keeper.to_daemon.close()
    return wrong


def test_between_two_batches_others_have_their_turn() -> None:
    keeper, heard = Keeper(), list[str]()
    keeper.hand_over("a", "b")
    keeper.hand_over("c")

    assert asyncio.run(scene(keeper, heard, dies=False)) == []

    assert heard == ["a", "b", "|", "|", "c", "|"]
    keeper.channel.close()


@pytest.mark.parametrize("batches", [1, 3])
def test_a_keeper_that_dies_while_it_hands_over_is_only_gone(batches: int) -> None:
    """Its descriptors are closed with the line: what was still to be read of it is void."""
    keeper, heard = Keeper(), list[str]()
    for number in range(batches):
        keeper.hand_over(f"s{number}")

    assert asyncio.run(scene(keeper, heard, dies=True)) == []

    assert heard == ["s0", "|"]
