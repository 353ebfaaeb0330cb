"""Who answers what programs ask their terminals: exactly one, decided by a query's offset.

A terminal whose client may type into the session answers the queries that it was sent; those
that it was not sent - nobody was there, or they were skipped - the reader answers. Terminals
are fast and the reader is not, so what a terminal was sent is remembered until the reader has
come so far. A terminal whose connection broke comes back for what it misses: its queries wait
for it, for a moment; the page of the session's input tells a new daemon that there was one.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

from holdfast.protocol.about_viewing import Profile
from holdfast.protocol.reading import Asked
from holdfast.session.cursor import Cursor

COMES_BACK_WITHIN = 2.0  # seconds; a client finds the next daemon within 20 ms
WAITING = 256  # queries of a session that wait for a terminal; the oldest are its own then
RUNS = 64  # of bytes that terminals were sent, kept until the reader has come so far


class Typed(Protocol):
    """Where answers go: the input of a session that lives."""

    def settled(self, end: int) -> int:
        """Return up to which offset queries are settled."""

    def answer(self, offset: int, data: bytes) -> None:
        """Type an answer, once."""

    def settle(self, offset: int) -> None:
        """Note that a terminal has answered."""

    def note_terminal(self, has: bool) -> None:
        """Note for the next daemon whether there is a terminal that answers."""

    @property
    def had_terminal(self) -> bool:
        """Whether that was noted."""


class Run(NamedTuple):
    """Bytes that a terminal was sent without a gap, behind *start* and up to *end*."""

    start: int
    end: int


class Terminal:
    """A viewer whose bytes go into a terminal, as long as it looks."""

    def __init__(self, of: "Terminals", client_id: str, cursor: Cursor, start: int) -> None:
        self.client_id = client_id
        self.may_answer = of.may_answer(client_id)
        self.profile: Profile | None = None
        """What it has said of itself."""
        self._of = of
        self._cursor = cursor
        self._start = start

    @property
    def run(self) -> Run:
        return Run(self._start, self._cursor.position)

    def introduce(self, profile: Profile) -> None:
        """It has said what it is."""
        self.profile = profile
        self._of.look_at_owner()

    def cut(self) -> None:
        """What follows is left out, or its client is no longer who may type."""
        if self.may_answer:
            self._of.sent(self.run)
        self._start = self._cursor.position

    def skipped(self) -> None:
        """It goes on somewhere else."""
        self._start = self._cursor.position
        self._of.decide()

    def look_again(self) -> None:
        may_answer = self._of.may_answer(self.client_id)
        if may_answer is not self.may_answer:
            self.cut()
            self.may_answer = may_answer

    def over(self) -> None:
        """It looks no longer."""
        self.cut()
        self._of.left(self)


class Terminals:
    """Those of one session, and the queries that nobody has answered yet."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, typed: Typed, owner: Callable[[], str]
    ) -> None:
        self._loop = loop
        self._typed = typed
        self._owner = owner
        self._here: list[Terminal] = []
        self._runs: deque[Run] = deque(maxlen=RUNS)
        self._waiting: deque[Asked] = deque(maxlen=WAITING)
        self._heard = 0
        self._timer: asyncio.TimerHandle | None = None
        self._profile: Profile | None = None  # the last that was told
        self.on_profile: Callable[[Profile], None] = lambda _profile: None
        """Told what terminal an owner has."""
        self._is_noted = typed.had_terminal
        if self._is_noted:  # by the daemon before us
            self._wait_for_one()

    # -- terminals

    def add(self, client_id: str, cursor: Cursor, *, since: int | None) -> Terminal:
        """A terminal looks on from its cursor's position; it comes back if it has *since*."""
        # What it holds it was sent, and has answered what of it was not settled.
        start = cursor.position if since is None else self._typed.settled(cursor.position)
        terminal = Terminal(self, client_id, cursor, min(start, cursor.position))
        self._here.append(terminal)
        if terminal.may_answer:
            self._stop_waiting()
        self._note()
        return terminal

    def may_answer(self, client_id: str) -> bool:
        """Whether what a client's terminal answers gets to the program."""
        return self._owner() in ("", client_id)

    def sent(self, run: Run) -> None:
        if run.end > run.start:
            self._runs.append(run)

    def left(self, terminal: Terminal) -> None:
        self._here.remove(terminal)
        if terminal.may_answer and self._owner() == terminal.client_id and not self._has_one:
            self._wait_for_one()
        self.decide()

    def owner_changed(self) -> None:
        for terminal in self._here:
            terminal.look_again()
        if self._has_one or not self._owner():
            self._stop_waiting()
        self.look_at_owner()
        self.decide()

    def look_at_owner(self) -> None:
        """Tell what terminal the owner has, unless that is known.

        Somebody who looks on has no say in it, also while the session is free.
        """
        owner = self._owner()
        theirs = (one.profile for one in self._here if owner and one.client_id == owner)
        found = next((profile for profile in theirs if profile is not None), None)
        if found is not None and found != self._profile:
            self._profile = found
            self.on_profile(found)

    # -- queries

    def asked(self, query: Asked) -> None:
        """The program has asked; the reader says so perhaps again."""
        if query.offset > self._heard:
            self._heard = query.offset
            self._waiting.append(query)
            self.decide()

    def forget_asked(self) -> None:
        """Another reader asks again what is not settled."""
        self._waiting.clear()
        self._heard = 0

    def decide(self) -> None:
        """Settle what can be settled by now."""
        while self._waiting and (is_answered := self._is_answered(self._waiting[0])) is not None:
            query = self._waiting.popleft()
            if is_answered:
                self._typed.settle(query.offset)
                self._runs = deque((r for r in self._runs if r.end > query.offset), RUNS)
            else:
                self._typed.answer(query.offset, query.answer)
        self._note()

    def _is_answered(self, query: Asked) -> bool | None:
        """Whether a terminal has answered; None when one may still come to see the query."""
        if any(run.start < query.offset <= run.end for run in self._runs):
            return True
        seeing = [one.run for one in self._here if one.may_answer]
        if any(run.start < query.offset <= run.end for run in seeing):
            return True
        if any(run.start < query.offset for run in seeing) or self._timer is not None:
            return None
        return False

    # -- one that may come back

    @property
    def _has_one(self) -> bool:
        return any(one.may_answer for one in self._here)

    def _wait_for_one(self) -> None:
        self._stop_waiting()
        self._timer = self._loop.call_later(COMES_BACK_WITHIN, self._came_not)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _came_not(self) -> None:
        self._timer = None
        self.decide()

    def _note(self) -> None:
        has = self._has_one or self._timer is not None
        if has is not self._is_noted:
            self._is_noted = has
            self._typed.note_terminal(has)

    def close(self) -> None:
        self._stop_waiting()
