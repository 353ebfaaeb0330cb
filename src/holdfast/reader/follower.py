"""One session as the reader has it: how far its log was read, and the screen that makes.

It knows no queue and no clock. What it has to tell waits in `news`.
"""

from collections import deque
from pathlib import Path
from typing import TypeAlias

from holdfast.errors import HoldfastError, OffsetPruned
from holdfast.protocol.reading import Asked, Follow, Noted, Rang, Reached, Said
from holdfast.reader.beginning import Ahead, Course
from holdfast.reader.fence import Fence
from holdfast.reader.ghostty import GhosttyScreen
from holdfast.reader.model import Reply, ScreenError, ScreenModel
from holdfast.reader.profiles import profile_of
from holdfast.reader.sizes import Size
from holdfast.store import checkpoint
from holdfast.store.log_reader import LogReader

# What is fed before others have their turn. It takes 5-30 ms, so a picture waits no longer.
SLICE = 256 << 10
# A picture may be wanted of a screen that is behind: the daemon is told how far it is.
REACHED_EVERY = 4 << 20
# Queries told again to a new daemon. Those that the one before it left open are a handful.
ASKED_KEPT = 256
# Bytes that end what sets a title or directory (BEL, ST): to look costs as much as a picture.
ENDS_OF_STRINGS = (b"\a", b"\\", b"\x9c")
CLEARS = (b"\x1b[2J", b"\x1bc")

Trouble: TypeAlias = HoldfastError | ScreenError | OSError


class Follower:
    """One session. `begin` before anything else that looks at its screen."""

    def __init__(self, follow: Follow, fence: Fence) -> None:
        self.session = follow.session
        self.directory = Path(follow.directory)
        self.follow = follow
        self.end = follow.end
        self.position = 0
        """Up to where the log was read; 0 also before `begin`."""
        self.model: ScreenModel | None = None
        self.is_exact = True
        """Whether every byte that could be on the screen was read."""
        self.trouble = ""
        """Why it cannot be read; the next Follow tries again."""
        self.news: list[Said] = []
        self.kept_at = 0
        """The offset of the screen that is on the disk."""
        self._fence = fence
        self._log = LogReader(self.directory)
        self._course: Course | None = None
        self._taken = 0
        self._loud_from = follow.end
        self._asked: deque[Asked] = deque(maxlen=ASKED_KEPT)
        self._noted = ("", "")
        self._reached = 0
        self._told = 0
        """Up to where bells and queries were told."""
        self.is_wanted = follow.lives
        """Whether its screen is to be in memory."""
        self.is_compressed = False
        self.touched = 0.0
        """When it was last read or shown."""
        self._lines = self._bytes = 0  # since the last hole
        self._fitted = (-1, 0)  # where the size changed last, and how many sizes of there it had
        if self._is_kept_whole():
            self.is_wanted = False
            self.position = self.kept_at = self._told = follow.end

    @property
    def lags(self) -> bool:
        """Whether there is something to read."""
        if self.trouble or self._fence.fenced(self.session):
            return False
        return self.is_wanted if self.model is None else self.position < self.end

    @property
    def fidelity(self) -> str:
        return "exact" if self.is_exact else "partial"

    def is_of(self, follow: Follow) -> bool:
        """Whether what was read so far is of the log that *follow* is about."""
        same = (str(self.directory), self.follow.epoch) == (follow.directory, follow.epoch)
        return same and follow.end >= self.position

    def correct(self, follow: Follow) -> None:
        """Take over what another daemon says, and tell it what the one before was told."""
        if self.model is not None and follow.profile != self.follow.profile:
            self.model.set_profile(profile_of(follow.profile))
        self.follow, self.end, self.trouble = follow, follow.end, ""
        self._course = None  # there may have been sizes that nobody told
        self.is_wanted |= follow.lives and follow.end > self.position
        self._reached = -1
        self.news = [asked for asked in self._asked if asked.offset > follow.answered]
        if any(self._noted):
            self.news.append(Noted(self.session, self.position, *self._noted))
        self._reach()

    def grew(self, end: int) -> None:
        """Take note that the log is longer, and that somebody wants to know of it."""
        self.end = max(self.end, end)
        self.is_wanted = True

    def sized(self, size: Size) -> None:
        """Take note of another size, at the end of what was printed so far."""
        try:
            self._course_of_log().sizes.add(size)
            if self.model is not None and self.position >= size.offset:
                self._fit(self.model)
        except (HoldfastError, ScreenError, OSError) as error:
            self.fail(error)

    # -- reading

    def read(self) -> None:
        """Read a piece, or find out where to begin."""
        try:
            self.is_compressed = False
            if self.model is None:
                self.begin()
            elif self.position < self.end:
                self._read_on(self.model)
        except (HoldfastError, ScreenError, OSError) as error:
            self.fail(error)
        self._reach()

    def begin(self) -> None:
        """Have a screen: the one kept on the disk if it fits, else an empty one."""
        course = self._course_of_log()
        self._taken = checkpoint.taken_away(self.directory)
        if self._restored(course):
            return
        ahead = course.begin(self.end)
        self._start_at(ahead, course)

    def _course_of_log(self) -> Course:
        if self._course is None:
            follow = self.follow
            last = Size(follow.end, follow.cols, follow.rows)
            self._course = Course(self.directory, self._log, last)
        return self._course

    def _restored(self, course: Course) -> bool:
        kept = checkpoint.kept(self.directory)
        good = kept is not None and kept.taken == self._taken
        good = good and not self._fence.suspects(self.session)
        if kept and good and course.fits(kept, self.follow.epoch, self.end):
            try:
                with self._fence.watching(self.session, kept.offset, kept.offset):
                    profile = profile_of(self.follow.profile)
                    model = self.model = GhosttyScreen.restore(kept.screen, profile)
            except ScreenError:
                pass  # damaged, or of another version
            else:
                self.position = self.kept_at = kept.offset
                self.is_exact = kept.exact
                self._fitted_before(kept.offset, course)
                self._fit(model)
                self._note()
                return True
        try:
            checkpoint.erase(self.directory)
        except OSError:
            pass  # a disk that takes nothing; it does not fit the next time either
        return False

    def _start_at(self, ahead: Ahead, course: Course) -> None:
        sizes = course.sizes.all_at(ahead.offset)
        size, self._fitted = sizes[-1], (sizes[0].offset, len(sizes))
        with self._fence.watching(self.session, ahead.offset, ahead.offset):
            profile = profile_of(self.follow.profile)
            self.model = GhosttyScreen.create(size.cols, size.rows, profile)
        self.position, self.kept_at = ahead.offset, ahead.offset
        self.is_exact = ahead.goes_on
        self._lines = self._bytes = 0

    def _read_on(self, model: ScreenModel) -> None:
        course, start = self._course_of_log(), self.position
        self._fit(model)
        # What was told once is not told again by one who reads it again.
        ask_from = max(self.follow.answered, self._told)
        ring_from = max(self._loud_from, self._told)
        stops = [start + SLICE, self.end, course.sizes.next(start), ask_from, ring_from]
        stop = min(stop for stop in stops if stop is not None and stop > start)
        try:
            data = self._log.read(start, stop - start)
        except OffsetPruned as pruned:
            self._leap(course.behind(start, pruned.oldest, self.end), course)
            return
        if not data:
            self.end = start  # the log is shorter than was said; what comes will be told
            return
        with self._fence.watching(self.session, start, start + len(data)):
            model.feed(data, answering=start >= ask_from)
        self.position = start + len(data)
        if start >= ask_from:
            self._answer(start, model.replies())
        if start >= ring_from and (rang := model.bells):
            self.news.append(Rang(self.session, self.position, rang))
        self._told = max(self._told, self.position)
        if not self.is_exact:
            self._heal(data, model)
        if any(end in data for end in ENDS_OF_STRINGS):
            self._note()
        self._fit(model)

    def _leap(self, ahead: Ahead, course: Course) -> None:
        """Go on behind a hole; the screen is fed nothing for it.

        What was read just before it stays on the screen, as on that of somebody who looked
        away. When reading was overtaken by what is missing, the screen begins anew.
        """
        if ahead.goes_on:
            self.position, self.is_exact = ahead.offset, False
            self._lines = self._bytes = 0
        else:
            self.drop()
            self._start_at(ahead, course)

    def _heal(self, data: bytes, model: ScreenModel) -> None:
        """Call the screen exact again when every row of it was written anew.

        A program that clears the screen has it so at once; else it is as many lines and bytes
        as the screen has. Modes that were set in the hole, nobody can know.
        """
        self._lines += data.count(b"\n")
        self._bytes += len(data)
        cols, rows = model.size
        is_full = self._lines >= rows and self._bytes >= rows * cols
        self.is_exact = is_full or any(clear in data for clear in CLEARS)

    def _fit(self, model: ScreenModel) -> None:
        sizes = self._course_of_log().sizes.all_at(self.position)
        offset, had = self._fitted
        self._fitted = (sizes[0].offset, len(sizes))
        for size in sizes[had if offset == sizes[0].offset else 0 :] or sizes[-1:]:
            if model.size != (size.cols, size.rows):
                with self._fence.watching(self.session, self.position, self.position):
                    model.resize(size.cols, size.rows)

    def _fitted_before(self, offset: int, course: Course) -> None:
        """Of a screen that was kept, sizes of just there are not known to have been its own.

        To have them twice does no harm: what did not fit once is gone.
        """
        sizes = course.sizes.all_at(offset)
        self._fitted = (sizes[0].offset, len(sizes) if sizes[0].offset < offset else 0)

    # -- what there is to tell

    def _answer(self, start: int, replies: list[Reply]) -> None:
        answers: dict[int, bytes] = {}
        for reply in replies:
            end = start + reply.end
            answers[end] = answers.get(end, b"") + reply.data
        asked = [Asked(self.session, end, data) for end, data in sorted(answers.items())]
        self._asked.extend(asked)
        self.news += asked

    def _note(self) -> None:
        assert self.model is not None
        with self._fence.watching(self.session, self.position, self.position):
            noted = self.model.title, self.model.cwd
        if noted != self._noted:
            self._noted = noted
            self.news.append(Noted(self.session, self.position, *noted))

    def _reach(self) -> None:
        at_end = self.position == self.end and self.model is not None
        step = self.position - self._reached
        if (at_end and step) or step >= REACHED_EVERY:
            self._reached = self.position
            self.news.append(Reached(self.session, self.position))

    def _is_kept_whole(self) -> bool:
        """Whether the screen of all that was printed is on the disk: then it can stay there."""
        try:
            kept = checkpoint.kept(self.directory)
        except OSError:
            return False
        follow = self.follow
        return kept is not None and (kept.epoch, kept.offset) == (follow.epoch, follow.end)

    def fail(self, error: Trouble) -> None:
        self.trouble = str(error)
        self.drop()

    # -- rest

    def clear(self) -> None:
        """Have no scrollback any more: what was printed before the screen is gone."""
        checkpoint.erase(self.directory)
        self._course = None
        if self.model is None:
            return
        with self._fence.watching(self.session, self.position, self.position):
            screen = self.model.snapshot(0)
            fresh = GhosttyScreen.create(*self.model.size, profile_of(self.follow.profile))
            fresh.feed(screen.data)
        self.model.close()
        self.model, self.kept_at = fresh, 0
        self._taken = checkpoint.taken_away(self.directory)

    def keep(self) -> None:
        """Write the screen beside its log, unless nothing of it may be on a disk."""
        if self.model is None or self.follow.ephemeral:
            return
        with self._fence.watching(self.session, self.position, self.position):
            screen = self.model.checkpoint()
        exact, self.kept_at = self.is_exact, self.position
        kept = checkpoint.Checkpoint(self.follow.epoch, self.position, self._taken, exact, screen)
        if not checkpoint.keep(self.directory, kept):
            self.drop()  # something on it is to be gone: it is made again of what is left

    def compress(self) -> None:
        """Take less memory until it goes on."""
        self._log.close()
        self.is_compressed = True
        if self.model is not None:
            with self._fence.watching(self.session, self.position, self.position):
                self.model.compress()

    def evict(self) -> None:
        """Have no screen in memory until somebody wants it."""
        self.is_wanted = False
        self.drop()

    def drop(self) -> None:
        """Have no screen in memory; `begin` makes it again."""
        model, self.model = self.model, None
        if model is not None:
            model.close()
        self._log.close()
        self._reached = -1

    def leave(self, *, erase: bool) -> None:
        """Know nothing of it any more, and leave nothing of it on the disk if told so."""
        self.drop()
        self._fence.forget(self.session)
        if erase and self.directory.is_dir():
            checkpoint.erase(self.directory)
