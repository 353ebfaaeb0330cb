"""Wait for the end of a session: asked again and again, because a daemon waits for a while only."""

import math
import time

from holdfast.client.calls import CALL_TIMEOUT
from holdfast.client.plain import Client
from holdfast.errors import TimedOut
from holdfast.protocol.messages import SessionInfo, Wait

TURN = 30.0  # seconds of one request


def end_of(client: Client, session: str, limit: float | None) -> SessionInfo:
    """Return a session when it has ended; raise TimedOut after *limit* seconds."""
    deadline = math.inf if limit is None else time.monotonic() + limit
    while True:
        patience = min(TURN, max(0.0, deadline - time.monotonic()))
        try:
            return client.call(Wait(session=session, timeout=patience), patience + CALL_TIMEOUT)
        except TimedOut as error:
            if limit is not None and time.monotonic() >= deadline:
                raise TimedOut(action=f"the end of session {session}", seconds=limit) from error
