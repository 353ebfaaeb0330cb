"""How many lines a log gets of what is refused: some at once, then one that counts the rest.

Pure. Whoever can reach the port can be refused a thousand times a second; the log says that,
and the disk is not filled with it.
"""

LINES, EVERY = 20, 60.0  # so many lines in so many seconds


class Complaints:
    """Says of each refusal whether it gets a line."""

    def __init__(self, now: float) -> None:
        self._since = now
        self._said = 0
        self._unsaid = 0

    def count(self, now: float) -> tuple[bool, int]:
        """Return whether to write a line, and how many got none in the time before."""
        unsaid = 0
        if now - self._since >= EVERY:
            unsaid, self._unsaid = self._unsaid, 0
            self._since, self._said = now, 0
        if self._said < LINES:
            self._said += 1
            return True, unsaid
        self._unsaid += 1
        return False, unsaid
