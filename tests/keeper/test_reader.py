"""The keeper keeps a reader: for whichever daemon asks, whatever dies."""

import os
import random
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.daemon.screens import WITHIN
from holdfast.keeper import launch
from holdfast.protocol.messages import GetScreen, Screen
from tests.support.asking import Client
from tests.support.home import PATIENCE, Home, running_home, until

pytestmark = pytest.mark.slow

ROOT = Path(launch.__file__).parents[2]
ON = {"HOLDFAST_READER_ENABLED": "on"}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with running_home(tmp_path / "h", ON) as home:
        yield home


def reader_of(home: Home, *others: int) -> dict[str, Any]:
    """Wait for a reader that serves and is none of *others*."""

    def serving() -> dict[str, Any] | None:
        reader = home.running()["reader"]
        return reader if reader["state"] == "running" and reader["pid"] not in others else None

    return until(serving, "a reader to serve")


def prints(home: Home, client: Client, text: str = "hello") -> str:
    """Start a program that prints and then echoes; return its session."""
    script = f"stty -echo; printf '\\033[1m{text}'; exec cat"
    return home.create(client, "sh", "-c", script).id


def shows(client: Client, session: str, text: bytes, patience: float = PATIENCE) -> Screen:
    """Wait for a picture, of the reader and not of a tail, with this on it."""

    def shown() -> Screen | None:
        screen = client.call(GetScreen(session=session))
        return screen if screen.fidelity == "exact" and text in screen.data else None

    return until(shown, f"a picture with {text!r}", patience)


def test_it_is_started_for_the_first_output_and_not_before(home: Home) -> None:
    with home.client() as client:
        assert home.running()["reader"]["state"] == "off"
        session = prints(home, client)

        reader = reader_of(home)

        assert (reader["restarts"], reader["reason"]) == (0, "")
        shows(client, session, b"hello")
        assert f"pid {reader['pid']}" in home.hold("daemon", "status")


def test_it_comes_last_where_processes_compete(home: Home) -> None:
    with home.client() as client:
        prints(home, client)

        assert os.getpriority(os.PRIO_PROCESS, reader_of(home)["pid"]) == 10


def test_it_is_not_started_where_nobody_wants_it(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = prints(home, client)
        until(lambda: b"hello" in home.output(client, session), "its output")

        assert client.call(GetScreen(session=session)).fidelity == "tail"
        assert home.status()["reader"]["state"] == "off"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_another_one_follows_and_knows_the_same(home: Home, number: int) -> None:
    with home.client() as client:
        session = prints(home, client)
        before = shows(client, session, b"hello")
        reader = reader_of(home)
        os.kill(reader["pid"], number)

        after = reader_of(home, reader["pid"])

        assert (after["restarts"], after["reason"]) == (1, f"signal {number}")
        assert shows(client, session, b"hello").data == before.data


def test_it_outlives_the_daemon_and_serves_the_next(home: Home) -> None:
    with home.client() as client:
        session = prints(home, client)
        shows(client, session, b"hello")
        reader = reader_of(home)
        for _ in range(3):
            home.another_daemon(home.kill_daemon())

        with home.client() as another:
            shows(another, session, b"hello")

        assert home.status()["reader"] == reader


def test_it_ends_with_its_keeper_and_the_next_keeper_starts_another(home: Home) -> None:
    with home.client() as client:
        session = prints(home, client)
        shows(client, session, b"hello")
        reader = reader_of(home)
        home.another_keeper(home.kill_keeper())

        after = reader_of(home, reader["pid"])

        until(lambda: reader["pid"] not in home.pids(), "the one before to end")
        shows(client, session, b"hello")
        assert after["restarts"] == 0


def test_it_stays_when_the_keeper_becomes_another_one(home: Home) -> None:
    with home.client() as client:
        session = prints(home, client)
        shows(client, session, b"hello")
        reader = reader_of(home)

        assert home.ask("reexec", launch=launch.spec(home.paths, home.environ))["ok"]

        assert home.running()["reader"] == reader
        shows(client, session, b"hello")
        os.kill(reader["pid"], signal.SIGKILL)
        assert reader_of(home, reader["pid"])["restarts"] == 1
        shows(client, session, b"hello")


def test_an_upgrade_brings_a_reader_of_the_new_code(tmp_path: Path, home: Home) -> None:
    root = tmp_path / "new"
    shutil.copytree(ROOT / "holdfast", root / "holdfast")
    with home.client() as client:
        session = prints(home, client)
        shows(client, session, b"hello")
        before = reader_of(home)
        spec = launch.spec(home.paths, home.environ) | {"root": str(root)}

        assert home.ask("restart", launch=spec)["ok"]

        after = reader_of(home, before["pid"])
        assert str(root).encode() in Path(f"/proc/{after['pid']}/cmdline").read_bytes()
        with home.client() as another:
            shows(another, session, b"hello")


def test_one_that_cannot_work_here_says_why_and_is_not_tried_again(
    tmp_path: Path, home: Home
) -> None:
    """Until an upgrade brings one that can."""
    root = tmp_path / "new"
    shutil.copytree(ROOT / "holdfast", root / "holdfast")
    library = root / "holdfast" / "reader" / "library.py"
    library.write_text("import no_such_library\n")
    good = launch.spec(home.paths, home.environ)
    with home.client() as client:
        assert home.ask("restart", launch=good | {"root": str(root)})["ok"]
        with home.client() as another:
            session = prints(home, another)

            def unable() -> bool:
                return bool(home.running()["reader"]["state"] == "unable")

            until(unable, "it to say so")
            reader = home.status()["reader"]
            assert "no_such_library" in reader["reason"]
            assert "no_such_library" in home.hold("daemon", "status")
            prints(home, another)
            assert another.call(GetScreen(session=session)).fidelity == "tail"
            assert home.status()["reader"]["restarts"] == reader["restarts"] <= 1

        assert home.ask("restart", launch=good)["ok"]
        with home.client() as another:
            shows(another, session, b"hello")
    assert client is not None


def test_nobody_waits_for_one_that_cannot_work_here(tmp_path: Path, home: Home) -> None:
    """Not even who is the first to ask a daemon that has just begun."""
    root = tmp_path / "new"
    shutil.copytree(ROOT / "holdfast", root / "holdfast")
    (root / "holdfast" / "reader" / "library.py").write_text("import no_such_library\n")
    spec = launch.spec(home.paths, home.environ) | {"root": str(root)}
    with home.client() as client:
        session = home.create(client, "sleep", "1000").id
    assert home.ask("restart", launch=spec)["ok"]
    waited = []
    for _ in range(3):
        home.next_daemon(home.kill_daemon())
        with home.client() as client:
            begin = time.monotonic()
            assert client.call(GetScreen(session=session)).fidelity == "tail"
            waited.append(time.monotonic() - begin)
        until(lambda: home.running()["reader"]["state"] == "unable", "it to say so")

    assert min(waited) < WITHIN / 2


def test_one_that_dies_at_once_is_tried_again_after_longer_and_longer(
    tmp_path: Path, home: Home
) -> None:
    root = tmp_path / "new"
    shutil.copytree(ROOT / "holdfast", root / "holdfast")
    main = root / "holdfast" / "reader" / "__main__.py"
    main.write_text("raise SystemExit('no reader today')\n")
    with home.client():
        spec = launch.spec(home.paths, home.environ) | {"root": str(root)}
        assert home.ask("restart", launch=spec)["ok"]
    with home.client() as client:
        prints(home, client)

        def waits() -> bool:
            reader = home.running()["reader"]
            return bool(reader["state"] == "waiting" and reader["next_try"] > 0.3)

        until(waits, "it to wait")

        assert "no reader today" in home.status()["reader"]["reason"]
        assert home.status()["keeper"]["faults"] == 0
        assert home.status()["daemon"]["state"] == "running"


def test_a_stop_ends_it(home: Home) -> None:
    with home.client() as client:
        prints(home, client)
        reader = reader_of(home)

    home.hold("daemon", "stop", "--yes")

    until(lambda: reader["pid"] not in home.pids(), "the reader to end")


def test_descriptors_do_not_pile_up(home: Home) -> None:
    """Of the line between the two the keeper keeps nothing."""
    with home.client() as client:
        session = prints(home, client)
        shows(client, session, b"hello")
        reader = reader_of(home)
        keeper, daemon = home.with_spare()["keeper"]["pid"], home.status()["daemon"]["pid"]

        def another() -> None:
            nonlocal reader
            os.kill(reader["pid"], signal.SIGKILL)
            reader = reader_of(home, reader["pid"])
            shows(client, session, b"hello")

        another()  # what is opened once, and late, is open after this
        before = [home.open_files(pid) for pid in (keeper, daemon)]
        for _ in range(3):
            another()

        def is_as_before() -> bool:
            now = [home.open_files(pid) for pid in (keeper, daemon)]
            return all(count <= then for count, then in zip(now, before, strict=True))

        until(is_as_before, "every descriptor to be closed")


@pytest.mark.timeout(240)
def test_kills_at_random_under_load_are_invisible(tmp_path: Path, home: Home) -> None:
    """T14: while one program floods and another is looked at; both are right in the end."""
    dice = random.Random(9)
    gate = tmp_path / "gate"
    script = f"until [ -e {gate} ]; do seq 1 100000; sleep 0.3; done; printf done; exec cat"
    with home.client() as client:
        flood = home.create(client, "sh", "-c", script).id
        quiet = prints(home, client)
        daemon, reader = home.running()["daemon"]["pid"], reader_of(home)
        for _ in range(4):
            further = home.offset(client, flood) + dice.randrange(2 << 20)
            until(lambda further=further: home.offset(client, flood) > further, "more output")  # type: ignore[misc]
            assert b"hello" in client.call(GetScreen(session=quiet)).data
            os.kill(reader["pid"], signal.SIGKILL)
            assert b"hello" in client.call(GetScreen(session=quiet)).data
            reader = reader_of(home, reader["pid"])
        gate.touch()
        shows(client, quiet, b"hello")

        # All of the flood again, by a process to which every other one is preferred.
        screen = shows(client, flood, b"done", 120)

        wanted = [b"%d" % number for number in range(100_000 - 22, 100_001)] + [b"done"]
        assert screen.data.split() == wanted
        assert home.status()["daemon"]["pid"] == daemon
