"""Let the ssh agent of a session be that of the terminal which owns it."""

import os
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "SSH_AUTH_SOCK"
STEPS = 8  # links that are followed to see whether one leads back


def lend_agent(link: Path, environ: Mapping[str, str]) -> None:
    """Let *link* point to the agent of this environment, if its session has such a link."""
    target = environ.get(VARIABLE, "")
    if not target or not link.is_symlink() or _leads_to(Path(target), link):
        return
    fresh = link.with_name(f"{link.name}.{os.getpid()}")
    try:
        fresh.symlink_to(target)
        fresh.replace(link)  # in one step: a program may be asking just now
    except OSError:
        pass  # no agent is no reason not to attach


def _leads_to(place: Path, link: Path) -> bool:
    """Whether *place* is the link itself, as it is for who attaches from inside the session."""
    for _ in range(STEPS):
        if place == link:
            return True
        if not place.is_symlink():
            return False
        place = place.parent / place.readlink()
    return True
