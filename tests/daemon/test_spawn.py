"""What a program finds when it starts, and by what name it fails when it cannot."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import (
    CommandNotFound,
    CwdMissing,
    HoldfastError,
    InvalidArgument,
    LimitReached,
    PermissionDenied,
)
from holdfast.protocol.messages import Create, List, SessionInfo
from tests.support.asking import Client
from tests.support.home import ROOT, Home, running_home

pytestmark = pytest.mark.slow

PYTHON = os.fsencode(sys.executable)
# glibc has 32 and 33 for itself, leaves them ignored in what posix_spawn starts, and lets
# nobody change that.
KNOWN = sum(1 << number - 1 for number in signal.valid_signals())
# Prints what the system says about the program itself, as JSON between two marks.
FACTS = b"""
import json, os, resource, sys, termios
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status"))
names = {n: status[n].strip() for n in ("SigIgn", "SigBlk", "Umask")}
opened = os.open(".", os.O_RDONLY)
print("<<" + json.dumps({
    **names,
    "size": os.get_terminal_size(0),
    "pid": os.getpid(), "sid": os.getsid(0), "pgrp": os.getpgrp(),
    "foreground": os.tcgetpgrp(0),
    "tty": [os.ttyname(fd) for fd in range(3)],
    "dev_tty": os.ttyname(os.open("/dev/tty", os.O_RDWR)) != "",
    "first_free": opened,
    "fds": sorted(int(n) for n in os.listdir("/proc/self/fd") if int(n) < opened),
    "cwd": os.fsencode(os.getcwd()).hex(),
    "argv": [os.fsencode(a).hex() for a in sys.argv[1:]],
    "env": {k.hex(): v.hex() for k, v in os.environb.items()},
    "files": resource.getrlimit(resource.RLIMIT_NOFILE),
}) + ">>")
"""


def create(client: Client, *argv: bytes, **wanted: Any) -> SessionInfo:
    wanted = {"cwd": b"/", "env": {b"PATH": b"/usr/bin:/bin"}, **wanted}
    return client.call(Create(argv=list(argv), **wanted)).session


def facts(home: Home, client: Client, *argv: bytes, **wanted: Any) -> dict[str, Any]:
    session = create(client, PYTHON, b"-Ic", FACTS, *argv, **wanted)
    ended = home.ended(client, session.id)
    printed = home.output(client, session.id)
    assert ended.exit_code == 0, printed
    found: dict[str, Any] = json.loads(printed.split(b"<<")[1].split(b">>")[0])
    assert found["pid"] == session.pid
    return found | {"session": session}


def start(home: Home, before: str) -> None:
    """Start the keeper from a shell that did something first."""
    command = f"{before} exec {sys.executable} -m holdfast daemon start"
    environ = {**home.environ, "PYTHONPATH": str(ROOT / "src")}
    subprocess.run(["bash", "-c", command], env=environ, check=True, capture_output=True)


def test_a_program_leads_a_session_on_a_terminal_of_its_own(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        found = facts(home, client, cols=123, rows=45)

    assert found["pid"] == found["sid"] == found["pgrp"] == found["foreground"]
    assert len(set(found["tty"])) == 1
    assert found["dev_tty"]
    assert found["size"] == [123, 45]
    assert found["fds"] == [0, 1, 2]
    assert found["first_free"] == 3


def test_the_size_is_there_before_the_program_is(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = create(client, b"stty", b"size", cols=77, rows=11)
        home.ended(client, session.id)

        assert home.output(client, session.id) == b"11 77\r\n"


def test_bytes_that_are_no_text_arrive_unchanged(tmp_path: Path) -> None:
    odd = b"\xff\xfe \xc3\xa9 \x01\n'\"$"
    directory = os.fsencode(tmp_path) + b"/d\xff\n \xc3"
    Path(os.fsdecode(directory)).mkdir()
    env = {b"ODD": odd, b"\xffNAME": b"\x80", b"EMPTY": b"", b"TERM": b"screen-256color"}
    with running_home(tmp_path / "h") as home, home.client() as client:
        found = facts(home, client, odd, b"", b"\xc3", env=env, cwd=directory)
        listed = client.call(List(ended=True)).sessions  # it can be shown all the same

    session = found["session"]
    env |= {b"HOLDFAST_SESSION_ID": session.id.encode()}
    given = {name.hex(): value.hex() for name, value in env.items()}
    # Python itself adds LC_CTYPE in the C locale.
    assert {k: v for k, v in found["env"].items() if k != b"LC_CTYPE".hex()} == given
    assert found["argv"] == [odd.hex(), "", "c3"]
    assert found["cwd"] == directory.hex()
    assert [one.id for one in listed] == [session.id]


def test_nothing_of_the_starter_of_the_keeper_reaches_a_program(tmp_path: Path) -> None:
    """nohup, an odd umask, open files and limits of whoever started the keeper."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with running_home(tmp_path / "h") as home:
        start(home, "trap '' HUP INT QUIT PIPE USR1; umask 077; ulimit -Sn 500; exec 9</dev/null;")
        with home.client() as client:
            found = facts(home, client, umask=0o027)

    ignored = int(found["SigIgn"], 16) & KNOWN
    # Python in the child ignores these two for itself.
    ignored &= ~(1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1)
    assert ignored == 0
    assert int(found["SigBlk"], 16) == 0
    assert found["Umask"] == "0027"
    assert found["files"] == [500, hard]
    assert found["fds"] == [0, 1, 2]


def test_broken_pipes_end_programs_as_everywhere(tmp_path: Path) -> None:
    """Python ignores SIGPIPE and would hand that down: `yes | head` would complain."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = create(client, b"grep", b"SigIgn", b"/proc/self/status")
        home.ended(client, session.id)

        name, mask = home.output(client, session.id).split()
        assert (name, int(mask, 16) & KNOWN) == (b"SigIgn:", 0)


def refused(client: Client, *argv: bytes, **wanted: Any) -> HoldfastError:
    with pytest.raises(HoldfastError) as caught:
        create(client, *argv, **wanted)
    return caught.value


def test_a_program_that_cannot_start_is_an_error_with_a_name(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("echo never\n")
    plain = os.fsencode(script)
    with running_home(tmp_path / "h") as home, home.client() as client:
        for missing in (b"no-such-program", b"/no/such/program", plain + b"/below", b"x" * 5000):
            assert isinstance(refused(client, missing), CommandNotFound), missing
        assert isinstance(refused(client, b"no-such-\xff"), CommandNotFound)
        for denied in (plain, os.fsencode(tmp_path)):
            assert isinstance(refused(client, denied), PermissionDenied), denied
        script.chmod(0o755)
        assert isinstance(refused(client, plain), PermissionDenied)  # no #!
        for cwd in (b"/no/such/directory", plain, b"/" + b"x" * 5000, b"/odd\xff"):
            error = refused(client, b"true", cwd=cwd)
            assert isinstance(error, CwdMissing), cwd

        assert client.call(List(ended=True)).sessions == []
        assert list((home.paths.state / "sessions").iterdir()) == []
        assert list((home.paths.runtime / "input").iterdir()) == []
        assert home.status()["sessions"] == 0


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        nonsense: list[dict[str, Any]] = [
            {"argv": []},
            {"argv": [b""]},
            {"argv": [b"true", b"a\0b"]},
            {"cwd": b"/\0"},
            {"cwd": b"relative"},
            {"env": {b"A": b"\0"}},
            {"env": {b"A=B": b"c"}},
            {"env": {b"": b"c"}},
            {"cols": 0},
            {"rows": -1},
            {"cols": 100_000},
            {"rows": 1 << 40},
            {"name": "x" * 257},
            {"key": "line\nbreak"},
            {"creation": "x" * 100_000},
            {"umask": -1},
            {"umask": 0o1000},
            {"umask": 1 << 70 >> 8},
        ]
        for wanted in nonsense:
            request = {"argv": [b"true"], "cwd": b"/", "env": {}, **wanted}
            with pytest.raises(InvalidArgument):
                client.call(Create(**request))
        assert client.call(List(ended=True)).sessions == []


def test_more_than_the_system_passes_on_is_a_limit(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        keeper = home.running()["keeper"]["pid"]
        for argv, env in (
            ([b"true", b"x" * 200_000], {}),  # one string: E2BIG
            ([b"true"], {b"N%d" % n: b"x" * 100_000 for n in range(35)}),  # too much in all
            ([b"true"], {b"N%d" % n: b"\xff" * 100_000 for n in range(10)}),  # for our wire, too
        ):
            assert isinstance(refused(client, *argv, env=env), LimitReached)
            assert facts(home, client)["fds"] == [0, 1, 2]
        assert home.running()["keeper"]["pid"] == keeper
        assert "successor" not in (home.paths.state / "daemon.log").read_text()


def test_many_large_programs_are_listed_and_handed_over(tmp_path: Path) -> None:
    """One frame to a new daemon cannot hold them all."""
    words = [b"x" * 100_000] * 9
    with running_home(tmp_path / "h") as home, home.client() as client:
        wanted = {create(client, b"sh", b"-c", b"sleep 100", *words).id for _ in range(12)}
        killed = home.kill_daemon()
        listed = client.call(List()).sessions

        assert {one.id for one in listed} == wanted
        assert home.running()["daemon"]["pid"] != killed
        assert all(one.state == "running" for one in listed)


def test_no_more_sessions_than_the_setting_allows(tmp_path: Path) -> None:
    limit = {"HOLDFAST_SESSION_LIMIT": "2"}
    with running_home(tmp_path / "h", limit) as home, home.client() as client:
        first, _ = [home.create(client, "cat") for _ in range(2)]
        assert isinstance(refused(client, b"cat"), LimitReached)
        home.hold("kill", "--now", "--takeover", first.id)
        home.ended(client, first.id)
        home.create(client, "cat")


def test_a_lack_of_descriptors_is_a_limit_and_ends_nothing(tmp_path: Path) -> None:
    """T18: also the daemon that has to take everything over finds enough."""
    with running_home(tmp_path / "h") as home:
        start(home, "ulimit -n 200;")
        with home.client() as client:
            sessions = []
            for _ in range(40):
                try:
                    sessions.append(create(client, b"cat"))
                except LimitReached:
                    break
            assert 5 < len(sessions) < 40
            keeper = home.running()["keeper"]["pid"]
            for _ in range(2):
                home.with_spare()
                home.kill_daemon()
                assert isinstance(refused(client, b"cat"), LimitReached)
            assert {one.id for one in client.call(List()).sessions} == {s.id for s in sessions}
            home.hold("kill", "--now", "--takeover", sessions[0].id)
            home.ended(client, sessions[0].id)
            create(client, b"cat")
            assert home.running()["keeper"]["pid"] == keeper
