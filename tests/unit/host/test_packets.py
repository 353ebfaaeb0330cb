"""What a page may send, and that nothing else gets past: only typed refusals come out (T9)."""

import random

import msgpack
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from socketio.msgpack_packet import MsgPackPacket

from holdfast.errors import RemoteProtocolError
from holdfast.host.packets import (
    CONNECT_LIMIT,
    EVENTS,
    INPUT_LIMIT,
    MESSAGE_LIMIT,
    Conversation,
    Kind,
    Stage,
    read_packet,
)

SIZE = {"cols": 80, "rows": 24}
OF_SESSION: dict[str, object] = {"session": "abc123"}
# One payload of each event, as the page sends it.
PAYLOADS: dict[str, dict[str, object]] = {
    "ready": {},
    "attach": {
        "view": 1, "session": "abc123", "since": None, "epoch": "", "length": 0, "crc": 0,
        "scrollback": 10_000, **SIZE,
    },
    "detach": {"view": 1},
    "ack": {"view": 1, "offset": 2**40},
    "input": {"session": "abc123", "data": b"ls\r\xff\x00"},
    "resize": {"session": "abc123", **SIZE},
    "create": {"argv": ["bash", "-l"], "name": "work", "cwd": "/tmp", **SIZE},
    "rename": {"session": "abc123", "name": "ünïcode"},
    "kill": {"session": "abc123", "now": True},
    **dict.fromkeys(("claim", "takeover", "release", "restore", "forget"), OF_SESSION),
    "__activity__": {},
}  # fmt: skip
AUTH = {"protocol": 1, "token": "t" * 43, "client_id": "c1", "seat": "s/abc123"}


def packed(fields: object) -> bytes:
    data: bytes = msgpack.packb(fields)
    return data


def event(name: str, payload: object, **more: object) -> bytes:
    return packed({"type": 2, "nsp": "/", "data": [name, payload], **more})


def understood(data: bytes) -> MsgPackPacket:
    """What the real parser makes of bytes that were handed on."""
    return MsgPackPacket(encoded_packet=data)


def joined() -> Conversation:
    """A socket that was let in."""
    one = Conversation()
    one.feed(packed({"type": 0, "nsp": "/", "data": AUTH}))
    one.answered(packed({"type": 0, "nsp": "/", "data": {"sid": "x"}}))
    return one


# -- what passes


@pytest.mark.parametrize("name", EVENTS)
def test_each_event_of_the_page_arrives_as_it_was_sent(name: str) -> None:
    packet = read_packet(event(name, PAYLOADS[name], id=7))
    real = understood(packet.encoded)

    assert (packet.kind, packet.event) == (Kind.EVENT, name)
    assert (real.packet_type, real.namespace, real.id) == (2, "/", 7)
    assert real.data[0] == name
    assert PAYLOADS[name].items() <= real.data[1].items()


def test_what_the_libraries_of_both_ends_write_is_read() -> None:
    from_python = MsgPackPacket(2, data=["ack", PAYLOADS["ack"]], namespace="/").encode()
    # socket.io-client: its options travel with each event
    from_browser = event("ack", PAYLOADS["ack"], options={"compress": True})

    assert read_packet(from_python).encoded == read_packet(from_browser).encoded


def test_a_page_introduces_itself() -> None:
    packet = read_packet(packed({"type": 0, "nsp": "/", "data": AUTH}))

    assert packet.kind is Kind.CONNECT
    assert understood(packet.encoded).data == AUTH


@pytest.mark.parametrize("data", [{}, None])
def test_who_says_nothing_of_itself_is_left_to_the_host_to_refuse(data: object) -> None:
    real = understood(read_packet(packed({"type": 0, "nsp": "/", "data": data})).encoded)

    assert real.data == {"protocol": 0, "token": "", "client_id": "", "seat": ""}


def test_a_goodbye_is_read() -> None:
    assert read_packet(packed({"type": 1, "nsp": "/"})).kind is Kind.DISCONNECT


def test_a_field_of_a_newer_page_is_not_handed_on() -> None:
    packet = read_packet(event("detach", {"view": 1, "reason": "?"}))

    assert understood(packet.encoded).data == ["detach", {"view": 1}]


# -- what does not

ATTACH = PAYLOADS["attach"]
UNDEFINED = msgpack.ExtType(0, b"\0")
HEAD = b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data"  # of a packet in which only the data is missing
MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "rubbish": b"\xc1\xff\x00",
    "text": b'42["ready",{}]',
    "no map": packed([2, "/", ["ready", {}]]),
    "cut off": event("ready", {})[:-1],
    "more behind it": event("ready", {}) + b"\x00",
    "no type": packed({"nsp": "/", "data": ["ready", {}]}),
    "no namespace": packed({"type": 2, "data": ["ready", {}]}),
    "an answer to no question": packed({"type": 3, "nsp": "/", "id": 1, "data": []}),
    "a refusal": packed({"type": 4, "nsp": "/", "data": {}}),
    "attachments": packed({"type": 5, "nsp": "/", "data": ["input", {"_placeholder": True}]}),
    "a type that there is not": packed({"type": 99, "nsp": "/"}),
    "a type that is text": packed({"type": "2", "nsp": "/", "data": ["ready", {}]}),
    "a type that is true": packed({"type": True, "nsp": "/", "data": ["ready", {}]}),
    "another namespace": packed({"type": 2, "nsp": "/admin", "data": ["ready", {}]}),
    "no data": packed({"type": 2, "nsp": "/"}),
    "data that is a map": packed({"type": 2, "nsp": "/", "data": {"0": "ready"}}),
    "an empty list": packed({"type": 2, "nsp": "/", "data": []}),
    "no payload": packed({"type": 2, "nsp": "/", "data": ["ready"]}),
    "two payloads": packed({"type": 2, "nsp": "/", "data": ["ready", {}, {}]}),
    "an event that is a number": packed({"type": 2, "nsp": "/", "data": [1, {}]}),
    "an unknown event": event("shutdown", {}),
    "a long unknown event": event("x" * 100_000, {}),
    "a spoofed connect": event("connect", {}),
    "a spoofed disconnect": event("disconnect", {}),
    "a spoofed message": event("message", {}),
    "all events": event("*", {}),
    "a payload that is a list": event("ready", []),
    "a payload that is null": event("ready", None),
    "a field that is missing": event("ack", {"view": 1}),
    "a field of another type": event("ack", {"view": "1", "offset": 0}),
    "undefined, as a browser packs it": event("ack", {"view": UNDEFINED, "offset": 0}),
    "a negative offset": event("ack", {"view": 1, "offset": -1}),
    "an offset beyond counting": event("ack", {"view": 1, "offset": 2**60}),
    "input that is text": event("input", {"session": "abc123", "data": "ls"}),
    "too much input": event("input", {"session": "abc123", "data": bytes(INPUT_LIMIT + 1)}),
    "a huge message": event("input", {"session": "abc123", "data": bytes(MESSAGE_LIMIT)}),
    "a screen of less than nothing": event("attach", {**ATTACH, "cols": -1}),
    "a screen of a million rows": event("attach", {**ATTACH, "rows": 1_000_000}),
    "a session without a name": event("claim", {"session": ""}),
    "a session with a long name": event("claim", {"session": "x" * 1000}),
    "text that is not UTF-8": HEAD + b"\x92\xa5claim\x81\xa7session\xa1\xff",
    "an id that is text": event("ready", {}, id="1"),
    "a negative id": event("ready", {}, id=-1),
    "auth that is text": packed({"type": 0, "nsp": "/", "data": "token"}),
    "auth that is undefined": packed({"type": 0, "nsp": "/", "data": UNDEFINED}),
    "a token that is a map": packed({"type": 0, "nsp": "/", "data": {"token": {}}}),
    "a huge connect": packed({"type": 0, "nsp": "/", "data": AUTH, "x": bytes(CONNECT_LIMIT)}),
    "a deep payload": HEAD + b"\x92\xa5ready" + b"\x91" * 100_000 + b"\xc0",
    "a list said to be endless": HEAD + b"\xdd\xff\xff\xff\xff",
    "bytes said to be endless": b"\x82\xa4type\x02\xa3nsp\xdb\xff\xff\xff\xff",
}  # fmt: skip


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_what_is_malformed_is_refused(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        read_packet(data)

    assert len(refused.value.problem) < 200


def test_of_two_keys_of_one_name_one_is_handed_on() -> None:
    """Two parsers that choose differently would be a way around the list of events."""
    twice = b"\x84\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa7connect\x80\xa4data\x92\xa5ready\x80"

    assert understood(read_packet(twice).encoded).data == ["ready", {}]


def test_the_words_of_a_token_are_not_in_a_refusal() -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        read_packet(packed({"type": 0, "nsp": "/", "data": {"token": "secret" * 100}}))

    assert "secret" not in str(refused.value)


text = st.text("abc/", max_size=5)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | text
    | st.binary(max_size=9) | st.builds(msgpack.ExtType, st.integers(0, 9), st.binary(max_size=9)),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(text | st.integers(0, 9), inner, max_size=3),
    max_leaves=4,
)  # fmt: skip
names = st.sampled_from([*EVENTS, "connect", "disconnect", "message", "*"])
payloads = st.one_of(
    values, st.dictionaries(st.sampled_from(["view", "session", "data", "cols", "offset"]), values)
)
packets = st.fixed_dictionaries(
    {},
    optional={
        "type": st.integers(0, 6) | values,
        "nsp": st.just("/") | values,
        "data": st.tuples(names, payloads).map(list) | values,
        "id": st.integers(0, 99) | values,
        "x": values,
    },
)


def check(data: bytes) -> None:
    """Either a refusal that is ours, or bytes that the real parser takes for just that."""
    try:
        packet = read_packet(data)
    except RemoteProtocolError:
        return
    real = understood(packet.encoded)
    assert (real.packet_type, real.namespace) == (packet.kind, "/")
    if packet.kind is Kind.EVENT:
        name, payload = real.data
        assert name == packet.event
        assert isinstance(msgspec.convert(payload, EVENTS[name]), EVENTS[name])


@settings(max_examples=1000)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    check(data)


@settings(max_examples=500)
@given(packets)
def test_anything_in_the_shape_of_a_packet_is_read_or_refused(fields: dict[str, object]) -> None:
    check(packed(fields))


def test_honest_packets_with_some_changed_bytes_are_read_or_refused() -> None:
    chance = random.Random(10)
    honest = [event(name, payload, id=1) for name, payload in PAYLOADS.items()]
    for _ in range(20_000):
        changed = bytearray(chance.choice(honest))
        for _ in range(chance.randint(1, 4)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        check(bytes(changed[: chance.choice((None, chance.randrange(len(changed))))]))


# -- the order of things


@pytest.mark.parametrize("text", ["1", "3"])
def test_the_texts_of_engine_io_pass(text: str) -> None:
    assert joined().feed(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "0", "2", "2probe", "3x", "33", "4", "40", '42["ready",{}]', "5", "6", "b4AAA", "٣", "\0"],
)
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        joined().feed(text)


def test_nothing_is_said_before_it_is_let_in() -> None:
    one = Conversation()
    with pytest.raises(RemoteProtocolError):
        one.feed(event("ready", {}))

    asking = Conversation()
    asking.feed(packed({"type": 0, "nsp": "/", "data": AUTH}))
    with pytest.raises(RemoteProtocolError):
        asking.feed(event("ready", {}))


def test_once_let_in_it_is_heard() -> None:
    one = joined()

    assert one.stage is Stage.ACCEPTED
    assert one.feed(event("ready", {})) == read_packet(event("ready", {})).encoded


def test_who_it_is_is_said_once() -> None:
    again = packed({"type": 0, "nsp": "/", "data": AUTH})
    for one in (joined(), asking()):
        with pytest.raises(RemoteProtocolError):
            one.feed(again)


def asking() -> Conversation:
    one = Conversation()
    one.feed(packed({"type": 0, "nsp": "/", "data": AUTH}))
    return one


def test_who_was_not_let_in_may_not_make_us_hold_much() -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        Conversation().feed(event("input", {"session": "abc123", "data": bytes(CONNECT_LIMIT)}))

    assert "before it was let in" in refused.value.problem  # what is in it is not read


@pytest.mark.parametrize(
    "end",
    [packed({"type": 4, "nsp": "/", "data": {}}), packed({"type": 1, "nsp": "/"})],
    ids=["refused", "sent away"],
)
def test_behind_its_end_nothing_is_read(end: bytes) -> None:
    one = asking()
    one.answered(end)

    assert one.stage is Stage.OVER
    assert one.feed(event("ready", {})) is None
    assert one.feed("3") is None


def test_nobody_is_let_in_behind_a_refusal() -> None:
    one = asking()
    one.answered(packed({"type": 4, "nsp": "/", "data": {}}))
    one.answered(packed({"type": 0, "nsp": "/", "data": {"sid": "x"}}))

    assert one.stage is Stage.OVER


def test_behind_its_goodbye_nothing_is_read() -> None:
    one = joined()
    one.feed(packed({"type": 1, "nsp": "/"}))

    assert (one.stage, one.feed(event("ready", {}))) == (Stage.OVER, None)


def test_what_it_is_told_while_it_is_here_changes_nothing() -> None:
    one = joined()
    one.answered(packed({"type": 2, "nsp": "/", "data": ["output", {"data": bytes(1000)}]}))
    one.answered(packed({"type": 3, "nsp": "/", "id": 1, "data": []}))

    assert one.stage is Stage.ACCEPTED
