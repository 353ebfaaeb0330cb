"""When a session was last active: it printed something, was typed into, or began."""

import os
import time
from pathlib import Path

import pytest

from holdfast.protocol.messages import Get, Input, SessionInfo
from tests.support.asking import Client
from tests.support.home import Home, running_home, until

pytestmark = pytest.mark.slow

SILENT = "stty -echo; echo ready; cat > {got}"


def activity(client: Client, session: SessionInfo) -> float:
    found = client.call(Get(session=session.id)).last_activity
    assert found is not None
    return found


def ready(home: Home, client: Client, script: str) -> SessionInfo:
    """Return a session whose program has said that it is ready, and says nothing more."""
    session = home.create(client, "sh", "-c", script)
    until(lambda: home.output(client, session.id) == b"ready\r\n", "the program to be ready")
    return session


def an_hour_of_output(home: Home, session: SessionInfo) -> float:
    """Have the log look as if its program had gone on for an hour; return when it ended."""
    (log,) = (home.paths.state / "sessions" / session.id).glob("*.log")
    last = session.created + 3600
    os.utime(log, (last, last))
    return last


def test_a_session_that_has_done_nothing_was_active_when_it_began(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, "sleep", "1000")

        assert activity(client, session) == pytest.approx(session.created, abs=1)


def test_what_it_prints_is_activity(tmp_path: Path) -> None:
    go = tmp_path / "go"
    script = f"echo ready; until [ -e {go} ]; do sleep 0.01; done; echo more; exec sleep 1000"
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = ready(home, client, script)
        before = time.time()
        assert activity(client, session) <= before
        go.touch()
        until(lambda: home.offset(client, session.id) > len(b"ready\r\n"), "more")

        assert before <= activity(client, session) <= time.time()


def test_what_is_typed_is_activity_also_when_nothing_is_echoed(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = ready(home, client, SILENT.format(got=tmp_path / "got"))
        before = time.time()
        assert activity(client, session) <= before
        client.call(Input(session=session.id, offset=0, data=b"x\n"))

        assert before <= activity(client, session) <= time.time()
        assert home.output(client, session.id) == b"ready\r\n"


def test_the_next_daemon_knows_it_after_a_kill(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = ready(home, client, "echo ready; exec sleep 1000")
        last = an_hour_of_output(home, session)
        home.next_daemon(home.kill_daemon())

        assert activity(client, session) == pytest.approx(last, abs=0.001)


def test_it_is_known_after_the_machine_went_down(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            session = ready(home, client, "echo ready; exec sleep 1000")
        home.power_off()
        last = an_hour_of_output(home, session)
        with home.client() as client:
            found = client.call(Get(session=session.id))

    assert found.state in ("dormant", "lost")
    assert found.last_activity == pytest.approx(last, abs=0.001)


def test_an_ended_session_keeps_it_also_for_the_next_daemon(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, "echo", "words")
        ended = home.ended(client, session.id)
        home.next_daemon(home.kill_daemon())

        assert activity(client, session) == ended.last_activity
        assert f'"last_activity": {ended.last_activity}' in home.hold("ls", "--all", "--json")
