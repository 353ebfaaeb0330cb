"""The page's sources: their types, their shape, and their own tests, which run in Node."""

import json
import re
import subprocess
from pathlib import Path

import pytest

import node
import page

WEB = page.WEB
FILE_LIMIT = 250  # lines
# Guests, each in one place behind our words.
GUESTS = {"@xterm/": "shell/screen.ts", "socket.io": "shell/socket.ts", "preact": "ui/"}
EXCEPTIONS = {"main.tsx": "preact", "shell/silence.ts": "@xterm/"}  # draws; names a type
# What a browser has and a test of what decides has not.
OUTSIDE = re.compile(
    r"\b(document|window|location|localStorage|sessionStorage|fetch|setTimeout|Date|Math\.random)\b"
)


def sources(directory: str = "") -> list[Path]:
    return sorted(path for path in (WEB / "src" / directory).rglob("*.ts*"))


def imports(path: Path) -> list[str]:
    return re.findall(r"""(?:from|import)\s*\(?["']([^"']+)["']""", path.read_text())


def run(*command: str) -> subprocess.CompletedProcess[str]:
    program = node.node()
    assert program is not None, "there is no Node here: tools/prepare.py check installs one"
    return subprocess.run(
        [program, *command],
        cwd=WEB,
        env=node.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_types_hold() -> None:
    done = run("node_modules/typescript/bin/tsc", "--noEmit")
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_its_own_tests_pass(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = run("node_modules/vitest/vitest.mjs", "run", "--reporter=json", f"--outputFile={report}")
    assert report.exists(), done.stdout + done.stderr
    found = json.loads(report.read_text())
    failed = [
        (each["fullName"], each["failureMessages"])
        for file in found["testResults"]
        for each in file["assertionResults"]
        if each["status"] != "passed"
    ]
    print(f"vitest: {found['numPassedTests']} passed, {len(failed)} failed or skipped")
    assert failed == []
    assert done.returncode == 0, done.stderr
    assert found["numPassedTests"] > 100


@pytest.mark.parametrize("path", sources("core"), ids=lambda path: path.name)
def test_what_decides_knows_no_browser(path: Path) -> None:
    assert [name for name in imports(path) if not name.startswith("./")] == []
    code = re.sub(r"//.*", "", re.sub(r"/\*[\s\S]*?\*/", "", path.read_text()))
    assert OUTSIDE.findall(code) == []


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.name)
def test_a_guest_is_known_to_one_file(path: Path) -> None:
    name = path.relative_to(WEB / "src").as_posix()
    strangers = [
        used
        for used in imports(path)
        for guest, place in GUESTS.items()
        if used.startswith(guest)
        and not name.startswith(place)
        and not guest.startswith(EXCEPTIONS.get(name, "-"))
    ]
    assert strangers == []


@pytest.mark.parametrize("path", [*sources(), *sorted((WEB / "test").glob("*.ts"))], ids=str)
def test_a_file_stays_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= FILE_LIMIT


def test_the_lock_holds_no_address_and_hashes_everything() -> None:
    packages = json.loads((WEB / "package-lock.json").read_text())["packages"]
    installed = {name: facts for name, facts in packages.items() if name}
    assert len(installed) > 50
    assert [name for name, facts in installed.items() if "resolved" in facts] == []
    assert [name for name, facts in installed.items() if "integrity" not in facts] == []


def test_every_dependency_is_of_one_version() -> None:
    """What is installed is what the lock says; a range here would only hide that."""
    wanted = json.loads((WEB / "package.json").read_text())
    versions = {**wanted["dependencies"], **wanted["devDependencies"]}
    assert [each for each in versions.items() if not re.fullmatch(r"\d+\.\d+\.\d+", each[1])] == []


def test_what_is_bundled_is_shipped_with_its_licence() -> None:
    shipped = (page.PAGE / "licenses.txt").read_text()
    bundled = json.loads((WEB / "package.json").read_text())["dependencies"]
    assert [name for name in bundled if f"\n## {name} - " not in shipped] == []


def test_the_page_runs_under_a_policy_without_scripts_of_its_own() -> None:
    """The host allows no script but files of its own; where it is mounted is not known here."""
    shown = (page.PAGE / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)", shown) == []
    addresses = re.findall(r"""(?:src|href)="([^"]+)\"""", shown)
    assert addresses
    assert [each for each in addresses if not each.startswith(("./", "data:"))] == []
