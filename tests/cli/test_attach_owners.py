"""Who owns a session, who looks on, and what is left of one that has ended."""

import os
import signal
import socket
import threading
from functools import partial
from pathlib import Path

import pytest

from tests.support.hold import Hold, Terminal
from tests.support.home import until

pytestmark = pytest.mark.slow

DETACH = b"\x1c\x1c"


def cat(hold: Hold, name: str = "it") -> str:
    session = hold.start("-n", name, "--", "sh", "-c", "stty -echo; echo ready; exec cat")
    hold.ok("output", session, "--follow", "--until", "7")
    return session


def owner(hold: Hold) -> str | None:
    found: str | None = hold.sessions()[0]["owner"]
    return found


def takes_over(hold: Hold, terminal: Terminal, cols: int) -> bool:
    """Press the key, perhaps once more: who has not heard of the loss has nothing to take over."""
    terminal.send(b"\x1ct")
    return bool(hold.sessions()[0]["cols"] == cols)


def on(hold: Hold, *words: str) -> Terminal:
    terminal = hold.terminal("attach", *words)
    terminal.expect("ready\r\n")
    return terminal


def left(terminal: Terminal) -> bytes:
    terminal.send(DETACH)
    shown, code = terminal.end()
    assert (code, terminal.modes()) == (0, terminal.before)
    return shown


def test_who_attaches_owns_what_nobody_owns_and_leaves_it_free(hold: Hold) -> None:
    cat(hold)
    one = on(hold, "it")
    until(lambda: (owner(hold) or "").startswith("terminal pts/"), "an owner")

    assert b"`hold attach it`" in left(one)

    until(lambda: owner(hold) is None, "nobody to own it")


def test_without_a_name_it_is_the_one_somebody_was_on_last(hold: Hold) -> None:
    cat(hold, "first")
    cat(hold, "second")

    assert b"`hold attach second`" in left(on(hold))


def test_a_dash_is_the_one_before_and_the_beginning_of_a_name_is_enough(hold: Hold) -> None:
    """As tmux and `cd` have it; a beginning that could be two says so."""
    cat(hold, "first")
    cat(hold, "second")
    cat(hold, "sense")
    for words, name in ((["first"], "first"), (["sec"], "second"), (["-"], "first")):
        assert f"`hold attach {name}`".encode() in left(on(hold, *words))

    ambiguous = hold.run("attach", "se")

    assert b"no session 'se'" in ambiguous.stderr
    assert b"no session 'sec'" in hold.run("kill", "sec").stderr  # only where one looks


def test_there_is_no_one_before_the_only_one(hold: Hold) -> None:
    session = cat(hold, "only")

    done = hold.run("attach", "-")

    assert done.returncode == 125
    assert done.stderr.startswith(b"hold: only session only lives\n"), session


def test_a_key_takes_over_and_the_loser_is_told_and_looks_on(hold: Hold) -> None:
    """T25's neighbour: nobody is thrown out, nobody types unknowingly."""
    cat(hold)
    one, two = on(hold, "it"), hold.terminal("attach", "it")
    two.expect("[you look on: terminal pts/")
    two.expect("owns this session] Ctrl-\\ t takes it over\x07")

    two.send(b"\x1ct")
    one.expect("[you look on: terminal pts/")
    two.send("two\r")
    one.expect("two\r\n")
    two.expect("two\r\n")

    one.send("one\r")
    one.expect("[you look on: ")
    left(one)
    left(two)
    assert b"one" not in hold.run("output", "it", "--raw").stdout


def test_who_takes_over_gives_it_its_size_again(hold: Hold) -> None:
    """T24: also whose terminal had the size of the session when it came, and so never said it."""
    cat(hold)
    one = hold.terminal("attach", "it", size=(80, 24))
    one.expect("ready\r\n")
    two = hold.terminal("attach", "it", size=(60, 15))
    two.expect("[you look on: ")
    three = hold.terminal("attach", "it", size=(80, 24))
    three.expect("[you look on: ")

    for terminal, cols in ((two, 60), (one, 80), (two, 60), (three, 80)):
        until(partial(takes_over, hold, terminal, cols), f"{cols} columns")


def test_a_smaller_window_is_drawn_when_something_has_changed(hold: Hold) -> None:
    """T23: idle is idle; it was drawn a hundred times a second, and asked for as often."""
    hold.environ["HOLDFAST_READER_ENABLED"] = "on"
    hold.start("-n", "it", "--", "sh", "-c", "echo quiet; exec cat")
    hold.draws("it")
    small = hold.terminal("attach", "it", "--observe", size=(60, 15))
    small.expect("\x1b[Hquiet")

    for _ in range(5):
        hold.sessions()
    hold.ok("send", "it", "mark", "--enter")
    small.expect("mark")

    assert small.child.before.count(b"\x1b[Hquiet") <= 3  # with what was shown before
    small.send(DETACH)
    small.end()


def test_takeover_at_once(hold: Hold) -> None:
    cat(hold)
    one = on(hold, "it")
    two = on(hold, "it", "--takeover")
    one.expect("[you look on: ")
    two.send("two\r")
    one.expect("two\r\n")


def test_typing_where_one_looks_on_gives_one_bell(hold: Hold) -> None:
    cat(hold)
    one, two = on(hold, "it"), hold.terminal("attach", "it")
    two.expect("takes it over\x07\x07")
    two.send("x")
    two.send("y")
    two.expect("takes it over\x07")
    one.send("mark\r")
    two.expect("mark\r\n")

    assert b"\x07\x07" not in two.child.before


def test_who_observes_changes_nothing(hold: Hold) -> None:
    cat(hold)
    one = on(hold, "it", "--observe")
    one.send("typed\r" + "\x1ct")
    one.expect("[you look on: --observe]")
    assert owner(hold) is None

    hold.ok("send", "it", "sent", "--enter")
    one.expect("sent\r\n")
    left(one)
    assert b"typed" not in hold.run("output", "it", "--raw").stdout


def test_a_session_whose_terminal_is_elsewhere_is_looked_on(hold: Hold) -> None:
    hold.ok("daemon", "start")
    wrapped = hold.terminal("wrap", "-q", "-n", "mine", "--", "sh", "-c", "echo ready; exec cat")
    wrapped.expect("ready\r\n")
    until(lambda: any(each["offset"] >= 7 for each in hold.sessions()), "the copy")

    one = on(hold, "mine")
    one.send("typed\r")
    one.expect("[you look on: it runs in ")
    wrapped.send("from its own\r")
    one.expect("from its own\r\nfrom its own\r\n")
    left(one)
    wrapped.send("\x04")
    assert wrapped.end()[1] == 0


@pytest.mark.parametrize(("program", "code"), [("exit 7", 7), ("kill -KILL $$", 137)])
def test_of_an_ended_session_one_sees_what_is_left(hold: Hold, program: str, code: int) -> None:
    session = hold.start("-n", "it", "--", "sh", "-c", f"echo last words; {program}")
    until(lambda: hold.sessions("--all")[0]["state"] == "exited", "its end")

    terminal = hold.terminal("attach", session)
    terminal.expect("last words\r\n")
    shown, found = terminal.end()

    assert found == code
    assert b"session it has ended: exited" in shown
    assert terminal.modes() == terminal.before


def test_the_end_of_a_program_is_its_code(hold: Hold) -> None:
    cat(hold)
    one = on(hold, "it")
    one.send("\x04")

    assert one.end()[1] == 0


def test_there_is_none_of_that_name(hold: Hold) -> None:
    done = hold.run("attach", "nobody")

    assert (done.returncode, done.stdout) == (125, b"")
    assert done.stderr.startswith(b"hold: no session 'nobody'\n")
    assert hold.run("attach").stderr.startswith(b"hold: no session lives\n")


def test_a_dormant_session_runs_again_for_who_may_type(hold: Hold) -> None:
    """And not for who only looks on."""
    session = hold.start("-n", "it", "--", "/bin/sh")
    hold.ok("output", session, "--follow", "--until", "1")
    for pid in hold.processes():
        os.kill(pid, signal.SIGSTOP)
    for pid in hold.processes():
        os.kill(pid, signal.SIGKILL)
    until(lambda: not hold.processes(), "all to be gone")
    assert hold.sessions()[0]["state"] == "dormant"

    looker = hold.terminal("attach", "it", "--observe")
    assert looker.end()[1] == 5
    assert hold.sessions()[0]["state"] == "dormant"

    one = hold.terminal("attach", "it")
    one.expect("session it runs again")
    one.send("echo $((6*7))\r")
    one.expect("42")
    one.send("exit\r")
    assert one.end()[1] == 0


# -- the agent


class Agent:
    """A socket that says who it is to whoever connects."""

    def __init__(self, place: Path, name: bytes) -> None:
        self.path = str(place / name.decode())
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(self.path)
        self._socket.listen()
        threading.Thread(target=self._serve, args=[name], daemon=True).start()

    def _serve(self, name: bytes) -> None:
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            with peer:
                peer.sendall(name)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


ASK = (
    "import os, socket, sys\n"
    "for _ in sys.stdin:\n"
    "    s = socket.socket(socket.AF_UNIX)\n"
    "    s.connect(os.environ['SSH_AUTH_SOCK'])\n"
    "    print('agent', s.recv(100).decode(), flush=True)\n"
)


def test_the_agent_in_a_session_is_that_of_its_owner(hold: Hold, tmp_path: Path) -> None:
    """A stable path, whoever comes: who only looks on lends nothing."""
    agents = {name: Agent(tmp_path, name) for name in (b"first", b"second", b"third")}
    hold.environ["SSH_AUTH_SOCK"] = agents[b"first"].path
    hold.start("-n", "it", "--", "sh", "-c", 'echo ready; exec python3 -c "$0"', ASK)
    one = on(hold, "it")
    one.send("?\r")
    one.expect("agent first")

    hold.environ["SSH_AUTH_SOCK"] = agents[b"second"].path
    two = hold.terminal("attach", "it")
    two.expect("[you look on: ")
    one.send("?\r")
    one.expect("agent first")
    two.send(b"\x1ct")
    one.expect("[you look on: ")
    two.send("?\r")
    two.expect("agent second")

    hold.environ["SSH_AUTH_SOCK"] = agents[b"third"].path
    left(two)
    left(one)
    three = on(hold, "it")
    three.send("?\r")
    three.expect("agent third")
    three.send("\x04")
    assert three.end()[1] == 0
    until(lambda: not list((hold.home / "run").glob("ssh-*")), "the link to be gone")
    for agent in agents.values():
        agent.close()


def test_a_session_without_an_agent_gets_none(hold: Hold) -> None:
    hold.environ.pop("SSH_AUTH_SOCK", None)

    done = hold.run("run", "--", "sh", "-c", "echo [$SSH_AUTH_SOCK]")

    assert done.stdout == b"[]\r\n"
