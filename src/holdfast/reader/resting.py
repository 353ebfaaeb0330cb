"""What becomes of a screen that nobody looks at: written down, compressed, and out of memory.

Measured: a screen with 10,000 lines takes 10 MB, compressed 2, and 0.1 s to have it back from
the disk.
"""

from collections.abc import Mapping

from holdfast.errors import HoldfastError
from holdfast.reader.follower import Follower
from holdfast.reader.memory import give_back, resident
from holdfast.reader.model import ScreenError

QUIET = 2.0  # seconds without output; somebody who types is not disturbed by 50 ms of work
COMPRESS_AFTER = 30.0
# What is read again after a death at most, in a quarter of a second to a second. Half of it
# would have a flood spend a tenth of the time writing screens.
KEEP_EVERY = 32 << 20
# Less than that is read again sooner than a screen is restored.
WORTH_KEEPING = 64 << 10
NOBODY = ""  # in place of a session: only to look at the memory again
LOOK_EVERY = 1.0  # seconds between looks at the memory
TYPICAL = 10 << 20  # bytes of a screen, where the system does not tell


class Resting:
    """Who rests when. What is touched is looked at again once it is quiet."""

    def __init__(self, budget: int, followers: Mapping[str, Follower]) -> None:
        self._budget = budget
        self._followers = followers
        self._due: dict[str, float] = {}
        self._look_at = 0.0

    def deadline(self) -> float | None:
        return min(self._due.values(), default=None)

    def touched(self, follower: Follower) -> None:
        """Take note that a session was read or shown; keep its screen if that is due."""
        self._due[follower.session] = follower.touched + QUIET
        if follower.position - follower.kept_at >= KEEP_EVERY:
            _keep(follower)
        if follower.touched >= self._look_at:
            self._look_at = follower.touched + LOOK_EVERY
            self.make_room(follower.touched)

    def turn(self, now: float) -> Follower | None:
        """Put to rest a session whose time has come, and return it."""
        session = min(self._due, key=self._due.__getitem__, default=None)
        if session is None or self._due[session] > now:
            return None
        del self._due[session]
        self.make_room(now)
        follower = self._followers.get(session)
        if follower is None or follower.model is None:
            return None
        if follower.position - follower.kept_at >= WORTH_KEEPING:
            _keep(follower)
        if now - follower.touched >= COMPRESS_AFTER:
            follower.compress()
        elif not follower.is_compressed:
            self._due[session] = follower.touched + COMPRESS_AFTER
        return follower

    def make_room(self, now: float) -> None:
        """Let go of what was not touched for longest if too much memory is taken.

        One at a time, and the next one soon: nobody waits for all of them.
        """
        if self._taken() <= self._budget:
            return
        self._look_at = now
        idle = [
            one
            for one in self._followers.values()
            if one.model is not None and not one.lags and now - one.touched >= QUIET
        ]
        if not idle:
            return
        longest = min(idle, key=lambda one: (one.is_compressed, one.touched))
        if longest.is_compressed:
            _evict(longest)
        else:
            longest.compress()
        self._due[NOBODY] = now
        give_back()

    def _taken(self) -> int:
        models = sum(one.model is not None for one in self._followers.values())
        return resident() or models * TYPICAL


def _evict(follower: Follower) -> None:
    if follower.kept_at != follower.position:
        _keep(follower)
    follower.evict()


def _keep(follower: Follower) -> None:
    try:
        follower.keep()
    except (OSError, HoldfastError, ScreenError):
        # A full disk, most likely. It can be made again of the log; another try after as much
        # output as now.
        follower.kept_at = follower.position
