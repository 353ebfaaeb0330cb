"""Viewers: cursors into the log, exact at every return, told the truth about every gap."""

import os
import shutil
import signal
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import InvalidArgument, NotFound
from holdfast.protocol.messages import (
    Attached,
    Clear,
    Detach,
    Detached,
    Forget,
    Get,
    Input,
    Kill,
    Role,
)
from tests.support.asking import Client
from tests.support.flood import Flood
from tests.support.home import Home, running_home, until
from tests.support.looker import Looker

TALK = "stty raw -echo; printf ready; exec cat"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with running_home(tmp_path / "h") as running:
        yield running


def talker(home: Home, client: Client, prints: bytes = b"") -> str:
    """A session that prints what is typed, and nothing else."""
    session = home.create(client, "sh", "-c", TALK).id
    until(lambda: home.offset(client, session) == 5, "the program to be ready")
    if prints:
        say(home, client, session, prints)
    return session


def say(home: Home, client: Client, session: str, data: bytes) -> None:
    begin = home.offset(client, session)
    typed = begin - 5
    for at in range(0, len(data), 256 << 10):
        client.call(Input(session=session, offset=typed + at, data=data[at : at + (256 << 10)]))
    until(lambda: home.offset(client, session) == begin + len(data), "it to be printed")


# -- how a viewer begins


def test_who_holds_nothing_gets_a_picture_and_then_every_byte(home: Home) -> None:
    with home.client() as client:
        session = talker(home, client, b"one\r\ntwo\r\n")
        with Looker(home, session) as looker:
            say(home, client, session, b"three")
            looker.until_offset(20)

    attached = looker.attached
    assert (attached.outcome, attached.offset, attached.fidelity) == ("snapshot", 15, "tail")
    assert attached.snapshot == b"readyone\r\ntwo\r\n"
    assert (attached.oldest, attached.end, attached.owner) == (0, 15, "other")
    assert len(attached.epoch) == 16
    assert looker.data == b"three"


def test_who_asks_from_an_offset_gets_exactly_what_follows(home: Home) -> None:
    with home.client() as client:
        session = talker(home, client, b"0123456789")
        with Looker(home, session, since=7) as looker:
            looker.until_offset(15)

    assert looker.attached.outcome == "exact"
    assert looker.data == b"23456789"


def test_a_big_log_is_read_whole_and_its_checksums_agree(home: Home) -> None:
    data = os.urandom(3 << 20)
    with home.client() as client:
        session = talker(home, client, data)
        with Looker(home, session, since=0, policy="lossless") as looker:
            looker.until_offset(5 + len(data))

    assert looker.data == b"ready" + data
    assert looker.digests == 12


def test_attaching_while_output_flows_misses_and_repeats_nothing(home: Home) -> None:
    """T4."""
    with home.client() as client:
        flood = Flood(home, client)
        lookers = []
        for _ in range(20):
            flood.grows(client)
            lookers.append(Looker(home, flood.id))
        info = flood.finish(client)
        log = home.output(client, flood.id)
        for looker in lookers:
            with looker:
                looker.until_finished()

    for looker in lookers:
        start = looker.attached.offset
        assert looker.data == log[start:]
        snapshot = looker.attached.snapshot
        assert log[start - len(snapshot) : start] == snapshot
    assert {looker.held.offset for looker in lookers} == {info.offset}


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        ({"epoch": bytes(16)}, "the log has begun a new epoch since"),
        ({"crc": 1}, "the log holds other bytes"),
        ({"since": 1 << 30}, "the log does not reach so far"),
    ],
)
def test_who_holds_something_else_is_told_so_and_gets_a_picture(
    home: Home, lie: dict[str, Any], reason: str
) -> None:
    with home.client() as client:
        session = talker(home, client, b"hello")
        with Looker(home, session, since=0) as looker:
            looker.until_offset(10)
            again = looker.reconnect(**lie)

    assert (again.outcome, again.reason, again.offset) == ("snapshot", reason, 10)
    assert again.snapshot == b"readyhello"


def test_who_holds_the_truth_goes_on_exactly_also_after_the_daemon_was_killed(home: Home) -> None:
    """T8: and nothing it holds is replaced."""
    with home.client() as client:
        session = talker(home, client, os.urandom(100_000))
        with Looker(home, session, since=0) as looker:
            looker.until_offset(100_005)
            home.next_daemon(home.kill_daemon())
            say(home, client, session, b"more")
            again = looker.reconnect()
            looker.until_offset(100_009)

    assert (again.outcome, again.reason, again.snapshot) == ("exact", "", b"")
    assert looker.data.endswith(b"more")


def test_the_end_is_told_once_everything_was_sent(home: Home) -> None:
    with home.client() as client:
        session = talker(home, client, b"last words")
        with Looker(home, session, since=0, role=Role.STREAM) as looker:
            client.call(Kill(session=session, now=True))
            finished = looker.until_finished()
        home.ended(client, session)
        with Looker(home, session, since=0) as late:
            late.until_finished()

    assert (finished.offset, finished.reason) == (15, "exited")
    assert looker.data == late.data == b"readylast words"


def test_a_session_whose_files_are_gone_says_so_and_has_no_viewer(home: Home) -> None:
    with home.client() as client:
        session = talker(home, client, b"once")
        client.call(Kill(session=session, now=True))
        home.ended(client, session)
        shutil.rmtree(home.paths.state / "sessions" / session)
        with Looker(home, session, since=0) as looker:
            attached = looker.attached
            with pytest.raises(InvalidArgument):
                looker.detach()

    assert (attached.outcome, attached.viewer, attached.offset) == ("gone", 0, 9)
    assert attached.reason == "what it printed is not there any more"


def test_a_viewer_that_leaves_gets_nothing_more(home: Home) -> None:
    with home.client() as client:
        session = talker(home, client)
        with Looker(home, session) as looker:
            assert client.call(Get(session=session)).viewers == 1
            assert looker.detach() == 5
            assert client.call(Get(session=session)).viewers == 0
            say(home, client, session, b"more")
            with pytest.raises(InvalidArgument):
                looker.ask(Detach(viewer=looker.attached.viewer), Detached)

    assert looker.data == b""


# -- gaps


def oldest_of(home: Home, session: str) -> int:
    with Looker(home, session) as looker:
        return looker.attached.oldest


def test_what_was_cleared_or_forgotten_is_one_gap_with_its_reason(home: Home) -> None:
    with home.client() as client:
        session = talker(home, client, os.urandom(2000))
        with Looker(home, session, since=0, window=4096, acks=False) as looker:
            looker.until_offset(2005)
            say(home, client, session, os.urandom(30_000))
            client.call(Forget(session=session, since=10_000, until=12_000))
            looker.ack()
            looker.until_offset(4096)
            client.call(Clear(session=session))
            say(home, client, session, b"after")
            looker.acks = True
            looker.ack()
            looker.until_offset(32_010)
            oldest = oldest_of(home, session)

    kinds = [(gap.start, gap.reason) for gap in looker.gaps]
    assert kinds[-1][1] == "cleared"
    assert {reason for _, reason in kinds} <= {"cleared", "forgotten"}
    assert looker.gaps[-1].end == oldest  # it keeps the screen
    assert looker.data.endswith(b"after")
    assert looker.count + sum(gap.end - gap.start for gap in looker.gaps) == 32_010


def test_a_session_that_is_forgotten_says_so_to_who_looks_at_it(home: Home) -> None:
    with home.client() as client:
        session = talker(home, client, b"secret")
        client.call(Kill(session=session, now=True))
        home.ended(client, session)
        with Looker(home, session, since=0, window=4096, acks=False) as looker:
            looker.until_finished()
            client.call(Forget(session=session))
            with pytest.raises(NotFound):
                Looker(home, session)


def test_retention_that_overtakes_a_viewer_is_one_gap(tmp_path: Path) -> None:
    """T7: too far behind has an exit."""
    settings = {"HOLDFAST_SESSION_KEEP": "8 MiB"}
    with running_home(tmp_path / "h", settings) as home, home.client() as client:
        session = talker(home, client, os.urandom(1000))
        with Looker(home, session, since=0, policy="lossless", window=4096, acks=False) as looker:
            looker.until_offset(1005)
            for _ in range(20):
                say(home, client, session, os.urandom(1 << 20))
            until(lambda: oldest_of(home, session) > 4096, "retention")
            looker.acks = True
            looker.ack()
            looker.until_offset(home.offset(client, session))
        (gap,) = looker.gaps
        log = home.output(client, session, gap.end)

    assert gap.reason == "pruned"
    assert zlib.crc32(looker.data[-len(log) :]) == zlib.crc32(log)
    assert looker.count + gap.end - gap.start == looker.held.offset


# -- windows, lag, and who is slow


def test_a_viewer_gets_a_window_and_waits(home: Home) -> None:
    """T3: for as long as it likes; nothing is killed and nobody else waits."""
    data = os.urandom(200_000)
    with home.client() as client:
        session = talker(home, client, data)
        with Looker(home, session, since=0, window=16_384, acks=False) as looker:
            looker.until_offset(16_384)
            client.call(Get(session=session))
            assert not looker.look(0.2)
            looker.ack()
            looker.until_offset(2 * 16_384)
            assert not looker.look(0.2)
            looker.acks = True
            looker.ack()
            looker.acks = True
            while looker.held.offset < len(data) + 5:
                looker.ack()
                looker.look(1)

    assert looker.data == b"ready" + data


def test_falling_behind_and_catching_up_is_told_when_it_happens(home: Home) -> None:
    with home.client() as client:
        session = talker(home, client)
        with Looker(home, session, policy="lossless", acks=False) as looker:
            say(home, client, session, os.urandom(3 << 20))
            looker.until(lambda: looker.levels)
            looker.acks = True
            looker.ack()
            looker.until_offset((3 << 20) + 5)

    assert looker.levels == ["behind", "live"]


@pytest.mark.slow
def test_who_wants_the_latest_skips_a_flood_it_can_not_keep_up_with(home: Home) -> None:
    """T7, T38: a gap and a picture; every byte stays in the log."""
    with home.client() as client:
        session = talker(home, client)
        with Looker(home, session, since=5, policy="latest", acks=False) as looker:
            for _ in range(12):
                say(home, client, session, os.urandom(1 << 20))
            # It takes its time: a window, and nothing more for a second.
            while looker.look(1):
                pass
            looker.ack()
            looker.until(lambda: looker.gaps)
            looker.acks = True
            say(home, client, session, b"now")
            looker.ack()
            looker.until(lambda: bytes(looker.data[-3:]) == b"now")
        log = home.output(client, session)

    (gap,) = looker.gaps
    assert gap.reason == "skipped"
    (snapshot,) = looker.snapshots
    assert snapshot.offset == gap.end
    assert log[: gap.end].endswith(snapshot.data)
    assert looker.count + gap.end - gap.start == len(log) - 5


def test_a_small_file_is_never_skipped(home: Home) -> None:
    """T38."""
    data = os.urandom(7 << 20)
    with home.client() as client:
        session = talker(home, client)
        with Looker(home, session, since=5, policy="latest", acks=False) as looker:
            say(home, client, session, data)
            looker.until_offset(768 << 10)
            looker.look(2.5)
            looker.acks = True
            looker.ack()
            looker.until_offset(5 + len(data))

    assert looker.data == data
    assert not looker.gaps


def test_a_program_waits_for_its_owner_if_the_owner_wants_that(home: Home) -> None:
    with home.client() as client:
        with Looker(
            home,
            (session := home.create(client, "yes").id),
            client_id=client.client_id,
            role=Role.STREAM,
            policy="lossless",
            pause="owner",
            acks=False,
        ) as looker:
            until(lambda: client.call(Get(session=session)).stalled, "the program to wait")
            stopped = home.offset(client, session)
            assert stopped < 8 << 20
            looker.acks = True
            looker.ack()
            looker.until(lambda: home.offset(client, session) > stopped + (4 << 20))
            looker.acks = False
            until(lambda: client.call(Get(session=session)).stalled, "the program to wait again")
        until(lambda: client.call(Get(session=session)).stalled is None, "the program to go on")


@pytest.mark.parametrize(
    ("asked", "argument"),
    [
        ({"since": -1}, "since"),
        ({"policy": "fast"}, "policy"),
        ({"window": 0}, "window"),
        ({"window": 1 << 40}, "window"),
        ({"pause": "all"}, "pause"),
        ({"scrollback": -1}, "scrollback"),
        ({"since": 3, "length": 4}, "length"),
    ],
)
def test_what_makes_no_sense_is_refused(home: Home, asked: dict[str, Any], argument: str) -> None:
    with home.client() as client:
        session = talker(home, client)
        with pytest.raises(InvalidArgument) as caught:
            Looker(home, session, **asked)

    assert caught.value.facts["argument"] == argument


def test_a_killed_session_whose_owner_made_it_wait_still_ends(home: Home) -> None:
    with home.client() as client:
        session = home.create(client, "yes").id
        with Looker(
            home,
            session,
            client_id=client.client_id,
            policy="lossless",
            pause="owner",
            acks=False,
        ):
            until(lambda: client.call(Get(session=session)).stalled, "the program to wait")
            pid = client.call(Get(session=session)).pid
            assert pid
            os.kill(pid, signal.SIGKILL)
            home.ended(client, session)


def test_a_line_without_end_is_shown_from_a_whole_character(home: Home) -> None:
    """T9."""
    program = "import os; os.write(1, 'é'.encode() * 300_000); input()"
    with home.client() as client:
        session = home.create(client, sys.executable, "-I", "-S", "-c", program).id
        until(lambda: home.offset(client, session) == 600_000, "the line")
        with Looker(home, session) as looker:
            snapshot: Attached = looker.attached

    assert 64_000 < len(snapshot.snapshot) <= 65_536
    assert set(snapshot.snapshot.decode()) == {"é"}
