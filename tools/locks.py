"""Write `locks/*.txt` anew: for every group the exact versions and hashes, and no address.

A lock says what is installed, not where it comes from: the registry is the business
of whoever installs. Versions stay as they are where they still fit; `--upgrade` moves
them all.
"""

import os
import subprocess
import sys
from pathlib import Path

from steps import UV_SETTINGS

ROOT = Path(__file__).resolve().parent.parent

# In order: a later lock is compiled under the constraints of the earlier ones, so that
# all of them fit into one environment.
SOURCES = {
    "uv": ("--group", "uv"),
    "build": ("--group", "build"),
    "run": ("pyproject.toml",),
    "check": ("--group", "check"),
    "test": ("--group", "test"),
    "node": ("--group", "node"),
    "window": ("pyproject.toml", "--extra", "window"),
    "fuzz": ("--group", "fuzz"),
}

# Universal: one lock for every platform and every Python from the oldest one on.
OPTIONS = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--quiet")


def main(options: list[str]) -> int:
    """Compile every lock with the environment's own uv; return its exit code."""
    earlier: list[str] = []
    for name, source in SOURCES.items():
        lock = f"locks/{name}.txt"
        command = [".venv/bin/uv", "pip", "compile", *source, *OPTIONS, *earlier, *options]
        print(lock)
        done = subprocess.run(
            [*command, "--output-file", lock], cwd=ROOT, env=os.environ | UV_SETTINGS, check=False
        )
        if done.returncode:
            return done.returncode
        earlier += ["--constraint", lock]
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
