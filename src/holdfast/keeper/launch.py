"""How a keeper is started: what it has to know, and the wait until it listens.

The spec says where this Holdfast is and which Python runs it. A `restart` carries the
spec of whoever asks, which is how an upgrade comes in.
"""

import os
import shutil
import site
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Protocol

from holdfast.keeper.processes import PASSED, command

SCOPE_TIMEOUT = 3.0  # seconds; a user manager that hangs must not keep sessions from starting


class Places(Protocol):
    """What a keeper needs of `config.Paths`."""

    @property
    def state(self) -> os.PathLike[str]: ...
    @property
    def runtime(self) -> os.PathLike[str]: ...


class StartFailed(Exception):
    """No keeper came up; the text says why."""


def spec(places: Places, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return what a keeper and its daemons have to know."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    own = environ.get("PYTHONPATH", "").split(os.pathsep)
    user = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    return {
        "python": sys.executable,
        "root": root,
        "path": [p for p in (*own, *site.getsitepackages(), *user) if p and os.path.isdir(p)],
        "state": os.fspath(places.state),
        "runtime": os.fspath(places.runtime),
        "settings": {name: v for name, v in environ.items() if name.startswith(PASSED)},
    }


def start(launch: Mapping[str, Any], timeout: float = 5.0) -> None:
    """Start a keeper unless one lives; return when it listens; raise StartFailed."""
    plain = command(launch, "keeper")
    scoped = _scope(launch)
    if scoped:
        # Its own scope: a logout that kills the terminal's cgroup does not reach it.
        try:
            if _run([*scoped, *plain], SCOPE_TIMEOUT):
                return
        except StartFailed:
            pass  # no user manager that would have it; without a scope it works as well
    _run(plain, timeout)


def _run(argv: list[str], timeout: float) -> str:
    """Return what the keeper said when it listened; raise StartFailed."""
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            start_new_session=True,
            cwd="/",
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise StartFailed(f"the keeper was not ready within {timeout:g} s") from error
    except OSError as error:
        raise StartFailed(f"{argv[0]} could not be started: {error}") from error
    if done.returncode:
        said = (done.stdout or done.stderr).decode(errors="replace").strip()
        raise StartFailed(said.splitlines()[-1] if said else f"exit code {done.returncode}")
    return done.stdout.decode(errors="replace")


def _scope(launch: Mapping[str, Any]) -> list[str]:
    bus = os.path.join(os.environ.get("XDG_RUNTIME_DIR", "/nonexistent"), "systemd", "private")
    tool = shutil.which("systemd-run")
    if not tool or not os.path.exists(bus) or launch["settings"].get("HOLDFAST_HOME"):
        return []
    return [tool, "--user", "--scope", "--quiet", "--collect", "--"]
