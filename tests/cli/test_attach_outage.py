"""The daemon dies or is away while somebody types: a pause, and a word in the title."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import PIPE, Popen

import pytest

from holdfast.client.typing import STALE
from tests.support.hold import HOLD, Hold, Terminal
from tests.support.home import until

pytestmark = pytest.mark.slow

DETACH = b"\x1c\x1c"
# A program that shows each byte it reads, in a terminal that leaves them alone.
ECHO = "stty raw -echo; printf 'ready\\r\\n'; exec od -An -v -tx1 -w1"
LINES = "stty -echo; echo ready; exec cat"


def on(hold: Hold, script: str) -> Terminal:
    terminal = hold.terminal("run", "-n", "it", "--", "sh", "-c", script)
    terminal.expect("ready\r\n")
    return terminal


@contextmanager
def no_daemon(hold: Hold) -> Iterator[None]:
    """The daemon has died, and the keeper starts no other before the block ends."""
    status = hold.status()
    os.kill(status["keeper"]["pid"], signal.SIGSTOP)
    try:
        os.kill(status["daemon"]["pid"], signal.SIGKILL)
        yield
    finally:
        os.kill(status["keeper"]["pid"], signal.SIGCONT)


def test_what_was_typed_before_the_keys_to_leave_is_typed(hold: Hold) -> None:
    for turn in range(5):
        terminal = hold.terminal("run", "-k", "k", "--", "sh", "-c", LINES)
        terminal.expect("ready\r\n")
        terminal.send(b"turn %d\r" % turn + DETACH)
        assert terminal.end()[1] == 0

    def log() -> bytes:
        return hold.run("output", "k", "--raw").stdout

    until(lambda: log().count(b"\n") > 5, "all to be printed")
    assert log() == b"ready\r\n" + b"".join(b"turn %d\r\n" % turn for turn in range(5))


def test_what_was_typed_long_before_the_daemon_is_back_is_typed_by_nobody(hold: Hold) -> None:
    """T26: it was meant for a screen that is gone; who typed it is told."""
    terminal = on(hold, LINES)
    terminal.send("before\r")
    terminal.expect("before\r\n")
    with no_daemon(hold):
        terminal.send("rm -rf everything\r")
        terminal.expect("[the daemon is away; the program goes on]")
        typed_at = time.monotonic()
        until(lambda: time.monotonic() - typed_at > STALE, "it to be stale")

    terminal.expect("18 typed bytes were not sent; type them again]\x07\x07")
    terminal.send("after\r")
    terminal.expect("after\r\n")

    terminal.send(DETACH)
    assert terminal.end()[1] == 0
    assert hold.run("output", "it", "--raw").stdout == b"ready\r\nbefore\r\nafter\r\n"


def test_what_comes_from_a_pipe_is_typed_all_the_same(hold: Hold) -> None:
    """It looks at no screen, and nobody is there to type it again."""
    reader, writer = os.pipe()
    words = ["run", "-n", "it", "--", "sh", "-c", LINES]
    with Popen([*HOLD, *words], stdin=reader, stdout=PIPE, env=hold.environ) as running:
        os.close(reader)
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\r\n"
        with no_daemon(hold):
            os.write(writer, b"all the same\n")
            typed_at = time.monotonic()
            until(lambda: time.monotonic() - typed_at > STALE + 0.5, "it to be stale")
        assert running.stdout.readline() == b"all the same\r\n"
        os.close(writer)
        assert running.wait(20) == 0


def test_the_end_of_a_pipe_ends_no_program_that_was_there_before(hold: Hold) -> None:
    """`ssh there hold attach it`, broken off, or one of a script without input, ended the shell."""
    session = hold.start("-n", "it", "--", "sh", "-c", LINES)
    reader, writer = os.pipe()
    with Popen([*HOLD, "attach", "it"], stdin=reader, stdout=PIPE, env=hold.environ) as running:
        os.close(reader)
        os.write(writer, b"by a pipe\n")
        os.close(writer)
        assert running.stdout is not None
        while b"by a pipe" not in running.stdout.readline():
            pass
        hold.ok("send", "--takeover", session, "still here", "--enter")
        while b"still here" not in running.stdout.readline():
            pass
        hold.ok("kill", "--now", "--takeover", session)
        assert running.wait(20) == 128 + signal.SIGKILL


def test_a_restart_is_said_in_the_title_and_the_title_comes_back(hold: Hold) -> None:
    """Also over a full-screen program, in whose picture nothing is written."""
    script = r"stty -echo; printf '\033[?1049h\033]2;mine\007ready\n'; exec cat"
    terminal = on(hold, script)
    os.kill(hold.status()["daemon"]["pid"], signal.SIGKILL)

    terminal.expect("\x1b]2;[the daemon was restarted; nothing is lost]\x07")
    assert terminal.child.before in (b"", b"\x1b]2;[the daemon is away; the program goes on]\x07")
    terminal.expect("\x1b]2;mine\x07")
    assert terminal.child.before == b""
    terminal.send(DETACH)
    assert b"\x1b[23;2t" in terminal.end()[0]


def test_the_user_keeps_the_title_of_before(hold: Hold) -> None:
    terminal = hold.terminal("run", "--", "sh", "-c", r"printf '\033]2;mine\007'; exec cat")
    terminal.expect("\x1b[22;2t\x1b]2;mine\x07")
    terminal.send(DETACH)

    assert b"\x1b[23;2t" in terminal.end()[0]


def test_nothing_is_said_in_the_middle_of_a_sequence(hold: Hold) -> None:
    """T5: a word of ours waits until a program's sequence or character is whole."""
    script = (
        r"stty -echo; printf 'ready\n\033[3'; read x; "
        r"printf '1mred\342\202'; read x; printf '\254'; cat"
    )
    terminal = on(hold, script)
    terminal.expect("\x1b[3")
    os.kill(hold.status()["daemon"]["pid"], signal.SIGKILL)
    hold.ok("ls")
    terminal.send("\r")
    terminal.expect("1mred\xe2\x82".encode("latin-1"))
    assert terminal.child.before == b""
    terminal.send("\r")
    terminal.expect(b"\xac")
    assert terminal.child.before == b""
    terminal.expect("[the daemon was restarted; nothing is lost]")


def test_a_character_in_two_pieces_arrives_whole(hold: Hold) -> None:
    """T5: also with a key that is held back in between."""
    terminal = on(hold, ECHO)
    for piece in (b"\xe2", b"\x82", b"\xac\x1c", b"\xf0\x9f", b"\x98\x80"):
        terminal.send(piece)
    for byte in b"\xe2\x82\xac\x1c\xf0\x9f\x98\x80":
        terminal.expect(f" {byte:02x}")
    terminal.send(DETACH)
    assert terminal.end()[1] == 0


@pytest.mark.parametrize(
    ("switch", "press"),
    [
        (r"\033[>31u", b"\x1b[92;133u"),
        (r"\033[>31u", b"\x1b[92;5:1;28u"),
        (r"\033[>4;2m", b"\x1b[27;5;92~"),
        ("", b"\x1c"),
    ],
)
def test_the_keys_to_leave_in_the_encoding_of_the_program(
    hold: Hold, switch: str, press: bytes
) -> None:
    """T35: byte by byte, as a slow line brings them; and the encoding is switched off."""
    terminal = on(hold, f"printf '{switch}'; {ECHO}")
    for byte in press + press:
        terminal.send(bytes([byte]))

    shown, code = terminal.end()

    assert code == 0
    undone = {r"\033[>31u": b"\x1b[<99u", r"\033[>4;2m": b"\x1b[>4m", "": b""}[switch]
    assert undone in shown


def test_another_key_leaves_where_it_is_set(hold: Hold) -> None:
    hold.environ["HOLDFAST_ATTACH_KEY"] = "ctrl-]"
    terminal = on(hold, ECHO)
    terminal.send(DETACH)
    terminal.expect("1c")
    terminal.expect("1c")
    terminal.send("\x1d\x1d")

    assert terminal.end()[1] == 0
