"""The part of a session's screen that fits into a terminal which is smaller than it.

Who looks on does not resize the session, and output that was made for more columns is garbage
in fewer. So it is not shown at all: the screen is asked for, and the part around the cursor drawn.
"""

import time
from collections.abc import Callable

from holdfast.client.calls import Result
from holdfast.client.core import Core
from holdfast.protocol.messages import GetScreen, Screen

PAUSE = 0.1  # seconds between two pictures: nobody reads faster, and a flood draws thousands
NOT_KNOWN = 1.0  # seconds until it is asked for again where nobody could tell
Size = tuple[int, int]


class Cropping:
    """Asks for the screen when it has changed; `draw` is called with what to write."""

    def __init__(self, core: Core, session: str, draw: Callable[[Screen], None]) -> None:
        self.is_on = False
        self._core = core
        self._session = session
        self._draw = draw
        self._due: float | None = None
        self._is_asking = False

    def changed(self) -> None:
        """The session has printed something."""
        if self._due is None:
            self._due = time.monotonic()

    def deadline(self) -> float | None:
        """Return when to call `expire`."""
        return self._due if self.is_on and not self._is_asking and self._core.is_online else None

    def expire(self, now: float) -> None:
        deadline = self.deadline()
        if deadline is not None and now >= deadline:
            self._is_asking, self._due = True, None
            self._core.ask(GetScreen(session=self._session), self._heard)

    def _heard(self, result: Result) -> None:
        self._is_asking = False
        if not isinstance(result, Screen):
            self._due = time.monotonic() + NOT_KNOWN
        elif result.offset < result.end or self._due is not None:
            self._due = time.monotonic() + PAUSE
        if self.is_on and isinstance(result, Screen):
            self._draw(result)


def cropped(screen: Screen, size: Size) -> bytes:
    """Return what shows the part of a screen around its cursor in a terminal of that size."""
    cols, rows = size
    col, row = screen.cursor or (0, 0)
    left, top = max(0, col - cols + 1), max(0, row - rows + 1)
    lines = screen.data.decode(errors="replace").split("\n")[top : top + rows]
    shown = [
        "".join(each for each in line if each.isprintable())[left : left + cols] for line in lines
    ]
    # Without wrapping: what is wider than it has characters is cut off by the terminal.
    text = "\x1b[m\x1b[?7l\x1b[H" + "\r\n".join(f"{line}\x1b[K" for line in shown) + "\x1b[J"
    return f"{text}\x1b[{row - top + 1};{col - left + 1}H".encode()
