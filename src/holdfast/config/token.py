"""The token: a file that lets only those in who can read it. Without it nobody is asked.

It is for whoever hands the socket on, into a container or over ssh: there the user id of
the peer no longer says who it is.
"""

import os
import stat

TYPE_CHECKING = False  # `hold ls` reads it too, and cannot wait for pathlib and typing
if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.errors import PermissionDenied

OWN_PLACE = "set HOLDFAST_HOME to a place of your own, or have this one given to you"
TOKEN_LIMIT = 4096  # bytes; it has to fit into a hello


def read_token(file: "Path | str", uid: int) -> str:
    """Return the token, "" where there is no such file.

    Raises PermissionDenied with the fix when others could know it, IoFailed when it is none.
    """
    try:
        fd = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    except PermissionError as error:
        raise _closed(file, uid) from error
    except OSError as error:
        raise _distrust(file, f"cannot be opened: {error.strerror}", f"mend {file}") from error
    with os.fdopen(fd, "rb") as opened:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise _distrust(file, "is no file", f"remove {file}")
        if found.st_uid != uid:
            raise _distrust(file, f"belongs to user {found.st_uid}", f"remove {file}")
        if found.st_mode & 0o077:
            raise _distrust(file, "is open to other users", f"chmod 600 {file}")
        return _text(file, opened.read(TOKEN_LIMIT + 1))


def _closed(file: "Path | str", uid: int) -> "PermissionDenied":
    """Return why even looking for a token is refused: mostly the directory is another user's."""
    from pathlib import Path  # noqa: PLC0415 - only for mistakes

    from holdfast.config.paths import distrusted  # noqa: PLC0415 - only for mistakes

    state = Path(file).parent
    try:
        refused = distrusted(state, state.lstat(), uid)
    except OSError:
        refused = None  # one above it is closed
    return refused or _distrust(file, "may not be opened", OWN_PLACE)


def _text(file: "Path | str", content: bytes) -> str:
    token = content.decode(errors="replace").strip()
    if not token or len(content) > TOKEN_LIMIT or not token.isascii() or not token.isprintable():
        from holdfast.errors import IoFailed  # noqa: PLC0415 - only for mistakes

        raise IoFailed(
            action=f"reading the token in {file}",
            reason="it is not one line of printable ASCII",
            remedy=f"write a new one: openssl rand -hex 32 > {file}; or remove it to do without",
        )
    return token


def _distrust(file: "Path | str", what: str, remedy: str) -> "PermissionDenied":
    from holdfast.errors import PermissionDenied  # noqa: PLC0415 - only for mistakes

    return PermissionDenied(action=f"using the token {file}, which {what}", remedy=remedy)
