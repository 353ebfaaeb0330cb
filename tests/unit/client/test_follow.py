"""Who listens hears every event once and in order, whoever else listens and whatever breaks."""

from holdfast.client.attempts import FOR_EVER
from holdfast.client.core import Core
from holdfast.client.follow import ROOM, Follow, Listener
from holdfast.errors import NotFound
from holdfast.protocol.daemon_end import DaemonEnd, RequestReceived
from holdfast.protocol.messages import CaughtUp, Event, Get, Subscribe, Subscribed
from tests.support.joined import WELCOME, hello
from tests.support.samples import SESSION


class Newsroom:
    """A client that follows, and a daemon whose every step is made by hand."""

    def __init__(self) -> None:
        self.asked: list[RequestReceived] = []
        self.core = Core(
            hello(), policy=FOR_EVER, jitter=lambda: 0.0, changed=lambda _state: None, now=0.0
        )
        self.follow = Follow(self.core)
        self.connect()

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
        """Bring what each says to the other."""
        self.core.feed(b"".join(self.daemon.drain()), 0.0)
        self.daemon.feed(b"".join(self.core.drain()))
        while (event := self.daemon.next_event()) is not None:
            if isinstance(event, RequestReceived):
                self.asked.append(event)

    def tell(self, *numbers: int, session: str = "k3v9qd") -> None:
        for number in numbers:
            event = Event(number=number, time=0.0, session=session, kind="resized", facts={})
            self.daemon.tell(event)
        self.carry()

    def answer(self, *, newest: int = 0, missed: bool = False, oldest: int = 1) -> Subscribe:
        """Answer the oldest question, which is a subscription; return it."""
        self.carry()
        number, message = self.asked.pop(0)
        assert isinstance(message, Subscribe)
        self.daemon.reply(number, Subscribed(newest=newest, oldest=oldest, missed=missed))
        self.carry()
        return message


def heard(listener: Listener) -> list[int]:
    found = []
    while (event := listener.take()) is not None:
        found.append(event.number)
    return found


def test_what_is_told_by_the_subscription_before_is_not_the_beginning_of_a_new_one() -> None:
    room = Newsroom()
    first = room.follow.listen(None, "")
    room.answer(newest=7)
    second = room.follow.listen(0, "")
    room.tell(8)  # the daemon has not read the second subscription yet

    assert room.answer(newest=8) == Subscribe(since=0)
    room.tell(*range(1, 9))

    assert heard(first) == [8]
    assert heard(second) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_an_answer_to_a_subscription_that_is_replaced_announces_nothing() -> None:
    room = Newsroom()
    first = room.follow.listen(None, "")
    second = room.follow.listen(None, "")
    room.answer(newest=7)
    # Before the daemon reads the second, number 8 happens; it need not tell it to the first.
    room.answer(newest=8)
    room.tell(9)

    assert heard(first) == heard(second) == [9]
    assert first.cursor == second.cursor == 9


def test_from_now_on_is_known_once_the_last_subscription_is_answered() -> None:
    room = Newsroom()
    first = room.follow.listen(None, "")
    room.follow.listen(None, "")
    room.answer(newest=7)
    assert first.cursor is None

    room.answer(newest=8)

    assert first.cursor == 8


def test_events_that_nobody_takes_are_left_with_the_daemon() -> None:
    room = Newsroom()
    slow = room.follow.listen(0, "")
    room.answer()
    room.tell(*range(1, ROOM + 11))

    assert heard(slow) == [*range(1, ROOM + 1)]
    room.tell(ROOM + 11)  # by the subscription before, beyond what was left
    assert room.answer(newest=ROOM + 11) == Subscribe(since=ROOM)
    room.tell(*range(ROOM + 1, ROOM + 12))
    assert heard(slow) == [*range(ROOM + 1, ROOM + 12)]


def test_a_new_connection_goes_on_behind_the_last_event() -> None:
    room = Newsroom()
    listener = room.follow.listen(0, "")
    room.answer()
    room.tell(1, 2)
    room.lose()
    room.connect()

    assert room.answer(newest=2) == Subscribe(since=2)
    room.tell(3)

    assert heard(listener) == [1, 2, 3]


def test_a_name_is_looked_up_once_and_its_session_told_alone() -> None:
    room = Newsroom()
    listener = room.follow.listen(0, "web")
    room.carry()
    number, asked = room.asked.pop(0)
    assert asked == Get(session="web")
    room.daemon.reply(number, SESSION)
    room.carry()
    assert room.answer() == Subscribe(since=0, session=SESSION.id)
    room.tell(1, session="another")
    room.tell(2, session=SESSION.id)
    room.lose()
    room.connect()

    assert room.answer() == Subscribe(since=2, session=SESSION.id)
    assert heard(listener) == [2]


def test_a_name_that_nobody_has_is_told() -> None:
    room = Newsroom()
    listener = room.follow.listen(0, "nobody")
    room.carry()
    room.daemon.fail(room.asked.pop(0).number, NotFound(session="nobody"))
    room.carry()

    assert isinstance(listener.error, NotFound)
    assert listener.has_news


def test_who_comes_too_late_is_told_what_is_missing_and_when_it_has_all() -> None:
    room = Newsroom()
    listener = room.follow.listen(3, "")
    room.answer(newest=50, missed=True, oldest=40)
    room.tell(*range(40, 51))
    assert (listener.missed, listener.oldest) == (True, 40)
    assert not listener.is_caught_up

    room.daemon.tell(CaughtUp(number=50))
    room.carry()

    assert listener.is_caught_up


def test_who_listens_after_the_end_is_told_so() -> None:
    room = Newsroom()
    room.core.close()

    listener = room.follow.listen(0, "")

    assert listener.error is not None
