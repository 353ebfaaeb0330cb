"""`hold signal`, `rename`, `wait` and `kill --all` from the outside."""

import json

import pytest

from tests.support.hold import Hold

pytestmark = pytest.mark.slow


def test_wait_ends_with_the_code_of_the_program(hold: Hold) -> None:
    session = hold.start("-n", "", "--", "sh", "-c", "read x; exit 7")
    late = hold.run("wait", session, "--timeout", "50ms")
    assert late.returncode == 4
    assert b"did not finish within 0.05 s" in late.stderr
    hold.ok("send", session, "go", "--enter")

    done = hold.run("wait", session)
    told = hold.run("wait", session, "--json")

    assert (done.returncode, done.stdout) == (7, b"")
    assert f"session {session} exited 7, after".encode() in done.stderr
    facts = json.loads(told.stdout)
    assert (told.returncode, facts["exit_code"], facts["killed_by"]) == (7, 7, "")
    assert facts["duration"] > 0
    assert facts["maxrss_kib"] > 0


def test_a_signal_ends_a_program_and_wait_says_who_sent_it(hold: Hold) -> None:
    session = hold.start("--", "sleep", "100")

    hold.ok("signal", session, "sigint")
    done = hold.run("wait", session)

    assert done.returncode == 130
    assert b"exited SIGINT" in done.stderr
    assert b"ended by script" in done.stderr


def test_a_renamed_session_is_found_by_its_name(hold: Hold) -> None:
    session = hold.start("-n", "old", "--", "sleep", "100")

    hold.ok("rename", "old", "new name")
    assert hold.sessions()[0]["name"] == "new name"
    hold.ok("rename", "new name", "")
    assert (hold.sessions()[0]["id"], hold.sessions()[0]["name"]) == (session, "")


@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        (["signal", "nobody", "INT"], 3, "no session 'nobody'"),
        (["wait", "nobody"], 3, "no session 'nobody'"),
        (["wait", "x", "--timeout", "soon"], 2, "--timeout 'soon' is no duration"),
        (["signal", "{}", "SEGV"], 2, "'SEGV' is not a signal"),
        (["rename", "{}", "a\tb"], 2, "name: must be printable"),
    ],
)
def test_failures_have_a_code_and_two_lines(
    hold: Hold, words: list[str], code: int, what: str
) -> None:
    session = hold.start("--", "sleep", "100")
    done = hold.run(*(word.replace("{}", session) for word in words))

    assert (done.returncode, done.stdout) == (code, b"")
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"hold: {what}")


def test_kill_all_prints_what_it_ended(hold: Hold) -> None:
    first = hold.start("-n", "one", "--", "sleep", "100")
    second = hold.start("-n", "", "--", "sleep", "100")

    refused = hold.run("kill", "--all")
    done = hold.run("kill", "--all", "--yes")
    again = hold.run("kill", "--all")

    assert refused.returncode == 2
    assert b"2 sessions are meant" in refused.stderr
    assert b"--yes" in refused.stderr

    assert done.stdout.decode() == f"{first} (one) ended\n{second} ended\n"
    assert (again.returncode, again.stdout) == (0, b"")
    assert hold.sessions() == []
