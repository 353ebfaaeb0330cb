"""The screen model of libghostty-vt: a `ScreenModel`, as `model.py` describes it."""

from typing import Self

from holdfast.reader import checkpoints
from holdfast.reader.collector import Collector
from holdfast.reader.history import PageCache
from holdfast.reader.library import Terminal
from holdfast.reader.model import SIZE_LIMIT, Picture, Profile, Reply, ScreenError
from holdfast.reader.painter import paint
from holdfast.reader.plain import lines_of
from holdfast.reader.queries import REPLY_LIMIT, ends_of_queries
from holdfast.reader.snapshot_format import Snapshot, parse
from holdfast.reader.terminal_state import TerminalState

# A sequence that never ends cannot be kept for ever. It is cut off, and these bytes bring a
# parser where it was: into a string that means nothing and ends where any other would.
CANCEL = b"\x18"
BELL, BELLS_LIMIT = b"\a", 1000
WITHIN_A_STRING = b"\x1b]77777;"


class GhosttyScreen:
    """A `ScreenModel`. One thread at a time."""

    def __init__(self) -> None:
        self._terminal: Terminal | None = None
        self._size = (0, 0)
        self._cache = PageCache()
        self._replies: list[Reply] = []
        self._bells = 0
        self._fed = 0  # of this feed, up to the end of the query that is being answered
        self._state: TerminalState | None = None  # as it is now, if somebody has asked

    @classmethod
    def create(cls, cols: int, rows: int, profile: Profile | None = None) -> Self:
        screen = cls()
        screen._size = (_within(cols), _within(rows))
        screen._terminal = Terminal.create(*screen._size, screen._answered)
        screen.set_profile(profile or Profile())
        return screen

    @classmethod
    def restore(cls, checkpoint: bytes, profile: Profile | None = None) -> Self:
        screen = cls()
        snapshot = checkpoints.unpack(checkpoint)
        screen._state = parse(snapshot).terminal
        screen._size = (screen._state.cols, screen._state.rows)
        screen._terminal = Terminal.decode(snapshot, screen._answered)
        screen.set_profile(profile or Profile())
        return screen

    def feed(self, data: bytes, *, answering: bool = False) -> None:
        self._replies, self._state, self._bells = [], None, 0
        # Each takes a microsecond; of a file full of them nobody wants to know the number.
        rings = 0 < data.count(BELL) <= BELLS_LIMIT
        if rings:
            self._model.ring(self._rang)
        self._feed(data, answering=answering)
        if rings:
            self._model.ring(None)

    def _rang(self) -> None:
        self._bells += 1

    def _feed(self, data: bytes, *, answering: bool) -> None:
        if not answering:
            self._model.write(data)
            return
        self._model.listen(to=True)
        self._feed_answering(data)
        self._model.listen(to=False)
        self._model.write(data[self._fed :])

    def _feed_answering(self, data: bytes) -> None:
        """Feed up to the end of each query; what is left has none, or far too many."""
        self._fed = self._model.write_until_ground(data)  # a query may have begun earlier
        self._replies = [Reply(self._fed, reply.data) for reply in self._replies]
        begin = self._fed
        for length in ends_of_queries(memoryview(data)[begin:]):
            written, self._fed = self._fed, begin + length
            self._model.write(data[written : self._fed])
            if len(self._replies) >= REPLY_LIMIT:
                return
        written, self._fed = self._fed, len(data)
        self._model.write(data[written:])

    def _answered(self, data: bytes) -> None:
        if len(self._replies) < REPLY_LIMIT:
            self._replies.append(Reply(self._fed, data))

    def replies(self) -> list[Reply]:
        return self._replies

    def resize(self, cols: int, rows: int) -> None:
        self._size, self._state = (_within(cols), _within(rows)), None
        self._model.resize(*self._size)
        self._cache.clear()  # lines were laid out anew: what was painted would only take room

    def snapshot(self, scrollback: int | None = None) -> Picture:
        return paint(self._parsed(scrollback), scrollback, self._cache)

    def text(self, scrollback: int | None = 0) -> list[str]:
        return lines_of(self._parsed(scrollback), scrollback)

    def set_profile(self, profile: Profile) -> None:
        self._model.set_profile(profile)

    def checkpoint(self) -> bytes:
        return checkpoints.pack(self._encoded(None))

    def compress(self) -> None:
        self._cache.clear()
        self._model.compress()

    def close(self) -> None:
        terminal, self._terminal = self._terminal, None
        self._cache.clear()
        if terminal is not None:
            terminal.close()

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    @property
    def title(self) -> str:
        return self._seen().title.decode("utf-8", "replace")

    @property
    def cwd(self) -> str:
        return self._seen().cwd.decode("utf-8", "replace")

    @property
    def cursor(self) -> tuple[int, int]:
        state = self._parsed(0).active.state
        return state.x, state.y

    @property
    def bells(self) -> int:
        return self._bells

    @property
    def modes(self) -> frozenset[str]:
        return self._seen().modes

    @property
    def _model(self) -> Terminal:
        assert self._terminal is not None, "a screen is used after it was closed"
        return self._terminal

    def _seen(self) -> TerminalState:
        return self._state or self._parsed(0).terminal

    def _parsed(self, scrollback: int | None) -> Snapshot:
        snapshot = parse(self._encoded(scrollback))
        self._state = snapshot.terminal
        return snapshot

    def _encoded(self, scrollback: int | None) -> bytes:
        """Return the library's snapshot, with at least so many lines of scrollback."""
        collector = Collector(scrollback)
        if self._model.encode(collector.take):
            return collector.taken
        # There is one reason: an unfinished sequence that was too long to keep.
        self._model.write(CANCEL + WITHIN_A_STRING)
        collector = Collector(scrollback)
        if not self._model.encode(collector.take):
            raise ScreenError("the terminal library cannot say what is on the screen")
        return collector.taken


def _within(size: int) -> int:
    return min(max(size, 1), SIZE_LIMIT)
