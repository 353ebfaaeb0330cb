"""`hold attach` shows the screen before it can do anything else, and leaves nothing of that."""

import os
import re
import signal
import sys

import pexpect
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.cli.first_look import ENTER, LEAVE, drawn
from tests.support.hold import Hold
from tests.support.home import until

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
look = FirstLook()
look.show(["attach", sys.argv[1]], os.environ)
os.write(1, b"looked")
signal.pause()
"""


@pytest.mark.parametrize(
    ("picture", "shown"),
    [
        (b"one\r\n\x1b[0;31mtwo\x1b[m\x1b[3;1H", b"one\r\n\x1b[0;31mtwo\x1b[m\x1b[3;1H"),
        (b"a\x1b[?1002h\x1b[?2004hb", b"ab"),  # mouse and paste would have to be undone
        (b"a\x1b]0;title\x07b\x1b]2;x\x1b\\c", b"abc"),
        (b"a\x1bP>|x\x1b\\b\x1b(0c\x1b=d", b"abcd"),
        (b"a\x1b[>1ub\x1b[=1;1uc\x1b[>4;2md\x1b[2 qe", b"abcde"),
        (b"below\x1b[?1049habove", b"below\x1b[m\x1b[H\x1b[2Jabove"),
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
    until(lambda: not hold.run("screen", "one", "--format", "vt").stderr, "more than raw output")
    return hold


@pytest.mark.slow
def test_the_screen_is_seen_and_gone_before_anything_else_is_shown(screened: Hold) -> None:
    """T5, T8. What the shell had on its screen is there again below it."""
    attached = screened.terminal("attach", "one")

    attached.expect(ENTER)
    attached.expect(b"in-sight")
    attached.expect(LEAVE)
    attached.send("\x1c\x1c")
    attached.end()
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
    looking = look(screened, words[1], size)

    looking.expect_exact(b"looked")

    assert ENTER not in (looking.before or b"")
    looking.close(force=True)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_who_is_ended_in_between_leaves_the_screen(screened: Hold, number: signal.Signals) -> None:
    """T5."""
    looking = look(screened, "one", (80, 24))
    looking.expect_exact(b"looked")

    os.kill(looking.pid, number)

    looking.expect_exact(LEAVE)
    looking.expect(pexpect.EOF)
    looking.wait()
    assert looking.signalstatus == number


def look(hold: Hold, session: str, size: tuple[int, int]) -> pexpect.spawn:
    return pexpect.spawn(
        sys.executable,
        ["-c", LOOK, session],
        env=hold.environ,
        timeout=20,
        dimensions=(size[1], size[0]),
    )
