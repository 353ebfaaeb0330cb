"""The two pipes of a window: commands in, what happens out, each a line of JSON.

Whoever started the window holds their other ends, and nobody else can: no port is opened. When
the commands end, so does the window.
"""

import json
import os
from typing import Any

PIECE = 64 << 10
LONGEST_LINE = 16 << 20  # bytes; a script to evaluate is a line


class Channel:
    """This end of the two pipes."""

    def __init__(self) -> None:
        # What else runs here, or is started (a browser), prints to stdout and must not be heard.
        self._out = os.dup(1)
        os.dup2(2, 1)
        self.commands = -1
        self._held = b""

    def listen(self) -> None:
        """Take commands from stdin from now on."""
        self.commands = os.dup(0)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)

    def read_line(self) -> str:
        """Wait for one line; what follows it is kept."""
        while b"\n" not in self._held:
            piece = os.read(self.commands, PIECE)
            if not piece:
                break
            self._held += piece
        line, _, self._held = self._held.partition(b"\n")
        return line.decode()

    def read(self) -> list[dict[str, Any]] | None:
        """Return the commands that have come; None once there will be no more."""
        piece = os.read(self.commands, PIECE)
        self._held += piece
        *lines, self._held = self._held.split(b"\n")
        if not piece or len(self._held) > LONGEST_LINE:
            return None
        return [command for line in lines if (command := _command(line)) is not None]

    def tell(self, **facts: object) -> None:
        """Say what has happened; it is no fault if nobody listens."""
        try:
            os.write(self._out, json.dumps(facts).encode() + b"\n")
        except OSError:
            pass


def _command(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
