"""What `hold window` does where there can be no window: it says why, and shows it anyway."""

import re
import shutil
import signal
import subprocess
import sys
import urllib.request
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.home import ROOT, Home, until
from tests.support.windowing import OFFSCREEN, SLOW, environment, hosts_of, public

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

LOGS_IN = """\
import json, re, sys, urllib.request
page = urllib.request.urlopen(sys.argv[1]).read().decode()
url = json.loads(re.search(r'replace\\((".*")\\)', page)[1])
base, _, code = url.partition('#/?code=')
body = json.dumps({'code': code}).encode()
answer = urllib.request.urlopen(urllib.request.Request(base + 'api/login', data=body)).read()
open(sys.argv[2], 'w').write(json.loads(answer)['token'])
"""


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has everything but the extra."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv/bin/python"
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    ours, its = (
        Path(subprocess.check_output([each, "-c", asked], text=True).strip())
        for each in (sys.executable, python)
    )
    for each in ours.iterdir():
        if not each.name.lower().startswith(("pyside6", "shiboken6", "__")):
            (its / each.name).symlink_to(each)
    return python


@contextmanager
def started(
    home: Home,
    display: Mapping[str, str],
    *words: str,
    python: str | Path = sys.executable,
    **more: str,
) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [python, "-m", "holdfast", "window", *words],
        env=environment(home, display) | {"PYTHONPATH": str(ROOT / "src")} | more,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def path_without_browsers(folder: Path) -> str:
    """Return a path on which there is nothing to show a page with."""
    folder.mkdir()
    (folder / "env").symlink_to(shutil.which("env") or "/usr/bin/env")
    return str(folder)


def test_without_a_display_the_address_is_printed_and_how_to_reach_it(home: Home) -> None:
    with started(home, {}) as shown:
        address, said = shown.communicate(timeout=SLOW)

    assert shown.returncode == 1
    assert "there is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set)" in said
    found = re.fullmatch(r"(http://127\.0\.0\.1:(\d+)/)#/\?code=[a-z0-9-]+\n", address)
    assert found
    assert f"ssh -N -L {found[2]}:127.0.0.1:{found[2]} " in said
    assert "Traceback" not in said
    with urllib.request.urlopen(found[1]) as page:
        assert page.status == 200
    assert len(hosts_of(home)) == 1


@pytest.mark.parametrize(
    "variables", [{"DISPLAY": ":4711"}, {"DISPLAY": "localhost:4711"}, {"WAYLAND_DISPLAY": "no-0"}]
)
def test_a_display_that_does_not_answer_is_named(home: Home, variables: dict[str, str]) -> None:
    """Qt would abort."""
    with started(home, variables) as shown:
        _, said = shown.communicate(timeout=SLOW)

    ((name, value),) = variables.items()
    assert shown.returncode == 1
    assert f"no display answers at {name}={value}, so no window" in said


def test_without_the_extra_a_bare_chromium_shows_it(
    home: Home, display: Mapping[str, str], bare_python: Path
) -> None:
    home.hold("run", "-d", "-n", "echo", "cat")
    with started(home, display, "echo", python=bare_python) as shown:
        assert shown.stderr is not None
        said = shown.stderr.readline()
        session = until(lambda: looked_at(home), "somebody to look at the session", SLOW)
        browsers = pids_of(str(home.paths.state / "window" / "browser"))
        seen = public(browsers | {shown.pid})
        shown.send_signal(signal.SIGINT)
        code = shown.wait(SLOW)
        until(lambda: not pids_of(str(home.paths.state / "window" / "browser")), "its end", SLOW)

    assert session
    assert said.count("\n") == 1
    assert said.startswith("a window needs an extra part (pip install 'holdfast[window]')")
    assert "it is shown in chromium instead" in said
    assert code == 0
    assert b"--app=file://" in seen
    assert b"code=" not in seen  # T28


def looked_at(home: Home) -> bool:
    return '"viewers": 1' in home.hold("ls", "--json")


def pids_of(mark: str) -> set[int]:
    """Return the processes in whose command line *mark* is."""
    found = set()
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in file.read_bytes():
                found.add(int(file.parent.name))
        except OSError:
            continue
    return found


def test_without_a_chromium_the_browser_of_the_person_shows_it(
    home: Home, display: Mapping[str, str], bare_python: Path, tmp_path: Path
) -> None:
    script, token = tmp_path / "browser.py", tmp_path / "token"
    script.write_text(LOGS_IN)
    browser = f"{sys.executable} {script} %s {token}"
    path = path_without_browsers(tmp_path / "bin")
    with started(home, display, python=bare_python, BROWSER=browser, PATH=path) as shown:
        _, said = shown.communicate(timeout=SLOW)

    assert shown.returncode == 0
    assert "it is shown in your browser instead" in said
    assert token.read_text()
    assert list(home.paths.runtime.glob("open-*")) == []


def test_without_any_browser_the_address_is_printed(
    home: Home, display: Mapping[str, str], bare_python: Path, tmp_path: Path
) -> None:
    path = path_without_browsers(tmp_path / "bin")
    with started(home, display, python=bare_python, PATH=path, BROWSER="nothing") as shown:
        address, said = shown.communicate(timeout=SLOW)

    assert shown.returncode == 1
    assert "no browser could be opened: open the address yourself" in said
    assert address.startswith("http://127.0.0.1:")


def test_a_window_that_dies_at_its_start_is_said_and_replaced(home: Home, tmp_path: Path) -> None:
    """Qt aborts where its platform does not exist; the command does not."""
    script, token = tmp_path / "browser.py", tmp_path / "token"
    script.write_text(LOGS_IN)
    browser = f"{sys.executable} {script} %s {token}"
    path = path_without_browsers(tmp_path / "bin")
    with started(home, {"QT_QPA_PLATFORM": "kelp"}, BROWSER=browser, PATH=path) as shown:
        _, said = shown.communicate(timeout=SLOW)

    assert shown.returncode == 0
    assert said.startswith("a window cannot be shown: its process was ended by SIGABRT (")
    assert said.count("\n") == 1
    assert token.read_text()


def test_who_drives_a_window_is_not_given_a_browser(home: Home, bare_python: Path) -> None:
    with started(home, OFFSCREEN, "--drive", python=bare_python) as shown:
        _, said = shown.communicate(timeout=SLOW)

    assert shown.returncode == 1
    assert said == ("hold: a window needs an extra part\n      pip install 'holdfast[window]'\n")


def test_a_library_that_is_missing_is_named(home: Home, bare_python: Path, tmp_path: Path) -> None:
    """As on a minimal system: an engine that cannot be loaded."""
    site = tmp_path / "site"
    site.mkdir()
    (purelib,) = {Path(each) for each in sys.path if each.endswith("site-packages")}
    (site / "shiboken6").symlink_to(purelib / "shiboken6")
    copied = site / "PySide6"
    copied.mkdir()
    for each in (purelib / "PySide6").iterdir():
        if each.is_file():  # all but its libraries, which are looked for beside it: so no links
            shutil.copy(each, copied)
    more = {"PYTHONPATH": f"{ROOT / 'src'}:{site}"}
    with started(home, OFFSCREEN, "--drive", python=bare_python, **more) as shown:
        _, said = shown.communicate(timeout=SLOW)

    assert shown.returncode == 1
    assert "cannot be shown: libQt6Core.so.6: cannot open" in said
    assert "Traceback" not in said
