"""Where an address is shown, and what follows from its window being closed."""

import json
import os
from pathlib import Path

import pytest

from tests.support.developing import Dev, developing, site
from tests.support.hold import HOLD, Terminal
from tests.support.home import Home, until

pytestmark = pytest.mark.slow

# A browser as far as we can see one: it is given an address, stays, and ends when it is closed.
STANDING = """#!/bin/sh
echo "$@" > "{said}.new" && mv "{said}.new" "{said}"
while test ! -e "{closed}"; do sleep 0.05; done
"""
FAILING = "#!/bin/sh\nexit 1\n"


def program(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def tools(folder: Path, **programs: str) -> str:
    """Return a PATH on which there is nothing to show anything with, but these."""
    for name, text in programs.items():
        program(folder / name.replace("_", "-"), text)
    for name in ("sh", "sleep", "mv"):
        (folder / name).symlink_to(Path("/bin") / name)
    return str(folder)


def test_closing_the_window_ends_everything(home: Home, tmp_path: Path) -> None:
    said, closed = tmp_path / "said", tmp_path / "closed"
    path = tools(tmp_path / "bin", chromium=STANDING.format(said=said, closed=closed))
    app = tmp_path / "app"
    page = "import http.server as h; h.test(h.SimpleHTTPRequestHandler, port=0, bind='127.0.0.1')"
    argv = ["--", HOLD[0], "-uc", page]
    words = ["--width", "600", "--height", "400"]
    with developing(home, str(site(app)), *words, *argv, PATH=path, DISPLAY=":77") as dev:
        until(said.exists, "the window")
        dev.hears("in a window: ")
        flags = said.read_text().split()
        assert f"--app={dev.url}" in flags
        assert "--window-size=600,400" in flags
        assert "--disable-background-networking" in flags
        assert ("--no-sandbox" in flags) is (os.geteuid() == 0)
        profile = next(flag for flag in flags if flag.startswith("--user-data-dir="))
        closed.touch()
        assert dev.process.wait(30) == 0
        assert not Path(profile.partition("=")[2]).exists()
    assert json.loads(home.hold("ls", "--json")) == []


def test_a_signal_closes_the_window(home: Home, tmp_path: Path) -> None:
    said = tmp_path / "said"
    text = STANDING.format(said=said, closed=tmp_path / "never").replace("echo", 'echo "$$"')
    path = tools(tmp_path / "bin", chromium=text)
    folder = site(tmp_path / "site", index_html="x")
    with developing(home, str(folder), "--window", PATH=path, DISPLAY=":77") as dev:
        dev.hears("in a window: ")
        pid = said.read_text().split()[0]
        assert dev.end() == 0
        until(lambda: not Path(f"/proc/{pid}").exists(), "the window to be gone")


def test_without_a_window_it_is_the_browser(home: Home, tmp_path: Path) -> None:
    said = tmp_path / "said"
    path = tools(tmp_path / "bin", chromium=FAILING, xdg_open=f'#!/bin/sh\necho "$1" > {said}\n')
    folder = site(tmp_path / "site", index_html="x")
    with developing(home, str(folder), PATH=path, DISPLAY=":77") as dev:
        dev.hears("in your browser: ")
        assert until(lambda: said.exists() and said.read_text().strip(), "a browser") == dev.url
        assert dev.end() == 0


def test_without_a_display_the_address_is_printed(home: Home, tmp_path: Path) -> None:
    folder = site(tmp_path / "site", index_html="x")
    with developing(home, str(folder)) as dev:
        dev.hears("there is no display here")
        dev.hears(f"open {dev.url}")


def test_two_ways_at_once_are_refused(home: Home, tmp_path: Path) -> None:
    folder = site(tmp_path / "site", index_html="x")

    said = home.failing("dev", str(folder), "--window", "--headless")

    assert "--window and --headless exclude each other" in said


def test_a_terminal_has_one_tidy_line(home: Home, tmp_path: Path) -> None:
    folder = site(tmp_path / "site", index_html="x")
    environ = home.environ | {"TERM": "xterm"}
    terminal = Terminal([*HOLD, "dev", str(folder), "--headless"], environ, (80, 24))
    terminal.expect("hold dev: open http://127.0.0.1:")
    terminal.expect("\r\x1b[2Khold dev: watching ")
    terminal.send(b"\x03")
    terminal.expect("\r\x1b[2K")
    terminal.child.wait()
    assert terminal.child.exitstatus == 0
    terminal.child.close()


def test_whoever_is_killed_leaves_no_watcher_behind(home: Home, tmp_path: Path) -> None:
    """T14: the address is free again at once, for the next start of the same folder."""
    folder = site(tmp_path / "site", index_html="x")
    dev = Dev(home, str(folder), "--headless")
    origin = dev.origin
    assert dev.end(9) == -9
    with developing(home, str(folder), "--headless") as again:
        assert again.origin == origin
