"""What every command begins with: places, and a client that says who it is."""

import os
import sys

from holdfast.client.plain import Client, connect
from holdfast.config.paths import Paths
from holdfast.protocol.messages import Get, Role, SessionInfo


def places() -> Paths:
    """Return the places of this user."""
    return Paths.find(os.environ, os.getuid())


def client(role: Role = Role.CONTROL, *, autostart: bool = True) -> Client:
    """Return a connected client; the daemon is started when it is needed."""
    return connect(
        places(), os.environ, role=role, label=label(), kind="terminal", autostart=autostart
    )


def label() -> str:
    """Return what others see us by: `terminal pts/3`."""
    try:
        name = os.ttyname(sys.stdin.fileno()).removeprefix("/dev/")
    except (OSError, ValueError, AttributeError):  # no terminal, or no stdin at all
        return "script"
    return f"terminal {name}"


def session_named(client: Client, text: str) -> SessionInfo:
    """Return the session of that id, prefix, name or key.

    What follows uses its id: a name may pass to another session in the meantime.
    """
    return client.call(Get(session=text))
