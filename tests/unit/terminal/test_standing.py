"""What a terminal asks a daemon for, on every connection: who owns, what size, which part."""

from typing import Any

from msgspec.structs import replace

from holdfast.client.attempts import FOR_EVER
from holdfast.client.core import Core
from holdfast.errors import HoldfastError, OwnerRequired
from holdfast.protocol.daemon_end import DaemonEnd, RequestReceived
from holdfast.protocol.messages import (
    Claim,
    Event,
    GetScreen,
    Lost,
    Message,
    Resize,
    Screen,
    Takeover,
)
from holdfast.terminal.cropping import Cropping
from holdfast.terminal.owning import Owning, Told
from holdfast.terminal.sizes import Sizes
from tests.support.joined import WELCOME, hello
from tests.support.samples import SESSION

FREE = replace(SESSION, id="it", owner=None, cols=80, rows=24, mirrored=False, state="running")
FAR = float("inf")  # a time at which everything is due


class Desk:
    """A terminal's connection, and a daemon that answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[RequestReceived] = []
        self.core = Core(
            hello(), policy=FOR_EVER, jitter=lambda: 0.0, changed=lambda _state: None, now=0.0
        )

    def connect(self) -> None:
        self.core.dialing()
        self.core.connected("", 0.0)
        self.daemon = DaemonEnd(now=0.0)
        self.carry()
        self.daemon.welcome(WELCOME)
        self.carry()
        self.core.offer(0.0)
        self.carry()

    def lose(self) -> None:
        self.asked.clear()
        self.core.feed_end(0.0)

    def carry(self) -> None:
        self.core.feed(b"".join(self.daemon.drain()), 0.0)
        self.daemon.feed(b"".join(self.core.drain()))
        while (event := self.daemon.next_event()) is not None:
            if isinstance(event, RequestReceived):
                self.asked.append(event)

    def questions(self) -> list[Message]:
        self.carry()
        return [message for _, message in self.asked]

    def answer(self, reply: Message) -> None:
        self.carry()
        number, _ = self.asked.pop(0)
        self.daemon.reply(number, reply)
        self.carry()

    def refuse(self, error: HoldfastError) -> None:
        self.carry()
        number, _ = self.asked.pop(0)
        self.daemon.fail(number, error)
        self.carry()

    def tell(self, message: Message) -> None:
        self.daemon.tell(message)
        self.carry()


class Claiming:
    """Somebody who wants a session."""

    def __init__(self, **wish: bool) -> None:
        self.desk = Desk()
        self.told: list[str] = []
        self.size: tuple[int, int] | None = (80, 24)
        told = Told(
            lambda: self.told.append("owned"),
            lambda owner: self.told.append(f"looks on: {owner}"),
            lambda error: self.told.append(error.code),
        )
        self.owning = Owning(self.desk.core, FREE, lambda: self.size, told)
        begun = {"observes": False, "takeover": False, "is_ours": False} | wish
        self.owning.begin_with(**begun)
        self.desk.connect()


def test_who_owns_it_claims_it_again_on_the_next_connection() -> None:
    who = Claiming()
    assert who.desk.questions() == [Claim(session="it")]
    who.desk.answer(FREE)
    assert who.told == ["owned"]

    who.desk.lose()
    who.desk.connect()

    assert Claim(session="it") in who.desk.questions()


def test_a_claim_that_was_cut_off_is_made_again() -> None:
    who = Claiming(takeover=True)
    who.desk.lose()
    who.desk.connect()

    assert who.desk.questions()[0] == Takeover(session="it")


def test_until_it_is_answered_nobody_knows_who_owns_it() -> None:
    who = Claiming()
    before = who.owning.is_clear

    who.desk.refuse(OwnerRequired(session="it", owner="pts/9"))

    assert (before, who.owning.is_clear) == (False, True)
    assert who.told == ["looks on: pts/9"]
    assert not who.owning.is_owner


def test_without_a_daemon_it_is_not_waited_for() -> None:
    who = Claiming()
    who.desk.lose()

    assert who.owning.is_clear


def test_who_observes_asks_for_nothing_and_takes_nothing_over() -> None:
    who = Claiming(observes=True)

    assert who.desk.questions() == []
    assert not who.owning.take_over()
    assert who.desk.questions() == []


def test_who_lost_it_can_take_it_back() -> None:
    who = Claiming(is_ours=True)
    who.desk.answer(FREE)
    who.desk.tell(Lost(session="it", reason="pts/9 took session it"))
    assert who.told == ["owned", "looks on: pts/9"]

    assert who.owning.take_over()

    assert who.desk.questions() == [Takeover(session="it")]


def test_a_size_is_told_once_and_again_to_the_next_daemon() -> None:
    who = Claiming()
    who.desk.answer(FREE)
    who.size = (100, 30)
    who.owning.look_at_size()
    assert who.desk.questions() == [Resize(session="it", cols=100, rows=30)]
    who.desk.answer(FREE)
    who.owning.look_at_size()
    assert who.desk.questions() == []

    who.desk.lose()
    who.desk.connect()

    assert Resize(session="it", cols=100, rows=30) in who.desk.questions()


def test_only_sizes_of_this_session_are_heard() -> None:
    desk = Desk()
    told: list[tuple[int, int]] = []
    Sizes(desk.core, "it", told.append)
    desk.connect()

    def event(session: str, kind: str, **facts: Any) -> Event:
        return Event(number=1, time=0.0, session=session, kind=kind, facts=facts)

    desk.tell(event("other", "resized", cols=1, rows=2))
    desk.tell(event("it", "title", cols=3, rows=4))
    desk.tell(event("it", "resized", cols="5", rows=6))
    desk.tell(event("it", "resized", cols=100, rows=30))

    assert told == [(100, 30)]


def picture(offset: int, end: int) -> Screen:
    return Screen(
        session="it", offset=offset, end=end, form="text", data=b"x", cols=80, rows=24, lines=0,
        fidelity="exact", cursor=(0, 0),
    )  # fmt: skip


def test_a_part_is_asked_for_again_while_the_picture_is_behind() -> None:
    desk = Desk()
    drawn: list[Screen] = []
    cropping = Cropping(desk.core, "it", drawn.append)
    desk.connect()
    cropping.changed()
    cropping.expire(FAR)
    assert desk.questions() == []  # it is not shown in part

    cropping.is_on = True
    cropping.expire(FAR)
    assert desk.questions() == [GetScreen(session="it")]
    desk.answer(picture(5, 9))
    cropping.expire(FAR)
    desk.answer(picture(9, 9))
    cropping.expire(FAR)

    assert desk.questions() == []
    assert [each.offset for each in drawn] == [5, 9]


def test_what_changes_meanwhile_is_asked_for_once_more() -> None:
    desk = Desk()
    drawn: list[Screen] = []
    cropping = Cropping(desk.core, "it", drawn.append)
    cropping.is_on = True
    desk.connect()
    cropping.changed()
    cropping.expire(FAR)
    cropping.changed()
    cropping.expire(FAR)
    assert desk.questions() == [GetScreen(session="it")]  # one at a time

    desk.answer(picture(9, 9))
    cropping.expire(FAR)

    assert desk.questions() == [GetScreen(session="it")]


def test_a_picture_that_comes_too_late_is_not_drawn() -> None:
    desk = Desk()
    drawn: list[Screen] = []
    cropping = Cropping(desk.core, "it", drawn.append)
    cropping.is_on = True
    desk.connect()
    cropping.changed()
    cropping.expire(FAR)
    cropping.is_on = False  # all of it fits by now

    desk.answer(picture(9, 9))

    assert drawn == []
