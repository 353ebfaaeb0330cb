"""The line to a reader: what waits for one that does not read, and what one says."""

import asyncio
import socket
from collections import Counter

from holdfast.daemon.reader_link import SIZES, ReaderLink
from holdfast.protocol.reading import (
    Follow,
    Grew,
    Hearing,
    Leave,
    Paint,
    Reached,
    Said,
    Sized,
    ToReader,
    encode,
)

LONG = "/" + "d" * 4000  # so that few descriptions fill a socket
SESSIONS = [f"s{number}" for number in range(50)]


class Sessions:
    """What is true of sessions: their logs have grown once more whenever somebody asks."""

    def __init__(self) -> None:
        self.asked = 0

    def follow(self, session: str) -> Follow | None:
        end = self.end(session)
        return None if session == "gone" else Follow(session, LONG, b"e", end, 80, 24, True)

    def end(self, _session: str) -> int:
        self.asked += 1
        return self.asked


class Line:
    """A link, and the other end of it in the test's hands."""

    def __init__(self) -> None:
        self.sock, ours = socket.socketpair()
        self.sock.setblocking(False)
        self.heard: list[Said] = []
        self.is_over = asyncio.Event()
        self.sessions = Sessions()
        self._hearing = Hearing(ToReader)
        self.link = ReaderLink(
            asyncio.get_running_loop(),
            ours,
            1,
            self.sessions,
            heard=self.heard.append,
            over=lambda _link: self.is_over.set(),
        )

    async def read(self, enough: int) -> list[Said]:
        """What the reader is told, at least so many messages."""
        found: list[Said] = []
        loop = asyncio.get_running_loop()
        while len(found) < enough:
            found += self._hearing.feed(await loop.sock_recv(self.sock, 64 << 10))
        return found

    def close(self) -> None:
        self.link.close()
        self.sock.close()


def test_who_does_not_read_is_told_the_newest_of_each_session() -> None:
    async def scene() -> Counter[type[Said]]:
        line = Line()
        for _ in range(2000):
            for session in SESSIONS:
                line.link.grew(session)
                line.link.follow(session)
        found = await line.read(2 * len(SESSIONS))
        line.close()
        return Counter(type(said) for said in found)

    told = asyncio.run(scene())
    assert told == {Follow: len(SESSIONS), Grew: len(SESSIONS)}


def test_a_full_socket_holds_up_nobody_and_nothing_piles_up() -> None:
    """P5: the reader is stopped; what waits is one description of each session."""

    async def scene() -> tuple[list[Said], int]:
        line = Line()
        for _ in range(100):
            for session in SESSIONS:
                line.link.follow(session)
                line.link.grew(session)
            await asyncio.sleep(0.005)  # for it to say what it can
        line.link.paint(Paint(7, "s0", 1))
        newest = line.sessions.asked
        found: list[Said] = []
        while not any(isinstance(said, Paint) for said in found):
            found += await line.read(1)
        line.close()
        return found, newest

    found, newest = asyncio.run(scene())
    follows = [said for said in found if isinstance(said, Follow)]
    assert len(SESSIONS) <= len(follows) < 10 * len(SESSIONS)
    assert {one.session for one in follows if one.end > newest} == {*SESSIONS}


def test_sizes_that_pile_up_become_a_description() -> None:
    async def scene() -> list[Said]:
        line = Line()
        for number in range(SIZES + 1):
            line.link.sized(Sized("s0", number, 80, 24))
        found = await line.read(1)
        line.close()
        return found

    assert [type(said) for said in asyncio.run(scene())] == [Follow]


def test_who_leaves_is_spoken_of_no_more() -> None:
    async def scene() -> list[Said]:
        line = Line()
        line.link.follow("s0")
        line.link.grew("s0")
        line.link.leave(Leave("s0", erase=True))
        line.link.follow("gone")
        line.link.paint(Paint(1, "s1", 0))
        line.link.paint(Paint(2, "s1", 0))
        line.link.unpaint(1)
        found = await line.read(2)
        line.close()
        return found

    assert asyncio.run(scene()) == [Leave("s0", erase=True), Paint(2, "s1", 0)]


def test_all_that_a_reader_says_is_heard_and_its_end() -> None:
    async def scene() -> tuple[list[Said], bool]:
        line = Line()
        said = b"".join(encode(Reached("s0", number)) for number in range(500))
        line.sock.sendall(said)
        line.sock.close()
        await asyncio.wait_for(line.is_over.wait(), 10)
        return line.heard, line.link.is_closed

    heard, is_closed = asyncio.run(scene())
    assert heard == [Reached("s0", number) for number in range(500)]
    assert is_closed


def test_one_that_talks_nonsense_is_let_go() -> None:
    async def scene() -> None:
        line = Line()
        line.sock.sendall(b"\x00\x00\x00\x03abc")
        await asyncio.wait_for(line.is_over.wait(), 10)
        line.close()

    asyncio.run(scene())
