"""A shell in a terminal, wrapped or bare, and every byte that its terminal saw."""

import io
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.hold import Hold, Terminal
from tests.support.home import until

PROMPT = "ready> "
SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "--private", "-i"],
}
# What differs between two runs of the same: the number of the terminal, and our id.
_PLACE = re.compile(rb"pts/[0-9]+")


def needs(*programs: str) -> None:
    """Skip, and say so, where a program is not installed; `make test` installs them all."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


def required(*programs: str) -> None:
    """As `needs`, but fail where nobody would read that it was skipped."""
    for program in programs:
        missing = shutil.which(program) is None
        assert not (missing and os.environ.get("CI") == "true"), f"{program} is not installed"
    needs(*programs)


class Shell:
    """One shell, its terminal, and what was shown on it."""

    def __init__(self, hold: Hold, *words: str, **environ: str) -> None:
        known = hold.environ | {"PS1": PROMPT, "PROMPT": PROMPT, "LC_ALL": "C.UTF-8"} | environ
        self.terminal = Terminal(list(words), known, (80, 24), io.BytesIO())

    @property
    def pid(self) -> int:
        return int(self.terminal.child.pid)

    def expect(self, text: str | bytes) -> None:
        self.terminal.expect(text)

    def send(self, text: str | bytes) -> None:
        self.terminal.send(text)

    def prompt(self) -> None:
        self.expect(PROMPT)

    def run(self, line: str) -> None:
        """Type a line and wait until the shell is ready again."""
        self.send(line + "\r")
        self.prompt()

    def end(self) -> int:
        """Wait for the end, and return the exit code."""
        return self.terminal.end()[1]

    def shown(self) -> bytes:
        """Return everything its terminal saw, as it would be in any other terminal."""
        return _PLACE.sub(b"pts/N", self.terminal.shown())


def wrapped(hold: Hold, *words: str, **environ: str) -> Shell:
    """A shell, or whatever is named, in `hold wrap`, which is told to say nothing."""
    from tests.support.hold import HOLD  # noqa: PLC0415

    return Shell(hold, *HOLD, "wrap", "-q", "-n", "w", "--", *(words or SHELLS["bash"]), **environ)


def session(hold: Hold) -> dict[str, Any]:
    """Return the one that is mirrored; wait until it is."""
    return until(lambda: next(iter(hold.sessions("--all")), None), "a session")


def log(hold: Hold, name: str = "w") -> bytes:
    done = hold.run("output", name, "--raw")
    assert done.returncode == 0, done
    return done.stdout


def logged(hold: Hold, wanted: bytes, name: str = "w") -> None:
    """Wait until the log is exactly this; show the difference if it never is."""
    found = b""

    def same() -> bool:
        nonlocal found
        found = log(hold, name) if is_known(hold, name) else b""
        return len(found) >= len(wanted)

    until(same, "the log to be as long as what was shown")
    assert found == wanted


def is_known(hold: Hold, name: str) -> bool:
    return any(name in (each["name"], each["id"]) for each in hold.sessions("--all"))


def files_with(directory: Path, text: bytes) -> list[str]:
    """Return the files under *directory* in which this can be read."""
    return [
        str(Path(place, name))
        for place, _, names in os.walk(directory)
        for name in names
        if (path := Path(place, name)).is_file() and text in path.read_bytes()
    ]
