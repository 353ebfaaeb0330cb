"""How often somebody may try a code or a token: buckets that fill again, without a clock.

Only what fails is counted, and who shows a token that is right is never asked here: nobody
is locked out of the sessions by somebody else's guesses.
"""

from collections import OrderedDict
from typing import NamedTuple

PER_PEER, OVER_ALL = 10, 100  # tries at once; then one each 6 s, and each 0.6 s
REFILL = 60.0  # seconds until an empty bucket is full
PEERS = 1024  # that are remembered; beyond it the one that was quiet for longest is forgotten


class _Bucket(NamedTuple):
    left: float
    at: float

    def filled(self, size: int, now: float) -> float:
        return min(float(size), self.left + max(0.0, now - self.at) * size / REFILL)


class Tries:
    """The failed tries of every peer, and of all of them."""

    def __init__(self, *, per_peer: int = PER_PEER, over_all: int = OVER_ALL) -> None:
        self._per_peer, self._over_all = per_peer, over_all
        self._peers: OrderedDict[str, _Bucket] = OrderedDict()
        self._all = _Bucket(float(over_all), 0.0)

    def wait(self, peer: str, now: float) -> float:
        """Return for how many seconds this peer may not try; 0 is now."""
        own = self._peers.get(peer, _Bucket(float(self._per_peer), now))
        return max(
            _missing(own.filled(self._per_peer, now), self._per_peer),
            _missing(self._all.filled(self._over_all, now), self._over_all),
        )

    def failed(self, peer: str, now: float) -> None:
        """A try of this peer was wrong."""
        own = self._peers.pop(peer, _Bucket(float(self._per_peer), now))
        self._peers[peer] = _Bucket(max(0.0, own.filled(self._per_peer, now) - 1), now)
        self._all = _Bucket(max(0.0, self._all.filled(self._over_all, now) - 1), now)
        if len(self._peers) > PEERS:
            self._peers.popitem(last=False)


def _missing(left: float, size: int) -> float:
    # A bucket that was filled for the time asked for may be short of one by a rounding.
    return 0.0 if left >= 1 - 1e-9 else (1 - left) * REFILL / size
