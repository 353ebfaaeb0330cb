"""`hold ls` on terminals, in pages, and for as long as somebody looks."""

import json
import os
import re
import sqlite3
import subprocess
import time

import pytest

from holdfast.protocol.messages import Kill, List
from holdfast.store.journal_facts import decode, encode
from tests.support.hold import HOLD, TIMEOUT, Hold
from tests.support.home import Home, until

pytestmark = pytest.mark.slow

ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


def test_it_fits_a_terminal_of_80_and_shows_the_last_line(hold: Hold) -> None:
    session = hold.start("-n", "build", "--", "sh", "-c", "printf '\\033[1mthe end\\n'; sleep 100")
    hold.start("--cwd", "/usr/share", "--", "sh", "-c", f": {'x' * 200}; sleep 100")
    hold.ok("output", session, "--follow", "--until", "9")

    shown, code = hold.terminal("ls").end()

    lines = [ESCAPES.sub(b"", line).decode() for line in shown.splitlines()]
    assert code == 0
    assert "LAST LINE" in lines[0]
    assert "OWNER" not in lines[0]
    assert "the end" in lines[1]
    assert max(map(len, lines)) <= 80
    assert b"\x1b[32mrunning\x1b[0m" in shown
    assert b"the end" in hold.ok("ls").encode()
    assert hold.sessions()[0]["last_line"] == "the end"


def test_no_color_is_obeyed(hold: Hold) -> None:
    hold.start("--", "sleep", "100")
    hold.environ["NO_COLOR"] = "1"

    shown, _ = hold.terminal("ls").end()

    assert b"running" in shown
    assert b"\x1b" not in shown


def test_a_list_longer_than_the_terminal_goes_through_the_pager(hold: Hold) -> None:
    for _ in range(5):
        hold.start("--", "true")
    hold.environ["PAGER"] = "sed s/^/paged:/"

    long, _ = hold.terminal("ls", "--all", size=(80, 4)).end()
    short, _ = hold.terminal("ls", "--all", size=(80, 24)).end()

    assert long.count(b"paged:") == 6
    assert b"paged:" not in short
    hold.environ["PAGER"] = "no-such-pager"
    without, code = hold.terminal("ls", "--all", size=(80, 4)).end()
    assert (without.count(b"exited"), code) == (5, 0)


def test_watch_draws_again_when_something_happens_and_gives_the_terminal_back(hold: Hold) -> None:
    hold.start("-n", "first", "--", "sleep", "100")
    watching = hold.terminal("ls", "--watch")
    watching.expect(b"\x1b[?1049h")
    watching.expect(b"first")

    second = hold.start("-n", "second", "--", "sleep", "100")
    watching.expect(b"second")
    hold.ok("rename", second, "another")
    watching.expect(b"another")
    watching.child.setwinsize(10, 40)
    watching.expect(b"hold ls")
    watching.send(b"\x03")
    shown, code = watching.end()

    assert code == 0
    assert shown.endswith(b"\x1b[?25h\x1b[?1049l")
    assert watching.modes() == watching.before


@pytest.mark.parametrize("number", [15, 1])
def test_watch_gives_the_terminal_back_when_it_is_told_to_leave(hold: Hold, number: int) -> None:
    hold.start("-n", "first", "--", "sleep", "100")
    watching = hold.terminal("ls", "--watch")
    watching.expect(b"first")

    os.kill(watching.child.pid, number)
    shown, code = watching.end()

    assert code == 128 + number
    assert shown.endswith(b"\x1b[?25h\x1b[?1049l")


def test_watch_for_scripts_is_a_list_a_line(hold: Hold) -> None:
    hold.start("-n", "first", "--", "sleep", "100")
    with subprocess.Popen(
        [*HOLD, "ls", "--watch", "--json"], env=hold.environ, stdout=subprocess.PIPE
    ) as watching:
        assert watching.stdout is not None
        try:
            before = json.loads(watching.stdout.readline())
            hold.ok("kill", "first")
            names = ["first"]
            while names:
                names = [each["name"] for each in json.loads(watching.stdout.readline())]
        finally:
            watching.kill()

    assert [each["name"] for each in before] == ["first"]


def test_watch_waits_for_events_and_does_not_look_by_itself(hold: Hold) -> None:
    """Idle means idle (T23)."""
    hold.start("-n", "first", "--", "sleep", "100")
    watching = hold.terminal("ls", "--watch")
    watching.expect(b"first")
    before = cpu_of(watching.child.pid)

    time.sleep(1.0)

    assert cpu_of(watching.child.pid) - before <= 1  # clock ticks
    watching.send(b"\x03")
    watching.end()


def cpu_of(pid: int) -> int:
    with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - a moment's look
        fields = file.read().rpartition(b")")[2].split()
    return int(fields[11]) + int(fields[12])


MANY = 10_000


def test_ten_thousand_that_have_ended_are_listed(hold: Hold) -> None:
    """More than one reply holds: the list comes in pages."""
    hold.start("-n", "ended", "--", "sh", "-c", f": {'x' * 900}")
    until(lambda: hold.sessions("--all")[0]["state"] == "exited", "its end")
    hold.ok("daemon", "stop", "--yes")
    multiply(hold, MANY)

    began = time.monotonic()
    listed = hold.sessions("--all")
    text = hold.ok("ls", "--all")

    assert time.monotonic() - began < TIMEOUT
    assert len({each["id"] for each in listed}) == MANY + 1
    assert len(text.splitlines()) == MANY + 2
    for guess in ("endde", "en"):
        assert "did you mean 'ended'" in hold.run("show", guess).stderr.decode()


def multiply(hold: Hold, count: int) -> None:
    """Have the journal know so many sessions more that have ended like the one it knows."""
    with sqlite3.connect(hold.home / "state" / "journal.db") as journal:
        query = "SELECT id, created, state, CAST(facts AS BLOB) FROM sessions"
        ((known, created, state, facts),) = journal.execute(query)
        assert decode(facts)["id"] == known
        ids = [f"many{number:05}" for number in range(count)]
        rows = [(each, created, state, encode(decode(facts) | {"id": each})) for each in ids]
        journal.executemany("INSERT INTO sessions VALUES (?, ?, ?, ?)", rows)
    journal.close()


def test_pages_follow_each_other_also_when_their_last_session_is_forgotten(hold: Hold) -> None:
    home = Home(hold.home)
    ids = [hold.start("--", "sleep", "100") for _ in range(5)]
    with home.client() as client:
        first = client.call(List(limit=2))
        assert [each.id for each in first.sessions] == ids[:2]
        client.call(Kill(session=ids[1], now=True))
        hold.run("wait", ids[1])
        hold.ok("forget", ids[1], "--yes")

        second = client.call(List(limit=2, after=first.next))
        third = client.call(List(limit=2, after=second.next))

    assert [each.id for each in (*second.sessions, *third.sessions)] == ids[2:]
    assert third.next == ""
    assert first.sessions[0].last_line == ""
