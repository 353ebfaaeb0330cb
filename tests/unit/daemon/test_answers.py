"""Who answers a query: decided by its offset, and by what terminals were sent."""

import pytest

from holdfast.daemon.answers import COMES_BACK_WITHIN, WAITING, Terminals
from holdfast.protocol.messages import Profile
from holdfast.protocol.reading import Asked
from holdfast.session.cursor import Cursor, Policy
from tests.support.hand_loop import HandLoop

ME, OTHER = "me", "other"
LIGHT, DARK = Profile(background=(255, 255, 255)), Profile(background=(0, 0, 0))


class Typed:
    """The input of a session, as far as answers go."""

    def __init__(self, *, had_terminal: bool = False) -> None:
        self.had_terminal = had_terminal
        self.answers: list[int] = []
        self.known = 0

    def settled(self, _end: int) -> int:
        return self.known

    def answer(self, offset: int, _data: bytes) -> None:
        self.answers.append(offset)

    def settle(self, offset: int) -> None:
        self.known = max(self.known, offset)

    def note_terminal(self, has: bool) -> None:
        self.had_terminal = has


class Scene:
    """One session, who owns it, and its terminals."""

    def __init__(self, *, owner: str = ME, had_terminal: bool = False) -> None:
        self.loop = HandLoop()
        self.typed = Typed(had_terminal=had_terminal)
        self.owner = owner
        self.terminals = Terminals(self.loop.as_loop, self.typed, lambda: self.owner)
        self.profiles: list[Profile] = []
        self.terminals.on_profile = self.profiles.append

    def asks(self, *offsets: int) -> None:
        for offset in offsets:
            self.terminals.asked(Asked("s", offset, b"yes"))

    @property
    def outcome(self) -> tuple[list[int], int]:
        """What was answered here, and up to where terminals have."""
        return self.typed.answers, self.typed.known


def cursor(position: int) -> Cursor:
    return Cursor(position, policy=Policy.LATEST)


def test_the_reader_answers_when_nobody_is_there() -> None:
    scene = Scene()
    scene.asks(10, 20)

    assert scene.outcome == ([10, 20], 0)


def test_a_terminal_answers_what_it_was_sent() -> None:
    scene, sent = Scene(), cursor(5)
    scene.terminals.add(ME, sent, since=None)
    sent.sent(15, 0.0, 20)
    scene.asks(20)

    assert scene.outcome == ([], 20)


def test_what_it_was_not_sent_it_does_not_answer() -> None:
    scene = Scene()
    scene.terminals.add(ME, cursor(15), since=None)
    scene.asks(15)

    assert scene.outcome == ([15], 0)


def test_what_it_will_be_sent_waits_for_it() -> None:
    scene, sent = Scene(), cursor(5)
    terminal = scene.terminals.add(ME, sent, since=None)
    scene.asks(20)
    assert scene.outcome == ([], 0)

    terminal.cut()
    sent.skip(30)
    terminal.skipped()

    assert scene.outcome == ([20], 0)


def test_who_has_gone_has_answered_what_it_was_sent() -> None:
    scene, sent = Scene(owner=""), cursor(5)
    terminal = scene.terminals.add(ME, sent, since=None)
    sent.sent(10, 0.0, 15)
    terminal.over()
    scene.asks(12, 18)

    assert scene.outcome == ([18], 12)


@pytest.mark.parametrize(("owner", "answers"), [(ME, []), ("", []), (OTHER, [12])])
def test_a_terminal_counts_whose_client_may_type(owner: str, answers: list[int]) -> None:
    scene, sent = Scene(owner=owner), cursor(5)
    scene.terminals.add(ME, sent, since=None)
    sent.sent(10, 0.0, 15)
    scene.asks(12)

    assert scene.typed.answers == answers


def test_what_was_sent_before_another_took_over_was_answered() -> None:
    scene, sent = Scene(), cursor(5)
    scene.terminals.add(ME, sent, since=None)
    sent.sent(10, 0.0, 15)
    scene.owner = OTHER
    scene.terminals.owner_changed()
    sent.sent(10, 0.0, 25)
    scene.asks(12, 20)

    assert scene.outcome == ([20], 12)


@pytest.mark.parametrize("restarted", [False, True])
def test_a_terminal_whose_connection_broke_is_waited_for(*, restarted: bool) -> None:
    """Its client comes back for what it misses, and is asked then."""
    scene = Scene(had_terminal=restarted)
    if not restarted:
        scene.terminals.add(ME, cursor(5), since=None).over()
    scene.asks(20)
    assert scene.outcome == ([], 0)

    back = cursor(10)
    scene.terminals.add(ME, back, since=10)
    back.sent(10, 0.0, 20)
    scene.asks(30)
    back.sent(10, 0.0, 30)
    scene.terminals.decide()

    assert scene.outcome == ([], 30)


def test_but_not_for_long() -> None:
    scene = Scene(had_terminal=True)
    scene.asks(20)
    scene.loop.advance(COMES_BACK_WITHIN)

    assert scene.outcome == ([20], 0)
    assert not scene.typed.had_terminal


def test_who_comes_back_has_answered_what_it_holds() -> None:
    """The daemon that sent it died before the reader had come so far."""
    scene = Scene(had_terminal=True)
    scene.terminals.add(ME, cursor(25), since=25)
    scene.asks(20)

    assert scene.outcome == ([], 20)


def test_another_reader_asks_again_and_is_heard() -> None:
    scene = Scene()
    scene.asks(20, 20, 10)
    assert scene.typed.answers == [20]

    scene.terminals.forget_asked()
    scene.asks(20)

    assert scene.typed.answers == [20, 20]  # that it happens once, the page of numbers knows


def test_a_program_that_only_asks_is_bounded() -> None:
    scene = Scene()
    scene.terminals.add(ME, cursor(0), since=None)
    scene.asks(*range(1, 3 * WAITING))
    scene.owner = OTHER
    scene.terminals.owner_changed()

    assert len(scene.typed.answers) == WAITING


# -- whose terminal it is


def test_the_owners_terminal_is_told_once() -> None:
    scene = Scene()
    terminal = scene.terminals.add(ME, cursor(0), since=None)
    terminal.introduce(LIGHT)
    terminal.introduce(LIGHT)
    scene.terminals.owner_changed()
    terminal.introduce(DARK)

    assert scene.profiles == [LIGHT, DARK]


@pytest.mark.parametrize("owner", ["", OTHER])
def test_who_looks_on_has_no_say_until_it_owns_the_session(owner: str) -> None:
    scene = Scene(owner=owner)
    scene.terminals.add(ME, cursor(0), since=None).introduce(LIGHT)
    assert scene.profiles == []

    scene.owner = ME
    scene.terminals.owner_changed()

    assert scene.profiles == [LIGHT]
