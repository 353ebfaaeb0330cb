"""Doors are closed and opened; the sockets in the file system stay, for they are the keeper's."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.daemon.app import new_loop
from holdfast.daemon.doors import Doors
from holdfast.daemon.keeper_link import KeeperLink


async def closed_again(listening: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    link = KeeperLink(loop, {})
    link.clients = [listening]
    doors = Doors(loop, link, asyncio.BufferedProtocol)
    await doors.open()
    doors.close()
    await asyncio.sleep(0)  # a server may put off what it does at its end until the next turn


@pytest.mark.parametrize("loop", [new_loop, asyncio.new_event_loop], ids=["ours", "asyncio"])
def test_who_comes_to_a_closed_door_still_finds_the_socket(
    tmp_path: Path, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as late:
        listening.bind(str(path))
        listening.listen()
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(closed_again(listening))

        late.connect(str(path))
