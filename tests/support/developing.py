"""`hold dev` as a person starts it, and what it says."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.home import Home, until

ADDRESS = re.compile(r"(http://127\.0\.0\.1:\d+)(/\S*)?")


class Dev:
    """One `hold dev` that runs; `said` has what it has said on stderr so far."""

    def __init__(self, home: Home, *words: str, **environ: str) -> None:
        # No display: a test must not open a window on somebody's desk.
        kept = {k: v for k, v in home.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "holdfast", "dev", *words],
            env=kept | environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    @property
    def said(self) -> str:
        return "\n".join(self.lines)

    @property
    def url(self) -> str:
        """The address, once it is said."""
        return until(lambda: self._address(0), "the address")

    @property
    def origin(self) -> str:
        self.url  # noqa: B018 - waits
        return str(self._address(1))

    def hears(self, text: str) -> None:
        """Wait until it has said this."""
        until(lambda: text in self.said, f"{text!r} to be said, after:\n{self.said}", 30)

    def end(self, number: int = signal.SIGINT) -> int:
        """Have it end; return its exit code."""
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        code = self.process.wait(30)
        self._reading.join(10)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code

    def _address(self, group: int) -> str | None:
        for line in self.lines:
            if line.startswith(("hold dev: open", "hold dev: in ")) and (
                found := ADDRESS.search(line)
            ):
                return found[group]
        assert self.process.poll() is None, self.said
        return None

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))


@contextmanager
def developing(home: Home, *words: str, **environ: str) -> Iterator[Dev]:
    """A `hold dev` that is ended when the test is over."""
    dev = Dev(home, *words, **environ)
    try:
        yield dev
    finally:
        dev.end()


def site(folder: Path, **files: str) -> Path:
    """Write a folder of pages; `index_html` is index.html."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder
