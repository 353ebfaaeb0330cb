"""Where the places are, as plain texts: the one rule, for those who cannot wait for pathlib.

`paths.py` says what the rule is; it and the quick commands both ask here.
"""

import os

SOCKET_PATH_LIMIT = 107  # bytes of a Unix socket's path on Linux, less its final NUL
LONGEST_SOCKET_NAME = "keeper.sock"
SOCKET_NAME = "hold.sock"
TOKEN_NAME = "token"  # noqa: S105 - the name of the file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.errors import InvalidSetting


def where(environ: "Mapping[str, str]", uid: int) -> tuple[str, str, str, str]:
    """Return the places of state and runtime files, of the config and of the journal."""
    home = environ.get("HOLDFAST_HOME", "")
    if home:
        root = _absolute("HOLDFAST_HOME", home)
        state, runtime, config = f"{root}/state", f"{root}/run", f"{root}/config.toml"
    else:
        state = _xdg(environ, "XDG_STATE_HOME", ".local/state") + "/holdfast"
        config = _xdg(environ, "XDG_CONFIG_HOME", ".config") + "/holdfast/config.toml"
        runtime = _runtime(environ, uid)
    journal = environ.get("HOLDFAST_JOURNAL_PATH", "")
    journal = _absolute("HOLDFAST_JOURNAL_PATH", journal) if journal else f"{state}/journal.db"
    return state, _short(runtime, uid), config, journal


def _xdg(environ: "Mapping[str, str]", variable: str, fallback: str) -> str:
    # The XDG rule: a relative path is to be ignored, not obeyed.
    given = environ.get(variable, "")
    if given.startswith("/"):
        return _plain(given)
    home = environ.get("HOME", "")
    if not home.startswith("/"):
        raise _invalid(
            argument="variable HOME",
            value=home,
            problem="not a directory",
            remedy="set HOME, or HOLDFAST_HOME to where Holdfast may keep its files",
        )
    return _plain(f"{home}/{fallback}")


def _runtime(environ: "Mapping[str, str]", uid: int) -> str:
    given = environ.get("XDG_RUNTIME_DIR", "")
    for directory in (given, f"/run/user/{uid}"):
        # `su` and `sudo -E` bring somebody else's: root's sockets would lock its owner out.
        if directory.startswith("/") and _belongs_to(uid, directory):
            return _plain(f"{directory}/holdfast")
    return f"/tmp/holdfast-{uid}"  # noqa: S108 - checked by make_private before use


def _belongs_to(uid: int, directory: str) -> bool:
    try:
        return os.stat(directory).st_uid == uid  # noqa: PTH116 - no pathlib here
    except OSError:
        return False  # a variable from a login that is over, or no login manager here


def _short(runtime: str, uid: int) -> str:
    """Return a stand-in for a directory in which no socket could be bound."""
    if len(os.fsencode(f"{runtime}/{LONGEST_SOCKET_NAME}")) <= SOCKET_PATH_LIMIT:
        return runtime
    import hashlib  # noqa: PLC0415 - few homes are that deep

    digest = hashlib.sha256(os.fsencode(runtime)).hexdigest()[:16]
    return f"/tmp/holdfast-{uid}-{digest}"  # noqa: S108 - checked by make_private too


def _absolute(variable: str, text: str) -> str:
    if not text.startswith("/"):
        raise _invalid(
            argument=f"variable {variable}",
            value=text,
            problem="not an absolute path",
            remedy="begin it with /",
        )
    return _plain(text)


def _plain(path: str) -> str:
    """Return a path in the spelling of pathlib: a stand-in is named after it."""
    root = "//" if path.startswith("//") and not path.startswith("///") else "/"
    return root + "/".join(part for part in path.split("/") if part not in ("", "."))


def _invalid(*, argument: str, value: str, problem: str, remedy: str) -> "InvalidSetting":
    from holdfast.errors import InvalidSetting  # noqa: PLC0415 - only for mistakes

    return InvalidSetting(argument=argument, value=value, problem=problem, remedy=remedy)
