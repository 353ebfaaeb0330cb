"""`hold attach` shows the screen before it can do anything else, and goes on from there."""

import os
import re
import signal
import sys
import termios
from pathlib import Path

import pexpect
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.cli.first_look import drawn
from holdfast.terminal.display import PAINTED_OVER
from holdfast.terminal.outer import BELOW, scrolled_away
from tests.support.hold import BEGUN, HOLD, Hold, comes
from tests.support.home import until
from tests.support.tmux import PROMPT, running_tmux

ALTERNATE = b"\x1b[?1049"
ALLOWED = re.compile(rb"\x1b(?:[78]|\[[0-9;:]*[mHABCDGdJKXPb@])")
SEQUENCES = st.sampled_from(
    [
        b"\x1b[31m",
        b"\x1b[2;3H",
        b"\x1b[?1049h",
        b"\x1b[?1002h",
        b"\x1b]0;x\x07",
        b"\x1b[>1u",
        b"\x1b(0",
    ]
)
LOOK = """
import os, sys, signal
from holdfast.cli.first_look import FirstLook
os.read(0, 100)
look = FirstLook()
look.show(sys.argv[1:], os.environ)
os.write(1, b"looked")
signal.pause()
"""
# What was there when it was looked at is not there any more.
GONE = (
    LOOK.partition("os.write")[0]
    + """
from holdfast.cli.dispatch import run
sys.exit(run(["attach", "nobody"], look=look))
"""
)


@pytest.mark.parametrize(
    ("picture", "shown"),
    [
        (b"one\r\n\x1b[0;31mtwo\x1b[m\x1b[3;1H", b"one\r\n\x1b[0;31mtwo\x1b[m\x1b[3;1H"),
        (b"a\x1b[?1002h\x1b[?2004hb", b"ab"),  # mouse and paste would have to be undone
        (b"a\x1b]0;title\x07b\x1b]2;x\x1b\\c", b"abc"),
        (b"a\x1bP>|x\x1b\\b\x1b(0c\x1b=d", b"abcd"),
        (b"a\x1b[>1ub\x1b[=1;1uc\x1b[>4;2md\x1b[2 qe", b"abcde"),
        (b"below\x1b[?1049habove", b"below\x1b[m\x1b[H\x1b[Jabove"),
        (b"a\x07\x0e\x00b", b"ab"),
        (b"end\x1b[3", b"end"),
        (b"end\x1b]0;x", b"end"),
        ("grün ✓".encode(), "grün ✓".encode()),
    ],
)
def test_only_what_draws_is_drawn(picture: bytes, shown: bytes) -> None:
    assert drawn(picture) == shown


@given(st.lists(SEQUENCES | st.binary(max_size=20)).map(b"".join))
def test_nothing_that_would_have_to_be_undone_gets_through(picture: bytes) -> None:
    rest = ALLOWED.sub(b"", drawn(picture))

    assert b"\x1b" not in rest
    assert not any(byte < 0x20 and byte not in b"\r\n\b\t" for byte in rest)


@pytest.fixture
def screened(hold: Hold) -> Hold:
    """A Holdfast with a reader and a session whose screen it has drawn."""
    hold.environ |= {"HOLDFAST_READER_ENABLED": "on", "TERM": "xterm-256color"}
    hold.ok(
        "run", "-d", "-n", "one", "--size", "80x24", "--", "sh", "-c", "echo in-sight; exec cat"
    )
    until(lambda: "in-sight" in hold.ok("screen", "one"), "the screen to be drawn")
    hold.draws("one")
    return hold


@pytest.mark.slow
@pytest.mark.parametrize("words", [["attach", "one"], ["attach"], []])
def test_the_session_goes_on_where_the_first_look_was(screened: Hold, words: list[str]) -> None:
    """T5, T8. What the shell had on its screen has scrolled away once, and nothing is cleared."""
    attached = screened.terminal(*words)

    attached.expect(scrolled_away(24))
    attached.expect(b"in-sight")
    attached.expect(PAINTED_OVER)
    painted = attached.child.before
    attached.expect(b"in-sight")
    painted += attached.child.before
    attached.send("\x1c\x1c")
    attached.end()
    assert ALTERNATE not in painted
    assert b"\n" * 24 not in painted
    assert attached.modes() == attached.before


@pytest.mark.slow
def test_what_is_typed_meanwhile_is_for_the_session(screened: Hold) -> None:
    """T12. Nothing of it is echoed here, and all of it arrives."""
    attached = screened.terminal("attach", "one")
    attached.expect(b"in-sight")
    attached.send(b"early\r")

    attached.expect(PAINTED_OVER)
    before = attached.child.before
    attached.expect(b"early\r\nearly\r\n")  # as `cat` in there has it, echoed in there
    attached.send("\x1c\x1c")
    attached.end()

    assert before is not None
    assert b"early" not in before


@pytest.mark.slow
def test_who_leaves_meanwhile_has_left(screened: Hold) -> None:
    attached = screened.terminal("attach", "one")
    attached.expect(b"in-sight")
    attached.send(b"\x1c\x1c")

    shown, code = attached.end()

    assert code == 0
    assert b"goes on" in shown
    assert attached.modes() == attached.before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "environ", "size"),
    [
        (["attach", "nobody"], {}, (80, 24)),
        (["attach", "one"], {}, (79, 24)),
        (["attach", "one"], {}, (80, 23)),
        (["attach", "one"], {"TERM": "dumb"}, (80, 24)),
        (["attach", "one"], {"HOLDFAST_SESSION_ID": "abcd"}, (80, 24)),
        (["attach", "--help"], {}, (80, 24)),
    ],
)
def test_what_is_unusual_is_left_to_the_real_thing(
    screened: Hold, words: list[str], environ: dict[str, str], size: tuple[int, int]
) -> None:
    """T24, T25."""
    screened.environ |= environ
    looking = look(screened, words, size)

    begin(looking)
    looking.expect_exact(b"looked")

    assert looking.before == b""
    looking.close(force=True)


@pytest.mark.slow
def test_of_several_sessions_none_is_looked_at(screened: Hold) -> None:
    screened.start("-n", "two", "--", "cat")
    looking = look(screened, [], (80, 24))

    begin(looking)
    looking.expect_exact(b"looked")

    assert looking.before == b""
    looking.close(force=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT, signal.SIGKILL]
)
def test_who_is_ended_in_between_leaves_a_usable_terminal(
    screened: Hold, number: signal.Signals
) -> None:
    """T5. Its settings are byte for byte what they were, and the prompt comes below."""
    looking = look(screened, ["attach", "one"], (80, 24))
    before = termios.tcgetattr(looking.child_fd)
    begin(looking)
    looking.expect_exact(b"looked")
    assert termios.tcgetattr(looking.child_fd) != before

    os.kill(looking.pid, number)

    comes(looking, BELOW.removesuffix(b"\r\n"))  # which the terminal makes something of
    until(lambda: termios.tcgetattr(looking.child_fd) == before, "the terminal to be as it was")
    looking.close(force=True)


@pytest.mark.slow
def test_what_goes_wrong_afterwards_is_told_below(screened: Hold) -> None:
    """In two lines, in a terminal that was given back before."""
    looking = look(screened, ["attach", "one"], (80, 24), GONE)
    before = termios.tcgetattr(looking.child_fd)
    begin(looking)

    looking.expect_exact(b"in-sight")
    looking.expect_exact(BELOW)
    looking.expect_exact(b"hold: no session 'nobody'\r\n      ")
    looking.expect(pexpect.EOF)
    looking.wait()

    assert looking.exitstatus == 125
    assert termios.tcgetattr(looking.child_fd) == before


@pytest.mark.slow
def test_the_prompt_of_the_shell_is_found_above(screened: Hold, tmp_path: Path) -> None:
    """The scrollback of a real terminal keeps what was there, and nothing twice."""
    with running_tmux(tmp_path, screened.environ) as tmux:
        pane = tmux.pane("a")
        pane.line(*HOLD, "attach", "one")
        pane.shows("in-sight")
        pane.keys("C-\\", "C-\\")
        pane.shows("goes on")

        history = pane.history()

        assert history.count("in-sight") == 1
        assert PROMPT in history.partition("in-sight")[0]


def look(hold: Hold, words: list[str], size: tuple[int, int], program: str = LOOK) -> pexpect.spawn:
    return pexpect.spawn(
        sys.executable,
        ["-c", program, *words],
        env=hold.environ,
        timeout=20,
        dimensions=(size[1], size[0]),
    )


def begin(looking: pexpect.spawn) -> None:
    looking.sendline("go")
    looking.expect_exact(BEGUN)
