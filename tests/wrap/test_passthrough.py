"""`hold wrap` without a daemon: a terminal as without it, and given back in every case."""

import os
import signal
from pathlib import Path

import pytest

from tests.support.hold import HOLD, Hold, Terminal
from tests.support.home import children_of, until
from tests.support.wrapping import SHELLS, Shell, needs, wrapped

pytestmark = pytest.mark.slow

LINES = ("echo one two", "printf 'no newline'", "seq 30", "stty -a", "tty", "cd /; pwd; false")
SHOWS_ITS_END = "trap 'echo hung up >{}; exit 0' HUP; echo ready; while :; do sleep 0.1; done"


def conversation(shell: Shell) -> bytes:
    shell.prompt()
    for line in LINES:
        shell.run(line)
    shell.send("exit 7\r")
    assert shell.end() == 7
    return shell.shown()


@pytest.mark.parametrize("name", ["bash", "zsh"])
def test_the_same_bytes_with_and_without(hold: Hold, name: str) -> None:
    needs(name)
    bare = conversation(Shell(hold, *SHELLS[name]))

    through = conversation(wrapped(hold, *SHELLS[name]))

    assert through == bare


def test_fish_is_as_without(hold: Hold) -> None:
    """It paints a line again whenever it has thought about it, so lines are compared."""
    needs("fish")
    words = [*SHELLS["fish"], "-C", "function fish_prompt; echo 'ready> '; end"]

    def lines(shell: Shell) -> list[bytes]:
        shell.prompt()
        shell.run("seq 100 130")
        shell.run("stty -a")
        shell.send("exit 7\r")
        assert shell.end() == 7
        return [line for line in shell.shown().split(b"\r\n") if b"\x1b" not in line]

    assert lines(wrapped(hold, *words)) == lines(Shell(hold, *words))


def test_the_shell_of_the_user_and_its_session(hold: Hold) -> None:
    shell = Shell(hold, *HOLD, "wrap", "-q", SHELL=str(Path("/bin/sh")))
    shell.send('echo "$0 is in ${#HOLDFAST_SESSION_ID}"\r')

    shell.expect("/bin/sh is in 10")

    shell.send("exit\r")
    assert shell.end() == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["sh", "-c", "exit 3"], 3),
        (["sh", "-c", "kill -TERM $$"], 143),
        (["sh", "-c", "kill -KILL $$"], 137),
        (["/no/such/program"], 127),
        (["/etc/passwd"], 126),
        (["true"], 0),
    ],
)
def test_the_exit_code_is_that_of_the_program(hold: Hold, words: list[str], code: int) -> None:
    terminal = hold.terminal("wrap", "-q", "--", *words)

    assert terminal.end()[1] == code
    assert terminal.modes() == terminal.before


def test_the_terminal_inside_is_as_outside(hold: Hold) -> None:
    show = "stty -g; stty size; echo"
    bare = Shell(hold, "sh", "-c", f"stty erase ^H -ixon; {show}")
    assert bare.end() == 0
    shell = Shell(hold, "sh", "-c", f'stty erase ^H -ixon; exec "$@" -c "{show}"', "x", *HOLD,
                  "wrap", "-q", "--", "sh")  # fmt: skip
    assert shell.end() == 0

    assert shell.shown() == bare.shown()
    assert b"24 80" in shell.shown()


def test_a_window_that_changes_its_size_is_followed(hold: Hold) -> None:
    script = "trap 'stty size' WINCH; stty size; echo ready; while :; do read x; done"
    terminal = hold.terminal("wrap", "-q", "--", "sh", "-c", script, size=(100, 30))
    terminal.expect("30 100\r\nready")

    terminal.child.setwinsize(40, 120)

    terminal.expect("40 120")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_told_to_leave_it_hangs_up_and_gives_back(
    hold: Hold, tmp_path: Path, number: signal.Signals
) -> None:
    note = tmp_path / "note"
    script = "printf '\\033[?1049h\\033[?25l'; " + SHOWS_ITS_END.format(note)
    terminal = hold.terminal("wrap", "-q", "--", "sh", "-c", script)
    terminal.expect("ready")
    os.kill(terminal.child.pid, number)

    shown, code = terminal.end()

    assert code == 128 + number
    assert shown.endswith(b"\x1b[?1049l\x1b[?25h")
    assert terminal.modes() == terminal.before
    until(note.exists, "the program to be hung up")


def test_a_closed_terminal_ends_the_program(hold: Hold, tmp_path: Path) -> None:
    note = tmp_path / "note"
    terminal = hold.terminal("wrap", "-q", "--", "sh", "-c", SHOWS_ITS_END.format(note))
    terminal.expect("ready")

    terminal.child.close(force=False)

    until(note.exists, "the program to be hung up")


def test_killed_it_leaves_a_usable_terminal(hold: Hold, tmp_path: Path) -> None:
    """T5: mouse, alternate screen and a hidden cursor are undone by the guardian."""
    note = tmp_path / "note"
    script = "printf '\\033[?1049h\\033[?1000h\\033[?25l'; " + SHOWS_ITS_END.format(note)
    words = [*HOLD, "wrap", "-q", "--", "sh", "-c", script]
    # As a job of a shell, which goes on in the same terminal.
    shell = Shell(hold, "bash", "-c", '"$@"; read -r line; echo "code $? line $line"', "x", *words)
    shell.expect("ready")
    (wrapper,) = until(lambda: children_of(shell.pid), "the wrapper")
    os.kill(wrapper, signal.SIGKILL)

    shell.expect("\x1b[?1049l\x1b[?1000l\x1b[?25h")
    until(lambda: shell.terminal.modes() == shell.terminal.before, "the modes from before")
    shell.send("typed\r")
    shell.expect("typed\r\n")
    shell.expect("line typed")

    until(note.exists, "the program to be hung up")


def test_a_stop_and_a_way_back(hold: Hold) -> None:
    outside = Shell(hold, *SHELLS["bash"])
    outside.prompt()
    outside.send(" ".join(HOLD) + " wrap -q -- bash --norc --noprofile -i\r")
    outside.prompt()
    (wrapper,) = until(lambda: children_of(outside.pid), "the wrapper")
    os.kill(wrapper, signal.SIGTSTP)
    outside.expect("Stopped")
    outside.prompt()

    outside.run("stty -a | grep -o ' icanon'")  # the terminal is the outer shell's again
    outside.send("fg\r")
    outside.expect("wrap")
    outside.send("echo in${HOLDFAST_SESSION_ID:+side}\r")
    outside.expect("inside")
    outside.prompt()
    outside.run("exit")
    outside.run("echo out${HOLDFAST_SESSION_ID:-side}")
    outside.send("exit 4\r")

    assert outside.end() == 4
    assert b"\r icanon\r\n" in outside.shown()
    assert b"outside" in outside.shown()


def test_a_shell_that_suspends_itself_gives_the_terminal_back(hold: Hold) -> None:
    outside = Shell(hold, *SHELLS["bash"])
    outside.prompt()
    outside.send(" ".join(HOLD) + " wrap -q -- bash --norc --noprofile -i\r")
    outside.prompt()
    outside.send("suspend -f\r")
    outside.expect("Stopped")
    outside.prompt()

    outside.send("fg\r")
    outside.expect("wrap")
    outside.send("echo in${HOLDFAST_SESSION_ID:+side}\r")

    outside.expect("inside")


def test_keys_go_through_while_nobody_reads_the_terminal(hold: Hold, tmp_path: Path) -> None:
    note = tmp_path / "note"
    script = f"trap 'echo heard >{note}; exit 0' INT; echo ready; while :; do seq 1000; done"
    terminal = hold.terminal("wrap", "-q", "--", "bash", "-c", script)
    terminal.expect("ready")
    # Nobody reads from here on, so everything on the way is full before long.
    terminal.send(b"\x03")

    until(note.exists, "the program to hear the key")


def test_input_from_a_pipe(hold: Hold) -> None:
    """As with script(1): not shown again, and its end is the key that ends input."""
    done = hold.run("wrap", "-q", "--", "sh", "-c", "cat; echo end", input=b"a\nb\n")

    assert (done.stdout, done.returncode) == (b"a\r\nb\r\nend\r\n", 0)


def test_a_megabyte_can_be_pasted(hold: Hold) -> None:
    size = 1_000_000
    script = f"stty raw -echo; echo ready; head -c {size} | cksum"
    terminal = hold.terminal("wrap", "-q", "--", "sh", "-c", script)
    terminal.expect("ready")
    terminal.send(b"0123456789" * (size // 10))

    terminal.expect(f" {size}")

    assert terminal.end()[1] == 0


def test_a_background_process_does_not_hold_the_terminal(hold: Hold) -> None:
    """T30: the program has ended, and something still has its terminal open."""
    script = "trap '' HUP; (sleep 20; echo late) & echo ready; exit 7"
    terminal = hold.terminal("wrap", "-q", "--", "bash", "-c", script)

    shown, code = terminal.end()

    assert (shown, code) == (b"ready\r\n", 7)


def test_a_program_that_closes_its_terminal_goes_on(hold: Hold) -> None:
    """T11: the end of output is not the end of the program, which may open it again."""
    script = "exec 3</dev/null; tty=$(tty); exec 0<&3 1>&3 2>&3; sleep 0.5; echo back >$tty; exit 6"
    terminal = hold.terminal("wrap", "-q", "--", "bash", "-c", script)

    shown, code = terminal.end()

    assert (shown, code) == (b"back\r\n", 6)


def test_no_daemon_is_said_before_the_shell_starts_and_none_is_started(hold: Hold) -> None:
    terminal = hold.terminal("wrap", "--", "echo", "it runs")

    shown, code = terminal.end()

    notice, program, last, end = shown.split(b"\r\n")
    assert code == 0
    assert notice.startswith(b"\x1b[33mhold wrap: no daemon on ")
    assert str(hold.home).encode() in notice
    assert b"`hold daemon start`" in notice
    assert program == b"it runs"
    assert b"9 bytes that it printed could not be given to a daemon" in last
    assert end == b""
    assert hold.processes() == []


def test_no_colour_for_those_who_want_none(hold: Hold) -> None:
    hold.environ["NO_COLOR"] = "1"

    shown, _ = hold.terminal("wrap", "--", "true").end()

    assert shown.startswith(b"hold wrap: no daemon")
    assert b"\x1b" not in shown


def test_a_typo_in_a_setting_keeps_nobody_from_a_shell(hold: Hold) -> None:
    (hold.home / "config.toml").write_text("[wrap]\nspool = 'much'\n")

    shown, code = hold.terminal("wrap", "--", "echo", "it runs").end()

    assert code == 0
    assert b"it runs" in shown
    assert b"config.toml:2" in shown
    (hold.home / "config.toml").unlink()


def test_only_the_terminal_is_needed(hold: Hold) -> None:
    """No place for files, no socket: the shell runs all the same."""
    terminal = Terminal([*HOLD, "wrap", "-q", "--", "echo", "it runs"],
                        hold.environ | {"HOLDFAST_HOME": "/dev/null/none"}, (80, 24))  # fmt: skip

    assert terminal.end() == (b"it runs\r\n", 0)
