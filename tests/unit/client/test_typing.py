"""What is typed reaches the program once, over as many connections as it takes, or comes back."""

import pickle

from holdfast.client.attempts import FOR_EVER
from holdfast.client.core import Core
from holdfast.client.typing import IDLE, PIECE, STALE, HandedBack, Typing, Typings
from holdfast.errors import NotConnected, OwnerRequired, Superseded
from holdfast.protocol.daemon_end import DaemonEnd, RequestReceived
from holdfast.protocol.messages import Input, InputTaken, Send, Sent
from tests.support.joined import WELCOME, hello

HELLO = Send(session="k3v9qd", offset=0, text=b"hello", enter=True)


class Desk:
    """Who types, and a daemon that has a terminal for it."""

    def __init__(self, typed: bytes = b"") -> None:
        self.now = 0.0
        self.typed = typed
        """What the program has got of this client."""
        self.asked: list[RequestReceived] = []
        self.core = Core(
            hello(), policy=FOR_EVER, jitter=lambda: 0.0, changed=lambda _state: None, now=0.0
        )
        self.typing = Typing(self.core, "k3v9qd", lambda: self.now)
        self.core.add(self.typing)

    def connect(self) -> None:
        self.core.dialing()
        self.core.connected("", self.now)
        self.daemon = DaemonEnd(now=self.now)
        self.carry()  # the hello
        self.daemon.welcome(WELCOME)
        self.carry()
        self.core.offer(self.now)

    def lose(self) -> None:
        self.asked.clear()
        self.core.feed_end(self.now)

    def carry(self) -> None:
        """Bring what each says to the other."""
        self.core.feed(b"".join(self.daemon.drain()), self.now)
        self.daemon.feed(b"".join(self.core.drain()))
        while (event := self.daemon.next_event()) is not None:
            if isinstance(event, RequestReceived):
                self.asked.append(event)

    def take(self) -> None:
        """The terminal takes whatever is asked."""
        self.carry()
        while self.asked:
            number, message = self.asked.pop(0)
            if isinstance(message, Input):
                self.typed += message.data[len(self.typed) - message.offset :]
                self.daemon.reply(number, InputTaken(end=len(self.typed)))
            elif isinstance(message, Send):
                self.typed += (message.text + b"\r")[len(self.typed) - message.offset :]
                self.daemon.reply(number, Sent(end=len(self.typed)))
            self.carry()


def test_a_client_id_that_has_typed_before_types_on() -> None:
    desk = Desk(typed=b"what an earlier run of the script has typed")
    desk.connect()

    written, sent = desk.typing.add(b"one"), desk.typing.add(unit=HELLO)
    desk.take()

    assert desk.typed.endswith(b"has typedonehello\r")
    assert isinstance(written.result, InputTaken)
    assert isinstance(sent.result, Sent)


def test_what_arrived_before_the_connection_broke_is_not_typed_again() -> None:
    desk = Desk()
    desk.connect()
    desk.typing.add(b"one")
    desk.take()
    written = desk.typing.add(b"two")
    desk.carry()
    desk.typed += b"tw"  # and the daemon dies

    desk.lose()
    desk.connect()
    desk.take()

    assert desk.typed == b"onetwo"
    assert isinstance(written.result, InputTaken)


def test_what_was_typed_during_a_long_outage_is_handed_back() -> None:
    desk = Desk()
    desk.connect()
    desk.lose()
    early = desk.typing.add(b"rm -r .\n")
    desk.now += STALE + 1
    late = desk.typing.add(b"ls\n")

    desk.connect()
    desk.take()

    assert isinstance(early.result, HandedBack)
    assert early.result.data == b"rm -r .\n"
    assert isinstance(late.result, HandedBack)  # it was meant to follow that
    assert late.result.data == b"ls\n"
    assert desk.typed == b""


def test_a_unit_that_has_begun_is_finished_however_late() -> None:
    desk = Desk()
    desk.connect()
    sent = desk.typing.add(unit=HELLO)
    desk.take()
    again = desk.typing.add(unit=HELLO)
    desk.carry()
    desk.typed += b"hel"

    desk.lose()
    desk.now += STALE + 1
    desk.connect()
    desk.take()

    assert desk.typed == b"hello\rhello\r"
    assert isinstance(sent.result, Sent)
    assert isinstance(again.result, Sent)


def test_after_a_refusal_the_place_is_asked_for_anew() -> None:
    desk = Desk()
    desk.connect()
    desk.typing.add(b"a")
    desk.take()
    refused = desk.typing.add(b"bc")
    desk.carry()
    desk.typed += b"b"
    error = OwnerRequired(session="k3v9qd", owner="ann")
    desk.daemon.fail(desk.asked.pop().number, error)
    desk.carry()
    assert isinstance(refused.result, OwnerRequired)

    desk.typing.add(b"def")
    desk.take()

    assert desk.typed == b"abdef"


def test_it_types_again_after_giving_up_and_going_back() -> None:
    desk = Desk()
    desk.connect()
    lost = desk.typing.add(b"one")
    desk.carry()
    desk.asked.clear()
    desk.core.ended(Superseded(reason="somebody else"), desk.now)

    desk.core.retry_now(desk.now)
    desk.connect()
    written = desk.typing.add(b"two")
    desk.take()

    assert isinstance(lost.result, Superseded)
    assert isinstance(written.result, InputTaken)
    assert desk.typed == b"two"


def test_what_was_typed_behind_something_stale_comes_back_with_it() -> None:
    desk = Desk()
    desk.connect()
    desk.lose()
    fresh_before = desk.typing.add(b"cd src\n")
    desk.now += STALE - 1
    behind = desk.typing.add(b"rm *.o\n")
    desk.now += 0.5

    desk.connect()
    desk.take()

    assert isinstance(fresh_before.result, InputTaken)
    assert isinstance(behind.result, InputTaken)
    assert desk.typed == b"cd src\nrm *.o\n"


def test_what_is_withdrawn_before_it_was_offered_is_not_typed() -> None:
    desk = Desk()
    desk.connect()
    first, second = desk.typing.add(b"one"), desk.typing.add(b"two")
    third = desk.typing.add(b"three")
    desk.carry()

    desk.typing.withdraw(second)
    desk.take()

    assert isinstance(first.result, InputTaken)
    assert isinstance(third.result, InputTaken)
    assert desk.typed == b"onethree"


def test_of_what_is_withdrawn_while_it_is_typed_the_piece_under_way_is_the_last() -> None:
    desk = Desk()
    desk.connect()
    desk.typing.add(b"")
    desk.take()
    long = desk.typing.add(b"x" * (3 * PIECE))
    desk.carry()

    desk.typing.withdraw(long)
    desk.typing.add(b"next")
    desk.take()

    assert desk.typed == b"x" * PIECE + b"next"


def test_what_is_withdrawn_during_an_outage_is_not_typed_after_it() -> None:
    desk = Desk()
    desk.connect()
    desk.typing.add(b"one")
    desk.take()
    unit, text = desk.typing.add(unit=HELLO), desk.typing.add(b"two")
    desk.carry()
    desk.lose()

    desk.typing.withdraw(unit)
    desk.typing.withdraw(text)
    desk.typing.add(b"three")
    desk.connect()
    desk.take()

    assert desk.typed == b"onethree"


def test_who_types_after_the_end_is_told_so() -> None:
    desk = Desk()
    desk.connect()
    desk.core.close()

    assert isinstance(desk.typing.add(b"x").result, NotConnected)


def test_sessions_into_which_nothing_is_typed_any_more_are_forgotten() -> None:
    desk = Desk()
    desk.connect()
    typings = Typings(desk.core, lambda: desk.now)
    busy = typings.of("busy")
    busy.add(b"x")

    for number in range(5 * IDLE):
        typings.of(f"session-{number}")

    assert len(typings) == IDLE + 1
    assert typings.of("busy") is busy


def test_what_was_handed_back_may_cross_to_another_process() -> None:
    back = pickle.loads(pickle.dumps(HandedBack(b"ls\n")))

    assert (back.data, back.what, back.fix) == (b"ls\n", HandedBack(b"ls\n").what, back.fix)
    assert back.fix == HandedBack(b"ls\n").fix
