"""Events: each once and in order, across the death of the daemon and beside who never reads."""

import os
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice, pairwise
from pathlib import Path

import pytest

from holdfast.errors import InvalidArgument, NotFound
from holdfast.protocol.client_end import EventReceived, ReplyReceived, Welcomed
from holdfast.protocol.messages import (
    CaughtUp,
    Clear,
    Event,
    Forget,
    Get,
    Kill,
    List,
    Message,
    Ping,
    Resize,
    Role,
    Subscribe,
    Subscribed,
)
from holdfast.store.journal import Journal
from holdfast.store.journal_rows import EVENTS_KEPT
from tests.support.asking import Client, subscribed
from tests.support.home import Home, running_home, until
from tests.support.peer import Peer, peer
from tests.support.processes import resident_kib

pytestmark = pytest.mark.slow

CAT = ("sh", "-c", "stty -echo; echo ready; exec cat")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with running_home(tmp_path / "h") as running:
        running.hold("daemon", "start")
        yield running


def resize(client: Client, session: str, counts: range) -> None:
    """Make an event of each count, told by its columns."""
    for count in counts:
        client.call(Resize(session=session, cols=count, rows=24))


def kept(client: Client, last: int, since: int = 0, session: str = "") -> list[Event]:
    """Return what is kept once the resize to *last* columns is: it is committed by and by."""

    def complete() -> list[Event] | None:
        events = list(subscribed(client, since, session).kept())
        return events if cols(events)[-1:] == [last] else None

    return until(complete, "the last event")


def ready(home: Home, client: Client) -> str:
    """Start a program that has printed a line, and return its session."""
    session = home.create(client, *CAT).id
    until(lambda: home.offset(client, session) > 0, "the program to be ready")
    return session


def kinds(told: list[Event]) -> list[str]:
    return [event.kind for event in told]


def cols(told: list[Event]) -> list[object]:
    return [event.facts["cols"] for event in told if event.kind == "resized"]


# -- what is told


def test_the_life_of_a_session_is_told_as_it_happens(home: Home) -> None:
    with home.client() as client, home.client() as watcher:
        told = iter(subscribed(watcher))
        session = home.create(client, *CAT, name="build").id
        until(lambda: home.offset(client, session) > 0, "the program to be ready")
        client.call(Resize(session=session, cols=100, rows=30))
        client.call(Resize(session=session, cols=100, rows=30))
        client.call(Clear(session=session))
        client.call(Forget(session=session, since=0, until=2))
        client.call(Kill(session=session))
        events = [event for event in islice(told, 7) if event.kind != "owner_changed"]

    assert kinds(events) == ["created", "resized", "cleared", "forgotten", "exit"]
    assert {event.session for event in events} == {session}
    assert events[0].facts["name"] == "build"
    assert (events[1].facts["cols"], events[1].facts["rows"]) == (100, 30)
    assert events[4].facts["signal"] == 15


def test_what_happened_before_is_told_first_and_said_to_be_all(home: Home) -> None:
    with home.client() as client:
        session = home.create(client, *CAT).id
        resize(client, session, range(100, 350))

        events = kept(client, 349)
        again = kept(client, 349, events[-2].number)

    assert cols(events) == list(range(100, 350))
    assert again == events[-1:]


def test_a_second_subscription_hears_nothing_of_the_first(home: Home) -> None:
    with home.client() as client:
        session = home.create(client, *CAT).id
        subscribed(client)  # goes on while this is told, and is not looked at
        resize(client, session, range(100, 200))
        until(lambda: [e for e in kept(client, 199) if e.kind == "resized"], "all of it")
        for _ in range(20):
            first = subscribed(client, 0)
            resize(client, session, range(300, 305))
            resize(client, session, range(199, 200))
            assert next(iter(subscribed(client, 0))).kind == "created"
            del first


def test_one_session_is_told_alone(home: Home) -> None:
    with home.client() as client:
        one, other = (home.create(client, *CAT, name=name).id for name in ("one", "other"))
        resize(client, other, range(100, 250))
        resize(client, one, range(100, 103))
        kept(client, 102)
        told = subscribed(client, 0, "one")
        events = list(told.kept())
        resize(client, other, range(300, 303))
        resize(client, one, range(103, 105))
        live = list(islice(told, 2))

    assert {event.session for event in events} == {one}
    assert cols(events + live) == [100, 101, 102, 103, 104]


def test_nothing_is_told_of_an_ephemeral_session(home: Home) -> None:
    with home.client() as client:
        told = iter(subscribed(client))
        hidden = home.create(client, "true", ephemeral=True).id
        home.ended(client, hidden)
        shown = home.create(client, "true").id

        assert next(told).session == shown


def test_of_a_forgotten_session_only_its_end_is_known(home: Home) -> None:
    with home.client() as client:
        # It may be over before it is owned, or not.
        told = (event for event in subscribed(client) if event.kind != "owner_changed")
        session = home.create(client, "true", name="secret").id
        home.ended(client, session)
        client.call(Forget(session=session))
        live = list(islice(told, 3))

        kept = list(subscribed(client, 0).kept())

    assert kinds(live) == ["created", "exit", "forgotten"]
    assert [(event.kind, event.facts) for event in kept] == [("forgotten", {"gone": True})]


@pytest.mark.parametrize("since", [-1, 1 << 60])
def test_numbers_that_no_event_can_have_are_refused(home: Home, since: int) -> None:
    with home.client() as client:
        with pytest.raises(InvalidArgument, match="since"):
            client.call(Subscribe(since=since))
        with pytest.raises(NotFound):
            client.call(Subscribe(session="nobody"))


def test_a_number_beyond_the_newest_waits_for_a_higher_one(home: Home) -> None:
    """After a power cut the journal may know less than was told."""
    with home.client() as client:
        session = home.create(client, *CAT).id
        resize(client, session, range(99, 100))
        newest = kept(client, 99)[-1].number
        told = subscribed(client, newest + 2)
        resize(client, session, range(100, 105))

        assert cols(list(islice(told, 3))) == [102, 103, 104]


def test_a_second_subscription_takes_the_place_of_the_first(home: Home) -> None:
    with home.client() as client, peer(home, role=Role.STREAM) as watcher:
        one, other = (home.create(client, *CAT).id for _ in range(2))
        watcher.wait(Welcomed)
        for session in (one, other):
            watcher.request(Subscribe(session=session))
            watcher.wait(ReplyReceived)
        watcher.heard.clear()
        resize(client, one, range(100, 120))
        resize(client, other, range(200, 202))

        assert cols(told_by(watcher, 2)) == [200, 201]


def told_by(watcher: Peer, count: int) -> list[Event]:
    """Return the next changes of size that a raw connection hears of."""
    found: list[Event] = []
    while len(found) < count:
        received = watcher.wait(EventReceived)
        assert isinstance(received, EventReceived)
        if isinstance(received.message, Event) and received.message.kind == "resized":
            found.append(received.message)
    return found


# -- what is not kept any more


def test_a_number_older_than_what_is_kept_is_told_so(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        home.paths.journal.parent.mkdir(parents=True, mode=0o700)
        with Journal.open(home.paths.journal) as journal:
            for _ in range(EVENTS_KEPT + 5):
                journal.append_event(1.0, "aaaaaa", "resized", {})
        with home.client() as client:
            late = client.call(Subscribe(since=4))
            in_time = client.call(Subscribe(since=5))
            first = next(iter(subscribed(client, 0)))

    assert late == Subscribed(newest=EVENTS_KEPT + 5, oldest=6, missed=True)
    assert not in_time.missed
    assert first.number == 6


# -- deaths


def test_no_event_is_lost_or_told_twice_when_the_daemon_is_killed(home: Home) -> None:
    """A subscriber follows while the daemon dies again and again under changes."""
    with home.client() as client, home.client() as watcher:
        session = home.create(client, *CAT).id
        subscription = subscribed(watcher, 0)
        told: list[Event] = []

        def follow() -> None:
            for event in subscription:
                told.append(event)
                if event.kind == "exit":
                    return

        follower = threading.Thread(target=follow)
        follower.start()
        for turn in range(5):
            resize(client, session, range(100 + turn * 40, 120 + turn * 40))
            pid = home.kill_daemon()
            resize(client, session, range(120 + turn * 40, 140 + turn * 40))
            home.next_daemon(pid)
            # What was answered a moment before a kill may not be written down; then nobody
            # was told of it either.
            resize(client, session, range(139 + turn * 40, 141 + turn * 40))
        client.call(Kill(session=session, now=True))
        follower.join(20)
        written = list(subscribed(client, 0).kept())

    numbers = [event.number for event in told]
    assert not follower.is_alive()
    assert numbers == sorted(set(numbers))
    assert told == written
    assert len(cols(told)) > 100  # of 210: what a kill cut off was not written, nor told


def test_who_has_seen_nothing_yet_misses_nothing_either(home: Home) -> None:
    with home.client() as client, home.client() as watcher:
        session = home.create(client, *CAT).id
        told = (event for event in subscribed(watcher) if event.kind == "resized")
        home.next_daemon(home.kill_daemon())
        resize(client, session, range(100, 103))
        kept(client, 102)

        assert cols(list(islice(told, 3))) == [100, 101, 102]


@contextmanager
def journal_that_takes_nothing(home: Home) -> Iterator[None]:
    """Hold the lock that every commit needs."""
    blocking = sqlite3.connect(home.paths.journal, isolation_level=None)
    try:
        blocking.execute("BEGIN IMMEDIATE")
        yield
    finally:
        blocking.close()


def test_a_begin_and_an_end_that_were_not_written_before_a_kill_are_told_after_it(
    home: Home,
) -> None:
    with home.client() as client, home.client() as watcher:
        old = ready(home, client)
        told = (event for event in subscribed(watcher) if event.kind != "owner_changed")
        with journal_that_takes_nothing(home):
            request = home.create_request(*CAT, creation="c0ffee")
            client.ask(request)
            until(lambda: len(watcher.call(List()).sessions) == 2, "the new session")
            pid = watcher.call(Get(session=old)).pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            home.ended(watcher, old)
            daemon = home.kill_daemon()
        home.next_daemon(daemon)
        new = client.call(request).session.id
        resize(client, new, range(100, 101))
        events = list(islice(told, 3))

        assert kinds(events)[2] == "resized"
        assert {(event.session, event.kind) for event in events[:2]} == {
            (new, "created"),
            (old, "exit"),
        }
        home.next_daemon(home.kill_daemon())
        resize(client, new, range(101, 102))
        assert kinds(kept(client, 101))[-2:] == ["resized", "resized"]


# -- who does not read


def flood(client: Client, session: str, count: int, told: Iterator[Event]) -> list[object]:
    """Make that many events, while pings are answered, and see them told.

    What is not committed yet waits in memory: it must not look like what a subscriber costs.
    """
    shown: list[object] = []
    for first in range(0, count, 200):
        for width in range(100 + first % 800, 300 + first % 800):
            client.ask(Resize(session=session, cols=width, rows=24))
        client.call(Ping(), timeout=2)
        shown += cols(list(islice(told, 200)))
    return shown


def test_a_subscriber_that_never_reads_costs_little_and_delays_nobody(home: Home) -> None:
    count = 8_000  # 800 times a whole number, so that each one changes the size
    floods = 4
    with home.client() as client, peer(home, role=Role.STREAM) as mute, home.client() as watcher:
        session = home.create(client, *CAT).id
        mute.wait(Welcomed)
        mute.request(Subscribe(since=0))
        told = (event for event in subscribed(watcher) if event.kind == "resized")
        daemon = home.running()["daemon"]["pid"]
        shown: list[object] = []
        resident = [resident_kib(daemon)]
        for _ in range(floods):
            shown += flood(client, session, count, told)
            resident.append(resident_kib(daemon))
        late = cols(told_by(mute, floods * count))

    assert shown == [100 + number % 800 for number in range(count)] * floods
    assert late == shown
    # Caches fill once; a queue would grow by 4 MB in every flood.
    grown = [later - earlier for earlier, later in pairwise(resident)]
    print(f"grown by {grown} KiB")
    assert min(grown) < 1_000


def test_who_was_behind_hears_that_it_has_caught_up_once(home: Home) -> None:
    with home.client() as client, peer(home, role=Role.STREAM) as watcher:
        session = home.create(client, *CAT).id
        resize(client, session, range(100, 400))
        kept(client, 399)
        watcher.wait(Welcomed)
        watcher.request(Subscribe(since=0))
        messages: list[Message] = []
        while not messages or not isinstance(messages[-1], CaughtUp):
            received = watcher.wait(EventReceived)
            assert isinstance(received, EventReceived)
            messages.append(received.message)
        resize(client, session, range(400, 402))

        before = messages[-2]
        assert isinstance(before, Event)
        assert messages[-1] == CaughtUp(number=before.number)
        assert cols(told_by(watcher, 2)) == [400, 401]
        assert not any(isinstance(each, EventReceived) for each in watcher.heard)
