"""What `make` does before a job: on old Pythons, without rights, when a step fails."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import node
import steps
import system

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the log of the tree's own preparation."""
    monkeypatch.setattr(steps, "STATE", tmp_path)
    monkeypatch.setattr(steps, "LOG", tmp_path / "log")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an otherwise empty directory that is the whole path: a machine to furnish."""
    directory = tmp_path / "bin"
    directory.mkdir()
    (directory / "env").symlink_to("/usr/bin/env")
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.setattr(system, "LIBRARIES", {})  # they cannot be taken off the machine we are on
    return directory


def program(directory: Path, name: str, script: str) -> None:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def furnish(directory: Path, apt_get: str) -> Path:
    """Put an apt-get there that may be used, by root or others; return its record of calls."""
    calls = directory / "calls"
    program(
        directory, "apt-get", f'echo "$1 $DEBIAN_FRONTEND" >>{calls}; bin={directory}; {apt_get}'
    )
    program(directory, "sudo", 'shift; exec "$@"')
    program(directory, "true", "")
    return calls


INSTALL_ALL = (
    "for name in zsh fish vim htop less tmux chromium Xvfb; "
    'do echo "#!/bin/sh" >"$bin/$name"; /bin/chmod +x "$bin/$name"; done'
)


def test_an_old_python_gets_far_enough_to_refuse() -> None:
    """The oldest Python still met on servers must parse the file that refuses it."""
    ast.parse((ROOT / "tools/prepare.py").read_text(), feature_version=(3, 6))


@pytest.mark.parametrize("arguments", [[], ["dance"], ["run", "test"]])
def test_an_unknown_job_is_answered_with_the_known_ones(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools/prepare.py", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, "usage: prepare.py run|check|test|fuzz\n")


def test_a_step_that_works_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert steps.step("brewing tea", steps.Way("kettle", [["echo", "bubbles"]]))
    assert_lines(capsys, "brewing tea … done (0.0 s)")


def test_a_step_that_fails_shows_what_was_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert not steps.step(
        "brewing tea", steps.Way("kettle", [["sh", "-c", "echo no water; exit 1"]])
    )
    assert_lines(
        capsys, "brewing tea … failed (0.0 s)", "  $ sh -c echo no water; exit 1", "  no water"
    )


def test_a_step_goes_on_to_its_next_way(capsys: pytest.CaptureFixture[str]) -> None:
    ways = [steps.Way("uv", [["no-such-program"]]), steps.Way("pip", [["true"]])]
    assert steps.step("brewing tea", *ways)
    assert_lines(capsys, "brewing tea … uv failed, trying pip … done (0.0 s)")


def test_a_way_ends_with_its_first_failing_command(tmp_path: Path) -> None:
    way = steps.Way("apt-get", [["false"], ["touch", tmp_path / "reached"]])
    assert not steps.step("installing", way)
    assert not (tmp_path / "reached").exists()


def test_a_machine_with_node_needs_no_package_of_it(programs: Path) -> None:
    program(programs, "npm", "")
    program(programs, "node", "echo v22.12.0")

    assert not node.needs_package()
    assert node.install(node.ORACLE)[0] == "npm"


@pytest.mark.parametrize("said", ["echo v20.20.2", "echo v22.11.0", "echo none", "exit 1"])
def test_a_node_that_is_too_old_or_broken_is_none(programs: Path, said: str) -> None:
    program(programs, "npm", "")
    program(programs, "node", said)

    assert node.needs_package()


def test_a_node_without_npm_is_none(programs: Path) -> None:
    program(programs, "node", "echo v22.12.0")

    assert node.needs_package()


def test_missing_programs_are_installed_with_the_lists_at_hand(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    calls = furnish(programs, INSTALL_ALL)
    system.provide()
    assert calls.read_text() == "install noninteractive\n"


def test_package_lists_are_fetched_when_installing_fails(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    fails_once = f'[ "$1" = update ] && : >"$bin/updated"; [ -e "$bin/updated" ] && {INSTALL_ALL}'
    calls = furnish(programs, fails_once)
    system.provide()
    assert [line.split()[0] for line in calls.read_text().splitlines()] == [
        "install",
        "update",
        "install",
    ]


def test_package_lists_are_always_fetched_in_ci(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    calls = furnish(programs, INSTALL_ALL)
    system.provide()
    assert [line.split()[0] for line in calls.read_text().splitlines()] == ["update", "install"]


def test_nothing_is_installed_that_is_there(programs: Path) -> None:
    calls = furnish(programs, "")
    for name in ("zsh", "fish", "vim", "htop", "less", "tmux", "chromium", "Xvfb"):
        program(programs, name, "")
    system.provide()
    assert not calls.exists()


@pytest.mark.usefixtures("programs")
def test_a_library_that_is_missing_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "PARTS", ())
    monkeypatch.setattr(system, "LIBRARIES", {"libc.so.6": "libc6", "libkelp.so.1": "libkelp1"})
    system.provide()
    assert_lines(capsys, "missing: libkelp1; the tests that need them are skipped")


@pytest.mark.usefixtures("programs")
def test_what_cannot_be_installed_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    system.provide()
    names = "zsh, fish, vim, htop, less, tmux, chromium, xvfb"
    assert_lines(capsys, f"missing: {names}; the tests that need them are skipped")


def test_who_may_not_install_is_told_what_others_can_do(
    programs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(system, "PARTS", system.PARTS[:2])
    calls = furnish(programs, INSTALL_ALL)
    program(programs, "sudo", "exit 1")  # it would ask for a password

    system.provide()

    assert not calls.exists()
    assert_lines(
        capsys,
        "missing: zsh, fish; the tests that need them are skipped",
        "  whoever may can install them: sudo apt-get install zsh fish",
    )


def assert_lines(capsys: pytest.CaptureFixture[str], *lines: str) -> None:
    """Compare what the person waiting has read; durations are taken as nothing."""
    said = re.sub(r"\d+\.\d s", "0.0 s", capsys.readouterr().err)
    assert said.splitlines() == list(lines)
