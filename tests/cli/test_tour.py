"""The tour of the README: each line is typed by somebody new, and does as it says."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.hold import HOLD, Hold, Terminal
from tests.support.home import ROOT, until

pytestmark = pytest.mark.slow

MAKEFILE = "all:\n\t@printf 'go on? '; read answer; echo \"answer $$answer\"; exit 3\n"


def tour() -> list[str]:
    block = re.search(
        r"^## A tour\n\n```sh\n(.*?)^```",
        (ROOT / "README.md").read_text(),
        re.MULTILINE | re.DOTALL,
    )
    assert block is not None
    return [line.partition("  #")[0].strip() for line in block[1].splitlines()]


class Newcomer:
    """Types the lines, looks, and answers what is asked."""

    def __init__(self, hold: Hold, directory: Path) -> None:
        self.hold = hold
        (directory / "Makefile").write_text(MAKEFILE)
        (directory / "site").mkdir()
        (directory / "site" / "index.html").write_text("<title>mine</title>")
        self._directory = directory

    def type(self, line: str) -> Terminal:
        words = shlex.split(line)
        assert words[0] == "hold"
        begin = ["sh", "-c", 'cd "$0" && exec "$@"', str(self._directory)]
        return Terminal([*begin, *HOLD, *words[1:]], self.hold.environ, (100, 30))

    def see(self, line: str, *texts: str, code: int = 0) -> None:
        terminal = self.type(line)
        for text in texts:
            terminal.expect(text)
        assert terminal.end()[1] == code, line

    def leave(self, line: str, *texts: str, key: bytes = b"\x03", code: int = 130) -> None:
        terminal = self.type(line)
        for text in texts:
            terminal.expect(text)
        terminal.send(key)
        assert terminal.end()[1] == code, line

    # -- the lines

    def run(self, line: str) -> None:
        terminal = self.type(line)
        terminal.send(b"echo in''side\r")
        terminal.expect("inside")
        terminal.send(b"\x1c\x1c")
        terminal.expect("goes on")
        assert terminal.end()[1] == 0

    def wrap(self, line: str) -> None:
        terminal = self.type(line)
        terminal.send(b"echo wrap''ped; exit\r")
        terminal.expect("wrapped")
        assert terminal.end()[1] == 0

    def attach(self, line: str) -> None:
        terminal = self.type(line)
        terminal.expect("go on?")
        terminal.send(b"\x1c\x1c")
        terminal.expect("goes on")
        assert terminal.end()[1] == 0

    def events(self, line: str) -> None:
        terminal = self.type(line)
        until(lambda: self.hold.status()["stats"]["subscribers"] == 1, "who follows")
        self.hold.ok("run", "-d", "-n", "another", "--", "true")
        terminal.expect("another")
        terminal.send(b"\x03")
        assert terminal.end()[1] == 130

    def restore(self, line: str) -> None:
        terminal = self.type(line)
        terminal.expect("run it again? [y/N] ")
        terminal.send(b"y\r")
        terminal.expect("runs again")
        assert terminal.end()[1] == 0

    def stop(self, line: str) -> None:
        terminal = self.type(line)
        terminal.expect("stop the daemon? [y/N] ")
        terminal.send(b"y\r")
        assert terminal.end()[1] == 0
        assert self.hold.processes() == []


def steps(new: Newcomer) -> dict[str, Callable[[str], None]]:
    """Return what is seen at each line, in words that the README promises."""
    return {
        "hold run": new.run,
        "hold run -d -n build -- make -j4": new.see,
        "hold wrap": new.wrap,
        "hold attach build": new.attach,
        "hold ls": lambda line: new.see(line, "build", "running"),
        "hold output build --follow": lambda line: new.leave(line, "go on?"),
        "hold screen build": lambda line: new.see(line, "go on?"),
        "hold send build y --enter": new.see,
        "hold wait build": lambda line: new.see(line, "exited 2", code=2),
        "hold show build": lambda line: new.see(line, "make", "exited"),
        "hold kill build": new.see,
        "hold host": lambda line: new.leave(line, "http://127.0.0.1", code=0),
        "hold events --follow": new.events,
        "hold daemon status": lambda line: new.see(line, "daemon", "running", "keeper"),
        "hold daemon restart": lambda line: new.see(line, "daemon running"),
        "hold restore build": new.restore,
        "hold dev site": lambda line: new.leave(line, "http://127.0.0.1", code=0),
        "hold doctor": lambda line: new.see(line, "daemon"),
        "hold du": lambda line: new.see(line, "OUTPUT", "build", "free on the disk"),
        "hold daemon stop": new.stop,
    }


def test_the_tour_goes_as_it_is_written(hold: Hold, tmp_path: Path) -> None:
    hold.environ["HOLDFAST_READER_ENABLED"] = "on"
    done = steps(Newcomer(hold, tmp_path))

    assert tour()
    for line in tour():
        assert line in done, f"say what somebody sees at {line!r}"
        done[line](line)
