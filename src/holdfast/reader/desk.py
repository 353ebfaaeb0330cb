"""All sessions that are read: whose turn it is, who waits for a picture, what may rest.

Time is an argument. `hear` what the daemon says, `turn` while there is work, `drain` what is
to be told.
"""

from dataclasses import dataclass
from pathlib import Path

from holdfast.errors import HoldfastError, RemoteProtocolError
from holdfast.protocol.reading import (
    Cleared,
    Fenced,
    Follow,
    Grew,
    Leave,
    NotPainted,
    Paint,
    Painted,
    Said,
    Sized,
)
from holdfast.reader.fence import Fence
from holdfast.reader.follower import Follower
from holdfast.reader.model import SIZE_LIMIT, ScreenError
from holdfast.reader.pictures import picture
from holdfast.reader.resting import Resting
from holdfast.reader.sizes import Size
from holdfast.types import SESSION_ID

# What is read before a picture is painted, if it can be read soon; farther behind the daemon
# does better with the last of the log.
NEAR = 8 << 20
PATIENCE = 0.15  # seconds; then the picture is of where the reader is


@dataclass
class _Waiting:
    paint: Paint
    until: float | None = None
    """Counted from when there is a screen to feed."""


class Desk:
    """What there is to do."""

    def __init__(self, fence: Fence, memory: int) -> None:
        self._fence = fence
        self._followers: dict[str, Follower] = {}
        self._lagging: dict[str, None] = {}  # in the order of their turns
        self._paints: list[_Waiting] = []
        self._news: list[Said] = []
        self._resting = Resting(memory, self._followers)

    @property
    def is_busy(self) -> bool:
        """Whether there is work that waits for nothing."""
        return bool(self._lagging or self._paints)

    def deadline(self) -> float | None:
        """Return when to take a turn although nothing is said."""
        return self._resting.deadline()

    def drain(self) -> list[Said]:
        news, self._news = self._news, []
        return news

    def lost(self) -> None:
        """Forget who asked: the daemon has gone. What was read stays."""
        self._paints, self._news = [], []

    # -- what the daemon says

    def hear(self, said: Said) -> None:
        """Act on a message; raise RemoteProtocolError when it makes no sense."""
        if isinstance(said, Follow):
            self._follow(said)
            return
        assert isinstance(said, Grew | Sized | Cleared | Leave | Paint)
        follower = self._followers.get(said.session)
        if isinstance(said, Paint):
            self._ask(said, follower)
        if follower is None:
            return  # it has left meanwhile
        try:
            self._act(said, follower)
        except (HoldfastError, ScreenError, OSError) as error:
            follower.fail(error)
        if said.session in self._followers:
            self._look_at(follower)

    def _act(self, said: Said, follower: Follower) -> None:
        if isinstance(said, Grew):
            follower.grew(said.end)
        elif isinstance(said, Sized):
            follower.sized(_size(said))
        elif isinstance(said, Cleared):
            follower.clear()
        elif isinstance(said, Leave):
            del self._followers[follower.session]
            self._lagging.pop(follower.session, None)
            follower.leave(erase=said.erase)

    def _follow(self, follow: Follow) -> None:
        is_path = Path(follow.directory).is_absolute() and "\0" not in follow.directory
        if not SESSION_ID.fullmatch(follow.session) or not is_path:
            problem = f"a session {follow.session[:40]!r} in {follow.directory[:80]!r}"
            raise RemoteProtocolError(problem=problem)
        if not 0 <= follow.end < 1 << 63:
            raise RemoteProtocolError(problem=f"a log that ends at {follow.end}")
        _checked(follow.cols, follow.rows)
        follower = self._followers.get(follow.session)
        if follower is not None and follower.is_of(follow):
            follower.correct(follow)
        else:
            if follower is not None:
                follower.drop()
            follower = self._followers[follow.session] = Follower(follow, self._fence)
        if fenced := self._fence.fenced(follow.session):
            self._news.append(Fenced(follow.session, fenced.start, fenced.end))
        self._look_at(follower)

    def _ask(self, paint: Paint, follower: Follower | None) -> None:
        if follower is None:
            self._news.append(NotPainted(paint.number, "unknown"))
            return
        follower.trouble = ""  # whoever asks has it tried again
        follower.grew(paint.end)
        self._paints.append(_Waiting(paint))

    # -- work

    def turn(self, now: float) -> None:
        """Do one piece of work."""
        self._paint(now)
        follower = self._next()
        if follower is not None:
            follower.touched = now
            follower.read()
            self._resting.touched(follower)
            self._look_at(follower)
        elif not self._paints and (rested := self._resting.turn(now)):
            self._look_at(rested)  # it may have to be read again

    def _next(self) -> Follower | None:
        wanted = (one.paint.session for one in self._paints)
        session = next((one for one in wanted if one in self._lagging), None)
        if session is None:
            session = next(iter(self._lagging), None)
        if session is None:
            return None
        del self._lagging[session]  # whoever still lags gets in line again
        return self._followers[session]

    def _look_at(self, follower: Follower) -> None:
        self._news += follower.news
        follower.news = []
        if follower.lags:
            self._lagging[follower.session] = None
        else:
            self._lagging.pop(follower.session, None)

    def _paint(self, now: float) -> None:
        """Answer those who need not wait any longer, up to the first picture.

        The rest have their turns when that has been sent: hundreds of them painted at once
        would take seconds and hundreds of megabytes.
        """
        waiting, is_painted = [], False
        for one in self._paints:
            answer = None if is_painted else self._answer(one, now)
            if answer is None:
                waiting.append(one)
            else:
                self._news.append(answer)
                is_painted = isinstance(answer, Painted)
        self._paints = waiting

    def _answer(self, one: _Waiting, now: float) -> Said | None:
        paint, follower = one.paint, self._followers.get(one.paint.session)
        if follower is None or (reason := self._why_not(follower, paint)):
            return NotPainted(paint.number, "unknown" if follower is None else reason)
        if follower.model is None:
            return None  # its turn comes next
        one.until = now + PATIENCE if one.until is None else one.until
        if follower.position < paint.end and now < one.until:
            return None
        follower.touched, follower.is_compressed = now, False
        try:
            shown = picture(follower, follower.model, paint, self._fence)
        except ScreenError as error:
            follower.fail(error)
            return NotPainted(paint.number, "unreadable")
        self._resting.touched(follower)
        self._look_at(follower)
        return shown

    def _why_not(self, follower: Follower, paint: Paint) -> str:
        if self._fence.fenced(paint.session):
            return "fenced"
        if follower.trouble:
            return "unreadable"
        is_far = follower.model is not None and paint.end - follower.position > NEAR
        return "behind" if is_far else ""

    def close(self) -> None:
        for follower in self._followers.values():
            follower.drop()


def _size(said: Sized) -> Size:
    _checked(said.cols, said.rows)
    return Size(said.offset, said.cols, said.rows)


def _checked(*sides: int) -> None:
    if not all(1 <= side <= SIZE_LIMIT for side in sides):
        raise RemoteProtocolError(problem=f"a terminal of {sides}")
