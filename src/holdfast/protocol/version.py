"""Which versions of the protocol this side speaks, and how two sides agree on one.

A version changes only when an old peer would misunderstand; new fields, requests
and events do not count, because unknown ones are skipped.
"""

from typing import NamedTuple

from holdfast.errors import ProtocolMismatch


class Versions(NamedTuple):
    """A range of protocol versions, both ends included."""

    oldest: int
    newest: int

    def __str__(self) -> str:
        return str(self.newest) if self.oldest == self.newest else f"{self.oldest}-{self.newest}"


OURS = Versions(1, 1)


def agree(*, client: Versions, daemon: Versions) -> int:
    """Return the newest version both speak, or raise ProtocolMismatch."""
    chosen = min(client.newest, daemon.newest)
    if chosen < max(client.oldest, daemon.oldest) or client.oldest > client.newest:
        older = "client" if client.newest < daemon.oldest else "daemon"
        raise ProtocolMismatch(client=str(client), daemon=str(daemon), older=older)
    return chosen
