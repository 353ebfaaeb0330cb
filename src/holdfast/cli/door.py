"""What every command begins with: places, and a client that says who it is."""

import os

from holdfast import __version__
from holdfast.cli.saying import label
from holdfast.client.plain import Client, connect
from holdfast.config.paths import Paths
from holdfast.errors import NotFound
from holdfast.protocol.messages import Get, List, Role, SessionInfo

PAGE = 500  # sessions; the daemon gives no more at a time


def places() -> Paths:
    """Return the places of this user."""
    return Paths.find(os.environ, os.getuid())


def client(role: Role = Role.CONTROL, *, autostart: bool = True, client_id: str = "") -> Client:
    """Return a connected client; the daemon is started when it is needed."""
    found = places()
    made = connect(
        found,
        os.environ,
        role=role,
        label=label(),
        kind="terminal",
        autostart=autostart,
        client_id=client_id,
    )
    if made.welcome.version != __version__:
        from holdfast.cli.newer import tell  # noqa: PLC0415 - once after an upgrade

        tell(found.runtime, made.welcome)
    return made


def session_named(client: Client, text: str) -> SessionInfo:
    """Return the session of that id, prefix, name or key.

    What follows uses its id: a name may pass to another session in the meantime.
    """
    try:
        return client.call(Get(session=text))
    except NotFound as error:
        from holdfast.cli.choosing import with_a_guess  # noqa: PLC0415 - only for mistakes

        raise with_a_guess(client, error, text) from None


def sessions(client: Client, *, ended: bool = False, lines: bool = False) -> list[SessionInfo]:
    """Return what is known of all sessions, oldest first, however many there are."""
    page = client.call(List(ended=ended, limit=PAGE, lines=lines))
    found = list(page.sessions)
    while page.next:
        page = client.call(List(ended=ended, after=page.next, limit=PAGE, lines=lines))
        found += page.sessions
    return found
