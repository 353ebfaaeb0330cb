"""A raw terminal on a session: in, out, and away, with the terminal as it was."""

import os
import re
import signal

import pytest

from holdfast.terminal.asking import QUESTIONS
from tests.support.hold import Hold, Terminal

pytestmark = pytest.mark.slow

DETACH = b"\x1c\x1c"
# What `hold` says in the title, and what keeps the one before.
TITLES = re.compile(rb"\x1b\]2;[^\x07]*\x07|\x1b\[2[23];2t")
# A program that shows each byte it reads, in a terminal that leaves them alone.
ECHO = "stty raw -echo; printf 'ready\\r\\n'; exec od -An -v -tx1 -w1"


def shell(hold: Hold, *words: str) -> Terminal:
    terminal = hold.terminal("run", *words, "--", "sh", "-c", "echo ready; exec cat")
    terminal.expect("ready\r\n")
    return terminal


def test_hold_alone_is_your_shell(hold: Hold) -> None:
    terminal = hold.terminal()
    terminal.send("echo $((6*7)); exit 3\r")

    terminal.expect("42")
    _, code = terminal.end()

    assert code == 3
    assert terminal.modes() == terminal.before


def test_leaving_and_coming_back(hold: Hold) -> None:
    terminal = shell(hold, "-k", "k")
    terminal.send("one\r")
    terminal.expect("one\r\none\r\n")
    assert terminal.modes() != terminal.before
    terminal.send(DETACH)
    shown, code = terminal.end()

    (session,) = hold.sessions()
    assert code == 0
    assert f"`hold attach {session['name']}`".encode() in shown
    assert terminal.modes() == terminal.before

    again = hold.terminal("run", "-k", "k", "--", "sh")
    again.expect("ready\r\none\r\none\r\n")
    again.send("\x04")
    assert again.end() == (b"", 0)


def test_a_second_terminal_looks_on_until_it_may_or_insists(hold: Hold) -> None:
    one = shell(hold, "-k", "k")
    two = hold.terminal("run", "-k", "k", "--", "sh")
    two.expect("ready\r\n")
    two.send("mine\r")
    two.expect("[you look on: terminal pts/")
    one.send("one\r")
    two.expect("one\r\none\r\n")

    three = hold.terminal("run", "-k", "k", "--takeover", "--", "sh")
    three.expect("ready\r\none\r\none\r\n")
    three.send("three\r")
    one.expect("three\r\nthree\r\n")
    one.send("again\r")
    one.expect("[you look on: terminal pts/")
    three.send(DETACH)
    assert three.end()[1] == 0

    two.send("two\r")  # nobody owns it now
    one.expect("two\r\ntwo\r\n")
    assert b"mine" not in hold.ok("output", hold.sessions()[0]["id"]).encode()


def test_a_lone_press_goes_to_the_program(hold: Hold) -> None:
    terminal = hold.terminal("run", "--", "sh", "-c", ECHO)
    terminal.expect("ready")
    terminal.send(b"a\x1c")
    terminal.expect("61")
    terminal.expect("1c")
    terminal.send(b"\x03")
    terminal.expect("03")
    terminal.send(DETACH)

    assert terminal.end()[1] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_the_terminal_is_given_back_after_a_signal(hold: Hold, number: int) -> None:
    terminal = shell(hold)
    os.kill(terminal.child.pid, number)

    _, code = terminal.end()

    assert code == 128 + number
    assert terminal.modes() == terminal.before
    assert len(hold.sessions()) == 1


def test_the_terminal_is_given_back_when_the_session_is_killed(hold: Hold) -> None:
    terminal = shell(hold)
    (session,) = hold.sessions()
    hold.ok("kill", session["id"], "--now", "--takeover")

    _, code = terminal.end()

    assert code == 137
    assert terminal.modes() == terminal.before


def test_modes_of_the_program_are_undone(hold: Hold) -> None:
    script = r"printf '\033[?1049h\033[?1003hready'; exec cat"
    terminal = hold.terminal("run", "--", "sh", "-c", script)
    terminal.expect("ready")
    terminal.send(DETACH)

    shown, _ = terminal.end()

    assert shown.startswith(b"\x1b[?1049l\x1b[?1003l")


def test_a_window_that_changes_its_size_is_followed(hold: Hold) -> None:
    script = "trap 'stty size' WINCH; stty size; echo ready; while :; do read x; done"
    terminal = hold.terminal("run", "--", "sh", "-c", script, size=(100, 30))
    terminal.expect("30 100\r\nready")
    terminal.child.setwinsize(40, 120)

    terminal.expect("40 120")

    terminal.send(DETACH)
    assert terminal.end()[1] == 0
    assert (hold.sessions()[0]["cols"], hold.sessions()[0]["rows"]) == (120, 40)


@pytest.mark.parametrize("victim", ["daemon", "keeper"])
def test_a_crash_is_a_pause(hold: Hold, victim: str) -> None:
    terminal = hold.terminal("run", "--", "sh", "-c", ECHO)
    terminal.expect("ready\r\n")
    seen: list[int] = []

    for turn in range(4):
        os.kill(hold.status()[victim]["pid"], signal.SIGKILL)
        for byte in b"%d-typed" % turn:  # one by one, into whatever there is
            terminal.send(bytes([byte]))
        terminal.expect(f" {ord('d'):02x}")
        shown = TITLES.sub(b"", terminal.child.before + terminal.child.after)
        seen += [int(text, 16) for text in shown.split()]

    assert bytes(seen) == b"0-typed1-typed2-typed3-typed"
    terminal.send(DETACH)
    assert terminal.end()[1] == 0


def test_who_wants_to_leave_while_no_daemon_comes_up_is_let_go(hold: Hold) -> None:
    terminal = shell(hold)
    status = hold.status()
    os.kill(status["keeper"]["pid"], signal.SIGSTOP)  # so it starts no other
    try:
        os.kill(status["daemon"]["pid"], signal.SIGKILL)
        terminal.send(b"x" + DETACH)
        _, code = terminal.end()
    finally:
        os.kill(status["keeper"]["pid"], signal.SIGCONT)

    assert code == 0
    assert terminal.modes() == terminal.before


def test_a_flood_is_shown_whole_across_crashes(hold: Hold) -> None:
    count = 200_000
    terminal = hold.terminal("run", "--", "sh", "-c", f"seq {count}; echo done")
    for mark in (20_000, 60_000, 120_000):
        terminal.child.expect_exact(f"\n{mark}\r\n")
        os.kill(hold.status()["daemon"]["pid"], signal.SIGKILL)
    terminal.expect("done\r\n")
    shown, code = terminal.end()
    assert (TITLES.sub(b"", shown), code) == (b"", 0)
    (session,) = hold.sessions("--all")

    found = hold.run("output", session["id"]).stdout.split(b"\r\n")

    assert found[:-2] == [b"%d" % number for number in range(1, count + 1)]


def test_what_came_before_begins_at_a_line(hold: Hold) -> None:
    first = hold.terminal("run", "-k", "k", "--", "sh", "-c", "seq 100000; echo ready; exec cat")
    first.expect("ready")
    first.send(DETACH)
    first.end()

    again = hold.terminal("run", "-k", "k", "--", "sh")
    again.child.expect_exact("ready")
    lines = again.child.before.removeprefix(QUESTIONS).split(b"\r\n")[:-1]
    again.send(DETACH)
    again.end()

    assert lines == [b"%d" % number for number in range(int(lines[0]), 100_001)]
    assert 60_000 < sum(len(line) + 2 for line in lines) <= 65_536


def test_a_megabyte_can_be_pasted(hold: Hold) -> None:
    size = 1_000_000
    script = f"stty raw -echo; echo ready; head -c {size} | cksum; exec cat"
    terminal = hold.terminal("run", "--", "sh", "-c", script)
    terminal.expect("ready")
    terminal.send(b"0123456789" * (size // 10))

    terminal.expect(f" {size}")

    terminal.send(DETACH)
    assert terminal.end()[1] == 0


def test_input_from_a_pipe_ends(hold: Hold) -> None:
    done = hold.run("run", "--", "sh", "-c", "stty -echo; echo ready; cat", input=b"a\nb")

    assert done.returncode == 0
    assert done.stdout.endswith(b"a\r\nb")
