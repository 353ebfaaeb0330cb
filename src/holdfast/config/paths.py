"""Where Holdfast keeps things, by a rule that every process of a user computes alike.

State and config follow XDG. The runtime directory is `$XDG_RUNTIME_DIR/holdfast`, else
`/run/user/UID/holdfast` where that exists (a shell from cron or su has no variable but
must find the same keeper), else `/tmp/holdfast-UID`. TMPDIR plays no part: it differs
between the shells of one user. `HOLDFAST_HOME` moves everything.
"""

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from holdfast.errors import InvalidSetting, PermissionDenied

SOCKET_PATH_LIMIT = 107  # bytes of a Unix socket's path on Linux, less its final NUL
LONGEST_SOCKET_NAME = "keeper.sock"


@dataclass(frozen=True, kw_only=True)
class Paths:
    """The places of one user's Holdfast."""

    state: Path
    runtime: Path
    config_file: Path
    journal: Path

    @property
    def socket(self) -> Path:
        """Where clients connect."""
        return self.runtime / "hold.sock"

    @property
    def keeper_socket(self) -> Path:
        """Where the keeper itself answers when no daemon does."""
        return self.runtime / LONGEST_SOCKET_NAME

    @property
    def token(self) -> Path:
        """What clients have to show, where it exists."""
        return self.state / "token"

    def prepare(self, uid: int) -> None:
        """Make the directories, for this user alone; raise PermissionDenied."""
        for directory in (self.state, self.runtime):
            make_private(directory, uid)

    @classmethod
    def find(cls, environ: Mapping[str, str], uid: int) -> "Paths":
        """Return the places that hold for this environment and user; touches nothing."""
        home = environ.get("HOLDFAST_HOME", "")
        if home:
            root = _absolute("HOLDFAST_HOME", home)
            state, runtime, config = root / "state", root / "run", root / "config.toml"
        else:
            state = _xdg(environ, "XDG_STATE_HOME", ".local/state") / "holdfast"
            config = _xdg(environ, "XDG_CONFIG_HOME", ".config") / "holdfast" / "config.toml"
            runtime = _runtime(environ, uid)
        journal = environ.get("HOLDFAST_JOURNAL_PATH", "")
        return cls(
            state=state,
            runtime=_short(runtime, uid),
            config_file=config,
            journal=_absolute("HOLDFAST_JOURNAL_PATH", journal)
            if journal
            else state / "journal.db",
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
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = directory.lstat()
    except OSError as error:
        raise PermissionDenied(action=f"creating {directory}: {error.strerror or error}") from error
    if not stat.S_ISDIR(found.st_mode):
        raise _distrust(directory, "is not a directory but a link", f"remove {directory}")
    if found.st_uid != uid:
        remedy = f"have user {found.st_uid} remove it, or set HOLDFAST_HOME to a place of your own"
        raise _distrust(directory, f"belongs to user {found.st_uid}", remedy)
    if found.st_mode & 0o077:
        raise _distrust(directory, "is open to other users", f"chmod 700 {directory}")


def _distrust(directory: Path, what: str, remedy: str) -> PermissionDenied:
    return PermissionDenied(action=f"using {directory}, which {what}", remedy=remedy)


def _xdg(environ: Mapping[str, str], variable: str, fallback: str) -> Path:
    # The XDG rule: a relative path is to be ignored, not obeyed.
    given = environ.get(variable, "")
    if given.startswith("/"):
        return Path(given)
    home = environ.get("HOME", "")
    if not home.startswith("/"):
        raise InvalidSetting(
            argument="variable HOME",
            value=home,
            problem="not a directory",
            remedy="set HOME, or HOLDFAST_HOME to where Holdfast may keep its files",
        )
    return Path(home) / fallback


def _runtime(environ: Mapping[str, str], uid: int) -> Path:
    given = environ.get("XDG_RUNTIME_DIR", "")
    if given.startswith("/"):
        return Path(given) / "holdfast"
    usual = Path(f"/run/user/{uid}")
    try:
        if usual.stat().st_uid == uid:
            return usual / "holdfast"
    except OSError:
        pass  # no login manager here
    return Path(f"/tmp/holdfast-{uid}")  # noqa: S108 - checked by make_private before use


def _short(runtime: Path, uid: int) -> Path:
    """Return a stand-in for a directory in which no socket could be bound."""
    longest = os.fsencode(runtime / LONGEST_SOCKET_NAME)
    if len(longest) <= SOCKET_PATH_LIMIT:
        return runtime
    digest = hashlib.sha256(os.fsencode(runtime)).hexdigest()[:16]
    return Path(f"/tmp/holdfast-{uid}-{digest}")  # noqa: S108 - checked by make_private too


def _absolute(variable: str, text: str) -> Path:
    if not text.startswith("/"):
        raise InvalidSetting(
            argument=f"variable {variable}",
            value=text,
            problem="not an absolute path",
            remedy="begin it with /",
        )
    return Path(text)
