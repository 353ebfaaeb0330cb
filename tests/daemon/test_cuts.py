"""Wherever a connection is cut, who comes back with what it holds misses and repeats nothing."""

import random
import sys
from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

import pytest

from holdfast.protocol.messages import Forget
from tests.support.asking import Client
from tests.support.flood import Flood
from tests.support.home import Home, running_home
from tests.support.looker import Looker
from tests.support.proxy import DOWN, UP, Proxy, proxied
from tests.support.proxying.flow import Direction

pytestmark = pytest.mark.slow

SEED = 7
LOG_SIZE = 300_000  # more than a block of checksums, and some frames
# At the beginning so many that frames end, and gaps are told, all over the first KiB.
FORGOTTEN = [(at, at + 10) for at in range(300, 3000, 300)]
FORGOTTEN += [(100_000, 101_000), (270_000, 270_001)]
PRINTS = f"import os, sys; sys.stdout.write(os.urandom({LOG_SIZE // 2}).hex())"
SMALL = 4096  # the smallest window, for many frames and many an ack
HANDSHAKE = 700  # bytes until the first ones of the log; each place in them is tried


class Cut(NamedTuple):
    """So many bytes of one connection pass, counted from the end of a frame."""

    way: Direction
    size: int
    frame: int = 0


class Scene:
    """A session, and a proxy below whoever looks at it."""

    def __init__(self, home: Home, client: Client, proxy: Proxy, path: Path) -> None:
        self.home, self.client, self.proxy, self._path = home, client, proxy, path

    def gappy_log(self) -> tuple[str, bytes]:
        """Return a session that is over, and what it printed, some of which is forgotten."""
        session = self.home.create(self.client, sys.executable, "-I", "-S", "-c", PRINTS).id
        self.home.ended(self.client, session)
        log = self.home.output(self.client, session)
        assert len(log) == LOG_SIZE
        for since, until in FORGOTTEN:
            self.client.call(Forget(session=session, since=since, until=until))
        return session, log

    def follow(self, session: str, cuts: Iterator[Cut], window: int = 1 << 20) -> Looker:
        """Look to the end, while one connection after the other is cut until there are no cuts."""
        looker: Looker | None = None
        while looker is None or not looker.finished:
            self.proxy.future.heal()
            if cut := next(cuts, None):
                self.proxy.future.cut_after(cut.size, cut.way, frame=cut.frame)
            try:
                if looker is None:
                    looker = Looker(
                        self.home,
                        session,
                        path=self._path,
                        since=0,
                        policy="lossless",
                        window=window,
                    )
                else:
                    looker.reconnect()
                looker.until_finished()
            except ConnectionResetError:
                assert cut, "nothing was cut"
        looker.close()
        return looker


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    path = tmp_path / "proxy"
    with (
        running_home(tmp_path / "h") as home,
        home.client() as client,
        proxied(home.paths.socket, path) as proxy,
    ):
        yield Scene(home, client, proxy, path)


def assert_told(looker: Looker, log: bytes) -> None:
    """What it got and the gaps it was told of are the log, and it never had to start anew."""
    assert {attached.outcome for attached in looker.attachments[1:]} <= {"exact"}
    rebuilt, taken = b"", 0
    for gap in looker.gaps:
        size = gap.start - len(rebuilt)
        rebuilt += looker.data[taken : taken + size] + log[gap.start : gap.end]
        taken += size
    assert rebuilt + looker.data[taken:] == log


def assert_forgotten(looker: Looker) -> None:
    assert [(gap.start, gap.end) for gap in looker.gaps] == FORGOTTEN


@pytest.mark.parametrize("way", [UP, DOWN])
def test_a_cut_on_or_near_any_boundary_of_a_frame(scene: Scene, way: Direction) -> None:
    """The last frame is found by there being no cut behind it."""
    session, log = scene.gappy_log()
    for frame in count():
        before = scene.proxy.counts().cut
        for size in (0, 1, 4, 5, 6, 17, 100):  # around the header of the next one, and behind
            looker = scene.follow(session, iter([Cut(way, size, frame)]))
            assert_told(looker, log)
            assert_forgotten(looker)
        if scene.proxy.counts().cut == before:
            break
    assert frame > 4


def test_a_cut_at_any_byte_of_the_beginning_and_at_random_ones_later(scene: Scene) -> None:
    session, log = scene.gappy_log()
    chance = random.Random(SEED)
    cuts = chain(
        (Cut(DOWN, size) for size in range(HANDSHAKE)),
        (Cut(DOWN, size) for size in range(HANDSHAKE, 4096, 17)),
        (Cut(UP, size) for size in range(400)),
        (Cut(DOWN, chance.randrange(4096, LOG_SIZE)) for _ in range(50)),
    )
    for cut in cuts:  # each looker uses up as many as it needs
        looker = scene.follow(session, chain([cut], cuts), SMALL)
        assert_told(looker, log)
        assert_forgotten(looker)
    assert scene.proxy.counts().cut >= HANDSHAKE + 400


def test_cuts_while_the_program_prints(scene: Scene) -> None:
    chance = random.Random(SEED)
    flood = Flood(scene.home, scene.client)
    cuts = [Cut(DOWN, chance.randrange(500, 5000)) for _ in range(100)]
    cuts += [Cut(UP, chance.randrange(1000)) for _ in range(100)]
    chance.shuffle(cuts)

    def finishing() -> Iterator[Cut]:
        yield from cuts
        flood.finish(scene.client)

    looker = scene.follow(flood.id, finishing(), SMALL)
    assert_told(looker, scene.home.output(scene.client, flood.id))
    assert looker.gaps == []
    assert scene.proxy.counts().cut == len(cuts)
