"""Steps of a preparation: one line each, its output kept and shown only when it fails."""

import io
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".prepare"
LOG = STATE / "log"

# A page of a terminal: the cause stands at the end of what pip, uv and apt say.
SHOWN_LINES = 40

UV_SETTINGS: Mapping[str, str] = {
    "UV_SYSTEM_CERTS": "1",  # uv brings its own authorities; a company's are the system's
    "UV_NO_CONFIG": "1",  # somebody's uv.toml must not change what our locks mean
    "UV_LINK_MODE": "copy",  # cache and tree on two file systems are no cause for a warning
    "UV_PYTHON_DOWNLOADS": "never",  # the Python that runs us is the one to use
    "UV_NO_PROGRESS": "1",
}


class Way(NamedTuple):
    """One way to do a step: commands that must all succeed, in order."""

    name: str
    commands: Sequence[Sequence[str | Path]]


def say(text: str, *, end: str = "\n") -> None:
    """Tell the person waiting; standard output belongs to what runs after us."""
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="replace")  # an ellipsis is no reason to die in Latin-1
    print(text, end=end, file=sys.stderr, flush=True)


def step(title: str, *ways: Way) -> bool:
    """Do one step by the first way that works; return whether one did.

    When none does, the end of everything they said is shown. All of it is in the log.
    """
    say(f"{title} … ", end="")
    start = time.monotonic()
    STATE.mkdir(exist_ok=True)
    with LOG.open("w+b") as log:
        for way, following in zip(ways, [*ways[1:], None], strict=True):
            if all(_succeeds(command, log) for command in way.commands):
                say(f"done ({time.monotonic() - start:.1f} s)")
                return True
            if following:
                say(f"{way.name} failed, trying {following.name} … ", end="")
        say(f"failed ({time.monotonic() - start:.1f} s)")
        log.seek(0)
        lines = log.read().decode(errors="replace").splitlines()
    for line in lines[-SHOWN_LINES:]:
        say(f"  {line}")
    return False


def _succeeds(command: Sequence[str | Path], log: io.BufferedRandom) -> bool:
    log.write(f"$ {' '.join(map(str, command))}\n".encode())
    log.flush()
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | UV_SETTINGS,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    except OSError as error:  # not there, not executable, made for another machine
        log.write(f"{error}\n".encode())
        return False
    log.seek(0, io.SEEK_END)
    return done.returncode == 0
