"""What a reader is told of sessions that have ended: it knows few of them, the latest."""

import asyncio
import socket
from typing import NamedTuple, cast

from holdfast.daemon.growing import Growing
from holdfast.daemon.record import Record
from holdfast.daemon.screens import ENDED, Screens
from holdfast.protocol.reading import Follow, Hearing, Leave, Said, ToReader
from holdfast.types import Size

MORE = 10


class Session(NamedTuple):
    record: Record


class Place:
    """Sessions of which everything is known, and none of which prints any more."""

    def known(self, session: str) -> Record:
        return Record(id=session, argv=["sh"], cwd="/", size=Size(80, 24), created=0.0)

    def describe(self, record: Record) -> Follow:
        return Follow(record.id, "/nowhere", b"e", 0, 80, 24, False)

    def following(self, _record: Record) -> None:
        return None


def test_of_sessions_that_ended_the_reader_lets_the_oldest_go() -> None:
    """A reader that has seen five thousand come and go had a hundred megabytes."""

    async def scene() -> tuple[int, list[Said]]:
        loop, place = asyncio.get_running_loop(), Place()
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        screens = Screens(loop, place, is_wanted=True, ask=lambda: None, growing=list)
        screens.come(ours, 1)
        lives = cast("Growing", Session(place.known("it-lives")))
        screens.grew(lives)
        for number in range(ENDED + MORE):
            session = Session(place.known(f"s{number}"))
            screens.grew(cast("Growing", session))
            screens.finished(session.record)
        hearing, heard = Hearing(ToReader), list[Said]()
        while sum(isinstance(said, Leave) for said in heard) < MORE:
            heard += hearing.feed(await loop.sock_recv(theirs, 64 << 10))
        followed = screens.followed
        screens.close()
        theirs.close()
        return followed, heard

    followed, heard = asyncio.run(scene())
    assert followed == ENDED + 1
    left = [said.session for said in heard if isinstance(said, Leave) and not said.erase]
    assert left == [f"s{number}" for number in range(MORE)]
