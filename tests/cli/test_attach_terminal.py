"""`hold attach` in a real terminal: tmux shows what is on it, and how it was left."""

import os
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.hold import Hold
from tests.support.home import until
from tests.support.tmux import PROMPT, Pane, Tmux, running_tmux
from tests.support.wrapping import required

pytestmark = pytest.mark.slow

HOLD = (sys.executable, "-m", "holdfast")
DETACH = ("C-\\", "C-\\")
# Everything a program may switch on, and a picture in the middle of it.
LOUD = (
    r"printf '\033[?1049h\033[?1003h\033[?1006h\033[?2004h\033[?25l\033[?1h\033=\033[4h\033[?7l"
    r"\033[5;10r\033[?6h\033[31m\033]2;a title of its own\007loud'; exec cat"
)


@pytest.fixture
def tmux(tmp_path: Path, hold: Hold) -> Iterator[Tmux]:
    required("tmux", "vim", "less", "htop")
    hold.environ |= {"HOLDFAST_READER_ENABLED": "on", "LC_ALL": "C.UTF-8", "LESS": ""}
    # A file of its own: htop may replace it when it ends, and as root it can replace any.
    hold.environ |= {"HTOPRC": str(tmp_path / "htoprc"), "TERM": "tmux-256color"}
    with running_tmux(tmp_path, hold.environ) as running:
        yield running


def modes(pane: Pane) -> list[Any]:
    """The settings of a terminal, looked at from outside."""
    fd = os.open(pane.tty(), os.O_RDWR | os.O_NOCTTY)
    try:
        return termios.tcgetattr(fd)
    finally:
        os.close(fd)


def attached(hold: Hold, session: str) -> None:
    until(lambda: hold.sessions()[0]["viewers"], f"a viewer on {session}")


def attaching(words: str) -> int:
    """Pid of the `hold attach` with these words: its guardian, a child, is not meant."""

    def found() -> int | None:
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").strip()
                parent = int((entry / "stat").read_text().rpartition(") ")[2].split()[1])
                same = Path(f"/proc/{parent}/cmdline").read_bytes().replace(b"\0", b" ").strip()
            except OSError:
                continue  # it has just ended
            if line.endswith(words.encode()) and b"holdfast" in line and same != line:
                return int(entry.name)
        return None

    return until(found, f"a process for {words!r}")


class Scene(NamedTuple):
    """A program, what it shows at first, a key or a line for it, and what it shows then."""

    program: tuple[str, ...]
    shows: str
    keys: tuple[str, ...]
    then: str


SCENES = {
    "bash": Scene(
        ("bash", "--norc", "--noprofile"), "bash-", ("echo $((6*7))", "Enter"), "42\nbash-"
    ),
    "vim": Scene(
        ("vim", "-u", "NONE", "-N", "-i", "NONE", "-n", "text"), "line 1", ("G",), "line 300"
    ),
    "less": Scene(("less", "text"), "line 1", ("G",), "line 300"),
    # It shows the processes of whoever runs the tests, so it may look and must not touch.
    "htop": Scene(("htop", "--readonly", "-d", "100"), "F10", ("F5",), "F5List"),
}


@pytest.mark.parametrize("name", SCENES)
def test_who_comes_back_sees_what_was_there(
    hold: Hold, tmux: Tmux, tmp_path: Path, name: str
) -> None:
    """T5, T6: the same size, another terminal, the same picture; and the terminal as it was."""
    scene = SCENES[name]
    (tmp_path / "text").write_text("".join(f"line {number}\n" for number in range(1, 301)))
    place = ("--cwd", str(tmp_path), "--size", "80x24")
    hold.start("-n", "it", *place, "--env", "PS1=bash- ", "--", *scene.program)
    hold.draws("it")
    one, two = tmux.pane("one"), tmux.pane("two")
    before, settings = one.flags(), modes(one)
    one.line(*HOLD, "attach", "it")
    one.shows(scene.shows)
    one.keys(*scene.keys)
    one.shows(scene.then)
    shown = until(lambda: one.coloured() if one.screen() == one.screen() else "", "a picture")
    cursor = one.cursor()
    one.keys(*DETACH)
    one.shows("`hold attach it`")

    two.line(*HOLD, "attach", "it")
    two.shows(scene.then)

    if name != "htop":  # whose numbers never stand still
        with suppress(AssertionError):
            until(lambda: two.coloured() == shown, "the same picture")
        assert (two.coloured(), two.cursor()) == (shown, cursor)
    two.keys(*DETACH)
    two.shows("`hold attach it`")
    assert (one.flags(), modes(one)) == (before, settings)
    assert two.flags() == before, two.screen()


WAYS = ["detach", "d", "TERM", "HUP", "QUIT", "KILL", "end"]


@pytest.mark.parametrize("way", WAYS)
def test_the_terminal_is_as_it_was_in_every_way_of_leaving(
    hold: Hold, tmux: Tmux, way: str
) -> None:
    """T5: every mode that the program has set is undone, also by who is killed."""
    session = hold.start("-n", "loud", "--size", "80x24", "--", "sh", "-c", LOUD)
    hold.draws("loud")
    pane = tmux.pane("one")
    before, settings = pane.flags(), modes(pane)
    pane.line(*HOLD, "attach", "loud")
    pane.shows("loud")
    until(lambda: pane.flags()["mouse_any_flag"] == "1", "the modes of the program")
    pid = attaching("attach loud")

    if way == "detach":
        pane.keys(*DETACH)
    elif way == "d":
        pane.keys("C-\\", "d")
    elif way == "end":
        hold.ok("kill", session, "--now", "--takeover")
    else:
        os.kill(pid, signal.Signals[f"SIG{way}"])

    until(lambda: modes(pane) == settings, "the settings of before")
    until(lambda: pane.flags() == before, "the modes of before")
    pane.type("echo ok-$((40+2))\n")
    pane.shows("ok-42")


def test_closing_the_window_leaves(hold: Hold, tmux: Tmux) -> None:
    hold.start("-n", "it", "--", "cat")
    tmux.pane("other")  # or the server would end, too
    pane = tmux.pane("one")
    pane.line(*HOLD, "attach", "it")
    attached(hold, "it")

    pane.close()

    until(lambda: not hold.sessions()[0]["viewers"], "nobody to look any more")
    assert hold.sessions()[0]["state"] == "running"


def test_a_job_can_be_stopped_and_gone_on_with(hold: Hold, tmux: Tmux) -> None:
    """The shell has an ordinary terminal meanwhile, and afterwards the picture is back."""
    hold.start("-n", "it", "--size", "80x24", "--", "sh", "-c", LOUD)
    hold.draws("it")
    pane = tmux.pane("one")
    pane.type("set -m\n")
    before, settings = pane.flags(), modes(pane)
    pane.line(*HOLD, "attach", "it")
    pane.shows("loud")
    until(lambda: pane.flags()["alternate_on"] == "1", "the program's screen")

    os.kill(attaching("attach it"), signal.SIGTSTP)
    until(lambda: modes(pane) == settings and pane.flags() == before, "an ordinary terminal")
    pane.type("fg\n")

    until(lambda: pane.flags()["alternate_on"] == "1", "the program's screen")
    assert "loud" in pane.shows("loud")
    pane.keys(*DETACH)
    pane.shows("`hold attach it`")
    assert modes(pane) == settings


def test_the_keys_are_shown_and_the_picture_comes_back(
    hold: Hold, tmux: Tmux, tmp_path: Path
) -> None:
    """On top of a full-screen program, and of a shell."""
    (tmp_path / "text").write_text("".join(f"line {number}\n" for number in range(1, 301)))
    hold.start("-n", "it", "--cwd", str(tmp_path), "--size", "80x24", "--", "less", "text")
    hold.draws("it")
    hold.start("-n", "sh", "--size", "80x24", "--", "sh", "-c", "echo plain; exec cat")
    hold.draws("sh")
    for name, shows, key, alternate in (("it", "line 23", "x", "1"), ("sh", "plain", "Enter", "0")):
        pane = tmux.pane(name)
        pane.line(*HOLD, "attach", name)
        pane.shows(shows)
        until(lambda: pane.flags()["alternate_on"] == alternate, "more than the first look")  # noqa: B023
        shown, flags = pane.coloured(), pane.flags()
        pane.keys("C-\\", "?")
        assert f"session {name}, owned by you" in pane.shows("Press any key")
        pane.keys(key)
        until(partial(_shows, pane, shown), "the picture of before")
        assert pane.flags() == flags
        pane.keys(*DETACH)
        pane.shows("`hold attach")


def _shows(pane: Pane, picture: str) -> bool:
    return pane.coloured() == picture


def test_a_window_that_changes_its_size_takes_the_session_along(hold: Hold, tmux: Tmux) -> None:
    """T24: the owner's; who looks on through a smaller one is told, and resizes nothing."""
    script = "echo there; seq 1 15; printf '%079d' 7; exec cat"
    hold.start("-n", "it", "--size", "80x24", "--", "sh", "-c", script)
    hold.draws("it")
    one, two = tmux.pane("one"), tmux.pane("two", (50, 12))
    one.line(*HOLD, "attach", "it")
    one.shows("there")
    two.line(*HOLD, "attach", "it", "--observe")
    until(lambda: "80x24 in your 50x12" in two.title(), "who looks on to be told")
    two.shows("0" * 48 + "7\n")

    one.resize(100, 30)
    until(lambda: hold.sessions()[0]["cols"] == 100, "the new size")
    two.resize(110, 40)
    two.shows("\n15\n" + "0" * 78 + "7\n")
    one.resize(130, 30)
    until(lambda: "130x30 in your 110x40" in two.title(), "who looks on to be told of that, too")
    one.resize(100, 30)
    until(lambda: hold.sessions()[0]["cols"] == 100, "the size of before")
    two.resize(40, 10)
    two.keys("x")
    until(lambda: "--observe" in two.title(), "a word for who types")

    assert (hold.sessions()[0]["cols"], hold.sessions()[0]["rows"]) == (100, 30)
    two.resize(120, 40)
    two.shows("\n15\n" + "0" * 78 + "7\n")
    two.keys(*DETACH)
    two.shows(PROMPT)
    assert two.flags()["wrap_flag"] == "1"
