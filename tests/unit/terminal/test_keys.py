"""The keys for `hold`, in every encoding that a program may have switched on (T35)."""

import pytest

from holdfast.terminal.detach import HELP, TAKEOVER, Detach, has_press

K = b"\x1c"
KITTY = b"\x1b[92;5u"
OTHER = b"\x1b[27;5;92~"
PRESSES = {
    "control character": K,
    "kitty": KITTY,
    "kitty with Num Lock": b"\x1b[92;133u",
    "kitty with Caps Lock and Num Lock": b"\x1b[92;197u",
    "kitty with an event": b"\x1b[92;5:1u",
    "kitty with another layout": b"\x1b[1105::92;5u",
    "kitty with alternates and text": b"\x1b[92:124:92;5:1;28u",
    "modifyOtherKeys": OTHER,
}
NO_PRESSES = {
    "without Control": b"\x1b[92;1u",
    "with Alt as well": b"\x1b[92;7u",
    "with Shift as well": b"\x1b[92;6u",
    "another key": b"\x1b[93;5u",
    "let go": b"\x1b[92;5:3u",
    "repeated by the keyboard": b"\x1b[92;5:2u",
    "another function key": b"\x1b[3;5~",
    "modifyOtherKeys with another": b"\x1b[27;5;93~",
}


def fed(keys: Detach, *pieces: bytes) -> bytes:
    """Everything that is sent on, at once and a second later."""
    sent = b"".join(keys.feed(piece, at / 1000) for at, piece in enumerate(pieces))
    return sent + keys.expire(5.0)


@pytest.mark.parametrize("press", PRESSES.values(), ids=PRESSES)
def test_two_presses_leave_however_they_are_cut(press: bytes) -> None:
    for size in range(1, 2 * len(press) + 1):
        keys = Detach()
        keys.may_be_encoded = True
        data = b"x" + press + press
        sent = fed(keys, *(data[at : at + size] for at in range(0, len(data), size)))
        assert (keys.requested, sent) == (True, b"x"), size


@pytest.mark.parametrize("press", PRESSES.values(), ids=PRESSES)
def test_a_lone_press_goes_through_as_it_came(press: bytes) -> None:
    keys = Detach()

    assert fed(keys, press, b"x") == press + b"x"
    assert not keys.requested
    assert keys.deadline() is None


@pytest.mark.parametrize("press", NO_PRESSES.values(), ids=NO_PRESSES)
def test_what_is_no_press_goes_through(press: bytes) -> None:
    keys = Detach()

    assert fed(keys, press, press) == press + press
    assert not keys.requested


def test_letting_go_comes_between_two_presses() -> None:
    """With every event asked for: Control and the key go up and down again."""
    up, control_up, control_down = b"\x1b[92;5:3u", b"\x1b[57442;5:3u", b"\x1b[57442;5:1u"
    keys = Detach()

    assert fed(keys, control_down, b"\x1b[92;5:1u", up, control_up) != b""
    assert keys.feed(control_down + b"\x1b[92;5:1u" + up + control_up, 10.0) == control_down
    assert keys.feed(control_down + b"\x1b[92;5:1u", 10.3) == b""
    assert keys.requested


@pytest.mark.parametrize(
    ("key", "asked"),
    [
        (b"t", TAKEOVER),
        (b"?", HELP),
        (b"\x1b[116u", TAKEOVER),
        (b"\x1b[116;129u", TAKEOVER),
        (b"\x1b[63;2u", HELP),
        (b"\x1b[47;2u", HELP),
        (b"\x1b[47:63;2u", HELP),
        (b"\x1b[223;2;63u", HELP),
        (b"\x1b[27;2;63~", HELP),
    ],
)
def test_another_key_behind_the_first_asks_for_something(key: bytes, asked: str) -> None:
    for press in (K, KITTY, OTHER):
        keys = Detach()
        assert fed(keys, press, key) == b""
        assert (keys.asked, keys.requested) == ([asked], False)


@pytest.mark.parametrize("key", [b"d", b"\x1b[100u", b"\x1b[100;1:1u"])
def test_d_leaves_too(key: bytes) -> None:
    keys = Detach()

    assert fed(keys, b"a", K, key) == b"a"
    assert keys.requested


@pytest.mark.parametrize("key", [b"T", b"x", b"\x1b[116;5u", b"\x1b[A", b"\x1b[47u", b"\xe2\x82"])
def test_any_other_key_goes_through_behind_the_first(key: bytes) -> None:
    keys = Detach()

    assert fed(keys, K, key) == K + key
    assert keys.asked == []


def test_what_is_pasted_is_no_key() -> None:
    keys = Detach()
    pasted = b"\x1b[200~" + K + K + b"?\x1b[201~"

    assert fed(keys, pasted) == pasted
    assert fed(keys, b"\x1b[200~" + K, K + b"\x1b[201~") == b"\x1b[200~" + K + K + b"\x1b[201~"
    assert not keys.requested


def test_a_paste_whose_end_is_lost_does_not_keep_anybody() -> None:
    keys = Detach()
    keys.feed(b"\x1b[200~text", 0.0)

    keys.feed(K + K, 3.0)

    assert keys.requested


def test_an_escape_waits_only_where_a_key_may_be_cut() -> None:
    keys = Detach()
    assert keys.feed(b"\x1b", 0.0) == b"\x1b"

    keys.may_be_encoded = True
    assert keys.feed(b"\x1b", 1.0) == b""
    assert keys.deadline() == pytest.approx(1.05)
    assert keys.expire(1.05) == b"\x1b"


def test_keys_that_are_no_press_pass_whole_in_any_pieces() -> None:
    data = b"\x1b[1;5A\x1b[<0;10;10Mabc\x1b[92u\xe2\x82\xac\x1b]11;rgb:0/0/0\x1b\\\x1b[?64;1c"
    for size in range(1, len(data) + 1):
        keys = Detach()
        keys.may_be_encoded = True
        assert fed(keys, *(data[at : at + size] for at in range(0, len(data), size))) == data


def test_another_key_can_be_chosen_or_none() -> None:
    keys = Detach(key=0x1D)
    assert fed(keys, K + K) == K + K
    assert fed(keys, b"\x1d", b"\x1b[93;5u") == b""
    assert keys.requested

    letter = Detach(key=0x01)
    fed(letter, b"\x1b[97;5u", b"\x01")
    assert letter.requested

    nothing = Detach(within=None)
    assert nothing.feed(K + K, 0.0) == K + K
    assert not nothing.requested


@pytest.mark.parametrize(
    ("data", "pressed"),
    [
        (b"x", True),
        (b"\x1b", True),
        (KITTY, True),
        (b"\x1b[92;5:3u", False),
        (b"\x1b[57442;5u", False),
        (b"\x1b[<35;10;10M\x1b[<35;11;10m", False),
        (b"\x1b[M !!", False),
        (b"\x1b[I\x1b[O", False),
        (b"", False),
        (b"\x1b[I\x1b[A", True),
    ],
)
def test_whether_somebody_has_pressed_a_key(data: bytes, pressed: bool) -> None:
    assert has_press(data) is pressed
