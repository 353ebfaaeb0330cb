"""Where `hold` is started with less than a terminal usually has: each place has an answer."""

import subprocess
import sys

import pytest

from tests.support.hold import HOLD, Hold, Terminal

pytestmark = pytest.mark.slow

BUG = b"a bug in Holdfast"


def closed(hold: Hold, redirections: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command as a service might: without some of the three streams."""
    script = f'exec "$@" {redirections}'
    return subprocess.run(
        ["/bin/sh", "-c", script, "sh", *HOLD, *words],
        env=hold.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", ["ls", "run", "wrap"])
@pytest.mark.parametrize("redirections", ["<&-", ">&-", "<&- >&- 2>&-"])
def test_closed_streams_are_as_good_as_none(hold: Hold, command: str, redirections: str) -> None:
    hold.start("--", "sleep", "1000")  # or there is nothing to list
    program = {"ls": [], "run": ["--", "echo", "hello"], "wrap": ["-q", "--", "echo", "hello"]}

    done = closed(hold, redirections, command, *program[command])

    assert (done.returncode, done.stderr) == (0, b"")
    if command != "ls" and ">&-" not in redirections:
        assert done.stdout == b"hello\r\n"


@pytest.mark.parametrize("command", ["ls", "show"])
def test_a_locale_that_knows_less_than_a_name(hold: Hold, command: str) -> None:
    hold.start("-n", "naïve😀", "--", "sleep", "1000")
    words = ["show", "naïve😀"] if command == "show" else ["ls"]

    for encoding, shown in (("ascii", b"na?ve?"), ("latin-1", "naïve?".encode("latin-1"))):
        done = hold.run(*words, PYTHONIOENCODING=encoding)
        assert (done.returncode, done.stderr) == (0, b"")
        assert shown in done.stdout


@pytest.mark.parametrize("command", ["run", "output"])
def test_a_terminal_that_somebody_has_set_not_to_block(hold: Hold, command: str) -> None:
    """Programs that end without setting it back are common: no byte is lost, nobody complains."""
    flood = ("sh", "-c", "seq 1 60000; echo its-end; exit 3")
    words = ["run", "--", *flood]
    if command == "output":
        session = hold.start("--", *flood)
        hold.run("wait", session)
        words = ["output", session]
    script = "import os, sys; os.set_blocking(1, False); os.execv(sys.argv[1], sys.argv[1:])"

    environ = hold.environ | {"TERM": "dumb"}  # which is asked nothing
    terminal = Terminal([sys.executable, "-c", script, *HOLD, *words], environ, (80, 24))
    terminal.expect("its-end\r")
    shown = [line.strip() for line in terminal.child.before.split(b"\n")]
    _, code = terminal.end()

    assert code == (3 if command == "run" else 0)
    assert [line for line in shown if line.isdigit()] == [b"%d" % n for n in range(1, 60001)]


def test_who_has_seen_enough_of_a_session_is_told_that_it_goes_on(hold: Hold) -> None:
    script = '"$@" | head -n 1'
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", *HOLD, "run", "-n", "endless", "--", "yes"],
        env=hold.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert done.stdout == b"y\r\n"
    assert done.stderr.splitlines() == [b"session endless goes on: `hold attach endless`"]
