"""What the verbs of a client ask for, so that all shells ask the same."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from holdfast.client.calls import CALL_TIMEOUT, Call
from holdfast.client.reach import Reach
from holdfast.client.repeating import is_repeatable, random_id, stamped
from holdfast.config.paths import Paths
from holdfast.errors import InvalidArgument
from holdfast.protocol import messages as m
from holdfast.protocol.messages import Hello, Message, Role
from holdfast.protocol.version import OURS

Word = str | bytes
Place = Word | os.PathLike[str] | os.PathLike[bytes]

LISTED = 500  # sessions of one page: the daemon gives no more at a time


class Patience(TypedDict, total=False):
    """How long a verb may take; without either it fails at once when there is no connection."""

    wait: bool
    """Wait for the next connection, for as long as it takes."""
    timeout: float | None
    """Wait so many seconds for the connection and the reply."""


def reach(
    *,
    role: str,
    label: str,
    kind: str,
    client_id: str,
    autostart: bool,
    environ: Mapping[str, str] | None,
) -> Reach:
    """Return the way to the daemon of this user, for who introduces itself so."""
    environ = os.environ if environ is None else environ
    hello = Hello(
        protocol=OURS,
        client_id=client_id or random_id(),
        role=Role(role),
        label=label,
        kind=kind,
    )
    return Reach(Paths.find(environ, os.getuid()), environ, hello, autostart)


def call_of(message: Message, *, wait: bool, timeout: float | None, now: float) -> Call:
    """Return the call that asks for this; without *wait* or *timeout* it has 10 s."""
    limit = timeout if timeout is not None or wait else CALL_TIMEOUT
    return Call(
        stamped(message),
        waits=wait or timeout is not None,
        repeatable=is_repeatable(message),
        deadline=None if limit is None else now + limit,
        limit=limit or 0.0,
    )


def create(
    argv: Sequence[Word],
    *,
    cwd: Place | None,
    env: Mapping[Word, Word] | None,
    size: tuple[int, int],
    name: str,
    key: str,
    restore: str,
    ephemeral: bool,
) -> m.Create:
    """Return the request for a new session, in this process's place and environment."""
    if not argv:
        raise InvalidArgument(argument="argv", value="[]", problem="names no program")
    here: Mapping[bytes, bytes] | Mapping[Word, Word] = os.environb if env is None else env
    return m.Create(
        argv=[os.fsencode(word) for word in argv],
        cwd=os.fsencode(Path.cwd() if cwd is None else cwd),
        env={os.fsencode(k): os.fsencode(v) for k, v in here.items()},
        cols=size[0],
        rows=size[1],
        name=name,
        key=key,
        umask=_umask(),
        creation=random_id(),
        restore=restore,
        ephemeral=ephemeral,
    )


def register(
    session: str,
    argv: Sequence[Word],
    *,
    cwd: Word | None,
    size: tuple[int, int] | None,
    name: str,
    started: float,
    attributes: Mapping[str, str] | None,
) -> m.Register:
    """Return the request for a mirrored session; what is not given stays as it was."""
    cols, rows = size or (0, 0)
    return m.Register(
        session=session,
        argv=[os.fsencode(word) for word in argv],
        cwd=b"" if cwd is None else os.fsencode(cwd),
        cols=cols,
        rows=rows,
        name=name,
        started=started,
        attributes=dict(attributes or {}),
    )


def _umask() -> int:
    umask = os.umask(0o077)
    os.umask(umask)
    return umask
