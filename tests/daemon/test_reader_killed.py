"""T14: the reader is killed again and again while programs print as fast as a busy build."""

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.asking import Client
from tests.support.flood import Flood
from tests.support.home import Home, running_home, until
from tests.support.looker import Looker
from tests.support.truth import wrong

pytestmark = pytest.mark.slow

FLOODS = 3
KILLS = 6  # the keeper waits longer after each: after so many half a second
FURTHEST = 512 << 10  # bytes that are printed between two kills, at most
# Nobody waits for the reader longer than a second; the rest is for two busy cores.
BOUND = 8.0


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with running_home(tmp_path / "h", {"HOLDFAST_READER_ENABLED": "on"}) as running:
        yield running


def look_on(lookers: list[Looker]) -> None:
    for looker in lookers:
        looker.look(0.001)


def attach(home: Home, session: str) -> float:
    """Return how long it took to be shown something that the log goes on from."""
    begin = time.monotonic()
    with Looker(home, session, policy="lossless") as looker:
        took = time.monotonic() - begin
        assert looker.attached.outcome == "snapshot"
        assert looker.attached.snapshot
        looker.until_offset(looker.attached.offset + 1000)
    return took


def kill_one(home: Home) -> bool:
    """Kill whichever reader there is, also one that only begins."""
    pid = home.status()["reader"]["pid"]
    if not pid:
        return False
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def everything_was_seen(home: Home, client: Client, floods: list[Flood], looker: Looker) -> None:
    looker.until_finished(60)
    assert looker.gaps == []
    assert looker.snapshots == []
    (flood,) = (flood for flood in floods if flood.id == looker.attached.session.id)
    assert bytes(looker.data) == home.output(client, flood.id)


@pytest.mark.timeout(180)
def test_kills_of_the_reader_are_invisible_under_load(home: Home) -> None:
    dice = random.Random(14)
    with home.client() as client:
        floods = [Flood(home, client, 0.002) for _ in range(FLOODS)]
        lookers = [Looker(home, flood.id, since=0, policy="lossless") for flood in floods]
        waited = []
        for _ in range(KILLS):
            one = dice.choice(floods)
            further = home.offset(client, one.id) + dice.randrange(FURTHEST)
            while home.offset(client, one.id) < further:
                look_on(lookers)
            until(lambda: kill_one(home), "a reader to kill")
            waited.append(attach(home, dice.choice(floods).id))
        for flood in floods:
            flood.finish(client)
        for looker in lookers:
            everything_was_seen(home, client, floods, looker)
            looker.close()

        assert max(waited) < BOUND
        assert [wrong(home, flood.id) for flood in floods] == [{}] * FLOODS
        assert home.status()["reader"]["restarts"] >= KILLS
