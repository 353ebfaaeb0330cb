"""Plain text out of what was printed: no escape, no control character, bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.marks.plain import plain, plain_lines, shortened

PRINTED = st.text(st.sampled_from("ab \n\r\b\t\x1b\x07\\[]PX^_?;0m\x9b\x9c\x00é"), max_size=60)


@pytest.mark.parametrize(
    ("printed", "wanted"),
    [
        ("\x1b[1;31merror\x1b[0m: no", "error: no"),
        ("\x1b]0;title\x07$ ", "$"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]133;A\x1b\\prompt", "prompt"),
        ("\x1bPq#0;2;0\x1b\\picture", "picture"),
        ("\x1b(B\x1b=text\x1b>", "text"),
        ("\x9b2Kbyte", "byte"),
        ("cut off \x1b[38;5", "cut off"),
        ("cut off \x1b]0;tit", "cut off"),
        ("cut off \x1b", "cut off"),
        ("one\r\ntwo\r\n", "one\ntwo\n"),
        ("10 %\r50 %\r100 %\n", "100 %\n"),
        ("mistke\b\bake", "mistake"),
        ("\x1b]0;given up\x18shown", "shown"),
        ("a\tb", "a\tb"),
        ("bell\x07\x00", "bell"),
        ("日本 é", "日本 é"),
    ],
)
def test_what_is_left(printed: str, wanted: str) -> None:
    assert plain(printed) == wanted


@pytest.mark.parametrize(
    "hostile", ["a" * 200_000 + "\b" * 200_000, "\x1b]" * 200_000, "a\r" * 200_000]
)
def test_what_is_printed_to_hold_it_up_does_not(hostile: str) -> None:
    """T34: the time is that of the length, not of its square, or pytest's timeout ends this."""
    assert len(plain(hostile)) <= 1


@given(PRINTED)
def test_no_control_character_is_left(printed: str) -> None:
    left = plain(printed)

    assert not [sign for sign in left if sign not in "\n\t" and not sign.isprintable()]
    assert plain(left) == left


@given(st.lists(st.text("ab ", max_size=30), max_size=30).map("\n".join), st.integers(0, 400))
def test_no_more_than_the_room_is_taken(text: str, room: int) -> None:
    short = shortened(text, room)

    assert len(short) <= room
    assert (short == text) is (len(text) <= room)


def test_head_and_tail_stay_and_the_rest_is_counted() -> None:
    text = "\n".join(f"line {number}" for number in range(1000))

    lines = shortened(text, 200).split("\n")

    assert lines[0] == "line 0"
    assert lines[-1] == "line 999"
    (note,) = [line for line in lines if line.startswith("[")]
    assert note.startswith(f"[... {1000 - (len(lines) - 1)} lines, ")


def test_a_line_that_is_longer_than_all_the_room_is_cut_in_the_middle() -> None:
    short = shortened("a" * 500 + "b" * 500, 100)

    assert short.startswith("aaaa")
    assert short.endswith("bbbb")
    kept = short.count("a", 0, short.index("[")) + short.count("b", short.index("]"))
    assert f"[... {1000 - kept} characters left out ...]" in short


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"one\r\ntwo\r\n", ["one", "two"]),
        (b"\x1b[1;31mred\x1b[m \x1b]8;;http://x\x1b\\link\x1b]8;;\x07", ["red link"]),
        (b"10%\r 50%\r100%\r\n", ["100%"]),
        (b"abc\b\bde\n", ["ade"]),
        (b"\x1b(B\x1b=a\x00\x07b\x0e", ["ab"]),
        (b"cut \x1b[3", ["cut"]),
        (b"cut \x1b]0;never ends", ["cut"]),
        ("h\u00e9 \U0001f600\n".encode() + b"\xff", ["h\u00e9 \U0001f600", "\ufffd"]),
        (b"a  \n\n\n", ["a"]),
        (b"", []),
    ],
)
def test_of_bytes_lines_are_left(data: bytes, lines: list[str]) -> None:
    assert plain_lines(data) == lines


def test_the_last_of_them_are_enough() -> None:
    assert plain_lines(b"1\n2\n3\n", 2) == ["2", "3"]
    assert plain_lines(b"1\n2\n3\n", 0) == []
