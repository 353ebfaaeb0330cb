"""Tell the keys that leave a session from those that are meant for it. Pure.

`Ctrl-\\` pressed twice within 400 ms leaves. The first press is held back until it is
clear what it was: another key or the end of that time sends it on, in its place.

Programs can ask the terminal to send keys in other encodings (kitty, modifyOtherKeys);
those would be further spellings of the key in `_presses`.
"""

import re
from collections.abc import Iterator

KEY = b"\x1c"
WITHIN = 0.4  # seconds: two deliberate presses take 100 to 250 ms, a repeated lone one 500

_PRESSES = re.compile(re.escape(KEY))


class Detach:
    """Take typed bytes, give those that are for the session."""

    def __init__(self, within: float = WITHIN) -> None:
        self.requested = False
        """The keys to leave were pressed; what was typed after them is for nobody."""
        self._within = within
        self._held_since: float | None = None

    def feed(self, data: bytes, now: float) -> bytes:
        """Return what is to be sent on now."""
        sent = self.expire(now)
        for part in _presses(data):
            if part != KEY:
                sent += self._release() + part
            elif self._held_since is None:
                self._held_since = now
            else:
                self.requested, self._held_since = True, None
                break
        return sent

    def deadline(self) -> float | None:
        """Return when `expire` must be called, or None while nothing is held back."""
        return None if self._held_since is None else self._held_since + self._within

    def expire(self, now: float) -> bytes:
        """Return the press that turned out to be a lone one."""
        deadline = self.deadline()
        return self._release() if deadline is not None and now >= deadline else b""

    def _release(self) -> bytes:
        held, self._held_since = self._held_since, None
        return KEY if held is not None else b""


def _presses(data: bytes) -> Iterator[bytes]:
    """Yield presses of the key and, whole, the bytes between them."""
    at = 0
    for press in _PRESSES.finditer(data):
        if press.start() > at:
            yield data[at : press.start()]
        yield KEY
        at = press.end()
    if at < len(data):
        yield data[at:]
