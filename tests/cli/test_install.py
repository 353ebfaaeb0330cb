"""`hold daemon install`: the unit says what is meant, and is written and taken away whole."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from holdfast.cli.installing import MARK, unit_text
from holdfast.config.paths import Paths
from tests.support.hold import Hold

pytestmark = pytest.mark.slow

# What a user manager would be asked, one call a line.
SYSTEMCTL = """#!/bin/sh
echo "$*" >> "$CALLS"
[ "$*" != "--user $REFUSED" ] || { echo "Failed to connect to bus" >&2; exit 1; }
"""


@pytest.fixture
def calls(hold: Hold, tmp_path: Path) -> Path:
    """A systemd that takes note of what it is told, and nothing else of it."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "systemctl").write_text(SYSTEMCTL)
    (tools / "systemctl").chmod(0o755)
    told = tmp_path / "calls"
    told.write_text("")
    path = f"{tools}:{os.environ['PATH']}"
    hold.environ |= {"PATH": path, "CALLS": str(told), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    return told


def unit_file(hold: Hold) -> Path:
    return Path(hold.environ["XDG_CONFIG_HOME"]) / "systemd" / "user" / "holdfast.service"


def parsed(text: str) -> ConfigParser:
    """Return a unit as systemd reads it; of lines that repeat the last one is kept."""
    unit = ConfigParser(strict=False, interpolation=None, delimiters=["="])
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(text)
    return unit


def variables(text: str) -> dict[str, str]:
    words = [shlex.split(line)[0] for line in re.findall(r"(?m)^Environment=(.*)$", text)]
    return dict(word.split("=", 1) for word in words)


def test_the_unit_leaves_restarting_and_killing_to_the_keeper(hold: Hold) -> None:
    text = hold.ok("daemon", "install", "--dry-run")
    service = parsed(text)["Service"]

    assert (service["KillMode"], service["Restart"]) == ("process", "no")
    assert (service["Type"], service["RemainAfterExit"]) == ("oneshot", "yes")
    assert parsed(text)["Install"]["WantedBy"] == "default.target"
    assert str(hold.home / "run" / "hold.sock") in text
    assert variables(text)["HOLDFAST_HOME"] == str(hold.home)


def test_a_dry_run_writes_nothing(hold: Hold, calls: Path) -> None:
    hold.ok("daemon", "install", "--dry-run")

    assert calls.read_text() == ""
    assert not unit_file(hold).exists()


def test_what_the_unit_runs_starts_and_stops_the_daemon(hold: Hold) -> None:
    """Run as systemd would, with nothing else in the environment."""
    text = hold.ok("daemon", "install", "--dry-run")
    service = parsed(text)["Service"]
    environ = variables(text) | {"PATH": "/usr/bin:/bin", "HOME": "/"}

    started = subprocess.run(shlex.split(service["ExecStart"]), env=environ, cwd="/", check=False)

    assert started.returncode == 0
    assert hold.status()["daemon"]["state"] == "running"
    stopped = subprocess.run(shlex.split(service["ExecStop"]), env=environ, cwd="/", check=False)
    assert stopped.returncode == 0
    assert hold.processes() == []


def test_odd_characters_stay_what_they_are() -> None:
    odd = {"HOLDFAST_HOME": '/a b/"c"\\d/100%', "HOLDFAST_SESSION_ID": "x", "SECRET": "y"}
    text = unit_text(Paths.find(odd, 0), odd, ["/opt/my $HOME/hold"])

    assert 'Environment="HOLDFAST_HOME=/a b/\\"c\\"\\\\d/100%%"' in text
    assert 'ExecStart="/opt/my $$HOME/hold" daemon start' in text
    assert "SESSION_ID" not in text
    assert "SECRET" not in text


def test_systemd_finds_no_fault_with_it(hold: Hold, tmp_path: Path) -> None:
    """Where there is its checker; the text itself is looked at everywhere."""
    unit = tmp_path / "holdfast.service"
    unit.write_text(hold.ok("daemon", "install", "--dry-run"))
    (tmp_path / "runtime").mkdir(mode=0o700)
    checker = shutil.which("systemd-analyze")
    if checker is None:
        assert parsed(unit.read_text())["Service"]["ExecStart"].startswith("/")
        return

    done = subprocess.run(
        [checker, "--user", "--man=no", "--generators=no", "verify", str(unit)],
        env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path / "runtime")},
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")


def test_install_and_uninstall(hold: Hold, calls: Path) -> None:
    hold.start("--", "cat")

    said = hold.run("daemon", "install")

    assert said.returncode == 0, said
    assert b"enable-linger" in said.stderr
    assert unit_file(hold).read_text().startswith(MARK)
    assert calls.read_text().splitlines()[-1] == "--user enable --now holdfast.service"
    assert list(unit_file(hold).parent.iterdir()) == [unit_file(hold)]
    hold.ok("daemon", "install")  # again, after an upgrade

    hold.ok("daemon", "uninstall")
    assert not unit_file(hold).exists()
    assert "--user disable holdfast.service" in calls.read_text().splitlines()
    assert "stop" not in calls.read_text()
    assert len(hold.sessions()) == 1
    assert hold.run("daemon", "uninstall").returncode == 0


def test_a_unit_of_somebody_else_is_left_alone(hold: Hold, calls: Path) -> None:
    unit_file(hold).parent.mkdir(parents=True)
    unit_file(hold).write_text("[Service]\n")

    for command in ("install", "uninstall"):
        done = hold.run("daemon", command)
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 2
    assert unit_file(hold).read_text() == "[Service]\n"
    assert calls.read_text() == ""


@pytest.mark.parametrize("has_systemctl", [True, False])
def test_without_a_user_manager_it_is_said_in_two_lines(
    hold: Hold, calls: Path, has_systemctl: bool
) -> None:
    hold.environ["REFUSED"] = "show-environment"
    if not has_systemctl:
        hold.environ["PATH"] = str(Path(sys.executable).parent)

    done = hold.run("daemon", "install")

    assert done.returncode == 1
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 2
    assert "`hold daemon install --dry-run`" in lines[1]
    assert not unit_file(hold).exists()
