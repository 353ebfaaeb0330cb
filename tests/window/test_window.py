"""`hold window` as a person has it: the page of a host with a live session, closed, killed."""

import os
import signal
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest

from holdfast.cli import hosts
from holdfast.host import records
from holdfast.host.places import record_directory
from tests.support.home import Home, running_home, until
from tests.support.hosting import running_host
from tests.support.pictures import ink
from tests.support.processes import is_alive
from tests.support.windowing import (
    OFFSCREEN,
    SLOW,
    Driven,
    click_and_type,
    end_hosts,
    engine_processes,
    gone,
    hosts_of,
    public,
    window,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FIRST_LINE = 42, 54  # the rows of a picture where a terminal begins
TICKING = "i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.2; done"


def ticking(home: Home) -> str:
    return home.hold("run", "-d", "-n", "clock", "sh", "-c", TICKING).strip()


def state_of(home: Home, session: str) -> str:
    with home.client() as client:
        return home.state(client, session)


@pytest.mark.parametrize("platform", ["x", "offscreen"])
def test_it_shows_a_session_that_lives_on_when_it_is_closed(
    home: Home, display: Mapping[str, str], platform: str
) -> None:
    session = ticking(home)
    daemon = home.running()["daemon"]["pid"]

    with window(home, display if platform == "x" else OFFSCREEN, "clock") as shown:
        shown.shows("tick 5")
        assert shown.do("state")["platform"] == {"x": "xcb"}.get(platform, platform)
        shown.shows("yours")
        # What is painted is a moment behind what the page has.
        until(lambda: ink(shown.picture(f"window-{platform}"), *FIRST_LINE) > 20, "text to be seen")
        host = hosts_of(home)
        engine = engine_processes(shown.window)
        assert shown.close() == 0

    assert engine
    until(lambda: gone(engine), "the engine to end")
    assert hosts_of(home) == host
    assert home.running()["daemon"]["pid"] == daemon
    assert state_of(home, session) == "running"


def test_killing_the_window_harms_nothing(home: Home, display: Mapping[str, str]) -> None:
    """P1: a window is a viewer and no more."""
    session = ticking(home)
    shown = Driven(home, display, "clock").loaded()
    shown.shows("tick 2")
    host, daemon, pid = hosts_of(home), home.running()["daemon"]["pid"], shown.window
    engine = engine_processes(pid)

    os.kill(pid, signal.SIGKILL)
    code = shown.ended()
    said = shown.errors()
    shown.close()

    assert code == 1
    assert "the window has died: its process was ended by SIGKILL" in said
    assert "Traceback" not in said
    until(lambda: gone(engine), "the engine to end")
    assert hosts_of(home) == host
    assert home.running()["daemon"]["pid"] == daemon
    assert state_of(home, session) == "running"
    with window(home, display, "clock") as again:
        again.shows("tick 2")


def test_a_window_does_not_outlive_the_command_that_shows_it(
    home: Home, display: Mapping[str, str]
) -> None:
    ticking(home)
    shown = Driven(home, display).loaded()
    pid = shown.window

    shown.process.kill()
    shown.ended()

    until(lambda: not is_alive(pid), "the window to close", SLOW)
    shown.close()


def test_ctrl_c_closes_it(home: Home, display: Mapping[str, str]) -> None:
    shown = Driven(home, display).loaded()
    pid = shown.window

    shown.process.send_signal(signal.SIGINT)

    assert shown.ended() == 0
    assert not is_alive(pid)
    assert shown.errors() == ""
    shown.close()


def test_no_list_of_processes_shows_what_lets_a_page_in(
    home: Home, display: Mapping[str, str]
) -> None:
    """T28: neither the code nor the token is in a command line or an environment."""
    ticking(home)
    with window(home, display, "clock") as shown:
        shown.shows("tick 2")
        token = shown.evaluate("localStorage.getItem('holdfast.token')")
        pids = {shown.process.pid, shown.window, *engine_processes(shown.window), *hosts_of(home)}
        seen = public(pids)

    assert token
    assert token.encode() not in seen
    assert b"code=" not in seen
    assert b"holdfast.window\0-" in seen  # it is really the window that was looked at


def test_it_uses_the_host_that_runs(home: Home, display: Mapping[str, str]) -> None:
    with window(home, display):
        first = hosts_of(home)
    with window(home, display):
        assert hosts_of(home) == first

    assert len(first) == 1


def test_what_is_typed_into_it_reaches_the_session(home: Home, display: Mapping[str, str]) -> None:
    home.hold("run", "-d", "-n", "echo", "cat")
    with window(home, display, "echo") as shown:
        shown.shows("Connected")
        click_and_type(display, 400, 300, "from a window\n")
        shown.shows("from a window\nfrom a window")


def test_the_title_follows_the_program(tmp_path: Path, display: Mapping[str, str]) -> None:
    """What a program calls its window is what the window is called."""
    directory = tmp_path / "home"
    directory.mkdir(mode=0o700)
    with running_home(directory, {"HOLDFAST_READER_ENABLED": "on"}) as home:
        follow_titles(home, display)
        end_hosts(home)


def follow_titles(home: Home, display: Mapping[str, str]) -> None:
    flag = home.paths.state / "flag"
    title = "printf '\\033]2;{}\\007'".format
    waits = f"{title('one')}; until [ -e {flag} ]; do sleep 0.1; done; {title('two')}; cat"
    home.hold("run", "-d", "-n", "titled", "sh", "-c", waits)
    with window(home, display, "titled") as shown:
        until(lambda: shown.do("state")["title"] == "one - titled", "the first title", SLOW)
        flag.touch()
        until(lambda: shown.do("state")["title"] == "two - titled", "the second title", SLOW)


def test_a_host_that_has_ended_is_there_again_when_somebody_comes_back(
    home: Home, display: Mapping[str, str]
) -> None:
    """An idle host ends (P8); whoever comes back to the window does not start it by hand."""
    ticking(home)
    with window(home, display, "clock") as shown:
        shown.shows("tick 2")
        url = shown.evaluate("location.origin")
        end_hosts(home)

        click_and_type(display, 400, 300, "")

        (pid,) = until(lambda: hosts_of(home), "a host", SLOW)
        record = home.paths.runtime / "hosts" / f"{pid}.json"
        assert url in record.read_text()


def test_a_host_whose_place_is_taken_is_said_once_and_comes_back_when_it_is_free(
    home: Home, display: Mapping[str, str]
) -> None:
    """Each click started one more host, which no page looked for, at the next free port."""
    ticking(home)
    with running_host(home, logged_in=False) as host, window(home, display, "clock") as shown:
        shown.shows("tick 2")
        host.close()

        with socket.create_server(("127.0.0.1", host.port)):
            click_and_type(display, 400, 300, "")
            assert "something else listens there" in shown.complaint()
            assert hosts_of(home) == []

        def is_back() -> bool:
            click_and_type(display, 400, 300, "")
            return bool(hosts_of(home))

        until(is_back, "a host", SLOW)
        shown.shows("Connected")


def test_a_host_by_another_name_is_one_when_it_is_back(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of `localhost` was never served again, however many hosts were started for it."""
    for name, value in home.environ.items():
        monkeypatch.setenv(name, value)
    with running_host(home, "--listen", "localhost", logged_in=False):
        (record,) = records.running(record_directory(home.paths))

    found = {hosts.revived(record, home.paths).pid for _ in range(2)}

    assert record.url.startswith("http://localhost:")
    assert len(found) == 1
    assert set(hosts_of(home)) == found


def test_a_window_opens_where_the_last_one_was(home: Home, display: Mapping[str, str]) -> None:
    with window(home, display) as first:
        first.do("arrange", width=900, height=600, x=120, y=80)
        until(lambda: first.do("state")["width"] == 900, "its size")
        left = first.do("state")
    with window(home, display) as second:
        found = second.do("state")
    with window(home, display, "--width", "700") as third:
        asked = third.do("state")

    assert left["x"] == 120
    assert {**found, "title": ""} == {**left, "title": ""}
    assert (asked["width"], asked["height"]) == (700, 600)


def test_a_killed_window_is_remembered_too(home: Home, display: Mapping[str, str]) -> None:
    place = home.paths.state / "window" / "place"
    shown = Driven(home, display).loaded()
    until(place.exists, "its first place")
    before = place.read_bytes()
    shown.do("arrange", width=900, height=600)
    until(lambda: place.read_bytes() != before, "its place to be written down")
    os.kill(shown.window, signal.SIGKILL)
    shown.close()

    with window(home, display) as again:
        state = again.do("state")

    assert (state["width"], state["height"]) == (900, 600)


def test_rubbish_for_a_place_is_no_place(home: Home, display: Mapping[str, str]) -> None:
    folder = home.paths.state / "window"
    folder.mkdir(parents=True, mode=0o700)
    home.paths.state.chmod(0o700)
    (folder / "place").write_bytes(b"\xff" * 5000)

    with window(home, display) as shown:
        state = shown.do("state")

    assert (state["width"], state["height"]) == (1280, 800)


def test_two_windows_do_not_share_their_storage(home: Home, display: Mapping[str, str]) -> None:
    with window(home, display) as first, window(home, display) as second:
        assert first.do("state")["keeps"]
        assert not second.do("state")["keeps"]


def test_a_session_that_does_not_exist_opens_no_window(
    home: Home, display: Mapping[str, str]
) -> None:
    shown = Driven(home, display, "nothing")

    assert shown.ended() == 3
    assert "nothing" in shown.errors()
    assert hosts_of(home) == []
    shown.close()


def test_a_size_that_is_none_is_said(home: Home, display: Mapping[str, str]) -> None:
    shown = Driven(home, display, "--width", "7")

    assert shown.ended() == 2
    assert shown.errors().count("\n") == 2
    shown.close()
