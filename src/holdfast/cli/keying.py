"""`hold send --keys`: keys by their names, as the terminal of the session would send them."""

import json

from holdfast.cli import keys
from holdfast.client.plain import Client
from holdfast.errors import HoldfastError
from holdfast.protocol.messages import GetScreen
from holdfast.terminal.modes import Modes

LOOKS = 20  # at most, at a screen on which what was printed last is still missing
CURSOR_KEYS = "?1"  # the mode in which a terminal sends SS3 for them


def bytes_for(client: Client, session: str, names: str) -> bytes:
    """Return what is to be typed; the session is asked for its mode only if that matters."""
    application = keys.depends_on_mode(names) and _has_application_keys(client, session)
    return keys.bytes_of(names, application=application)


def _has_application_keys(client: Client, session: str) -> bool:
    try:
        shown = client.call(GetScreen(session=session, form="json"))
        for _ in range(LOOKS):
            if shown.offset < shown.end:
                shown = client.call(GetScreen(session=session, form="json"))
        if shown.fidelity == "tail":
            return _says_so(client.call(GetScreen(session=session, form="vt")).data)
        return CURSOR_KEYS in json.loads(shown.data).get("modes", ())
    except (HoldfastError, ValueError):
        return False  # nothing was printed yet: the mode a terminal begins in


def _says_so(printed: bytes) -> bool:
    """Return what the last bytes say of the mode; they are all there is without a reader."""
    modes = Modes()
    modes.feed(printed)
    return modes.has_application_keys
