"""`restart`: another daemon without a gap, and only if it works (T15)."""

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from holdfast.keeper import launch
from tests.support.flood import Flood
from tests.support.home import Home, running_home, until

pytestmark = pytest.mark.slow

ROOT = Path(launch.spec.__code__.co_filename).parents[2]


def spec(home: Home, **changes: Any) -> dict[str, Any]:
    return launch.spec(home.paths, home.environ) | changes


def copied_package(directory: Path) -> Path:
    """Return the root of a Holdfast of one's own, to be broken."""
    shutil.copytree(ROOT / "holdfast", directory / "holdfast")
    return directory


def test_it_loses_nothing_and_replaces_spare_and_daemon(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client, pause=0)
        before = home.with_spare()["daemon"]

        reply = home.ask("restart", launch=spec(home))

        after = home.with_spare()["daemon"]
        assert reply["ok"], reply
        assert after["pid"] == reply["pid"]
        assert not {after["pid"], after["spare"]} & {before["pid"], before["spare"]}
        flood.grows(client)
        flood.finish(client)


def test_restarts_that_follow_each_other_lose_nothing(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        for _ in range(3):
            assert home.ask("restart", launch=spec(home))["ok"]
            flood.grows(client)
        assert home.status()["restarts"] == 3
        flood.finish(client)


def test_the_new_daemon_runs_the_code_and_the_settings_of_whoever_asked(tmp_path: Path) -> None:
    root = copied_package(tmp_path / "new")
    (root / "holdfast" / "__init__.py").write_text('"""Newer."""\n\n__version__ = "99.9"\n')
    with running_home(tmp_path / "h") as home, home.client() as client:
        session = home.create(client, "sleep", "1000")
        settings = {**home.environ, "HOLDFAST_SESSION_PUMP": "copy"}
        newer = launch.spec(home.paths, settings) | {"root": str(root)}

        assert home.ask("restart", launch=newer)["ok"]

        status = home.status()
        assert (status["daemon"]["version"], status["pump"]) == ("99.9", "copy")
        home.kill_daemon()
        until(lambda: home.running()["restarts"] == 2, "the one after it")
        assert home.status()["daemon"]["version"] == "99.9"
        assert home.state(client, session.id) == "running"


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("daemon/app.py", "def broken(:\n", "SyntaxError"),
        ("daemon/app.py", "import no_such_module\n", "No module named 'no_such_module'"),
        ("daemon/__main__.py", "raise SystemExit(3)\n", "3"),
        ("errors/__init__.py", "", "cannot import name"),
    ],
)
def test_broken_code_is_refused_with_its_reason(
    tmp_path: Path, file: str, text: str, reason: str
) -> None:
    """The old daemon, its spare and the sessions are not touched."""
    root = copied_package(tmp_path / "new")
    (root / "holdfast" / file).write_text(text)
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        before = home.with_spare()

        reply = home.ask("restart", launch=spec(home, root=str(root)))

        assert not reply["ok"]
        assert reason in reply["reason"]
        assert home.status() == before
        flood.grows(client)
        flood.finish(client)


@pytest.mark.parametrize("broken", ["variable", "file"])
def test_a_bad_setting_is_refused_with_its_reason(tmp_path: Path, broken: str) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        before = home.running()["daemon"]["pid"]
        settings = dict(home.environ)
        if broken == "file":
            home.paths.config_file.write_text("[session]\nlimit = 'junk'\n")
        else:
            settings["HOLDFAST_SESSION_LIMIT"] = "junk"

        reply = home.ask("restart", launch=launch.spec(home.paths, settings))

        assert not reply["ok"]
        assert "junk" in reply["reason"]
        assert home.status()["daemon"]["pid"] == before
        assert home.status()["restarts"] == 0
        flood.finish(client)


def test_hold_shows_the_reason(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        home.hold("daemon", "start")
        home.paths.config_file.write_text("session.limit = 'junk'\n")

        shown = home.failing("daemon", "restart")

        assert "config.toml:1" in shown
        assert "junk" in shown
        assert "Traceback" not in shown


@pytest.mark.parametrize(
    "junk", [{"python": "/nonexistent/python"}, {"root": "/nonexistent"}, {"settings": None}, 7]
)
def test_a_spec_that_makes_no_sense_is_refused_and_leaks_nothing(tmp_path: Path, junk: Any) -> None:
    with running_home(tmp_path / "h") as home, home.client():
        keeper = home.with_spare()["keeper"]["pid"]
        wanted = spec(home) | junk if isinstance(junk, dict) else junk
        home.ask("restart", launch=wanted)
        before = open_files(keeper)

        for _ in range(3):
            assert not home.ask("restart", launch=wanted)["ok"]

        until(lambda: open_files(keeper) <= before, "every descriptor to be closed")
        assert home.ask("restart", launch=spec(home))["ok"]


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def test_a_new_daemon_that_breaks_only_when_it_serves_is_followed_by_the_old_one(
    tmp_path: Path,
) -> None:
    """Its check and its imports are fine; then it dies of what it is handed."""
    root = copied_package(tmp_path / "new")
    app = root / "holdfast" / "daemon" / "app.py"
    app.write_text(app.read_text().replace("async def _serve(", "async def _unserved("))
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        home.with_spare()

        reply = home.ask("restart", launch=spec(home, root=str(root)))

        assert not reply["ok"]
        assert "_serve" in reply["reason"]
        home.running()
        flood.grows(client)
        assert home.ask("restart", launch=spec(home))["ok"]
        flood.finish(client)


def test_only_one_restart_at_a_time(tmp_path: Path) -> None:
    root = copied_package(tmp_path / "new")
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    app = root / "holdfast" / "daemon" / "app.py"
    waiting = f"import sys\nsys.argv[2] == '--check' and open({str(gate)!r}).read()\n"
    app.write_text(app.read_text().replace("import asyncio\n", f"{waiting}import asyncio\n", 1))
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        with home.asking("restart", launch=spec(home, root=str(root))) as first:
            with gate.open("w"):  # the check is running and waits for us
                reply = home.ask("restart", launch=spec(home))
            assert reply == {"ok": False, "reason": "a restart is under way already"}
            assert first.result()["ok"]
        flood.finish(client)


def test_a_daemon_broken_at_a_crash_waits_with_its_reason_until_it_is_mended(
    tmp_path: Path,
) -> None:
    """The sessions live; every command says why instead of hanging; mending it is enough."""
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            flood = Flood(home, client)
            flood.grows(client)
        home.with_spare()
        home.paths.config_file.write_text("session.limit = 'junk'\n")
        _crash_until_waiting(home)

        status = home.status()
        assert status["sessions"] == 1
        assert "config.toml:1" in status["daemon"]["reason"]
        assert 0 <= status["daemon"]["next_try"] <= 5
        assert flood.info.pid is not None
        os.kill(flood.info.pid, 0)
        assert "junk" in home.failing("ls")
        assert "waiting" in home.hold("daemon", "status", check=False)
        assert "junk" in home.failing("daemon", "restart")

        home.paths.config_file.unlink()
        home.hold("daemon", "restart")
        with home.client() as client:
            flood.finish(client)


@pytest.mark.parametrize("mend", ["start", "try"])
def test_a_mended_daemon_is_back_by_other_ways_too(tmp_path: Path, mend: str) -> None:
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            flood = Flood(home, client)
        home.paths.config_file.write_text("session.limit = 'junk'\n")
        _crash_until_waiting(home)

        home.paths.config_file.unlink()
        if mend == "try":
            home.ask("try")
        else:
            home.hold("daemon", "start")

        with home.client() as client:
            flood.grows(client)
            flood.finish(client)


def _crash_until_waiting(home: Home) -> None:
    """Kill daemon and spare; what is started instead cannot read its config."""
    daemon = home.running()["daemon"]
    for pid in (daemon["spare"], daemon["pid"]):
        if pid:
            os.kill(pid, signal.SIGKILL)

    def waits_long() -> bool:
        daemon = home.status()["daemon"]
        return daemon["state"] == "waiting" and bool(daemon["next_try"] > 0.3)

    until(waits_long, "a daemon that does not come up")


def test_a_restart_while_no_daemon_comes_up_starts_the_mended_one_at_once(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            flood = Flood(home, client)
        home.paths.config_file.write_text("session.limit = 'junk'\n")
        _crash_until_waiting(home)
        home.paths.config_file.unlink()

        assert home.ask("restart", launch=spec(home))["ok"]

        with home.client() as client:
            flood.finish(client)


def test_a_daemon_without_its_python_is_named_and_does_not_spin(tmp_path: Path) -> None:
    """T18: somebody removed the environment that the daemon was started from."""
    python = tmp_path / "python"
    python.symlink_to(os.path.realpath(launch.spec.__globals__["sys"].executable))
    with running_home(tmp_path / "h") as home:
        with home.client() as client:
            flood = Flood(home, client)
        assert home.ask("restart", launch=spec(home, python=str(python)))["ok"]
        python.unlink()
        _crash_until_waiting(home)

        status = home.status()
        assert "No such file" in status["daemon"]["reason"]
        assert status["keeper"]["faults"] == 0

        home.hold("daemon", "restart")
        with home.client() as client:
            flood.finish(client)
