"""Programs the tests use that no Python package brings: there, installed, or named as missing."""

import os
import shutil
import subprocess
from collections.abc import Callable
from typing import NamedTuple

from steps import Way, say, step


class Part(NamedTuple):
    """A package of the system, by its name in Debian, and how to see that it is there."""

    package: str
    is_there: Callable[[], bool]


def command(name: str) -> Callable[[], bool]:
    """Return a check for a program on the path."""
    return lambda: shutil.which(name) is not None


PARTS = (
    Part("zsh", command("zsh")),  # shells whose prompts and line editors sessions must survive
    Part("fish", command("fish")),
    Part("vim", command("vim")),  # programs that have the whole screen
    Part("htop", command("htop")),
    Part("less", command("less")),
    Part("tmux", command("tmux")),  # the peer in benchmarks, and a terminal inside a terminal
    Part("chromium", command("chromium")),  # what looks at the page
)

INSTALL = [
    "install",
    "--quiet",
    "--yes",
    "--no-install-recommends",
    "--option=DPkg::Lock::Timeout=120",  # a fresh machine is often still updating itself
    "--option=Acquire::Retries=3",
]


def provide() -> None:
    """Install what is missing if we may, then name what still is."""
    missing = _missing()
    apt = _apt() if missing else None
    if missing and apt:
        install = [*apt, *INSTALL, *missing]
        refreshed = Way("apt-get update", [[*apt, "update", "--quiet"], install])
        # The lists of a person's machine are mostly good enough; those of an image are stale.
        is_ci = os.environ.get("CI") == "true"
        ways = [refreshed] if is_ci else [Way("apt-get", [install]), refreshed]
        step(f"installing {', '.join(missing)}", *ways)
        missing = _missing()
    if missing:
        say(f"missing: {', '.join(missing)}; the tests that need them are skipped")


def _missing() -> list[str]:
    return [part.package for part in PARTS if not part.is_there()]


def _apt() -> list[str] | None:
    """Return how to call apt-get here, or nothing where we cannot or may not."""
    if not shutil.which("apt-get"):
        return None
    call = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    if os.geteuid() == 0:
        return call
    sudo = shutil.which("sudo")
    if (
        sudo
        and not subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode
    ):
        return [sudo, "-n", *call]
    return None
