"""Styles as escape sequences."""

import pytest

from holdfast.reader.styles import PLAIN, background_only, has_background, sgr


def style(
    foreground: bytes = b"", background: bytes = b"", line: bytes = b"", attributes: int = 0
) -> bytes:
    parts = (foreground.ljust(4, b"\0"), background.ljust(4, b"\0"), line.ljust(4, b"\0"))
    return b"".join(parts) + attributes.to_bytes(2, "little") + bytes(2)


@pytest.mark.parametrize(
    ("what", "sequence"),
    [
        (PLAIN, "\x1b[m"),
        (style(b"\1\1"), "\x1b[0;31m"),
        (style(b"\1\x09"), "\x1b[0;91m"),
        (style(b"\1\xc8"), "\x1b[0;38;5;200m"),
        (style(b"\2\1\2\3"), "\x1b[0;38;2;1;2;3m"),
        (style(background=b"\1\x0f"), "\x1b[0;107m"),
        (style(attributes=0b11), "\x1b[0;1;3m"),
        (style(attributes=3 << 8, line=b"\2\1\2\3"), "\x1b[0;4:3;58:2::1:2:3m"),
        (style(attributes=1 << 8, line=b"\1\7"), "\x1b[0;4;58:5:7m"),
    ],
)
def test_a_style_is_said_whole(what: bytes, sequence: str) -> None:
    assert sgr(what) == sequence


def test_only_a_background_is_left_by_erasing() -> None:
    assert has_background(style(background=b"\1\0"))
    assert not has_background(style(b"\1\0", attributes=1 << 4))


def test_a_cell_may_be_colour_alone() -> None:
    assert background_only(2, 5) == "\x1b[0;45m"
    assert background_only(3, 0x030201) == "\x1b[0;48;2;1;2;3m"
