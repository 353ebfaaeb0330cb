"""The copy that `hold wrap` makes: what the terminal saw, whatever becomes of the daemon."""

import os
import re
import signal
from pathlib import Path

import pytest

from tests.support.hold import HOLD, Hold
from tests.support.home import until
from tests.support.wrapping import (
    SHELLS,
    Shell,
    files_with,
    is_known,
    log,
    logged,
    needs,
    session,
    wrapped,
)

pytestmark = pytest.mark.slow

FLOOD = "seq 200000"


def serve(hold: Hold) -> int:
    """Start a daemon and return its pid."""
    hold.ok("daemon", "start")
    return int(hold.status()["daemon"]["pid"])


def leave(hold: Hold, shell: Shell, code: int = 3) -> None:
    """End the shell; its log is then what its terminal saw, from the first byte to the last."""
    shell.send(f"exit {code}\r")
    assert shell.end() == code
    (known,) = hold.sessions("--all")
    assert (known["state"], known["exit_code"]) == ("exited", code)
    assert log(hold) == shell.terminal.shown()


@pytest.mark.parametrize("name", SHELLS)
def test_the_log_is_what_the_terminal_saw(hold: Hold, name: str) -> None:
    needs(name)
    serve(hold)
    words = SHELLS[name]
    if name == "fish":
        words = [*words, "-C", "function fish_prompt; echo 'ready> '; end"]
    shell = wrapped(hold, *words)
    shell.prompt()
    shell.run("seq 1000")
    shell.run("printf '\\377\\000\\033[31mred\\033[0m\\n'")

    leave(hold, shell)


def test_what_is_known_of_it(hold: Hold, tmp_path: Path) -> None:
    serve(hold)
    shell = wrapped(hold)
    shell.prompt()
    shell.run("echo $$ $(tty) $HOLDFAST_SESSION_ID")
    pid, tty, own = re.findall(rb"(\d+) (/dev/\S+) (\w{10})", shell.terminal.shown())[0]
    known = session(hold)

    assert known["id"] == own.decode()
    assert known["mirrored"]
    assert (known["name"], known["argv"]) == ("w", SHELLS["bash"])
    assert known["pid"] == int(pid)
    assert known["owner"].startswith("terminal pts/")
    assert known["attributes"] == {
        "shell": "bash",
        "pid": pid.decode(),
        "tty": tty.decode(),
        "hostname": os.uname().nodename,
    }

    shell.run(f"cd {tmp_path}")
    until(lambda: session(hold)["cwd"] == str(tmp_path), "the new directory")
    shell.terminal.child.setwinsize(40, 120)
    until(lambda: (session(hold)["cols"], session(hold)["rows"]) == (120, 40), "the new size")


def test_a_session_inside_another_says_so(hold: Hold) -> None:
    serve(hold)
    outer = wrapped(hold)
    outer.prompt()
    own = until(lambda: next(iter(hold.sessions()), None), "the outer session")["id"]
    outer.run(" ".join(HOLD) + " wrap -q -n inner -- bash --norc --noprofile -i")
    outer.run(" ".join(HOLD) + " run -- echo from a session")
    until(lambda: is_known(hold, "inner"), "the inner session")
    (inner,) = [each for each in hold.sessions() if each["name"] == "inner"]

    assert inner["attributes"]["parent"] == own

    outer.run("echo innermost; exit")
    outer.send("exit\r")
    assert outer.end() == 0
    assert log(hold, "inner").count(b"from a session\r\n") == 2  # the line, and what it printed
    assert b"\rinnermost\r\n" in log(hold, "inner")
    assert log(hold) == outer.terminal.shown()


def test_full_screen_programs(hold: Hold, tmp_path: Path) -> None:
    needs("vim")
    serve(hold)
    file = tmp_path / "file"
    shell = wrapped(hold, TERM="xterm-256color")
    shell.prompt()
    shell.run(f"cd {tmp_path}")
    shell.send("vim -u NONE file\r")
    shell.expect("~")
    shell.expect("\x1b[?25h")  # the screen is painted, the cursor shown
    shell.send("iwritten in vim\x1b")
    shell.send(":wq\r")
    shell.expect("\x1b[?1049l")
    shell.prompt()

    assert file.read_text() == "written in vim\n"
    leave(hold, shell)


def test_what_is_typed_with_echo_off_is_nowhere(hold: Hold) -> None:
    serve(hold)
    shell = wrapped(hold)
    shell.prompt()
    shell.send("read -rsp 'password: ' word; echo; echo ${#word} letters\r")
    shell.expect("\r\n")
    shell.expect("password: ")
    shell.send("correct-horse-battery\r")
    shell.expect("21 letters")
    shell.prompt()
    leave(hold, shell)

    assert files_with(hold.home, b"password: ")
    assert files_with(hold.home, b"correct-horse") == []


# -- the daemon comes and goes


def test_a_daemon_that_comes_later_gets_everything(hold: Hold) -> None:
    shell = Shell(hold, *HOLD, "wrap", "-n", "w", "--", *SHELLS["bash"])
    shell.expect("hold wrap: no daemon on ")
    shell.prompt()
    shell.run(FLOOD)
    serve(hold)

    until(lambda: is_known(hold, "w"), "the session to be registered")

    assert len(hold.sessions()) == 1
    printed = shell.terminal.shown().partition(b"\x1b[0m\r\n")[2]
    logged(hold, printed)
    (known,) = hold.sessions()
    # The news comes with the next line, where it destroys nothing.
    shell.send("echo more\r")
    shell.expect(f"\r\n\x1b[?2004l\r\x1b[32mhold wrap: the daemon is there: session {known['id']}")
    shell.expect("\x1b[0m\r\nmore\r\n")
    shell.prompt()


def test_good_news_come_first_and_bad_ones_in_the_next_line(hold: Hold) -> None:
    serve(hold)
    shell = Shell(hold, *HOLD, "wrap", "-n", "w", "--", *SHELLS["bash"])
    shell.expect("\x1b[32mhold wrap: session ")
    shell.prompt()
    until(lambda: is_known(hold, "w"), "the session to be registered")
    hold.ok("daemon", "stop", "--yes")

    def told() -> bool:
        shell.run("echo again")
        return b"\x1b[33mhold wrap: the daemon does not answer" in shell.terminal.shown()

    until(told, "the loss to be told")
    serve(hold)
    until(hold.sessions, "the session to be there again")
    shell.send("exit\r")
    assert shell.end() == 0
    assert b"\x1b[32mhold wrap: the daemon is there: session" in shell.terminal.shown()


def test_nothing_is_told_in_the_middle_of_a_full_screen_program(hold: Hold) -> None:
    script = "printf '\\033[?1049h'; while read -r x; do echo \"got $x\"; done"
    shell = Shell(hold, *HOLD, "wrap", "-n", "w", "--", "bash", "-c", script)
    shell.expect("hold wrap: no daemon")
    shell.expect("\x1b[?1049h")
    serve(hold)
    until(lambda: is_known(hold, "w"), "the session to be registered")
    logged(hold, b"\x1b[?1049h")
    shell.send("one\r")
    shell.expect("one\r\ngot one\r\n")
    shell.send("\x04")
    assert shell.end() == 0

    shown = shell.terminal.shown().partition(b"\x1b[?1049h")[2]
    assert shown.startswith(b"one\r\ngot one\r\n\x1b[32mhold wrap: the daemon is there")


def test_a_frozen_daemon_is_not_noticed(hold: Hold) -> None:
    pid = serve(hold)
    shell = wrapped(hold)
    shell.prompt()
    until(lambda: is_known(hold, "w"), "the session to be registered")
    os.kill(pid, signal.SIGSTOP)
    try:
        shell.run(FLOOD)
        shell.run("echo still here")
    finally:
        os.kill(pid, signal.SIGCONT)

    leave(hold, shell)


def test_a_wrapper_begun_under_a_frozen_daemon(hold: Hold) -> None:
    pid = serve(hold)
    os.kill(pid, signal.SIGSTOP)
    try:
        shell = wrapped(hold)
        shell.prompt()
        shell.run(FLOOD)
    finally:
        os.kill(pid, signal.SIGCONT)
    until(lambda: is_known(hold, "w"), "the session to be registered")

    leave(hold, shell)


def test_the_end_does_not_wait_for_a_frozen_daemon(hold: Hold) -> None:
    pid = serve(hold)
    shell = Shell(hold, *HOLD, "wrap", "-n", "w", "--", *SHELLS["bash"])
    shell.prompt()
    until(lambda: is_known(hold, "w"), "the session to be registered")
    os.kill(pid, signal.SIGSTOP)
    try:
        shell.run("seq 1000")
        shell.send("exit 3\r")
        assert shell.end() == 3
    finally:
        os.kill(pid, signal.SIGCONT)

    assert b"could not be given to a daemon" in shell.terminal.shown()


def test_a_daemon_killed_again_and_again_misses_nothing(hold: Hold) -> None:
    serve(hold)
    shell = wrapped(hold)
    shell.prompt()
    until(lambda: is_known(hold, "w"), "the session to be registered")
    shell.send(FLOOD + "; echo over\r")
    for mark in (20_000, 90_000, 150_000):
        shell.expect(f"\n{mark}\r\n")
        os.kill(hold.status()["daemon"]["pid"], signal.SIGKILL)
    shell.expect("over\r\n")
    shell.prompt()
    logged(hold, shell.terminal.shown())

    leave(hold, shell)


def test_a_daemon_that_was_stopped_and_started_goes_on(hold: Hold) -> None:
    serve(hold)
    shell = wrapped(hold)
    shell.prompt()
    shell.run("echo before")
    logged(hold, shell.terminal.shown())
    hold.ok("daemon", "stop", "--yes")
    shell.run("echo between")
    serve(hold)
    shell.run("echo after")
    logged(hold, shell.terminal.shown())

    leave(hold, shell)


def test_what_overflows_is_a_gap_that_says_so(hold: Hold) -> None:
    """The newest output is kept: what comes before it is one hole with a reason."""
    hold.environ |= {"HOLDFAST_WRAP_MEMORY": "64KiB", "HOLDFAST_WRAP_SPOOL": "128KiB"}
    shell = wrapped(hold)
    shell.prompt()
    shell.run(FLOOD)
    seen = shell.terminal.shown()
    serve(hold)
    until(lambda: is_known(hold, "w"), "the session to be registered")
    until(lambda: session(hold)["offset"] == len(seen), "everything to be sent")

    done = hold.run("output", "w", "--raw")
    kept = done.stdout

    assert seen.endswith(kept)
    assert 128 << 10 <= len(kept) <= 256 << 10
    assert f"bytes 0 to {len(seen) - len(kept)} are no longer kept".encode() in done.stderr
    assert b"overflowed" in hold.run("du", "--json").stdout


def test_a_file_for_the_spool_has_no_name_and_is_closed_to_others(hold: Hold) -> None:
    hold.environ |= {"HOLDFAST_WRAP_MEMORY": "64KiB"}
    shell = wrapped(hold)
    shell.prompt()
    shell.run(FLOOD)
    pid = int(shell.terminal.child.pid)

    (link,) = [
        path
        for path in Path(f"/proc/{pid}/fd").iterdir()
        if "wrap-" in os.readlink(path)  # noqa: PTH115 - the name of what is deleted
    ]

    assert link.stat().st_nlink == 0
    assert link.stat().st_mode & 0o777 == 0o600
    shell.send("exit\r")
    shell.end()
