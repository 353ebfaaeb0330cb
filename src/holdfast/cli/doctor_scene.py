"""What `hold doctor` looks at, gathered once, and the words in which it answers."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from holdfast.cli import door
from holdfast.config.load import load
from holdfast.config.paths import Paths
from holdfast.config.settings import Config
from holdfast.errors import HoldfastError
from holdfast.keeper.ask import Gone, ask
from holdfast.protocol.messages import GetStats, Role, Stats

OK, WARNING, BROKEN = "ok", "warning", "broken"
KEEPER_TIMEOUT = 2.0  # seconds; it does nothing that takes time
STATS_TIMEOUT = 3.0
UP = ("running", "starting", "adopting")


class Finding(NamedTuple):
    """What a check has found, and what to do about it."""

    level: str
    what: str
    fix: str = ""


class Scene(NamedTuple):
    """Everything as it is now. What could not be learned is None, with the reason."""

    environ: Mapping[str, str]
    uid: int
    now: float
    paths: Paths | None
    problem: HoldfastError | None
    """Why there are no places, or else why the settings cannot be used."""
    config: Config
    """As it is set; the defaults where that cannot be used."""
    status: Mapping[str, Any] | None
    """What the keeper says."""
    silence: str
    """Why it says nothing; empty when there is none to say anything."""
    stats: Stats | None
    """What the daemon says."""
    hush: HoldfastError | None
    """Why a daemon that seems to be up says nothing."""

    @property
    def places(self) -> Paths:
        assert self.paths is not None, "the check says that it needs none"
        return self.paths

    def part(self, name: str) -> Mapping[str, Any]:
        """Return what the keeper says of the daemon, of the reader or of itself."""
        found = (self.status or {}).get(name)
        return found if isinstance(found, dict) else {}


class Check(NamedTuple):
    """One row of the table."""

    name: str
    asks: str
    look: Callable[[Scene], Iterator[Finding]]
    needs_places: bool = True


def looked_at(environ: Mapping[str, str]) -> Scene:
    """Return the scene; nothing is started for it."""
    paths, problem, config = None, None, Config()
    try:
        paths = Paths.find(environ, os.getuid())
        config = load(paths.config_file, environ)
    except HoldfastError as error:
        problem = error
    status, silence = _asked(paths) if paths else (None, "")
    stats, hush = _counted(status)
    return Scene(
        environ=environ,
        uid=os.getuid(),
        now=time.time(),
        paths=paths,
        problem=problem,
        config=config,
        status=status,
        silence=silence,
        stats=stats,
        hush=hush,
    )


def _asked(paths: Paths) -> tuple[Mapping[str, Any] | None, str]:
    try:
        return ask(str(paths.keeper_socket), {"op": "status"}, KEEPER_TIMEOUT), ""
    except (FileNotFoundError, ConnectionRefusedError):
        return None, ""  # nobody is there: `sockets` and `lock` look at what was left
    except TimeoutError:
        return None, f"it does not answer within {KEEPER_TIMEOUT:g} s"
    except (OSError, Gone) as error:
        return None, str(error)


def _counted(status: Mapping[str, Any] | None) -> tuple[Stats | None, HoldfastError | None]:
    if not status or (status.get("daemon") or {}).get("state") not in UP:
        return None, None
    try:
        with door.client(Role.STREAM, autostart=False) as client:
            return client.call(GetStats(), STATS_TIMEOUT), None
    except HoldfastError as error:
        return None, error
