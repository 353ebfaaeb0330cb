"""Programs the tests use that no Python package brings: there, installed, or named as missing."""

import ctypes
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


def library(name: str) -> Callable[[], bool]:
    """Return a check for a library that programs can load."""

    def loads() -> bool:
        try:
            ctypes.CDLL(name)
        except OSError:
            return False
        return True

    return loads


PARTS = (
    Part("zsh", command("zsh")),  # shells whose prompts and line editors sessions must survive
    Part("fish", command("fish")),
    Part("vim", command("vim")),  # programs that have the whole screen
    Part("htop", command("htop")),
    Part("less", command("less")),
    Part("tmux", command("tmux")),  # the peer in benchmarks, and a terminal inside a terminal
    Part("chromium", command("chromium")),  # what looks at the page
    Part("xvfb", command("Xvfb")),  # a display that nobody sees, for windows
)

# What a window loads, and neither a wheel nor a package above brings (`holdfast.window.missing`).
LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libXtst.so.6": "libxtst6",
    "libasound.so.2": "libasound2-dev",  # the library itself has two names among releases
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libnss3.so": "libnss3",
    "libwayland-server.so.0": "libwayland-server0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbfile.so.1": "libxkbfile1",
}

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
        if not apt and shutil.which("apt-get"):
            say(f"  whoever may can install them: sudo apt-get install {' '.join(missing)}")


def _missing() -> list[str]:
    libraries = [Part(package, library(name)) for name, package in LIBRARIES.items()]
    return [part.package for part in (*PARTS, *libraries) if not part.is_there()]


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
