"""A plain raw terminal on a session: keys go through, output is followed by offset.

One loop, and nothing in it waits. Who owns the session is asked first, then comes the viewer,
then what is typed; when the daemon dies, all three go on from where they stood on the next
connection, so a crash is a pause and nothing else.
"""

import os
import select
import signal
import socket
import time
from typing import Any

from msgspec.structs import replace

from holdfast.client.looking import Looking
from holdfast.client.plain import Client
from holdfast.client.view import Chunk, End, Gap, Item, Snapshot
from holdfast.errors import (
    HoldfastError,
    NotFound,
    SessionGone,
    SessionTerminating,
)
from holdfast.protocol.messages import Attach, Get, Screen, SessionInfo
from holdfast.terminal.absence import Absence
from holdfast.terminal.asking import QUESTIONS, Asking
from holdfast.terminal.cropping import Cropping, cropped
from holdfast.terminal.delivering import Delivering
from holdfast.terminal.detach import HELP, TAKEOVER, Detach, explained, has_press
from holdfast.terminal.display import Display, Place
from holdfast.terminal.owning import Owning, Told
from holdfast.terminal.queries import QueryFilter
from holdfast.terminal.rawmode import (
    ToldToLeave,
    leaving_signals,
    lent,
    raw,
    raw_again,
    signals_as_bytes,
)
from holdfast.terminal.size import cell_of, size_of
from holdfast.terminal.sizes import Sizes
from holdfast.terminal.wishes import Around, Left, Local, Wish

__all__ = ["Around", "Attachment", "Left", "Local", "Wish", "attach"]

# Bytes on their way to a terminal: more would be shown after a Ctrl-C, and bring nothing.
WINDOW = 256 << 10
CHUNK = 64 << 10  # bytes read from the terminal at once
DELIVERED_WITHIN = 1.0  # seconds that who leaves waits for what was typed before
END_OF_INPUT = b"\x04"
TAIL = "tail"  # the fidelity of a snapshot that is raw output
OVER = (SessionGone, SessionTerminating, NotFound)


def attach(
    client: Client, session: SessionInfo, local: Local, wish: Wish, around: Around | None = None
) -> Left:
    """Stay on the session until its end or until the user leaves.

    Raises DaemonUnreachable when the daemon stays away, and ToldToLeave for a signal or when
    the terminal hangs up; the terminal is given back in any case.
    """
    attachment = Attachment(client, session, local, wish, around or Around())
    numbers = (signal.SIGWINCH, signal.SIGCONT, signal.SIGTSTP)
    with leaving_signals(), signals_as_bytes(*numbers) as signals:
        try:
            if not local.is_terminal:
                return attachment.run(signals)
            with raw(local.stdin, local.modes) as before:
                attachment.before = before
                try:
                    return attachment.run(signals)
                finally:
                    attachment.hear_answers()
        finally:
            attachment.leave()


class Attachment:
    """Where one attachment stands: who owns the session, what is shown, what is typed."""

    def __init__(
        self, client: Client, session: SessionInfo, local: Local, wish: Wish, around: Around
    ) -> None:
        self._client = client
        self._steps = client.steps
        self._session = session
        self._local = local
        self._is_terminal = local.is_terminal
        self._keys = Detach(wish.within, wish.key)
        self._wish = wish
        name = session.name or session.id
        place = Place(local.stdout, self._is_terminal, local.has_title, note_undo=around.note_undo)
        self._display = Display(place, name, is_painted=local.is_painted)
        self._failure: HoldfastError | None = None
        self._is_ended = self._has_picture = self._is_hinted = False
        self._asking: Asking | None = None
        core = client.steps.core
        self._around = around
        told = Told(self._owned, self._looks_on, self._failed)
        self._cropping = Cropping(core, session.id, self._draw_part)
        self._owning = Owning(core, session, self._own_size, told)
        is_over = session.state in ("exited", "lost")
        self._owning.begin_with(
            observes=wish.observe or is_over, takeover=wish.takeover, is_ours=wish.fresh
        )
        if self._is_terminal and not is_over:
            Sizes(core, session.id, self._resized)
        self._answered = QueryFilter()
        self._looking = Looking(core, self._asked(0 if wish.fresh else wish.since))
        self._delivering = Delivering(
            core, session.id, is_person=self._is_terminal, told=self._typed
        )
        self._hears_keys = not (is_over or self._wish.observe) or self._is_terminal
        self._last_key = b"\n"
        self._leave_by: float | None = None
        self._absence = Absence(core, lambda text, stays: self._display.say(text, stays=stays))
        self.before: list[Any] = []
        """The settings of the terminal for whoever has it while we are stopped."""

    def run(self, signals: int) -> Left:
        """Go round until the session ends or the user leaves."""
        self._ask_terminal()
        while not self._is_ended:
            self._owning.look_at_size()
            self._wait(signals)
            self._see()
            self._look_at_daemon(time.monotonic())
            if self._keys.requested and self._may_leave(time.monotonic()):
                return Left(None, self._delivering.pending)
        return Left(self._client.call(Get(session=self._session.id)))

    def leave(self) -> None:
        """Undo what the program has switched on in the local terminal."""
        self._display.leave(in_the_middle=not self._is_ended)

    def hear_answers(self) -> None:
        """Wait a moment for what the terminal answers: a shell would take it for keys."""
        while self._asking is not None:
            left = self._asking.leave_at - time.monotonic()
            if left <= 0 or not select.select([self._local.stdin], [], [], left)[0]:
                return
            try:
                data = os.read(self._local.stdin, CHUNK)
            except OSError:
                return
            if not data:
                return
            self._without_answers(data, time.monotonic())

    # -- begin

    def _ask_terminal(self) -> None:
        """Ask the terminal what it is, before a program's output could be cut by that."""
        if self._local.may_be_asked:
            self._asking = Asking(time.monotonic())
            self._display.ask(QUESTIONS)

    def _asked(self, since: int | None, scrollback: int | None = None) -> Attach:
        # Into a pipe or a file every byte; a person is shown what is on the screen now.
        asked = Attach(
            session=self._session.id,
            since=since,
            policy="latest" if self._is_terminal else "lossless",
            window=WINDOW,
            terminal=self._is_terminal,
        )
        return asked if scrollback is None else replace(asked, scrollback=scrollback)

    def _own_size(self) -> tuple[int, int] | None:
        return size_of(self._local.stdout) if self._is_terminal else None

    # -- wait

    def _wait(self, signals: int) -> None:
        self._steps.flush()
        line = self._steps.line
        readers: list[socket.socket | int] = [signals] if line is None else [signals, line]
        if self._hears_keys and self._delivering.has_room:
            readers.append(self._local.stdin)
        writers = [line] if line is not None and self._steps.wants_to_write else []
        soonest = self._deadline()
        patience = None if soonest is None else max(0.0, soonest - time.monotonic())
        readable, writable, _ = select.select(readers, writers, [], patience)
        now = time.monotonic()
        if signals in readable:
            self._woken(signals)
        if self._local.stdin in readable:
            self._hear_keys(now)
        is_due = soonest is not None and now >= soonest
        if is_due or writable or line in readable:
            self._steps.turn()
        if is_due or self._asking is not None or self._keys.asked:
            self._expire(now)

    def _expire(self, now: float) -> None:
        """Go on with what waits for time, or for an answer that has come."""
        self._key(self._without_answers(b"", now), now)
        self._delivering.expire(now)
        self._cropping.expire(now)
        self._display.expire(now)

    def _deadline(self) -> float | None:
        deadlines = [
            self._keys.deadline(),
            self._steps.deadline(),
            self._display.deadline(),
            self._delivering.deadline(),
            self._cropping.deadline(),
            self._absence.deadline(),
            self._leave_by,
        ]
        if self._asking is not None:
            deadlines.append(self._asking.deadline())
        return min((each for each in deadlines if each is not None), default=None)

    def _woken(self, signals: int) -> None:
        numbers = os.read(signals, 100)
        if not self._is_terminal:
            return
        self._cropping.changed()  # perhaps another part of it fits
        if signal.SIGTSTP in numbers:
            # As a job does: with the terminal as it was. What follows is behind `fg`.
            self._display.lend()
            with lent(self._local.stdin, self.before):
                os.kill(os.getpid(), signal.SIGSTOP)
            if select.select([signals], [], [], 0)[0]:
                os.read(signals, 100)  # of going on we know
            self._come_back()
        elif signal.SIGCONT in numbers:
            raw_again(self._local.stdin)
            self._come_back()

    def _come_back(self) -> None:
        """Another program has had the terminal: show the session anew."""
        self._display.taken_again()
        if self._cropping.is_on:
            self._display.begin_part()
        self._repaint(is_first=True)

    def _may_leave(self, now: float) -> bool:
        """Whether what was typed before the keys to leave is on its way, or never will be."""
        if not self._delivering.pending:
            return True
        if self._leave_by is None:
            self._hears_keys = False
            self._leave_by = now + DELIVERED_WITHIN
        return now >= self._leave_by

    # -- keys

    def _hear_keys(self, now: float) -> None:
        try:
            data = os.read(self._local.stdin, CHUNK)
        except OSError:  # the terminal hung up
            data = b""
        if data and self._is_terminal:
            self._key(self._without_answers(data, now), now)
            return
        if data:
            self._last_key = data[-1:]
            self._delivering.add(data)
            return
        if self._is_terminal:  # it hung up: nobody asked the program to end
            raise ToldToLeave(signal.SIGHUP)
        self._hears_keys = False
        if not self._wish.fresh:
            return  # whose program was there before outlives a pipe, as it outlives a terminal
        # In the middle of a line the first one only sends the line, as at a keyboard.
        self._delivering.add(END_OF_INPUT if self._last_key == b"\n" else END_OF_INPUT * 2)

    def _key(self, data: bytes, now: float) -> None:
        if self._display.is_covered:
            if has_press(data):
                self._uncover()
            return
        self._keys.may_be_encoded = self._display.encodes_keys
        typed = self._keys.feed(data, now)
        if typed and not self._owning.may_own:
            self._hint()
        else:
            self._delivering.add(typed)
        # What is asked at once waits for who owns it: it would be told what is soon untrue.
        while self._keys.asked and self._owning.is_clear:
            asked = self._keys.asked.pop()
            if asked == HELP:
                self._display.cover(self._help())
            elif asked == TAKEOVER and not self._owning.take_over():
                self._hint()

    def _without_answers(self, data: bytes, now: float) -> bytes:
        """Return what was typed, without what the terminal has answered to us."""
        asking = self._asking
        if asking is None:
            return data
        typed = asking.feed(data, now)
        if asking.is_over:
            self._asking = None
            self._display.traces.profile = asking.profile
            if asking.profile is not None:
                cell = cell_of(self._local.stdout)
                self._looking.introduce(replace(asking.profile, cell=cell))
        return typed

    # -- who owns it

    def _owned(self) -> None:
        self._around.owned()
        if self._cropping.is_on:
            self._show_whole()
        if self._is_hinted:
            self._is_hinted = False
            self._display.say("this session is yours now")

    def _looks_on(self, _owner: str) -> None:
        self._hint()

    def _hint(self) -> None:
        """Say that keys go nowhere, and why; loudly once."""
        self._display.say(self._looking_on(), stays=True, bell=not self._is_hinted)
        self._is_hinted = True

    def _looking_on(self) -> str:
        key, owner = self._wish.key_name, self._owning.owner
        if self._session.mirrored:
            return f"[you look on: it runs in {owner or 'its own terminal'}]"
        if self._wish.observe:
            return f"[you look on: --observe] {key} {key} leaves"
        if not owner:
            return "[you look on]"
        return f"[you look on: {owner} owns this session] {key} t takes it over"

    def _typed(self, error: HoldfastError | None) -> None:
        self._owning.typed(error)
        if isinstance(error, OVER):
            self._hears_keys = self._is_terminal

    def _failed(self, error: HoldfastError) -> None:
        if isinstance(error, OVER):  # a claim or a size for a program that is already going
            self._hears_keys = self._is_terminal
        else:
            self._failure = error

    # -- output

    def _look_at_daemon(self, now: float) -> None:
        """Say in the title that the daemon is away, and when there is another."""
        late, self._delivering.handed_back = self._delivering.handed_back, 0
        if late:
            text = f"[the daemon was away: {late} typed bytes were not sent; type them again]"
            self._display.say(text, bell=True)
        self._absence.look(now, has_other_news=bool(late))

    def _see(self) -> None:
        """Show what has come, and raise what has failed."""
        while not self._display.is_covered and (item := self._looking.take()) is not None:
            self._see_item(item)
        error = self._failure or self._looking.error
        if error is not None:
            raise self._client.why(error)

    def _see_item(self, item: Item) -> None:
        if self._cropping.is_on and isinstance(item, Chunk | Gap):
            self._cropping.changed()
        elif isinstance(item, Chunk):
            self._display.show(self._answered.feed(item.data) if item.is_answered else item.data)
        elif isinstance(item, Snapshot):
            self._see_picture(item)
        elif isinstance(item, Gap):
            kept = "they are in the log" if item.reason == "skipped" else item.reason
            self._display.show(
                f"\r\n[{item.end - item.start} bytes not shown: {kept}]\r\n".encode()
            )
        elif isinstance(item, End):
            self._is_ended = True

    def _see_picture(self, picture: Snapshot) -> None:
        # What asks the terminal something was asked before it looked; a picture has none of
        # that, and may end in the midst of a sequence.
        is_raw = picture.fidelity == TAIL
        data = QueryFilter().feed(picture.data) if is_raw else picture.data
        attached = self._looking.attached
        if self._is_terminal and attached is not None:
            self._look_at_size((attached.session.cols, attached.session.rows))
        if self._cropping.is_on:
            self._cropping.changed()
            return
        if is_raw and not self._has_picture:
            self._display.show(data)
        else:
            self._display.picture(data, is_first=not self._has_picture)
        self._has_picture = True

    def _look_at_size(self, theirs: tuple[int, int]) -> None:
        """Who looks on has the owner's size; where that is too large, a part is shown."""
        own = None if self._owning.is_owner else self._own_size()
        is_smaller = own is not None and (own[0] < theirs[0] or own[1] < theirs[1])
        if own is not None and is_smaller and not self._cropping.is_on:
            fact = f"[{theirs[0]}x{theirs[1]} in your {own[0]}x{own[1]}: not all of it fits]"
            self._display.say(f"{fact} {self._looking_on()}", stays=True)
            self._display.begin_part()
        self._cropping.is_on = is_smaller

    def _resized(self, theirs: tuple[int, int]) -> None:
        is_part = self._cropping.is_on
        self._look_at_size(theirs)
        self._cropping.changed()
        if is_part and not self._cropping.is_on:
            self._show_whole()

    def _draw_part(self, screen: Screen) -> None:
        self._look_at_size((screen.cols, screen.rows))
        if not self._cropping.is_on:
            self._show_whole()
        elif not self._display.is_covered and (own := self._own_size()) is not None:
            self._display.show(cropped(screen, own))

    def _show_whole(self) -> None:
        """It fits by now."""
        self._cropping.is_on = False
        self._display.end_part()
        self._repaint(is_first=True)

    def _repaint(self, *, is_first: bool = False) -> None:
        """Show the session anew, from a picture of its screen."""
        self._looking.close()
        self._has_picture = not is_first
        self._answered = QueryFilter()
        self._looking = Looking(self._steps.core, self._asked(None, scrollback=0))

    def _uncover(self) -> None:
        if self._display.uncover():
            self._repaint()

    def _help(self) -> list[str]:
        owner = "you" if self._owning.is_owner else self._owning.owner or "nobody"
        return explained(self._wish.key_name, self._session.name or self._session.id, owner)
