"""How far something is that takes more than a second: on stderr, where that is a terminal."""

import sys
import threading
import time
from types import TracebackType
from typing import Self

from holdfast.cli import render

QUIET = 1.0  # seconds in which nothing is said: most things take less
EVERY = 0.2
WIDTH = 24
CLEAR = "\r\x1b[K"


class Progress:
    """Shows what is done while a `with` block lasts; `done` of `total`, if that is known."""

    def __init__(self, what: str, total: int = 0, *, bytes: bool = False) -> None:  # noqa: A002
        self._what = what
        self._in_bytes = bytes
        self.total = total
        self.done = 0
        self._over = threading.Event()
        # A thread: the one thing that is waited for may be a single reply of the daemon.
        self._thread: threading.Thread | None = None
        self._began = 0.0
        self._was_shown = False

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        if sys.stderr.isatty():
            self._thread = threading.Thread(target=self._show, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            if self._was_shown:
                print(CLEAR, end="", file=sys.stderr, flush=True)

    def _show(self) -> None:
        pause = QUIET
        while not self._over.wait(pause):
            pause = EVERY
            self._was_shown = True
            print(CLEAR + self.line(time.monotonic()), end="", file=sys.stderr, flush=True)

    def line(self, now: float) -> str:
        """Return what is shown at a moment."""
        elapsed = render.age(now - self._began)
        if not self.total:
            return f"{self._what} … {elapsed}"
        share = min(1.0, self.done / self.total)
        bar = "#" * int(share * WIDTH)
        counts = [render.size(n) if self._in_bytes else str(n) for n in (self.done, self.total)]
        return f"{self._what} [{bar:.<{WIDTH}}] {counts[0]} of {counts[1]}, {elapsed}"
