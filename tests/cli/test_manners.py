"""Every command from the outside: its help, its JSON, its errors. None can be forgotten."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli.commands import COMMANDS, EXIT_CODES, Command
from holdfast.cli.shapes import LINES
from schemas import schema_of
from tests.support.hold import HOLD, TIMEOUT, Hold, Terminal
from tests.support.home import until
from tests.support.schema import faults

pytestmark = pytest.mark.slow

WITH_JSON = [each for each in COMMANDS if any("--json" in a.names for a in each.arguments)]
# What to call, with {} for a session in which a shell has ended with code 3.
SCENES: dict[str, str] = {
    "ls": "ls --all",
    "show": "show {}",
    "screen": "screen {}",
    "events": "events",
    "commands": "commands {}",
    "context": "context",
    "wait": "wait {}",
    "du": "du",
    "stats": "stats",
    "config show": "config show",
    "daemon status": "daemon status",
    "doctor": "doctor",
}
CODES = {"wait": {3}, "doctor": {0, 1}}  # of this machine it may have something to say


def by_name(command: Command) -> str:
    return command.name


def test_every_command_that_has_json_has_a_scene_here() -> None:
    assert SCENES.keys() >= {each.name for each in WITH_JSON}


def test_json_is_what_its_schema_says(hold: Hold) -> None:
    hold.start("-n", "living", "--", "sh", "-c", "echo working; exec sleep 100")
    session = hold.start("-n", "build", "--", "sh", "-c", "printf 'a\\033[1mb\\n'; exit 3")
    hold.run("wait", session)

    for command in WITH_JSON:
        words = [word.replace("{}", session) for word in SCENES[command.name].split()]
        done = hold.run(*words, "--json")

        assert done.returncode in CODES.get(command.name, {0}), done
        lines = done.stdout.splitlines() if command.name in LINES else [done.stdout]
        schema = schema_of(command.name)
        assert lines
        found = [fault for line in lines for fault in faults(json.loads(line), schema, schema)]
        assert found == [], command.name


@pytest.mark.parametrize("command", COMMANDS, ids=by_name)
def test_help_and_mistakes_are_answered_and_start_nothing(tmp_path: Path, command: Command) -> None:
    hold, words = Hold(tmp_path), command.name.split()

    help_text = hold.ok(*words, "--help")
    wrong = hold.run(*words, "--no-such-option")

    assert command.summary[1:] in help_text
    assert (wrong.returncode, wrong.stdout) == (2, b"")
    first, second = wrong.stderr.decode().splitlines()
    assert first == f"hold: {command.name}: unrecognized arguments: --no-such-option"
    assert second.startswith("      ")
    assert hold.processes() == []


NEEDS_A_SESSION = [
    each for each in COMMANDS if any(a.names == ("ID",) and not a.optional for a in each.arguments)
]
REST = {"signal": ["INT"], "resize": ["80x24"], "rename": ["x"], "send": ["x"]}


def test_a_session_that_is_not_there_has_code_3_and_a_guess(hold: Hold) -> None:
    hold.start("-n", "build", "--", "sleep", "100")

    for command in NEEDS_A_SESSION:
        done = hold.run(command.name, "biuld", *REST.get(command.name, []))

        expected = 125 if command.name == "attach" else 3
        assert (done.returncode, done.stdout) == (expected, b""), done
        assert done.stderr.decode().splitlines() == [
            "hold: no session 'biuld'",
            "      did you mean 'build'? `hold ls` shows all",
        ]


def test_the_codes_are_those_that_are_promised() -> None:
    promised = {0, 1, 2, 3, 4, 5, 6, 7, 125, 126, 127}

    assert promised <= {code for code, _ in EXIT_CODES}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("stats", 7),
        ("daemon metrics", 7),
        ("daemon status", 7),
        ("config show no.such", 2),
        ("completion tcsh", 2),
        ("daemon logs nobody", 2),
        ("send build --keys Upp", 2),
        ("send build", 2),
        ("send build x --stdin", 2),
        ("resize build 80", 2),
        ("kill", 2),
        ("help nothing-like-it", 2),
    ],
)
def test_what_cannot_be_done_has_two_lines_and_its_code(
    tmp_path: Path, words: str, code: int
) -> None:
    done = Hold(tmp_path).run(*words.split())

    assert done.returncode == code
    assert len(done.stderr.decode().splitlines()) == 2
    assert b"Traceback" not in done.stderr


def test_a_closed_pipe_and_a_full_disk_are_no_tracebacks(hold: Hold) -> None:
    """The reader of a pipe leaves early; the disk takes nothing (T18)."""
    piped = subprocess.run(
        ["sh", "-c", '"$@" | true', "sh", *HOLD, "help", "all"],
        env=hold.environ,
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*HOLD, "help", "all"],
            env=hold.environ,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=TIMEOUT,
            check=False,
        )

    assert b"Traceback" not in piped.stderr
    assert b"Exception" not in piped.stderr
    assert done.returncode == 1
    assert b"No space left on device" in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_an_interrupt_ends_a_command_without_a_word_of_python(hold: Hold) -> None:
    session = hold.start("--", "sleep", "100")
    waiting = subprocess.Popen(
        [*HOLD, "wait", session], env=hold.environ, stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        until(lambda: hold.status()["stats"]["connections"] >= 2, "the command to wait")
        waiting.send_signal(signal.SIGINT)
        _, complained = waiting.communicate(timeout=TIMEOUT)
    finally:
        waiting.kill()
        waiting.communicate()

    assert (waiting.returncode, complained) == (130, b"")


def test_a_traceback_is_for_who_asks_for_it(hold: Hold) -> None:
    done = hold.run("show", "nobody", HOLDFAST_DEBUG="1")

    assert done.returncode == 3
    assert b"Traceback" in done.stderr


def told(hold: Hold, *words: str, version: str) -> list[str]:
    """Run a command as if this were another version; return what it says on stderr."""
    code = (
        "import sys, holdfast; holdfast.__version__ = sys.argv.pop(1)\n"
        "from holdfast.cli import main; sys.exit(main())"
    )
    done = subprocess.run(
        [HOLD[0], "-c", code, version, *words],
        env=hold.environ,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=True,
    )
    return done.stderr.splitlines()


def test_an_upgrade_is_said_once_for_each_daemon(hold: Hold) -> None:
    """A client that is newer than the daemon, and one that is older (T17)."""
    hold.start("--", "sleep", "100")

    assert told(hold, "ls", "--json", version="0.0.9") == []
    first, second = told(hold, "ls", "--json", version="99.1")
    assert first.startswith("the daemon is version ")
    assert first.endswith(", this is 99.1;")
    assert second == "`hold daemon restart` replaces it, and no session is lost"
    assert told(hold, "ls", "--json", version="99.1") == []
    assert told(hold, "du", version="99.1") == []
    hold.ok("daemon", "restart")
    assert len(told(hold, "ls", "--json", version="99.1")) == 2


def test_a_setting_says_where_it_comes_from(tmp_path: Path) -> None:
    hold = Hold(tmp_path)
    (tmp_path / "config.toml").write_text("[session]\nkeep = '1 GiB'\nlimit = 5\n")

    def shown(*words: str) -> dict[str, Any]:
        found = json.loads(hold.ok("config", "show", *words, "--json"))
        return {one["key"]: (one["text"], one["source"]) for one in found}

    file = hold.ok("config", "path").strip()
    assert file == str(tmp_path / "config.toml")
    assert shown("session.keep") == {"session.keep": ("1.0 GiB", f"{file}:2")}
    hold.environ["HOLDFAST_SESSION_LIMIT"] = "7"
    everything = shown()
    assert everything["session.limit"] == ("7", "variable HOLDFAST_SESSION_LIMIT")
    assert everything["session.kill_grace"] == ("5s", "default")
    assert hold.ok("config", "show", "session.keep") == "1.0 GiB\n"
    assert "; 3 of " in hold.ok("config", "check")  # the reader is off in tests
    wrong = hold.run("config", "check", HOLDFAST_SESSION_LIMIT="many")
    assert wrong.returncode == 2
    assert b"variable HOLDFAST_SESSION_LIMIT" in wrong.stderr


def test_a_long_read_says_how_far_it_is_where_somebody_waits(hold: Hold, tmp_path: Path) -> None:
    """On stderr, after a second, and only there: the file gets every byte."""
    session = hold.start("--", "sh", "-c", "yes 0123456 | head -c 2097152")
    hold.run("wait", session)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    words = [*HOLD, "output", session]
    reading = Terminal(["sh", "-c", f'exec "$@" > {fifo}', "sh", *words], hold.environ, (80, 24))

    with fifo.open("rb") as slow:
        first = slow.read(1)
        reading.expect("reading [")
        reading.expect(" MiB, 1 s")
        rest = slow.read()
    shown, code = reading.end()

    assert code == 0
    assert len(first + rest) == 2097152 * 9 // 8  # each line feed is two bytes of a terminal
    assert shown.endswith(b"\r\x1b[K")
    quiet = hold.run("output", session)
    assert (len(quiet.stdout), quiet.stderr) == (len(first + rest), b"")
