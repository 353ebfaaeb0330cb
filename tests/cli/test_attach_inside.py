"""Beginning, naming, waiting, choosing; and `hold` inside of a session (T25)."""

import os
from pathlib import Path

import pytest

from tests.support.hold import HOLD, Hold, Terminal
from tests.support.home import until

pytestmark = pytest.mark.slow

DETACH = b"\x1c\x1c"


def names(hold: Hold) -> list[str]:
    return sorted(each["name"] for each in hold.sessions())


def test_sessions_have_names_of_their_own(hold: Hold, tmp_path: Path) -> None:
    place = tmp_path / "shop"
    place.mkdir()
    for words in (["sleep", "100"], ["sleep", "100"], ["sh", "-c", "exec sleep 100"]):
        hold.start("--cwd", str(place), "--", *words)
    hold.start("-n", "", "--", "sleep", "100")
    hold.start("-n", "mine", "--", "sleep", "100")

    assert names(hold) == ["", "mine", "shop", "sleep", "sleep-2"]


def test_run_wait_shows_it_all_and_ends_with_its_code(hold: Hold) -> None:
    done = hold.run("run", "--wait", "--", "sh", "-c", "echo one; sleep 0.1; echo two; exit 3")

    assert (done.returncode, done.stdout, done.stderr) == (3, b"one\r\ntwo\r\n", b"")
    assert hold.run("run", "--wait", "--", "sh", "-c", "kill -TERM $$").returncode == 143
    assert hold.run("run", "--wait", "--", "no-such-program").returncode == 127
    assert hold.run("run", "-d", "--wait", "--", "true").returncode == 2


def inside(hold: Hold, script: str) -> Terminal:
    return hold.terminal("run", "-n", "outer", "--", "sh", "-c", f"{script}; echo is $?; cat")


@pytest.mark.parametrize("words", ["run", "attach", "attach other", "run -- cat"])
def test_inside_of_a_session_one_is_told_where_one_is(hold: Hold, words: str) -> None:
    """T25: nothing is attached to itself, and nobody's terminal is taken."""
    hold.start("-n", "other", "--", "cat")
    terminal = inside(hold, f"{' '.join(HOLD)} {words}")

    terminal.expect("hold: this is inside session outer\r\n")
    terminal.expect("is 2\r\n")

    assert names(hold) == ["other", "outer"]
    terminal.send(DETACH)
    assert terminal.end()[1] == 0


def test_inside_it_attaches_neither_to_itself_nor_by_insisting(hold: Hold) -> None:
    """T25."""
    terminal = inside(hold, f"{' '.join(HOLD)} attach outer --nested")

    terminal.expect("hold: this is session outer itself\r\n")
    terminal.expect("is 2\r\n")


def test_hold_alone_says_where_one_is(hold: Hold) -> None:
    """T25."""
    terminal = inside(hold, " ".join(HOLD))

    terminal.expect("this is session outer; Ctrl-\\ pressed twice leaves it\r\n")
    terminal.expect("is 0\r\n")


def test_inside_everything_else_works(hold: Hold) -> None:
    """T25: and another session, for who insists."""
    me = " ".join(HOLD)
    script = f"{me} run -d -n deep -- cat && {me} send deep hello && {me} attach deep --nested"
    terminal = inside(hold, script)
    terminal.expect("hello")
    terminal.send("typed\r")
    terminal.expect("typed\r\n")
    terminal.send(b"\x04")
    terminal.send(b"\r\x04")
    terminal.expect("is 0\r\n")


def test_what_was_inside_of_a_session_that_is_over_is_inside_of_none(hold: Hold) -> None:
    session = hold.start("-n", "old", "--", "true")
    until(lambda: hold.sessions("--all")[0]["state"] == "exited", "its end")
    hold.environ["HOLDFAST_SESSION_ID"] = session

    terminal = hold.terminal("run", "--", "sh", "-c", "echo started")

    terminal.expect("started\r\n")
    assert terminal.end()[1] == 0


# -- `hold` alone


def test_hold_alone_comes_back_to_the_only_session(hold: Hold) -> None:
    hold.start("-n", "it", "--", "sh", "-c", "echo ready; exec cat")
    terminal = hold.terminal()

    terminal.expect("ready\r\n")
    terminal.send(DETACH)

    assert b"`hold attach it`" in terminal.end()[0]


def test_hold_alone_without_a_terminal_lists(hold: Hold) -> None:
    hold.start("-n", "it", "--", "cat")

    assert " it " in hold.ok()


@pytest.mark.parametrize("size", [(80, 24), (40, 10)])
def test_of_several_one_is_chosen(hold: Hold, size: tuple[int, int]) -> None:
    for name in ("first", "second"):
        hold.start("-n", name, "--", "sh", "-c", f"echo {name} is here; exec cat")
    terminal = hold.terminal(size=size)
    terminal.expect("Which session?")
    terminal.send("firs")
    terminal.expect("first is here")
    terminal.send("\r")
    terminal.expect("\x1b[?1049l")
    terminal.expect("first is here")
    terminal.send(DETACH)

    shown, code = terminal.end()

    assert (code, terminal.modes()) == (0, terminal.before)
    assert b"`hold attach first`" in shown


def test_one_that_came_while_the_list_was_there_can_be_chosen(hold: Hold) -> None:
    for name in ("first", "second"):
        hold.start("-n", name, "--", "cat")
    terminal = hold.terminal()
    terminal.expect("Which session?")
    hold.start("-n", "later", "--", "sh", "-c", "echo I am later; exec cat")
    terminal.expect("later  ")
    terminal.send("later")
    terminal.expect("I am later")
    terminal.send("\r")
    terminal.expect("\x1b[?1049l")
    terminal.expect("I am later")
    terminal.send(DETACH)

    shown, code = terminal.end()

    assert code == 0
    assert b"`hold attach later`" in shown
    assert [each["name"] for each in hold.sessions()] == ["first", "second", "later"]


def test_of_several_none_is_chosen_and_a_new_one_begins(hold: Hold, tmp_path: Path) -> None:
    for name in ("first", "second"):
        hold.start("-n", name, "--", "cat")
    terminal = hold.terminal()
    terminal.expect("+ a new session")
    terminal.send("\x1b[A\r")  # up from the first is the last: a new one
    terminal.expect("\x1b[?1049l")
    terminal.send("echo $((6*7)); exit 4\r")
    terminal.expect("42")

    assert terminal.end()[1] == 4


@pytest.mark.parametrize("way", ["\x1b", "\x03", "TERM", "KILL"])
def test_the_list_is_left_with_the_terminal_as_it_was(hold: Hold, way: str) -> None:
    for name in ("first", "second"):
        hold.start("-n", name, "--", "cat")
    terminal = hold.terminal()
    terminal.expect("Which session?")
    if len(way) == 1:
        terminal.send(way)
    else:
        number = {"TERM": 15, "KILL": 9}[way]
        os.kill(terminal.child.pid, number)

    terminal.expect("\x1b[?25h\x1b[?1049l")

    until(lambda: terminal.modes() == terminal.before, "the settings of before")
    assert terminal.end()[1] == {"TERM": 143, "KILL": -9}.get(way, 0)


def test_no_colour_for_who_wants_none(hold: Hold) -> None:
    hold.environ["NO_COLOR"] = "1"
    for name in ("first", "second"):
        hold.start("-n", name, "--", "cat")
    terminal = hold.terminal()
    terminal.expect("Esc leaves")
    terminal.send("\x1b")

    assert b"\x1b[7m" not in terminal.child.before + terminal.end()[0]
