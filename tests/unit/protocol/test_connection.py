"""A client and a daemon in conversation; what is legal, what is not, and how it ends."""

import msgspec
import pytest

from holdfast.errors import (
    AlreadyAuthenticated,
    HoldfastError,
    InvalidClientId,
    LimitReached,
    LocalProtocolError,
    NotAuthenticated,
    NotFound,
    ProtocolMismatch,
    RemoteProtocolError,
    RoleForbidden,
    Superseded,
    TimedOut,
    Unfamiliar,
    UnknownRequest,
)
from holdfast.protocol import codec
from holdfast.protocol.client_end import ClientEnd, EventReceived, ReplyReceived, Welcomed
from holdfast.protocol.connection import ConnectionEnded, DataReceived
from holdfast.protocol.daemon_end import (
    OWED_LIMIT,
    REFUSALS_AT_ONCE,
    DaemonEnd,
    HelloReceived,
    NoticeReceived,
    RequestReceived,
)
from holdfast.protocol.frames import HEADER, LIMIT, LIMIT_BEFORE_HANDSHAKE, control_frame
from holdfast.protocol.messages import (
    Failure,
    Get,
    Goodbye,
    Input,
    InputTaken,
    Kill,
    List,
    Listed,
    Ping,
    Pong,
    Role,
    Shutdown,
)
from holdfast.protocol.state import HANDSHAKE_TIMEOUT, State
from holdfast.protocol.version import Versions
from tests.support.joined import WELCOME, Joined, hello


def ended(events: list[object]) -> HoldfastError | None:
    last = events[-1]
    assert isinstance(last, ConnectionEnded)
    return last.error


def test_hello_and_welcome_open_the_connection() -> None:
    both = Joined()
    both.to_daemon()
    both.daemon.welcome(WELCOME)
    both.to_client()

    assert both.heard_by_daemon == [HelloReceived(hello(), 1)]
    assert both.heard_by_client == [Welcomed(WELCOME)]
    assert both.client.state is both.daemon.state is State.OPEN
    assert both.daemon.client_id == "tester"


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 1000])
def test_a_conversation_does_not_depend_on_the_chunks(chunk: int) -> None:
    both = Joined()
    both.to_daemon(chunk)
    both.daemon.welcome(WELCOME)
    both.to_client(chunk)
    ask = both.client.request(Ping(nonce=5))
    both.client.send_data(1, 0, b"typed")
    both.to_daemon(chunk)
    both.daemon.reply(ask, Pong(nonce=5))
    both.daemon.send_data(2, 10, b"printed")
    both.daemon.tell(Shutdown(reason="test"))
    both.to_client(chunk)

    assert both.heard_by_daemon[1:] == [
        RequestReceived(1, Ping(nonce=5)),
        DataReceived(1, 0, memoryview(b"typed")),
    ]
    assert both.heard_by_client[1:] == [
        ReplyReceived(1, Pong(nonce=5)),
        DataReceived(2, 10, memoryview(b"printed")),
        EventReceived(Shutdown(reason="test")),
    ]


def test_replies_may_come_out_of_order() -> None:
    both = Joined().greet()
    first, second = both.client.request(Ping(nonce=1)), both.client.request(Ping(nonce=2))
    both.to_daemon()
    both.daemon.reply(second, Pong(nonce=2))
    both.daemon.reply(first, Pong(nonce=1))
    both.to_client()

    assert both.heard_by_client == [
        ReplyReceived(second, Pong(nonce=2)),
        ReplyReceived(first, Pong(nonce=1)),
    ]
    assert not both.client.unanswered


def test_an_error_travels_with_its_class_its_facts_and_its_words() -> None:
    both = Joined().greet()
    number = both.client.request(Get(session="nope"))
    both.to_daemon()
    both.daemon.fail(number, NotFound(session="nope"))
    both.to_client()

    (reply,) = both.heard_by_client
    assert isinstance(reply, ReplyReceived)
    assert isinstance(reply.result, NotFound)
    assert reply.result.session == "nope"
    assert "hold ls" in reply.result.fix


def test_an_error_of_a_newer_daemon_keeps_its_own_words() -> None:
    error = codec.error_of(Failure(code="TOO_WINDY", what="the wind blows", fix="wait"))

    assert isinstance(error, Unfamiliar)
    assert (error.what, error.fix, error.peer_code) == ("the wind blows", "wait", "TOO_WINDY")
    assert codec.failure_of(error).code == "TOO_WINDY"


def test_goodbye_delivers_what_is_owed_and_then_closes() -> None:
    both = Joined().greet()
    number = both.client.request(List())
    both.client.notify(Goodbye())
    both.to_daemon()

    assert both.heard_by_daemon[1:] == [NoticeReceived(Goodbye())]
    closes_at_once = both.daemon.should_close
    both.daemon.reply(number, Listed(sessions=[]))
    assert (closes_at_once, both.daemon.should_close) == (False, True)
    both.to_client()
    both.client.feed_end()
    assert both.client.next_event() == ConnectionEnded(None)
    assert both.client.state is State.CLOSED


# -- who may not come in


@pytest.mark.parametrize(
    ("theirs", "ours", "older"),
    [
        (Versions(1, 1), Versions(2, 3), "client"),
        (Versions(3, 4), Versions(1, 2), "daemon"),
        (Versions(2, 1), Versions(1, 2), "daemon"),
    ],
)
def test_no_common_version_names_both_ranges_and_the_older_side(
    theirs: Versions, ours: Versions, older: str
) -> None:
    both = Joined(hello(protocol=theirs), versions=ours)
    both.to_daemon()
    both.to_client()

    error = ended(both.heard_by_client)
    assert isinstance(error, ProtocolMismatch)
    assert (error.client, error.daemon, error.older) == (str(theirs), str(ours), older)
    assert both.daemon.should_close
    assert both.client.should_close


def test_the_newest_common_version_is_chosen() -> None:
    both = Joined(hello(protocol=Versions(1, 9)), versions=Versions(1, 4))
    both.to_daemon()

    assert both.heard_by_daemon == [HelloReceived(hello(protocol=Versions(1, 9)), 4)]


@pytest.mark.parametrize("client_id", ["", "a" * 65, "two words", "new\nline", "ümlaut"])
def test_a_client_id_that_cannot_be_used_is_refused(client_id: str) -> None:
    both = Joined(hello(client_id=client_id))
    both.to_daemon()
    both.to_client()

    assert isinstance(ended(both.heard_by_client), InvalidClientId)


@pytest.mark.parametrize("field", ["protocol", "client_id", "role"])
def test_a_hello_without_a_required_field_is_refused_by_its_name(field: str) -> None:
    body = {"protocol": [1, 1], "client_id": "tester", "role": "control"}
    del body[field]
    daemon = DaemonEnd(now=0)
    daemon.feed(raw(0, "hello", body))

    event = daemon.next_event()
    assert isinstance(event, ConnectionEnded)
    assert isinstance(event.error, RemoteProtocolError)
    assert field in event.error.what


@pytest.mark.parametrize(
    ("field", "value"),
    [("client_id", 5), ("role", "admin"), ("protocol", "1"), ("token", ["x"]), ("label", b"\xff")],
)
def test_a_field_of_the_wrong_type_is_named(field: str, value: object) -> None:
    body = {"protocol": [1, 1], "client_id": "tester", "role": "control", field: value}
    daemon = DaemonEnd(now=0)
    daemon.feed(raw(0, "hello", body))

    event = daemon.next_event()
    assert isinstance(event, ConnectionEnded)
    assert f"$.{field}" in str(event.error)


def test_unknown_fields_of_a_newer_client_are_ignored() -> None:
    body = {"protocol": [1, 1], "client_id": "x", "role": "stream", "mood": {"deep": [1]}}
    daemon = DaemonEnd(now=0)
    daemon.feed(raw(0, "hello", body))

    assert isinstance(daemon.next_event(), HelloReceived)


def test_a_label_that_would_garble_a_terminal_is_refused() -> None:
    both = Joined(hello(label="\x1b[2J"))
    both.to_daemon()

    assert "printable" in str(ended(both.heard_by_daemon))


def test_silence_is_given_up_after_the_handshake_timeout() -> None:
    daemon = DaemonEnd(now=100.0)
    assert daemon.deadline() == 100.0 + HANDSHAKE_TIMEOUT

    daemon.expire(now=104.9)
    assert daemon.next_event() is None
    daemon.expire(now=105.0)

    event = daemon.next_event()
    assert isinstance(event, ConnectionEnded)
    assert isinstance(event.error, TimedOut)
    assert daemon.should_close
    assert daemon.deadline() is None


def test_an_open_connection_may_be_silent_for_ever() -> None:
    both = Joined().greet()

    assert both.daemon.deadline() is None
    assert both.client.deadline() is None


def test_a_request_before_the_handshake_is_answered_and_ends_the_connection() -> None:
    daemon = DaemonEnd(now=0)
    daemon.feed(raw(9, "list", {}))

    event = daemon.next_event()
    assert isinstance(event, ConnectionEnded)
    assert isinstance(event.error, NotAuthenticated)
    assert len(daemon.drain()) == 2  # the reply to request 9, and the fatal error


def test_a_second_hello_is_refused_and_the_connection_goes_on() -> None:
    both = Joined().greet()
    both.client._outbox.append(raw(77, "hello", {}))
    both.client._asked[77] = "hello"
    number = both.client.request(Ping())
    both.to_daemon()
    both.daemon.reply(number, Pong())
    both.to_client()

    refused, answered = both.heard_by_client
    assert isinstance(refused, ReplyReceived)
    assert isinstance(refused.result, AlreadyAuthenticated)
    assert answered == ReplyReceived(number, Pong())


def test_the_frame_limit_is_small_until_the_welcome() -> None:
    daemon = DaemonEnd(now=0)
    daemon.feed(HEADER.pack(LIMIT_BEFORE_HANDSHAKE + 1, 1))
    assert isinstance(daemon.next_event(), ConnectionEnded)

    both = Joined().greet()
    both.client.send_data(1, 0, bytes(LIMIT_BEFORE_HANDSHAKE + 1))
    both.to_daemon()
    assert isinstance(both.heard_by_daemon[-1], DataReceived)


# -- evolution, roles and bounds


def test_an_unknown_request_is_answered_so_that_a_newer_client_never_hangs() -> None:
    both = Joined().greet()
    both.client._outbox.append(raw(5, "levitate", {"height": 3}))
    both.client._asked[5] = "levitate"
    both.to_daemon()
    both.to_client()

    (reply,) = both.heard_by_client
    assert isinstance(reply, ReplyReceived)
    assert isinstance(reply.result, UnknownRequest)
    assert both.daemon.state is State.OPEN


def test_unknown_events_and_notices_are_skipped_and_counted() -> None:
    both = Joined().greet()
    both.daemon._outbox.append(raw(0, "aurora", {"colour": "green"}))
    both.client._outbox.append(raw(0, "wave", {}))
    both.to_client()
    both.to_daemon()

    assert both.heard_by_client == both.heard_by_daemon == []
    assert both.client.skipped == both.daemon.skipped == 1


def test_a_stream_client_is_told_what_it_may_do() -> None:
    both = Joined(hello(role=Role.STREAM)).greet()
    both.client.request(Kill(session="x"))
    both.to_daemon()
    both.to_client()

    (reply,) = both.heard_by_client
    assert isinstance(reply, ReplyReceived)
    assert isinstance(reply.result, RoleForbidden)
    assert "list" in reply.result.allowed
    assert both.heard_by_daemon == []


def test_more_unanswered_requests_than_the_limit_are_refused() -> None:
    both = Joined().greet()
    for _ in range(OWED_LIMIT + 1):
        both.client.request(Ping())
    both.to_daemon()
    both.to_client()

    assert both.daemon.owed == OWED_LIMIT
    (reply,) = both.heard_by_client
    assert isinstance(reply, ReplyReceived)
    assert isinstance(reply.result, LimitReached)


def test_more_bytes_of_unanswered_requests_than_the_limit_are_refused() -> None:
    both = Joined().greet()
    for _ in range(3):
        both.client.request(Input(session="k3v9qd", offset=0, data=bytes(LIMIT - 100)))
    small = both.client.request(Ping())
    both.to_daemon()
    both.to_client()

    (reply,) = both.heard_by_client
    assert isinstance(reply, ReplyReceived)
    assert (reply.number, type(reply.result)) == (3, LimitReached)
    assert [event.number for event in asked(both)] == [1, 2, small]


def test_answered_requests_make_room_for_more_bytes() -> None:
    both = Joined().greet()
    for _ in range(4):
        number = both.client.request(Input(session="k3v9qd", offset=0, data=bytes(LIMIT - 100)))
        both.to_daemon()
        both.daemon.reply(number, InputTaken(end=1))

    assert [event.number for event in asked(both)] == [1, 2, 3, 4]


def asked(both: Joined) -> list[RequestReceived]:
    return [event for event in both.heard_by_daemon if isinstance(event, RequestReceived)]


def test_a_flood_of_what_is_refused_is_answered_a_part_at_a_time() -> None:
    both = Joined().greet()
    flood = b"".join(raw(n, "no_such", {}) for n in range(1, REFUSALS_AT_ONCE * 2 + 2))
    both.daemon.feed(flood)

    answered = []
    while both.daemon.is_behind:
        assert both.daemon.next_event() is None
        answered.append(len(both.daemon.drain()))

    assert answered == [REFUSALS_AT_ONCE, REFUSALS_AT_ONCE, 1]
    assert len(flood) < LIMIT_BEFORE_HANDSHAKE


def test_an_end_that_is_still_unread_leaves_nothing_behind() -> None:
    both = Joined().greet()
    both.daemon.feed(raw(1, "ping", {}) * 2)
    both.daemon.refuse(Superseded(reason="test"))

    assert not both.daemon.is_behind


# -- rubbish


@pytest.mark.parametrize(
    "rubbish",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        HEADER.pack(3, 1) + b"\xc1\xc1\xc1",
        HEADER.pack(1, 1) + b"\xc0",
        HEADER.pack(60000, 1) + b"\x91" * 60000,
        HEADER.pack(9, 1) + b"\x93\x01\xa4\xff\xfe\xff\xfe\x80\x80",
        HEADER.pack(5, 1) + b"\x93\xff\xa1x\x80",
        HEADER.pack(0, 1),
        HEADER.pack(12, 2) + bytes(12),
    ],
    ids=["http", "no-msgpack", "nil", "deep", "no-utf8", "negative-id", "empty", "early-data"],
)
def test_rubbish_ends_the_connection_politely(rubbish: bytes) -> None:
    daemon = DaemonEnd(now=0)
    daemon.feed(rubbish)

    event = daemon.next_event()
    assert isinstance(event, ConnectionEnded)
    assert isinstance(event.error, RemoteProtocolError)
    assert daemon.next_event() is None
    assert daemon.drain()
    assert daemon.should_close
    daemon.feed(b"more of it")
    assert daemon.next_event() is None


def test_a_reply_nobody_asked_for_ends_the_connection_at_the_client() -> None:
    both = Joined().greet()
    both.daemon._outbox.append(raw(3, "list", {"sessions": []}))
    both.to_client()

    assert "never sent" in str(ended(both.heard_by_client))
    assert both.client.state is State.CLOSED


def test_our_own_mistakes_are_loud() -> None:
    client = ClientEnd(hello(), now=0)
    with pytest.raises(LocalProtocolError, match="greeted"):
        client.request(Ping())
    daemon = DaemonEnd(now=0)
    with pytest.raises(LocalProtocolError, match="shutdown"):
        daemon.tell(Shutdown(reason="too early"))


def test_a_daemon_that_vanishes_leaves_the_numbers_of_what_is_unanswered() -> None:
    both = Joined().greet()
    number = both.client.request(List())
    both.client.feed_end()

    assert both.client.next_event() == ConnectionEnded(None)
    assert both.client.unanswered == {number}
    again = ClientEnd(hello(), now=0, first_number=both.client.next_number)
    assert again.next_number == number + 1


def raw(number: int, kind: str, body: object) -> bytes:
    return control_frame(msgspec.msgpack.encode([number, kind, body]))
