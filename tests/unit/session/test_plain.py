"""Text out of raw output, without a terminal."""

import pytest

from holdfast.session.plain import plain_lines


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
def test_what_is_left_are_lines(data: bytes, lines: list[str]) -> None:
    assert plain_lines(data) == lines


def test_the_last_of_them_are_enough() -> None:
    assert plain_lines(b"1\n2\n3\n", 2) == ["2", "3"]
    assert plain_lines(b"1\n2\n3\n", 0) == []
