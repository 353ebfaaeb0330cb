"""A tmux server of a test's own: a real terminal, which can be asked what it shows."""

import shlex
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.home import until

FLAGS = (
    "alternate_on", "cursor_flag", "insert_flag", "keypad_cursor_flag", "keypad_flag",
    "mouse_any_flag", "mouse_sgr_flag", "mouse_utf8_flag", "origin_flag", "wrap_flag",
    "scroll_region_upper", "scroll_region_lower", "pane_title",
)  # fmt: skip
PROMPT = "ready$"


class Tmux:
    """One server with its panes; each begins with a plain shell."""

    def __init__(self, place: Path, environ: Mapping[str, str]) -> None:
        self._socket = str(place / "tmux")
        self._environ = {**environ, "TERM": "tmux-256color", "PS1": f"{PROMPT} ", "TMUX": ""}

    def run(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", self._socket, "-f", "/dev/null", *words],
            env=self._environ,
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, done
        return done.stdout.decode()

    def pane(self, name: str, size: tuple[int, int] = (80, 24)) -> "Pane":
        """Open a terminal with a shell in it."""
        cols, rows = (str(side) for side in size)
        self.run("new-session", "-d", "-s", name, "-x", cols, "-y", rows, "sh")
        pane = Pane(self, name)
        pane.shows(PROMPT)
        return pane


class Pane:
    """One terminal."""

    def __init__(self, tmux: Tmux, name: str) -> None:
        self._tmux = tmux
        self.name = name

    def keys(self, *keys: str) -> None:
        """Press keys, by the names that tmux has for them."""
        self._tmux.run("send-keys", "-t", self.name, *keys)

    def type(self, text: str) -> None:
        self._tmux.run("send-keys", "-t", self.name, "-l", "--", text)

    def line(self, *words: str) -> None:
        """Have the shell run a command."""
        self.type(shlex.join(words))
        self.keys("Enter")

    def screen(self) -> str:
        return self._tmux.run("capture-pane", "-p", "-t", self.name)

    def history(self) -> str:
        """Return what is on the screen and what has scrolled away above it."""
        return self._tmux.run("capture-pane", "-p", "-S", "-", "-t", self.name)

    def coloured(self) -> str:
        return self._tmux.run("capture-pane", "-p", "-e", "-t", self.name)

    def shows(self, text: str) -> str:
        """Wait until that is on the screen, and return all of it."""
        return until(lambda: self._found(text), f"{text!r} on the screen of {self.name}")

    def flags(self) -> dict[str, str]:
        """Return the modes of the terminal, as it knows them itself."""
        form = "\n".join(f"#{{{name}}}" for name in FLAGS)
        found = self._tmux.run("display", "-p", "-t", self.name, form).split("\n")
        return dict(zip(FLAGS, found, strict=False))

    def cursor(self) -> str:
        """Return its column and row."""
        return self._tmux.run("display", "-p", "-t", self.name, "#{cursor_x},#{cursor_y}").strip()

    def title(self) -> str:
        return self.flags()["pane_title"]

    def resize(self, cols: int, rows: int) -> None:
        self._tmux.run("resize-window", "-t", self.name, "-x", str(cols), "-y", str(rows))

    def tty(self) -> str:
        return self._tmux.run("display", "-p", "-t", self.name, "#{pane_tty}").strip()

    def close(self) -> None:
        """Close its window, as a person does."""
        self._tmux.run("kill-session", "-t", self.name)

    def _found(self, text: str) -> str:
        screen = self.screen()
        return screen if text in screen else ""


@contextmanager
def running_tmux(place: Path, environ: Mapping[str, str]) -> Iterator[Tmux]:
    tmux = Tmux(place, environ)
    try:
        yield tmux
    finally:
        subprocess.run(
            ["tmux", "-S", str(place / "tmux"), "kill-server"],
            capture_output=True,
            timeout=30,
            check=False,
        )
