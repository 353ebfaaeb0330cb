"""What the local terminal answers is told apart from what is typed, however both are cut."""

import pytest

from holdfast.protocol.messages import Profile
from holdfast.terminal.asking import KEY_WITHIN, QUESTIONS, WITHIN, Asking

ANSWERS = (
    b"\x1b]10;rgb:1111/2222/3333\x1b\\\x1b]11;rgb:fa/fb/f0\x07\x1b]4;1;rgb:cccc/0000/0000\x1b\\"
    b"\x1b[>1;4000;29c\x1bP>|kitty(0.32.2)\x1b\\"
)
FENCE = b"\x1b[?62;4;22c"
SAID = Profile(
    foreground=(17, 34, 51),
    background=(250, 251, 240),
    palette={1: (204, 0, 0)},
    device=(1, 4000, 29),
    version="kitty(0.32.2)",
    attributes=(62, 4, 22),
)


def test_the_fence_is_asked_last() -> None:
    assert QUESTIONS.endswith(b"\x1b[c")
    assert QUESTIONS.count(b"\x1b[c") == 1


@pytest.mark.parametrize("cut", range(len(ANSWERS + FENCE) + 1))
def test_answers_are_taken_out_wherever_they_are_cut(cut: int) -> None:
    asking, said = Asking(0.0), ANSWERS + FENCE

    typed = asking.feed(b"ab" + said[:cut], 0.0) + asking.feed(said[cut:] + b"cd", 5.0)

    assert (typed, asking.profile) == (b"abcd", SAID)


def test_keys_between_answers_are_typed_in_their_order() -> None:
    asking = Asking(0.0)
    typed = asking.feed(b"a\x1b]10;rgb:1111/2222/3333\x1b\\b\x1b[A\x1b]11;", 0.0)
    typed += asking.feed(b"rgb:0/0/0\x07c", 0.1)

    assert typed == b"ab\x1b[Ac"
    assert asking.profile is None  # the fence is to come


def test_what_follows_the_fence_is_for_the_program() -> None:
    """It may have asked the same."""
    asking = Asking(0.0)

    assert asking.feed(FENCE + ANSWERS + FENCE, 0.0) == ANSWERS + FENCE
    assert asking.is_over


def test_each_question_has_one_answer() -> None:
    """The second one is to a question of the program, which came later."""
    asking = Asking(0.0)

    assert asking.feed(ANSWERS + ANSWERS + FENCE, 0.0) == ANSWERS


@pytest.mark.parametrize("key", [b"\x1b", b"\x1b]", b"\x1bP", b"\x1b["])
def test_a_key_that_may_begin_an_answer_is_held_for_a_moment(key: bytes) -> None:
    asking = Asking(0.0)
    assert asking.feed(b"x" + key, 1.0) == b"x"
    assert asking.deadline() == 1.0 + KEY_WITHIN

    assert asking.feed(b"", 1.0 + KEY_WITHIN / 2) == b""
    assert asking.feed(b"", 1.0 + KEY_WITHIN) == key
    assert asking.deadline() is None


@pytest.mark.parametrize(
    "keys", [b"\x1b[A", b"\x1b[15;2~", b"\x1bOP", b"\x1b]x", b"\x1b\x1b[B", b"["]
)
def test_other_keys_are_not_held(keys: bytes) -> None:
    assert Asking(0.0).feed(keys, 0.0) == keys


def test_a_terminal_that_answers_nothing_is_left_alone_after_a_while() -> None:
    asking = Asking(0.0)

    assert asking.feed(FENCE[:4], 1.0) == b""
    assert asking.deadline() == WITHIN
    assert asking.feed(b"", WITHIN) == FENCE[:4]
    assert (asking.is_over, asking.profile) == (True, None)


def test_what_one_has_said_counts_without_a_fence() -> None:
    asking = Asking(0.0)
    asking.feed(b"\x1b]11;rgb:ffff/ffff/ffff\x07", 1.0)
    asking.feed(b"x", WITHIN)

    assert asking.profile == Profile(background=(255, 255, 255))


def test_an_endless_answer_is_none() -> None:
    asking, endless = Asking(0.0), b"\x1bP>|" + b"x" * 100_000

    assert asking.feed(endless, 0.0) == endless


def test_numbers_that_are_missing_or_absurd_are_kept_within_their_bounds() -> None:
    asking = Asking(0.0)
    asking.feed(b"\x1b[>;99999999;c\x1b[?" + b"1;" * 90 + b"c", 0.0)

    assert asking.profile is not None
    assert asking.profile.device == (0, 0xFFFF, 0)
    assert asking.profile.attributes == (1,) * 32
