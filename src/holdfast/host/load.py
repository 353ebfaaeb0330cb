"""Whether the host has no time for small messages. Pure."""

SPAN = 0.5  # seconds that are looked at
MANY = 750  # messages in them: at 100 µs each, a seventh of a core


class Load:
    """Counts what is sent."""

    def __init__(self) -> None:
        self.messages = 0
        """All that were sent."""
        self.is_busy = False
        self._since = 0.0
        self._count = 0

    def sent(self, now: float) -> None:
        self.messages += 1
        self._count += 1
        if now - self._since >= SPAN:
            self.is_busy = self._count > MANY * (now - self._since) / SPAN
            self._since, self._count = now, 0
