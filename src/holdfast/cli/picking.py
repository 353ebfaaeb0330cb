"""Which of several sessions: what is typed, what is left of the list, what it looks like.

No terminal here: keys come as bytes, and a frame is a list of lines.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from holdfast.cli import render
from holdfast.cli.columns import cells, cut
from holdfast.cli.exits import one_line
from holdfast.protocol.messages import SessionInfo

NEW, NOTHING = "new", "nothing"
_KEY = re.compile(rb"\x1b[\[O][0-9;]*[A-Za-z~]|\x1b[^\[O]?|[\x00-\x1f\x7f]|[^\x00-\x1f\x7f]+")
UP = (b"\x1b[A", b"\x1bOA", b"\x10", b"\x0b")
DOWN = (b"\x1b[B", b"\x1bOB", b"\x0e", b"\t")
FIRST, LAST = (b"\x1b[H", b"\x1bOH"), (b"\x1b[F", b"\x1bOF")
LEAVE = (b"\x1b", b"\x03", b"\x04", b"\x1c")
RUBOUT, WIPE = (b"\x7f", b"\x08"), (b"\x15", b"\x17")
LEAST_LIST = 3
KEYS = ("Enter attaches, type to filter, Esc leaves", "Enter attaches, Esc leaves")
START = "+ a new session"


class Frame(NamedTuple):
    """What to draw: plain lines, one of which is chosen."""

    lines: list[str]
    chosen: int


class Choosing:
    """A list, a filter, a choice."""

    def __init__(self, sessions: Sequence[SessionInfo]) -> None:
        self.filter = ""
        self._sessions = sorted(sessions, key=_recency, reverse=True)
        self._at = 0

    @property
    def shown(self) -> list[SessionInfo]:
        """The sessions that fit the filter, the one somebody was on last first."""
        words = self.filter.lower().split()
        return [each for each in self._sessions if all(w in _haystack(each) for w in words)]

    @property
    def chosen(self) -> SessionInfo | None:
        """The chosen session; None is a new one."""
        shown = self.shown
        return shown[self._at] if self._at < len(shown) else None

    def update(self, sessions: Sequence[SessionInfo]) -> None:
        """The sessions are these now; the choice stays where it is, if that is there."""
        before, order = self.chosen, {each.id: at for at, each in enumerate(self._sessions)}
        known = sorted(sessions, key=_recency, reverse=True)
        self._sessions = sorted(known, key=lambda each: order.get(each.id, -1))
        ids = [each.id for each in self.shown]
        if before is not None and before.id in ids:
            self._at = ids.index(before.id)
        self._at = min(self._at, len(ids))

    def press(self, data: bytes) -> str:
        """Take what was typed; return an id, NEW or NOTHING once it is decided."""
        for key in _KEY.findall(data):
            if key in LEAVE:
                return NOTHING
            if key in (b"\r", b"\n"):
                return NEW if self.chosen is None else self.chosen.id
            self._edit(key)
        return ""

    def _edit(self, key: bytes) -> None:
        last = len(self.shown)
        moves = ((UP, self._at - 1), (DOWN, self._at + 1), (FIRST, 0), (LAST, last))
        for keys, place in moves:
            if key in keys:
                self._at = place % (last + 1)
                return
        before = self.filter
        if key in RUBOUT:
            self.filter = before[:-1]
        elif key in WIPE:
            self.filter = ""
        elif key[0] >= 0x20 and key[0] != 0x7F:
            text = key.decode(errors="ignore")
            self.filter += "".join(each for each in text if each.isprintable())
        if self.filter != before:
            self._at = 0

    def frame(self, preview: Sequence[str], size: tuple[int, int], now: float) -> Frame:
        """Return what to draw in a terminal of that size."""
        cols, rows = size
        rows = max(rows, LEAST_LIST + 2)
        entries = [*self._rows(now), START]
        room = rows - 2
        height = min(len(entries), max(LEAST_LIST, room // 2))
        first = min(max(0, self._at - height + 1), len(entries) - height)
        lines = [f"Which session? {self.filter}_"]
        marks = {self._at: "> "}
        lines += [marks.get(at, "  ") + entries[at] for at in range(first, first + height)]
        left = room - height - 1
        if left > 0:
            lines.append("-" * cols)
            lines += [*preview[-left:], *[""] * (left - len(preview[-left:]))]
        lines.append(KEYS[cols <= len(KEYS[0])])
        return Frame([cut(line, cols - 1) for line in lines], 1 + self._at - first)

    def _rows(self, now: float) -> Iterator[str]:
        shown = self.shown
        names = [one_line(each.name or each.id) for each in shown]
        width = min(24, max((cells(name) for name in names), default=0))
        for each, name in zip(shown, names, strict=True):
            active = each.last_activity or each.created
            facts = f"{render.state_words(each):9} {render.age(now - active):>7}"
            what = one_line(each.title or render.command_line(each.argv))
            yield f"{cut(name, width)}{' ' * (width - cells(cut(name, width)))}  {facts}  {what}"


def _recency(session: SessionInfo) -> float:
    return session.last_attached or session.created


def _haystack(session: SessionInfo) -> str:
    facts = (session.name, session.id, session.title, session.cwd, " ".join(session.argv))
    return " ".join(facts).lower()
