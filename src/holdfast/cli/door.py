"""What every command begins with: places, and a client that says who it is."""

import os

from holdfast.cli.saying import label
from holdfast.client.plain import Client, connect
from holdfast.config.paths import Paths
from holdfast.protocol.messages import Get, Role, SessionInfo


def places() -> Paths:
    """Return the places of this user."""
    return Paths.find(os.environ, os.getuid())


def client(role: Role = Role.CONTROL, *, autostart: bool = True, client_id: str = "") -> Client:
    """Return a connected client; the daemon is started when it is needed."""
    return connect(
        places(),
        os.environ,
        role=role,
        label=label(),
        kind="terminal",
        autostart=autostart,
        client_id=client_id,
    )


def session_named(client: Client, text: str) -> SessionInfo:
    """Return the session of that id, prefix, name or key.

    What follows uses its id: a name may pass to another session in the meantime.
    """
    return client.call(Get(session=text))
