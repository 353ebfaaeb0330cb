"""One create, one program: sent twice, by several clients, across the death of the daemon."""

import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec.structs import replace

from holdfast.errors import CommandNotFound
from holdfast.protocol.messages import Create, Created, List
from tests.support.home import Home, running_home, until

pytestmark = pytest.mark.slow

ROUNDS = 20


def program(log: Path) -> tuple[str, ...]:
    """Write down that it was started, and stay."""
    return ("sh", "-c", f"echo started >> {log}; exec sleep 1000")


def starts(log: Path) -> int:
    return len(log.read_text().splitlines()) if log.exists() else 0


def create_alone(home: Home, wanted: Create) -> Created:
    with home.client() as client:
        return client.call(wanted)


def test_a_create_sent_twice_happens_once(tmp_path: Path) -> None:
    """T33."""
    log = tmp_path / "log"
    with running_home(tmp_path / "h") as home, home.client() as client:
        wanted = home.create_request(*program(log), creation="token")
        first, second = client.call(wanted), client.call(wanted)
        assert first.session.id == second.session.id
        assert (first.outcome, second.outcome) == ("created", "created")
        until(log.exists, "the program to start")
        home.hold("kill", "--now", "--takeover", first.session.id)
        ended = home.ended(client, first.session.id)

        # Also after its end, and by a daemon that was not there.
        home.kill_daemon()
        again = client.call(wanted).session
        assert (again.id, again.state) == (ended.id, "exited")
        assert starts(log) == 1


def test_a_create_cut_off_at_any_moment_happens_once(tmp_path: Path) -> None:
    """T33: the daemon is killed at random moments around it, and the client sends it again."""
    chance = random.Random(33)
    with running_home(tmp_path / "h") as home, home.client() as client:
        keeper = home.running()["keeper"]["pid"]
        for number in range(ROUNDS):
            log = tmp_path / f"log-{number}"
            pid = home.running()["daemon"]["pid"]
            wanted = home.create_request(*program(log), key=f"key-{number}", creation=f"t{number}")
            client.ask(wanted)
            time.sleep(chance.random() * 0.006)  # the moment is the experiment
            os.kill(pid, signal.SIGKILL)
            home.next_daemon(pid)
            client.reconnect()
            session = client.call(wanted).session
            assert client.call(wanted).session.id == session.id
            until(lambda log=log: starts(log), "the program to start")  # type: ignore[misc]
            assert starts(log) == 1
            living = client.call(List()).sessions
            assert [one.id for one in living if one.key == f"key-{number}"] == [session.id]
        assert home.running()["keeper"]["pid"] == keeper


def test_clients_that_ask_for_one_key_at_once_get_one_program(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running_home(tmp_path / "h") as home:
        home.hold("daemon", "start")
        wanted = home.create_request(*program(log), key="the one")
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda _n: create_alone(home, wanted), range(8)))
        with home.client() as client:
            assert len(client.call(List()).sessions) == 1
        until(log.exists, "the program to start")

    assert len({one.session.id for one in made}) == 1
    assert sorted(one.outcome for one in made) == ["attached"] * 7 + ["created"]
    assert starts(log) == 1


def test_clients_of_one_key_do_not_share_a_failure(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        bad = client.ask(home.create_request("no-such-program", key="k"))
        good = client.ask(home.create_request("cat", key="k"))
        results: dict[int, object] = {}
        while len(results) < 2:
            results |= {reply.number: reply.result for reply in client.replies()}

    assert isinstance(results[bad], CommandNotFound)
    assert isinstance(results[good], Created)


def test_an_ended_session_of_a_key_is_not_found(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        first = home.create(client, "true", key="k")
        home.ended(client, first.id)
        second = client.call(home.create_request("cat", key="k"))
        third = client.call(home.create_request("cat", key="k"))

    assert second.session.id != first.id
    assert (second.outcome, third.outcome) == ("created", "attached")
    assert third.session.id == second.session.id


def test_a_program_on_its_way_is_found_by_its_key_after_the_death_of_the_daemon(
    tmp_path: Path,
) -> None:
    """T33: exec takes long, a new daemon comes up first, and somebody else asks for the key."""
    log, program_file = tmp_path / "log", tmp_path / "program"
    program_file.write_text(f"#!/bin/sh\necho started >> {log}\nexec /bin/sleep 1000\n")
    program_file.chmod(0o755)
    far_away = os.fsencode("a:" * 60_000 + str(tmp_path))  # looking for it takes half a second
    wanted = Create(argv=[b"program"], cwd=b"/", env={b"PATH": far_away}, key="k")
    with running_home(tmp_path / "h") as home, home.client() as client, home.client() as other:
        home.with_spare()
        client.ask(replace(wanted, creation="a"))
        until(lambda: home.status()["sessions"], "the keeper to have begun")
        home.kill_daemon()
        other.reconnect()
        assert not log.exists()
        found = other.call(replace(wanted, creation="b"))

        assert found.outcome == "attached"
        assert [one.id for one in other.call(List()).sessions] == [found.session.id]
        until(log.exists, "the program to start")
    assert starts(log) == 1


def test_of_two_that_propose_one_name_at_once_only_one_gets_it(tmp_path: Path) -> None:
    """The others get a number; who insists on a name has it, too."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        wanted = replace(home.create_request("cat"), name="cat", numbered=True)
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda _: create_alone(home, wanted), range(4)))

        assert {each.session.name for each in made} == {"cat", "cat-2", "cat-3", "cat-4"}
        assert client.call(replace(wanted, numbered=False)).session.name == "cat"


def test_a_name_of_what_has_ended_is_free(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        wanted = replace(home.create_request("true"), name="n" * 256, numbered=True)
        first = client.call(wanted).session
        home.ended(client, first.id)

        assert client.call(replace(wanted, argv=[b"cat"])).session.name == first.name
        assert client.call(wanted).session.name == "n" * 254 + "-2"
