"""Bytes out of a session and into it, exactly."""

import hashlib
import os
import signal
import subprocess

import pytest

from tests.support.hold import HOLD, TIMEOUT, Hold

pytestmark = pytest.mark.slow


def test_output_is_addressed_by_offset(hold: Hold) -> None:
    session = hold.start("--", "printf", "0123456789")
    hold.ok("output", session, "--follow")

    assert hold.ok("output", session) == "0123456789"
    assert hold.ok("output", session, "--since", "3") == "3456789"
    assert hold.ok("output", session, "--since", "3", "--until", "5") == "34"
    assert hold.ok("output", session, "--until", "0") == ""


def test_offsets_that_make_no_sense_are_usage_errors(hold: Hold) -> None:
    session = hold.start("--", "true")

    assert hold.run("output", session, "--since", "5", "--until", "3").returncode == 2


def test_follow_waits_for_what_comes_and_for_the_end(hold: Hold) -> None:
    session = hold.start("--", "sh", "-c", "read x; echo got $x; read x; echo got $x")
    with subprocess.Popen(
        [*HOLD, "output", session, "--follow"], env=hold.environ, stdout=subprocess.PIPE
    ) as follower:
        assert follower.stdout is not None
        hold.ok("send", session, "one", "--enter")
        assert follower.stdout.readline() == b"one\r\n"
        assert follower.stdout.readline() == b"got one\r\n"
        hold.ok("send", session, "two", "--enter")
        rest = follower.stdout.read()
        assert follower.wait(TIMEOUT) == 0

    assert rest == b"two\r\ngot two\r\n"


def test_a_flood_does_not_hold_a_reader_who_wants_what_is_there(hold: Hold) -> None:
    session = hold.start("--", "yes")
    hold.ok("output", session, "--follow", "--until", "1000000")

    shown = hold.run("output", session).stdout

    assert len(shown) >= 1_000_000
    assert shown[:6] == b"y\r\ny\r\n"


def test_a_reader_that_has_seen_enough_is_no_error(hold: Hold) -> None:
    session = hold.start("--", "yes")

    done = subprocess.run(
        ["sh", "-c", '"$@" | head -n 1', "sh", *HOLD, "output", session, "--follow"],
        env=hold.environ,
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )

    assert (done.stdout, done.stderr) == (b"y\r\n", b"")


def test_what_is_typed_arrives_exactly(hold: Hold) -> None:
    data = b"".join(b"%d " % number for number in range(40_000))
    script = f"stty raw -echo; echo ready; head -c {len(data)} | sha256sum"
    session = hold.start("--", "sh", "-c", script)
    hold.ok("output", session, "--follow", "--until", "6")

    hold.ok("send", session, "--stdin", input=data)

    assert hashlib.sha256(data).hexdigest() in hold.ok("output", session, "--follow")


def test_a_terminal_is_not_asked_old_questions(hold: Hold) -> None:
    session = hold.start("--", "printf", r"a\033[6nb\033[?1049hc\033]11;?\007d")
    hold.ok("output", session, "--follow")

    shown, code = hold.terminal("output", session).end()
    raw, _ = hold.terminal("output", session, "--raw").end()

    assert (shown, code) == (b"ab\x1b[?1049hcd\x1b[?1049l", 0)
    assert raw == b"a\x1b[6nb\x1b[?1049hc\x1b]11;?\x07d"
    assert hold.run("output", session).stdout == raw


def test_a_follower_does_not_notice_that_the_daemon_dies(hold: Hold) -> None:
    script = "stty -echo; echo ready; for i in 1 2 3; do read x; echo got $x; done"
    session = hold.start("--", "sh", "-c", script)
    with subprocess.Popen(
        [*HOLD, "output", session, "--follow"], env=hold.environ, stdout=subprocess.PIPE
    ) as follower:
        assert follower.stdout is not None
        shown = [follower.stdout.readline()]
        for turn in ("one", "two", "three"):
            os.kill(hold.status()["daemon"]["pid"], signal.SIGKILL)  # while it waits for more
            hold.ok("send", session, turn, "--enter")
            shown.append(follower.stdout.readline())
        assert follower.stdout.read() == b""
        assert follower.wait(TIMEOUT) == 0

    assert shown == [b"ready\r\n", b"got one\r\n", b"got two\r\n", b"got three\r\n"]
