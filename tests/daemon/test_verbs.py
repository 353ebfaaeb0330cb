"""Signal, rename, kill all and wait, as clients see them; also across deaths."""

import os
import signal
import time
from pathlib import Path

import pytest

from holdfast.errors import (
    InvalidArgument,
    InvalidSignal,
    NotFound,
    SessionGone,
    SessionTerminating,
    TimedOut,
)
from holdfast.protocol.messages import Get, Kill, KillAll, Rename, SessionInfo, Signal, Wait
from holdfast.session.signals import SIGNALS
from tests.support.asking import Client
from tests.support.home import Home, running_home, until

pytestmark = pytest.mark.slow

COUNTER = "trap 'echo hit' USR1; echo ready; while :; do sleep 0.01; done"
STUBBORN = "trap '' TERM HUP; echo ready; while :; do sleep 0.02; done"


def ready(home: Home, client: Client, script: str, **more: str) -> SessionInfo:
    session = home.create(client, "bash", "-c", script, **more)
    until(lambda: b"ready" in home.output(client, session.id), "the program to be ready")
    return session


def hits(home: Home, client: Client, session: SessionInfo) -> int:
    return home.output(client, session.id).count(b"hit")


def heard(home: Home, client: Client, session: SessionInfo, word: str, times: int) -> None:
    """Wait until the program has said *word* so often."""
    data = word.encode()
    until(lambda: home.output(client, session.id).count(data) >= times, f"{word} {times} times")


# -- signal


def test_each_signal_of_the_list_reaches_the_program_in_any_spelling(tmp_path: Path) -> None:
    plain = [name for name in SIGNALS if name not in ("KILL", "STOP")]
    traps = "".join(f"trap 'echo got {name}.' {name}; " for name in plain)
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = ready(home, client, traps + "echo ready; while :; do sleep 0.01; done")
        for name in plain:
            for times, spelled in ((1, name), (2, f"sig{name.lower()}")):
                client.call(Signal(session=session.id, signal=spelled))
                heard(home, client, session, f"got {name}.", times)


def test_a_signal_sent_twice_with_one_token_is_sent_once_also_by_the_next_daemon(
    tmp_path: Path,
) -> None:
    """T33: a client whose answer was cut off sends it again."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = ready(home, client, COUNTER)
        for turn in range(1, 6):
            message = Signal(session=session.id, signal="USR1", token=f"turn-{turn}")
            client.call(message)
            pid = home.kill_daemon()
            client.call(message)
            home.next_daemon(pid)
            client.call(message)
            client.call(Signal(session=session.id, signal="CONT"))
            heard(home, client, session, "hit", turn)
        client.call(Signal(session=session.id, signal="KILL"))
        home.ended(client, session.id)

        assert hits(home, client, session) == 5


def test_a_signal_waits_for_the_successor_of_a_keeper_that_was_killed(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = ready(home, client, COUNTER)
        for turn in range(1, 8):
            keeper = home.kill_keeper()
            client.call(Signal(session=session.id, signal="USR1"))
            heard(home, client, session, "hit", turn)
            home.another_keeper(keeper)


def test_what_may_not_be_signalled_says_why_and_changes_nothing(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = ready(home, client, STUBBORN)
        for name in ("SEGV", "", "SIG", "9", "\u017figint", "x" * 100_000):
            with pytest.raises(InvalidSignal, match="use one of HUP, INT"):
                client.call(Signal(session=session.id, signal=name))
        with pytest.raises(InvalidArgument, match="token"):
            client.call(Signal(session=session.id, signal="KILL", token="x" * 65))
        with pytest.raises(NotFound):
            client.call(Signal(session="nobody", signal="INT"))
        client.call(Kill(session=session.id))
        with pytest.raises(SessionTerminating):
            client.call(Signal(session=session.id, signal="USR1"))
        client.call(Signal(session=session.id, signal="KILL"))
        ended = client.call(Wait(session=session.id, timeout=4))  # the grace is 5 s
        assert ended.exit_signal == signal.SIGKILL
        with pytest.raises(SessionGone):
            client.call(Signal(session=session.id, signal="KILL"))


# -- rename


def test_a_name_is_changed_found_kept_and_taken_away(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, "sleep", "100", name="old")
        client.call(Rename(session="old", name="new"))
        assert client.call(Get(session="new")).id == session.id
        with pytest.raises(NotFound):
            client.call(Get(session="old"))
        home.next_daemon(home.kill_daemon())
        assert client.call(Get(session="new")).id == session.id
        client.call(Kill(session=session.id, now=True))
        home.ended(client, session.id)
        client.call(Rename(session=session.id, name="dead"))
        home.power_off()
        assert client.call(Get(session="dead")).id == session.id
        assert client.call(Rename(session=session.id)).name == ""


def test_a_name_that_cannot_be_used_changes_nothing(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = ready(home, client, STUBBORN, name="old")
        for name in ("x" * 257, "a\nb", "\x1b[2J"):
            with pytest.raises(InvalidArgument, match="256 characters at most"):
                client.call(Rename(session=session.id, name=name))
        client.call(Kill(session=session.id))
        with pytest.raises(SessionTerminating):
            client.call(Rename(session=session.id, name="new"))
        assert client.call(Get(session=session.id)).name == "old"
        client.call(Kill(session=session.id, now=True))


# -- kill all


def test_kill_all_ends_what_lives_and_says_what(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        sessions = [home.create(client, "sleep", "100", name=f"n{n}") for n in range(5)]
        over = home.create(client, "true")
        home.ended(client, over.id)
        answer = client.call(KillAll(now=True))
        assert [one.id for one in answer.killed] == [session.id for session in sessions]
        assert answer.spared == []
        for session in sessions:
            ended = client.call(Wait(session=session.id, timeout=10))
            assert (ended.exit_signal, ended.killed_by) == (9, client.client_id)


def test_kill_all_sent_again_tells_the_same_and_ends_nothing_newer(tmp_path: Path) -> None:
    """T33: the daemon died before it answered."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        first = home.create(client, "sleep", "100")
        asked = time.time()
        client.call(KillAll(now=True, asked=asked))
        client.call(Wait(session=first.id, timeout=10))
        newer = home.create(client, "sleep", "100")
        home.next_daemon(home.kill_daemon())

        again = client.call(KillAll(now=True, asked=asked))

        assert [one.id for one in again.killed] == [first.id]
        assert home.state(client, newer.id) == "running"


# -- wait


def test_wait_answers_at_the_end_with_everything_known(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client, home.client() as other:
        session = ready(home, client, "echo ready; read x; exit 7")
        with pytest.raises(TimedOut):
            client.call(Wait(session=session.id, timeout=0.05))
        client.ask(Wait(session=session.id, timeout=30))
        client.call(Get(session=session.id))  # the other request has arrived as well
        other.call(Signal(session=session.id, signal="TERM", takeover=True))
        (reply,) = until(client.replies, "the answer")

        ended = reply.result
        assert isinstance(ended, SessionInfo)
        assert (ended.state, ended.exit_signal) == ("exited", signal.SIGTERM)
        assert ended.killed_by == other.client_id
        assert ended.maxrss_kib is not None
        assert 500 < ended.maxrss_kib < 100_000
        assert ended.duration is not None
        assert 0 < ended.duration < 20
        assert client.call(Wait(session=session.id, timeout=0)) == ended
        home.power_off()
        assert client.call(Wait(session=session.id)).killed_by == other.client_id


def test_who_ended_by_itself_was_ended_by_nobody(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = ready(
            home, client, "trap 'exit 3' USR1; echo ready; while :; do sleep 0.01; done"
        )
        client.call(Signal(session=session.id, signal="USR1"))
        ended = client.call(Wait(session=session.id))

        assert (ended.exit_code, ended.killed_by) == (3, "")


def test_a_wait_outlives_the_daemon(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, "sleep", "100")
        with home.client() as other:
            other.call(Kill(session=session.id, takeover=True))
            os.kill(home.running()["daemon"]["pid"], signal.SIGKILL)
        assert client.call(Wait(session=session.id, timeout=10)).exit_signal == signal.SIGTERM
