"""How sessions end: by themselves, by a signal, late, never quite; and what is left of them."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.errors import NotFound, SessionGone, SessionTerminating
from holdfast.protocol.messages import Created, Get, Input, Kill, Resize, SessionInfo
from tests.support.asking import Client
from tests.support.home import Home, running_home, until
from tests.support.processes import children, is_alive

pytestmark = pytest.mark.slow

GRACE = {"HOLDFAST_SESSION_KILL_GRACE": "1s"}
STUBBORN = "trap '' TERM HUP; echo ready; while :; do sleep 0.05; done"


def shell(home: Home, client: Client, script: str) -> SessionInfo:
    return home.create(client, "bash", "-c", script)


def said(home: Home, client: Client, session: SessionInfo, words: bytes) -> bytes:
    """Wait until a session has printed *words*; return all it has printed."""
    return until(
        lambda: data if words in (data := home.output(client, session.id)) else None, repr(words)
    )


def get(client: Client, session: SessionInfo) -> SessionInfo:
    return client.call(Get(session=session.id))


def test_nothing_of_the_last_words_is_lost(tmp_path: Path) -> None:
    """T11: programs that exit at once; also when the news of both arrive together."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        sessions = [
            shell(home, client, f"printf 'x%.0s' $(seq {1 + 97 * n % 5000}); exit {n % 7}")
            for n in range(200)
        ]
        for n, session in enumerate(sessions):
            ended = home.ended(client, session.id)
            assert ended.exit_code == n % 7
            assert home.output(client, session.id) == b"x" * (1 + 97 * n % 5000)
            assert ended.offset == 1 + 97 * n % 5000
        keeper = home.status()["keeper"]["pid"]
        until(lambda: not children(keeper, "Z"), "the last zombie to be reaped")


def test_an_end_that_is_told_with_the_start_is_heard(tmp_path: Path) -> None:
    """A daemon that is stopped hears both at once when it goes on."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        daemon = home.running()["daemon"]["pid"]
        numbers = [client.ask(home.create_request("true")) for _ in range(20)]
        os.kill(daemon, signal.SIGSTOP)
        until(lambda: home.status()["sessions"] == 0, "the programs to end")
        os.kill(daemon, signal.SIGCONT)
        made: list[Created] = []
        while len(made) < len(numbers):
            made += [one.result for one in client.replies() if isinstance(one.result, Created)]

        for one in made:
            assert home.ended(client, one.session.id).exit_code == 0


def test_a_background_process_keeps_no_session(tmp_path: Path) -> None:
    """T30: silent, it ends a second after its program; the code is kept."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = shell(home, client, "trap '' HUP; (sleep 60) & echo bye; exit 7")
        said(home, client, session, b"bye")
        ended = home.ended(client, session.id)

        assert ended.exit_code == 7
        assert ended.ended is not None
        assert 0.9 < time.time() - ended.ended < 4


@pytest.mark.proof
def test_a_background_process_that_prints_ends_with_its_session(tmp_path: Path) -> None:
    """T30: ten seconds at most, however it floods; others have their turns."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = shell(home, client, "trap '' HUP; (while :; do echo x; done) & exit 8")
        begin = time.monotonic()
        until(lambda: get(client, session).state == "terminating", "the program to end")
        ended = home.ended(client, session.id)

        assert ended.exit_code == 8
        assert 9 < time.monotonic() - begin < 16
        # Its terminal was closed, as that of a closed window.
        until(lambda: home.status()["sessions"] == 0, "the keeper to forget it")


def test_an_end_of_output_is_not_the_end_of_a_program(tmp_path: Path) -> None:
    """T11: it closes its terminal, opens it again, and its last words count."""
    script = "t=$(tty); exec <&- >&- 2>&-; sleep 0.7; exec >$t; echo again; sleep 0.7; exec >&-; "
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = shell(home, client, f"{script} sleep 1.2; echo last >$t; exit 4")
        said(home, client, session, b"again")
        assert get(client, session).state == "running"
        ended = home.ended(client, session.id)

        assert ended.exit_code == 4
        assert home.output(client, session.id) == b"again\r\nlast\r\n"


def ends_at_once(begin: Callable[[Home, Client], SessionInfo], tmp_path: Path) -> SessionInfo:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = begin(home, client)
        started = time.monotonic()
        client.call(Kill(session=session.id))
        ended = home.ended(client, session.id)
        assert time.monotonic() - started < 3, "it took the grace of 5 s, or most of it"
        return ended


def test_an_interactive_shell_ends_at_once(tmp_path: Path) -> None:
    """It ignores TERM; what it listens to is the closing of its terminal."""

    def begin(home: Home, client: Client) -> SessionInfo:
        session = home.create(client, "bash", "--norc", "-i")
        said(
            home, client, session, b"bash-"
        )  # its prompt: before, TERM ends it as it does any program
        client.call(Input(session=session.id, offset=0, data=b"sleep 1000 & sleep 999\r"))
        said(home, client, session, b"sleep 999\r\n")
        return session

    assert ends_at_once(begin, tmp_path).exit_signal == signal.SIGHUP


FORKING = """
import signal
TERM = {signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, TERM)
print("ready", flush=True)
while not signal.sigpending() & TERM:
    pass
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_UNBLOCK, TERM)
while True:
    signal.pause()
"""


def test_a_shell_that_is_asked_while_it_forks_ends_at_once(tmp_path: Path) -> None:
    """For that moment bash does not ignore TERM but blocks it, and throws it away after."""

    def begin(home: Home, client: Client) -> SessionInfo:
        session = home.create(client, sys.executable, "-Ic", FORKING)
        said(home, client, session, b"ready")
        return session

    assert ends_at_once(begin, tmp_path).exit_signal == signal.SIGHUP


CLEARING_UP = """
import signal, time
def clear_up(*_):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(1.5)
    raise SystemExit(3)
signal.signal(signal.SIGTERM, clear_up)
print("ready", flush=True)
while True:
    signal.pause()
"""


def test_who_clears_up_after_term_is_left_alone(tmp_path: Path) -> None:
    """It caught the first, and ignores a second: not a shell, so it is not hung up on."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, sys.executable, "-Ic", CLEARING_UP)
        said(home, client, session, b"ready")
        client.call(Kill(session=session.id))

        assert home.ended(client, session.id).exit_code == 3


def test_a_stopped_program_ends_at_once(tmp_path: Path) -> None:
    def begin(home: Home, client: Client) -> SessionInfo:
        session = home.create(client, "sleep", "1000")
        assert session.pid
        os.kill(session.pid, signal.SIGSTOP)
        return session

    assert ends_at_once(begin, tmp_path).exit_signal == signal.SIGTERM


def test_a_program_that_was_suspended_by_its_key_ends(tmp_path: Path) -> None:
    def begin(home: Home, client: Client) -> SessionInfo:
        session = home.create(client, "sh", "-c", "echo ready; exec cat")
        said(home, client, session, b"ready")
        client.call(Input(session=session.id, offset=0, data=b"\x1a"))
        return session

    ends_at_once(begin, tmp_path)


def test_a_program_that_does_not_listen_is_killed_after_the_grace(tmp_path: Path) -> None:
    with running_home(tmp_path / "h", GRACE) as home, home.client() as client:
        session = shell(home, client, STUBBORN)
        said(home, client, session, b"ready")
        begin = time.monotonic()
        client.call(Kill(session=session.id))
        assert get(client, session).state == "terminating"
        for change in (
            Input(session=session.id, offset=0, data=b"x"),
            Resize(session=session.id, cols=10, rows=10),
        ):
            with pytest.raises(SessionTerminating):
                client.call(change)
        client.call(Kill(session=session.id))  # again: the first deadline holds
        ended = home.ended(client, session.id)

        assert ended.exit_signal == signal.SIGKILL
        assert 0.9 < time.monotonic() - begin < 3
        assert session.pid
        assert not is_alive(session.pid)


@pytest.mark.parametrize("victim", ["daemon", "keeper"])
def test_the_deadline_holds_while_those_who_keep_it_die(tmp_path: Path, victim: str) -> None:
    """T33: a kill that was answered happens."""
    with running_home(tmp_path / "h", GRACE) as home, home.client() as client:
        session = shell(home, client, STUBBORN)
        said(home, client, session, b"ready")
        if victim == "daemon":
            home.with_spare()
        client.call(Kill(session=session.id))
        status = home.running()
        os.kill(status[victim]["pid"], signal.SIGKILL)

        assert until(lambda: get(client, session), "an answer").state in ("terminating", "exited")
        home.ended(client, session.id)
        assert session.pid
        assert not is_alive(session.pid)
        until(lambda: home.running()[victim]["pid"] != status[victim]["pid"], "a successor")


def test_a_kill_just_before_the_death_of_the_daemon_happens(tmp_path: Path) -> None:
    """T33: the keeper hears out a daemon that died with its last words on the way."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        for _ in range(4):
            session = home.create(client, "sleep", "1000")
            pid = home.running()["daemon"]["pid"]
            client.call(Kill(session=session.id, now=True))
            os.kill(pid, signal.SIGKILL)
            home.next_daemon(pid)
            assert home.ended(client, session.id).exit_signal == signal.SIGKILL


def test_now_means_now(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = shell(home, client, STUBBORN)
        said(home, client, session, b"ready")
        client.call(Kill(session=session.id))
        client.call(Kill(session=session.id, now=True))

        assert home.ended(client, session.id).exit_signal == signal.SIGKILL


def test_a_flood_ends_and_its_log_is_whole_up_to_there(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, "yes", "0123456789")
        until(lambda: get(client, session).offset > 1 << 20, "a megabyte")
        client.call(Kill(session=session.id))
        ended = home.ended(client, session.id)
        data = home.output(client, session.id)

    assert len(data) == ended.offset
    assert (b"0123456789\r\n" * (len(data) // 12 + 1)).startswith(data)


def test_a_program_that_forks_away_is_followed_to_its_end(tmp_path: Path) -> None:
    """T11: the parent is gone at once, a daemonised child without the terminal lives on."""
    fork = "import os, time; os.fork() and os._exit(9); os.setsid(); "
    fork += "[os.close(f) for f in range(3)]; time.sleep(30)"
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, sys.executable, "-Ic", fork)
        begin = time.monotonic()

        assert home.ended(client, session.id).exit_code == 9
        assert time.monotonic() - begin < 3


def test_what_has_ended_or_never_was_cannot_be_killed(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, "true")
        home.ended(client, session.id)
        for change in (
            Kill(session=session.id),
            Kill(session=session.id, now=True),
            Input(session=session.id, offset=0, data=b"x"),
            Resize(session=session.id, cols=10, rows=10),
        ):
            with pytest.raises(SessionGone):
                client.call(change)
        for name in ("nobody", "", "x" * 3_000_000):
            with pytest.raises(NotFound):
                client.call(Kill(session=name))


LEADER = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
if os.fork() == 0:
    os.setpgid(0, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.tcsetpgrp(0, os.getpgrp())
    def heard(*_):
        open(sys.argv[1], "w").write("HUP")
        os._exit(0)
    signal.signal(signal.SIGHUP, heard)
    os.write(1, b"ready")
while True:
    time.sleep(1)
"""


def test_the_foreground_job_of_a_shell_hears_the_end_too(tmp_path: Path) -> None:
    """As from a closing terminal: the shell may just have begun to wait for it."""
    got = tmp_path / "got"
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, sys.executable, "-Ic", LEADER, str(got))
        said(home, client, session, b"ready")
        client.call(Kill(session=session.id))
        until(lambda: got.exists() and got.read_text() == "HUP", "the job to hear it")
        client.call(Kill(session=session.id, now=True))
        home.ended(client, session.id)
