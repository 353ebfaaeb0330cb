"""Where Holdfast keeps things, by a rule that every process of a user computes alike.

State and config follow XDG. The runtime directory is `$XDG_RUNTIME_DIR/holdfast` where that
is there and ours, else `/run/user/UID/holdfast` where that is (a shell from cron or su has no
variable, or another's, but must find the same keeper), else `/tmp/holdfast-UID`. TMPDIR
plays no part: it differs between the shells of one user. `HOLDFAST_HOME` moves everything.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from holdfast.config.where import LONGEST_SOCKET_NAME, SOCKET_NAME, TOKEN_NAME, where
from holdfast.errors import PermissionDenied

ROOT = 0  # may write where it likes; everybody else is kept by the system to what is theirs


class Paths(NamedTuple):  # a dataclass would cost every `hold` command 10 ms
    """The places of one user's Holdfast."""

    state: Path
    runtime: Path
    config_file: Path
    journal: Path

    @property
    def socket(self) -> Path:
        """Where clients connect."""
        return self.runtime / SOCKET_NAME

    @property
    def keeper_socket(self) -> Path:
        """Where the keeper itself answers when no daemon does."""
        return self.runtime / LONGEST_SOCKET_NAME

    @property
    def token(self) -> Path:
        """What clients have to show, where it exists."""
        return self.state / TOKEN_NAME

    def prepare(self, uid: int) -> None:
        """Make the directories, for this user alone; raise PermissionDenied."""
        for directory in (self.state, self.runtime):
            make_private(directory, uid)

    @classmethod
    def find(cls, environ: Mapping[str, str], uid: int) -> "Paths":
        """Return the places that hold for this environment and user; touches nothing."""
        state, runtime, config_file, journal = where(environ, uid)
        return cls(
            state=Path(state),
            runtime=Path(runtime),
            config_file=Path(config_file),
            journal=Path(journal),
        )


def agent_link(runtime: Path, session: str) -> Path:
    """Return what programs of a session find their ssh agent by, whoever's that is."""
    return runtime / f"ssh-{session}"  # no longer than the name of the keeper's socket


def make_private(directory: Path, uid: int) -> None:
    """Create *directory* for this user alone, or raise PermissionDenied with the fix.

    What is there already must be a real directory, ours, and closed to others: the
    programs of every session could be taken over through it.
    """
    try:
        if (refused := unmakeable(directory, uid)) is not None:
            raise refused
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = directory.lstat()
    except OSError as error:
        refused = PermissionDenied(action=f"creating {directory}: {error.strerror or error}")
        raise refused.said(refused.what, _whose(directory, uid) or refused.fix) from error
    if (refused := distrusted(directory, found, uid)) is not None:
        raise refused


def _whose(directory: Path, uid: int) -> str:
    """Return what helps where somebody else owns what a directory would be made in."""
    parent, found = _above(directory)
    mine = "set HOLDFAST_HOME to a place of your own, or have it given to you"
    return f"user {found.st_uid} owns {parent}: {mine}" if found.st_uid != uid else ""


def _above(directory: Path) -> tuple[Path, os.stat_result]:
    """Return the nearest of its parents that is there and that we may look at."""
    for parent in directory.parents:
        try:
            return parent, parent.stat()
        except OSError:
            continue
    return directory, directory.stat()  # it is the root


def unmakeable(directory: Path, uid: int) -> PermissionDenied | None:
    """Return why root must not make a directory: somebody else would be locked out.

    That is what `sudo` asks for where it leaves HOME as it was. What is sticky, like /tmp, is
    for everybody.
    """
    if uid != ROOT or os.path.lexists(directory):
        return None
    _, there = _above(directory)
    if there.st_uid == ROOT or there.st_mode & stat.S_ISVTX:
        return None
    whose = f"in what belongs to user {there.st_uid}, who would be locked out"
    remedy = f"do it as user {there.st_uid} (without sudo), or set HOLDFAST_HOME to a place of root"
    return PermissionDenied(action=f"making {directory} as root {whose}", remedy=remedy)


def distrusted(directory: Path, found: os.stat_result, uid: int) -> PermissionDenied | None:
    """Return why a directory, as `lstat` found it, cannot be used; None when it can."""
    if not stat.S_ISDIR(found.st_mode):
        return _distrust(directory, "is not a directory but a link", f"remove {directory}")
    if found.st_uid != uid:
        remedy = f"have user {found.st_uid} remove it, or set HOLDFAST_HOME to a place of your own"
        return _distrust(directory, f"belongs to user {found.st_uid}", remedy)
    if found.st_mode & 0o077:
        return _distrust(directory, "is open to other users", f"chmod 700 {directory}")
    return None


def _distrust(directory: Path, what: str, remedy: str) -> PermissionDenied:
    return PermissionDenied(action=f"using {directory}, which {what}", remedy=remedy)
