"""Viewers of real sessions: many, stopped, killed; each sees the log, and nobody else waits."""

import hashlib
import random
import select
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import HoldfastError
from holdfast.protocol.messages import Get, Input, Kill
from tests.daemon.test_disk_full import PRINTED, scene, stalled
from tests.support.flood import Flood
from tests.support.home import Home, running_home, until
from tests.support.looker import Looker
from tests.support.prober import Prober, slowest
from tests.support.processes import resident_kib
from tests.support.torture import Killer

pytestmark = pytest.mark.slow

MIB = 1 << 20
WAIT_AND_PRINT = f"stty raw; printf r; read x; head -c {4 * MIB} /dev/urandom"
ENDLESS_LINE = ("sh", "-c", "stty raw; exec cat /dev/zero")  # T9: bytes, no line ever
QUICK = 0.1  # seconds
GROWTH_KIB = 4096


def look_at(lookers: Iterable[Looker], seconds: float) -> None:
    """Take in what arrives next for any of them; who is cut off comes back."""
    links = {looker.link: looker for looker in lookers if not looker.finished}
    found, _, _ = select.select(links, [], [], seconds)
    for link in found:
        looker = links[link]
        try:
            looker.look(1)
        except (OSError, HoldfastError):
            come_back(looker)


def come_back(looker: Looker) -> None:
    while True:
        try:
            looker.reconnect()
        except (OSError, HoldfastError):
            continue  # that daemon has been killed, too
        return


def look_until(lookers: list[Looker], is_enough: Callable[[], bool], patience: float = 40) -> None:
    deadline = time.monotonic() + patience
    while not is_enough():
        assert time.monotonic() < deadline, sorted(one.held.offset for one in lookers)
        look_at(lookers, 0.05)


def are_finished(lookers: list[Looker]) -> bool:
    return all(looker.finished for looker in lookers)


# -- many


def test_64_clients_see_the_same_flood(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client, ExitStack() as stack:
        session = home.create(client, "sh", "-c", WAIT_AND_PRINT).id
        until(lambda: home.offset(client, session) == 1, "the program to be ready")
        asked: dict[str, Any] = {"since": 0, "policy": "lossless", "keep": False}
        lookers = [stack.enter_context(Looker(home, session, **asked)) for _ in range(64)]
        client.call(Input(session=session, offset=0, data=b"\n"))
        look_until(lookers, lambda: are_finished(lookers))
        log = home.output(client, session)

    assert len(log) > 4 * MIB
    assert {looker.sha.digest() for looker in lookers} == {hashlib.sha256(log).digest()}
    assert {looker.digests for looker in lookers} == {len(log) // (256 << 10)}


# -- stopped


@contextmanager
def two_that_stopped(home: Home, session: str) -> Iterator[list[Looker]]:
    """Viewers whose sockets are full: they never read. One wants every byte."""
    with ExitStack() as stack:
        asked: dict[str, Any] = {"window": 16 * MIB, "keep": False}
        yield [
            stack.enter_context(Looker(home, session, policy=policy, **asked))
            for policy in ("lossless", "latest")
        ]


def is_not_felt(tmp_path: Path, seconds: float) -> None:
    settings = {"HOLDFAST_SESSION_KEEP": "32 MiB"}
    with (
        running_home(tmp_path / "h", settings) as home,
        home.client() as client,
        ExitStack() as stack,
    ):
        flood = home.create(client, *ENDLESS_LINE).id
        probers = [stack.enter_context(Prober(home, str(n))) for n in range(20)]
        for prober in probers * 2:  # what is loaded once is loaded now
            prober.probe(flood)
        daemon = home.running()["daemon"]["pid"]
        begin, before = home.offset(client, flood), resident_kib(daemon)
        stopped = stack.enter_context(two_that_stopped(home, flood))
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for prober in probers:
                prober.probe(flood)
        grown, printed = resident_kib(daemon) - before, home.offset(client, flood) - begin
        viewers = client.call(Get(session=flood)).viewers
        client.call(Kill(session=flood, now=True))
        look_until(stopped, lambda: are_finished(stopped))
        end = home.ended(client, flood).offset

    times = slowest(probers)
    print(f"{printed >> 20} MiB, {grown} KiB more, {times}")
    assert viewers == 2, "nobody is thrown out"
    assert printed > seconds * MIB
    assert grown < GROWTH_KIB
    assert {kind for kind, time_ in times.items() if time_ > QUICK} == set()
    assert {one.held.offset for one in stopped} == {end}
    assert {gap.reason for gap in stopped[0].gaps} == {"pruned"}


@pytest.mark.timeout(120)
def test_stopped_viewers_are_not_felt(tmp_path: Path) -> None:
    """T1, T9."""
    is_not_felt(tmp_path, seconds=8)


@pytest.mark.proof
@pytest.mark.timeout(240)
def test_stopped_viewers_are_not_felt_for_a_minute(tmp_path: Path) -> None:
    """T1, T9."""
    is_not_felt(tmp_path, seconds=60)


# -- killed


def survives(tmp_path: Path, kills: int, seed: int) -> None:
    with running_home(tmp_path / "h") as home, ExitStack() as stack:
        with home.client() as client:
            flood = Flood(home, client)
        lookers = [
            stack.enter_context(Looker(home, flood.id, since=0, policy=policy, window=window))
            for policy in ("lossless", "latest")
            for window in (4096, 64 << 10, MIB, 16 * MIB)
        ]
        killer = Killer(home, random.Random(seed))
        with ThreadPoolExecutor(1) as pool:
            killing = pool.submit(killer.kill, kills)
            while not killing.done():
                look_at(lookers, 0.05)
            killing.result()
        killer.settle()
        with home.client() as client:
            flood.finish(client)
            look_until(lookers, lambda: are_finished(lookers))
            log = home.output(client, flood.id)

    assert killer.tally.kills == kills
    for looker in lookers:
        assert {one.outcome for one in looker.attachments} == {"exact"}
        assert looker.data == without_gaps(log, looker)
        assert looker.held.offset == len(log)
    assert not [gap for looker in lookers[:4] for gap in looker.gaps]
    assert sum(len(looker.attachments) for looker in lookers) > kills


def without_gaps(log: bytes, looker: Looker) -> bytes:
    wanted, at = bytearray(), 0
    for gap in looker.gaps:
        wanted += log[at : gap.start]
        at = gap.end
    return bytes(wanted + log[at:])


@pytest.mark.timeout(120)
def test_viewers_of_a_daemon_that_is_killed_see_every_byte_once(tmp_path: Path) -> None:
    """T14."""
    survives(tmp_path, kills=15, seed=7)


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_viewers_of_a_daemon_that_is_killed_200_times_see_every_byte_once(tmp_path: Path) -> None:
    """T14."""
    survives(tmp_path, kills=200, seed=8)


# -- the disk


def test_an_echo_is_quick_beside_a_flood_with_viewers(tmp_path: Path) -> None:
    """T31; also while sessions come and go, each of which is written down and synced."""
    with running_home(tmp_path / "h") as home, home.client() as client, ExitStack() as stack:
        flood = Flood(home, client, pause=0.0002)
        asked: dict[str, Any] = {"policy": "lossless", "keep": False}
        lookers = [stack.enter_context(Looker(home, flood.id, **asked)) for _ in range(16)]
        prober = stack.enter_context(Prober(home, "echo"))
        for _ in range(20):
            home.create(client, "true")
            for _ in range(5):
                prober.probe(flood.id)
                look_at(lookers, 0)
        flood.finish(client)
        look_until(lookers, lambda: are_finished(lookers))

    times = slowest([prober])
    assert {kind for kind, time_ in times.items() if time_ > QUICK} == set(), times


def test_viewers_of_a_session_on_a_full_disk_miss_nothing(tmp_path: Path) -> None:
    """T18, T31: meanwhile who lists, attaches or leaves does not wait."""
    with scene(tmp_path) as (disk, home, client), ExitStack() as stack:
        prober = stack.enter_context(Prober(home, "list"))
        session = stalled(home, client).id
        asked: dict[str, Any] = {"since": 0, "policy": "lossless"}
        lookers = [stack.enter_context(Looker(home, session, **asked)) for _ in range(8)]
        offset = home.offset(client, session)
        look_until(lookers, lambda: all(one.held.offset == offset for one in lookers))
        for _ in range(50):
            prober.look_briefly(session)
        disk.free()
        look_until(lookers, lambda: are_finished(lookers))

    assert {bytes(looker.data) for looker in lookers} == {PRINTED}
    times = slowest([prober])
    assert {kind for kind, time_ in times.items() if time_ > QUICK} == set(), times
