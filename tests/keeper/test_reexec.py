"""The keeper becomes a newer one: the same process, the same children."""

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from holdfast.keeper import launch
from holdfast.protocol.messages import Kill
from tests.support.flood import Flood
from tests.support.home import Home, running_home, until

pytestmark = pytest.mark.slow

ROOT = Path(launch.__file__).parents[2]


def reexec(home: Home, **changes: Any) -> dict[str, Any]:
    return home.ask("reexec", launch=launch.spec(home.paths, home.environ) | changes)


def test_several_in_a_row_under_flood(tmp_path: Path) -> None:
    """The same keeper, daemon and children; codes of those that ended meanwhile are kept."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        floods = [Flood(home, client, pause) for pause in (0, 0.001, 0.01)]
        before = home.with_spare()
        for code in (3, 4, 5, 6):
            gate = tmp_path / f"gate-{code}"
            os.mkfifo(gate)
            ends = home.create(client, "sh", "-c", f"read line < {gate}; exit {code}")
            with home.asking("reexec") as answer:
                gate.write_text("go\n")
                assert answer.result() == {"ok": True, "pid": before["keeper"]["pid"]}
            assert home.ended(client, ends.id).exit_code == code
            for flood in floods:
                flood.grows(client)
        after = home.with_spare()
        assert after == before
        for flood in floods:
            assert flood.finish(client).exit_code == 0


def test_a_child_that_ended_while_no_daemon_could_hear_it(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        ends = home.create(client, "sleep", "1000")
        daemon = home.with_spare()["daemon"]["pid"]
        os.kill(daemon, signal.SIGSTOP)
        assert ends.pid is not None
        os.kill(ends.pid, signal.SIGUSR1)
        until(lambda: home.status()["sessions"] == 0, "the keeper to reap it")

        assert reexec(home)["ok"]
        os.kill(daemon, signal.SIGKILL)

        assert home.ended(client, ends.id).exit_signal == signal.SIGUSR1


def test_later_children_inherit_nothing(tmp_path: Path) -> None:
    """A leaked master would keep its terminal open for ever."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        assert reexec(home)["ok"]

        later = home.create(client, "sleep", "1000")

        fds = {path.name: path.readlink() for path in Path(f"/proc/{later.pid}/fd").iterdir()}
        assert fds.keys() == {"0", "1", "2"}
        assert len(set(fds.values())) == 1
        # The daemon after it gets its socket and, handed over, what it should have.
        daemon = home.with_spare()["daemon"]
        assert home.open_files(daemon["spare"]) < 10
        flood.finish(client)


def test_descriptors_do_not_pile_up(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        keeper = home.with_spare()["keeper"]["pid"]
        reexec(home)
        before = home.open_files(keeper)
        for _ in range(3):
            assert reexec(home)["ok"]
        until(lambda: home.open_files(keeper) <= before, "as few descriptors as before")
        flood.finish(client)


def test_daemon_and_children_are_watched_as_before(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        home.with_spare()
        assert reexec(home)["ok"]

        daemon = home.kill_daemon()

        until(lambda: home.running()["daemon"]["pid"] != daemon, "another daemon")
        assert home.status()["restarts"] == 1
        flood.grows(client)
        flood.finish(client)


def test_an_adopted_daemon_and_its_children_are_watched_as_before(tmp_path: Path) -> None:
    """Their ends come through pidfds, which must be watched anew."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        child = home.create(client, "sleep", "1000")
        keeper = home.kill_keeper()
        until(lambda: home.running()["keeper"]["pid"] != keeper, "a successor")
        assert reexec(home)["ok"]

        client.call(Kill(session=child.id, now=True))
        assert home.ended(client, child.id).exit_signal == signal.SIGKILL
        daemon = home.kill_daemon()

        until(lambda: home.running()["daemon"]["pid"] != daemon, "another daemon")
        flood.grows(client)
        flood.finish(client)


def test_signals_that_come_meanwhile_do_not_kill(tmp_path: Path) -> None:
    """T16: anybody who starts a second keeper sends SIGHUP to the first."""
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        keeper = home.with_spare()["keeper"]["pid"]
        with home.asking("reexec") as answer:
            while not answer.done():
                os.kill(keeper, signal.SIGHUP)
            assert answer.result()["ok"]
        flood.finish(client)


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("keeper/keeper.py", "def broken(:\n", "SyntaxError"),
        ("keeper/reexec.py", "import no_such_module\n", "No module named 'no_such_module'"),
        ("keeper/__main__.py", "raise SystemExit('not today')\n", "not today"),
    ],
)
def test_broken_code_is_refused_and_the_keeper_goes_on(
    tmp_path: Path, file: str, text: str, reason: str
) -> None:
    """T15."""
    shutil.copytree(ROOT / "holdfast", tmp_path / "new" / "holdfast")
    (tmp_path / "new" / "holdfast" / file).write_text(text)
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)
        before = home.with_spare()
        count = home.open_files(before["keeper"]["pid"])

        reply = reexec(home, root=str(tmp_path / "new"))

        assert not reply["ok"]
        assert reason in reply["reason"]
        assert home.status() == before
        until(lambda: home.open_files(before["keeper"]["pid"]) <= count, "every fd to be closed")
        flood.finish(client)


def test_a_python_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with running_home(tmp_path / "h") as home, home.client() as client:
        flood = Flood(home, client)

        assert "No such file" in reexec(home, python="/nonexistent")["reason"]

        flood.finish(client)
