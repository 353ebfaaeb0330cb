"""Sessions from the outside: run, ls, kill, and their exit codes."""

import os
from pathlib import Path

import pytest

from tests.support.hold import Hold

pytestmark = pytest.mark.slow


def test_a_program_goes_on_without_anybody(hold: Hold) -> None:
    session = hold.start("-n", "build", "--", "sh", "-c", "echo hello; exec sleep 100")

    (found,) = hold.sessions()
    assert (found["id"], found["name"], found["state"]) == (session, "build", "running")
    assert Path(f"/proc/{found['pid']}/cmdline").read_bytes() == b"sleep\x00100\x00"
    assert found["cwd"] == str(Path.cwd())
    assert found["id"] in hold.ok("ls")


def test_the_first_command_says_how_to_start_something(hold: Hold) -> None:
    done = hold.run("ls")

    assert (done.returncode, done.stdout) == (0, b"")
    assert b"`hold run`" in done.stderr


@pytest.mark.parametrize(
    ("program", "code", "shown"),
    [
        ("echo hi; exit 7", 7, b"hi\r\n"),
        ("true", 0, b""),
        ("kill -KILL $$", 137, b""),
        ("kill -INT $$", 130, b""),
    ],
)
def test_run_ends_with_the_code_of_its_program(
    hold: Hold, program: str, code: int, shown: bytes
) -> None:
    done = hold.run("run", "--", "sh", "-c", program)

    assert (done.returncode, done.stdout, done.stderr) == (code, shown, b"")


@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        (["run", "--", "no-such-program"], 127, "no program 'no-such-program'"),
        (["run", "--", "/etc/passwd"], 126, "not allowed: running '/etc/passwd'"),
        (["run", "--cwd", "/no/such", "--", "true"], 125, "cannot start in '/no/such'"),
        (["run", "--size", "x", "--", "true"], 2, "--size 'x' is no size"),
        (["run", "-d", "--", "no-such-program"], 1, "no program 'no-such-program'"),
        (["output", "nobody"], 3, "no session 'nobody'"),
        (["send", "nobody", "x"], 3, "no session 'nobody'"),
        (["kill", "nobody"], 3, "no session 'nobody'"),
        (["kill"], 2, "hold kill needs a session"),
        (["lss"], 2, "there is no command 'lss'"),
    ],
)
def test_failures_have_a_code_and_two_lines(
    hold: Hold, words: list[str], code: int, what: str
) -> None:
    done = hold.run(*words)

    assert done.returncode == code
    assert done.stdout == b""
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"hold: {what}")


def test_a_key_finds_the_living_session(hold: Hold) -> None:
    first = hold.start("-k", "dev", "--", "sleep", "100")

    assert hold.start("-k", "dev", "--", "sleep", "100") == first
    hold.ok("kill", "dev")
    assert hold.start("-k", "dev", "--", "sleep", "100") != first


def test_a_program_finds_its_environment_size_and_place(hold: Hold, tmp_path: Path) -> None:
    words = ["--cwd", str(tmp_path), "--size", "123x45", "--env", "A=b c"]
    script = 'stty size; pwd; echo "$A"; echo "$TERM"; echo "[$COLUMNS]"; umask; echo $0'

    done = hold.run("run", *words, "--", "sh", "-c", script, COLUMNS="9", TERM="dumb")

    umask = os.umask(0o022)
    os.umask(umask)
    assert done.stdout.decode().split("\r\n")[:-1] == [
        "45 123", str(tmp_path), "b c", "xterm-256color", "[]", f"{umask:04o}", "sh",
    ]  # fmt: skip


def test_kill_ends_what_it_names_and_returns_at_the_end(hold: Hold) -> None:
    first = hold.start("--", "sleep", "100")
    second = hold.start("--", "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done")
    hold.ok("output", second, "--follow", "--until", "7")

    hold.ok("kill", first)
    assert [each["id"] for each in hold.sessions()] == [second]
    hold.ok("kill", "--all", "--now")
    assert hold.sessions() == []
    ended = {each["id"]: each["exit_signal"] for each in hold.sessions("--all")}
    assert ended == {first: 15, second: 9}


def test_a_session_that_ended_takes_no_input_but_can_be_read(hold: Hold) -> None:
    session = hold.start("--", "echo", "last words")
    assert hold.ok("output", session, "--follow") == "last words\r\n"

    done = hold.run("send", session, "x")

    assert done.returncode == 5
    assert hold.ok("output", session) == "last words\r\n"


def test_debug_shows_the_traceback_and_nothing_else_does(hold: Hold) -> None:
    assert b"Traceback" not in hold.run("output", "nobody").stderr
    assert b"Traceback" in hold.run("output", "nobody", HOLDFAST_DEBUG="1").stderr
