"""A `hold` that is newer than the daemon says so: once for each daemon, and how to go on."""

import os
import re
from pathlib import Path

from holdfast import __version__
from holdfast.cli.exits import note
from holdfast.protocol.messages import Welcome

TOLD = "told-of-upgrade"


def tell(runtime: Path, welcome: Welcome) -> None:
    """Say that the daemon is older, unless this daemon's user has been told."""
    if not is_newer(__version__, welcome.version):
        return
    daemon = f"{welcome.pid} {welcome.started!r} {__version__}\n"
    file = runtime / TOLD
    try:
        if file.read_text(errors="replace") == daemon:
            return
    except OSError:
        pass  # nobody has been told yet
    try:
        write_private(file, daemon)
    except OSError:
        return  # a full disk: rather not at all than with every command
    note(f"the daemon is version {welcome.version}, this is {__version__};")
    note("`hold daemon restart` replaces it, and no session is lost")


def is_newer(ours: str, theirs: str) -> bool:
    """Whether one version came after another."""
    return _numbers(ours) > _numbers(theirs)


def write_private(file: Path, text: str) -> None:
    """Write a file of this user's alone; no link is followed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(file, flags, 0o600), "w") as out:
        out.write(text)


def _numbers(version: str) -> tuple[int, ...]:
    # What follows the numbers, rc1 or dev, is left out: nobody is bothered for that.
    release = re.match(r"[0-9]+(?:\.[0-9]+)*", version)
    return tuple(int(part) for part in release[0].split(".")) if release else ()
