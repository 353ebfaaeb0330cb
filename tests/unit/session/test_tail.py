"""Where the last bytes of a log are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.session.tail import safe_cut


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"", b""),
        (b"abc", b"abc"),
        # behind the end of a line, whatever else there is
        (b"half a line\nwhole\n", b"whole\n"),
        (b"\nabc", b"abc"),
        (b"abc\n", b""),
        (b"31m red\x1b[0m\nnext", b"next"),
        (b"half\r\nwhole", b"whole"),
        # T9: without lines, before what begins anew
        (b"31;1mred\x1b[0m", b"\x1b[0m"),
        (b"\x1b[31mred", b"\x1b[31mred"),
        (b"\x9f\x98\x80 \x1b[A", b"\x1b[A"),
        # else before a whole character
        (b"\xa9caf\xc3\xa9", b"caf\xc3\xa9"),
        ("é".encode() * 3, "é".encode() * 3),
        ("é".encode()[1:] + "é".encode(), "é".encode()),
        ("😀x".encode()[1:], b"x"),
        ("😀x".encode()[2:], b"x"),
        ("😀x".encode()[3:], b"x"),
        ("😀".encode()[1:], b""),
        # what is no UTF-8 is not cut for ever
        (b"\x80" * 9, b"\x80" * 9),
        (b"\xff\x80", b"\xff\x80"),
        (b"\x80" * 4 + b"a", b"\x80" * 4 + b"a"),
    ],
)
def test_a_terminal_shows_it_as_it_was_meant(data: bytes, shown: bytes) -> None:
    assert data[safe_cut(data) :] == shown


@given(st.text(min_size=1).filter(lambda text: "\n" not in text and "\x1b" not in text), st.data())
def test_text_is_never_cut_in_a_character(text: str, data: st.DataObject) -> None:
    whole = text.encode()
    rest = whole[data.draw(st.integers(0, len(whole))) :]

    shown = rest[safe_cut(rest) :]

    assert text.endswith(shown.decode())
    assert len(rest) - len(shown) <= 3
