"""Programs that ask while nobody looks get what the last owner's terminal would have said."""

import os
import select
import signal
import sys
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

from holdfast.protocol.messages import GetStats, Input, List, Release, SessionInfo
from holdfast.terminal import asking
from holdfast.terminal.asking import QUESTIONS
from holdfast.terminal.attach import Local, Wish, attach
from tests.support.asking import Client
from tests.support.home import ROOT, Home, running_home, until

pytestmark = pytest.mark.slow

PROGRAM = [sys.executable, str(ROOT / "tests" / "support" / "introduced_program.py")]
ECHO = ["sh", "-c", "stty raw -echo; printf 'ready\\r\\n'; exec od -An -v -tx1 -w1"]
DETACH = b"\x1c\x1c"

LIGHT = (
    b"\x1b]11;rgb:fafa/fafa/f0f0\x07\x1b]4;1;rgb:cccc/0000/0000\x07\x1b[>41;354;0c\x1b[?64;1;22c"
)
COLOR = LIGHT.index(b"\a") + 1  # where the first of these ends
DARK = b"\x1b]11;rgb:1010/1010/1010\x07\x1b[>1;95;0c\x1b[?1;2c"
AS_LIGHT = b"^]11;rgb:fafa/fafa/f0f0^\\^]4;1;rgb:cccc/0000/0000^\\^[>41;354;0c^[?64;1;22c"
AS_NOBODY = b"^]4;1;rgb:cccc/6666/6666^\\^[>1;10;0c^[?62;22c"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with running_home(tmp_path / "h", {"HOLDFAST_READER_ENABLED": "on"}) as running:
        yield running


@contextmanager
def terminal(home: Home, *words: str) -> Iterator[pexpect.spawn]:
    """`hold run` in a terminal that was asked who it is, and that the test is."""
    environ = home.environ | {"TERM": "xterm"}
    arguments = ["-m", "holdfast", "run", *words]
    child = pexpect.spawn(sys.executable, arguments, env=environ, dimensions=(24, 80), timeout=20)
    child.delaybeforesend = None
    try:
        child.expect_exact(QUESTIONS)
        child.expect_exact("ready")  # so it looks on
        yield child
    finally:
        child.close(force=True)


def looked_at(home: Home, answers: bytes) -> None:
    """A person looks through a terminal that says so of itself, and leaves."""
    with terminal(home, "-k", "k", "--", *PROGRAM) as child:
        child.send(answers + DETACH)
        child.expect(pexpect.EOF)


def session_of(client: Client) -> SessionInfo:
    (session,) = client.call(List()).sessions
    return session


def answers(home: Home, key: bytes) -> bytes:
    """Have the program ask, and return what it was told."""
    with home.client() as client:  # an agent: it owns the session, and answers nothing
        session = session_of(client).id
        client.call(Input(session=session, offset=0, data=key))
        begin = key + b" said "

        def told() -> bytes:
            _, found, after = home.output(client, session).partition(begin)
            return after.partition(b".\r\n")[0] if found and b".\r\n" in after else b""

        return bytes.fromhex(until(told, "the program to be answered").decode())


def test_the_last_owners_terminal_is_answered_for(home: Home) -> None:
    """And the daemon and the reader that knew of it may be dead."""
    looked_at(home, LIGHT)
    assert answers(home, b"a") == AS_LIGHT

    with home.client() as client:
        reader = until(lambda: client.call(GetStats()).reader, "a reader")
    daemon = home.kill_daemon()
    home.next_daemon(daemon)
    assert answers(home, b"b") == AS_LIGHT
    os.kill(reader, signal.SIGKILL)
    assert answers(home, b"c") == AS_LIGHT


def test_a_restored_session_remembers_it(home: Home) -> None:
    with terminal(home, "-k", "k", "--restore", "always", "--", *PROGRAM) as child:
        child.send(LIGHT + DETACH)
        child.expect(pexpect.EOF)
    home.power_off()
    home.hold("restore", "k")

    assert answers(home, b"r") == AS_LIGHT


def test_nobodys_terminal_has_no_colours(home: Home) -> None:
    with home.client() as client:
        home.create(client, *PROGRAM, key="k")

    assert answers(home, b"a") == AS_NOBODY


def test_another_owner_has_another_terminal(home: Home) -> None:
    looked_at(home, DARK)
    with terminal(home, "-k", "k", "--", *PROGRAM) as child:
        child.send(b"x")  # who types into a session that is free owns it
        child.expect_exact("\x1b[c")
        child.send(LIGHT + b"\x1b[?64;1;22c")
        child.expect_exact("x said ")
        child.send(DETACH)
        child.expect(pexpect.EOF)

    assert answers(home, b"a") == AS_LIGHT


def test_who_only_looks_on_has_no_say(home: Home) -> None:
    with home.client() as client:
        session = home.create(client, *PROGRAM, key="k").id
        until(lambda: b"ready" in home.output(client, session), "the program to be ready")
        looked_at(home, LIGHT)

    assert answers(home, b"a") == AS_NOBODY


def test_who_looks_on_has_said_so_to_the_next_daemon_too(home: Home) -> None:
    """T14: and once the session is its own, its terminal counts."""
    with home.client() as client:
        session = home.create(client, *PROGRAM, key="k").id
        until(lambda: b"ready" in home.output(client, session), "the program to be ready")
        with terminal(home, "-k", "k", "--", *PROGRAM) as child:
            child.send(LIGHT + b"x")
            child.expect_exact("you look on")
            home.next_daemon(home.kill_daemon())
            client.call(Input(session=session, offset=0, data=b"q"))
            child.expect_exact("q said ")  # it is back
            client.call(Release(session=session))
            child.send(b"w")
            child.expect_exact("\x1b[c")
            child.send(b"\x1b[?64;1;22c")
            child.expect_exact("w said ")
            child.send(DETACH)
            child.expect(pexpect.EOF)

    assert answers(home, b"a") == AS_LIGHT


def test_late_answers_are_never_typed_and_keys_between_them_are(home: Home) -> None:
    """T10."""
    with terminal(home, "--", *ECHO) as child:
        child.send(b"a" + LIGHT[:5])
        child.expect_exact("61")
        child.send(LIGHT[5:COLOR] + b"b" + LIGHT[COLOR:-3])
        child.expect_exact("62")
        child.send(LIGHT[-3:] + b"c\x1b[?1;2cd")  # the second one the program has asked for
        child.expect_exact("64")

    typed = child.before.decode().split()
    assert typed == ["63", "1b", "5b", "3f", "31", "3b", "32", "63"]


def test_who_leaves_at_once_leaves_no_answers_to_the_shell(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "LEAVE_WITHIN", 20.0)  # on a machine as busy as it may be
    main, slave = os.openpty()
    tty.setraw(slave)
    left = threading.Event()
    answering = threading.Thread(target=answer_late, args=(main, left))
    with home.client() as client:
        session = home.create(client, "echo", "ready")
        ended = home.ended(client, session.id)
        answering.start()
        attach(client, ended, Local(slave, slave), Wish(fresh=True))
        left.set()
        answering.join()

        assert not select.select([slave], [], [], 0)[0]
    os.close(main)
    os.close(slave)


def answer_late(main: int, left: threading.Event) -> None:
    """Be a terminal that answers when everything was shown, and to one who has left by then."""
    seen = b""
    while b"ready" not in seen:
        seen += os.read(main, 64 << 10)
    left.wait(0.5)  # whoever does not wait for us has left by then; else it makes no difference
    os.write(main, LIGHT)
