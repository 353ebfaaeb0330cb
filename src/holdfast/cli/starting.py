"""`hold run`: a program in a new session."""

import os
import sys
from argparse import Namespace
from collections.abc import Mapping

from msgspec.structs import replace

from holdfast.cli import door
from holdfast.cli.exits import OK, Usage, note
from holdfast.cli.naming import name_for
from holdfast.cli.waiting import end_of
from holdfast.client.plain import Client
from holdfast.errors import HoldfastError
from holdfast.protocol.messages import Create, Created, SessionInfo, Takeover
from holdfast.terminal.size import size_of
from holdfast.types import LABEL_LIMIT, Size

FALLBACK_SIZE = (80, 24)
FALLBACK_TERM = "xterm-256color"  # the daemon's own model; "dumb" is what has no terminal at all
SIZE_VARIABLES = ("COLUMNS", "LINES")  # they would go stale at the first resize
POLICIES = ("never", "shell", "always")


def run(values: Namespace) -> int:
    """Start a session, and stay on it unless told otherwise."""
    if values.detach and values.wait:
        raise Usage("hold run takes --detach or --wait", "`hold wait ID` waits for a detached one")
    request = create_request(values, os.environ)
    if values.detach or values.wait:
        with door.client() as client:
            created = created_for(client, values, request)
            if values.detach:
                print(created.session.id)
                return OK
            return _wait(client, created.session)
    # Only here: what is detached should not pay for it.
    from holdfast.cli import attaching  # noqa: PLC0415

    with attaching.terminal() as local, door.client() as client:
        attaching.refuse_inside(client, local, nested=values.nested)
        created = created_for(client, values, request)
        is_new = created.outcome == "created"
        return attaching.stay(client, created.session, local, fresh=is_new)


def created_for(client: Client, values: Namespace, request: Create) -> Created:
    """Return the session of a request, named unless that was decided."""
    if values.name is None:
        request = replace(request, name=name_for(request.argv, request.cwd), numbered=True)
    created = client.call(request)
    if values.takeover:
        client.call(Takeover(session=created.session.id))
    return created


def create_request(values: Namespace, environ: Mapping[str, str]) -> Create:
    """Return the request that the command line describes; raise Usage."""
    cols, rows = _size(values.size)
    return Create(
        argv=[os.fsencode(word) for word in values.program] or [_shell(environ)],
        cwd=_directory(values.cwd),
        env=session_environment(environ, values.env or []),
        cols=cols,
        rows=rows,
        name=_label("--name", values.name) if values.name else "",
        key=_label("--key", values.key),
        umask=_umask(),
        restore=_policy(values.restore),
        ephemeral=values.ephemeral,
    )


def session_environment(environ: Mapping[str, str], changes: list[str]) -> dict[bytes, bytes]:
    """Return the caller's environment as a program in a terminal of its own should find it."""
    chosen = {name: text for name, text in environ.items() if name not in SIZE_VARIABLES}
    if chosen.get("TERM", "") in ("", "dumb"):
        chosen["TERM"] = FALLBACK_TERM
    for change in changes:
        name, equals, text = change.partition("=")
        if not name or not equals:
            raise Usage(f"--env {change!r} sets nothing", "write it as NAME=VALUE")
        chosen[name] = text
    return {os.fsencode(name): os.fsencode(text) for name, text in chosen.items()}


def _wait(client: Client, session: SessionInfo) -> int:
    """Show what a session prints until it ends; return the code of its program."""
    from holdfast.cli.attaching import code_of_end, way_back  # noqa: PLC0415 - only here
    from holdfast.cli.streams import show  # noqa: PLC0415 - only here

    try:
        show(client, session.id, sys.stdout.fileno(), follow=True)
        return code_of_end(end_of(client, session.id, None))
    except (KeyboardInterrupt, HoldfastError):
        note(way_back(session))
        raise


# -- values


def _shell(environ: Mapping[str, str]) -> bytes:
    return os.fsencode(environ.get("SHELL") or "/bin/sh")


def _size(text: str | None) -> tuple[int, int]:
    if text is None:
        sizes = (size_of(fd) for fd in (1, 0, 2))
        return next((size for size in sizes if size is not None), FALLBACK_SIZE)
    try:
        size = Size.parse(text)
    except ValueError as error:
        raise Usage(
            f"--size {text!r} is no size: {error}", "write it as COLSxROWS: 120x40"
        ) from error
    return size.cols, size.rows


def _directory(text: str | None) -> bytes:
    if text is not None:
        return os.fsencode(os.path.abspath(text))  # noqa: PTH100 - bytes, and no link resolved
    try:
        return os.getcwdb()  # noqa: PTH109 - bytes: it need not be UTF-8
    except FileNotFoundError as error:
        where = os.environ.get("PWD", "the current directory")
        raise Usage(
            f"{where} is no longer there", "cd to another, or give one with --cwd"
        ) from error


def _policy(text: str | None) -> str:
    if text is None:
        return ""  # the daemon's setting
    if text not in POLICIES:
        raise Usage(f"--restore {text!r} is unknown", f"write one of {', '.join(POLICIES)}")
    return text


def _label(flag: str, text: str | None) -> str:
    if text is None:
        return ""
    if not text or len(text) > LABEL_LIMIT or not text.isprintable():
        what = f"{flag} {text[:40]!r} cannot be used"
        raise Usage(what, f"use 1 to {LABEL_LIMIT} printable characters")
    return text


def _umask() -> int:
    umask = os.umask(0o077)
    os.umask(umask)
    return umask
