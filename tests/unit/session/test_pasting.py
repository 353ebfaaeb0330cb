"""Whether a program wants paste marks, however its output is cut, and how text is sent to it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.session.pasting import (
    BEGIN,
    END,
    LONGEST,
    PasteMode,
    Sending,
    is_keys,
    last_switch,
    sending,
)

ON, OFF = b"\x1b[?2004h", b"\x1b[?2004l"


def after(*pieces: bytes, is_on: bool = False) -> bool:
    mode = PasteMode(is_on=is_on)
    for piece in pieces:
        mode.feed(piece)
    return mode.is_on


@pytest.mark.parametrize(
    ("printed", "wanted"),
    [
        (b"", False),
        (b"hello", False),
        (ON, True),
        (ON + b"$ " + OFF, False),
        (OFF + ON, True),
        (b"\x1b[?1049;2004h", True),
        (b"\x1b[?2004;25h", True),
        (b"\x1b[?25h", False),
        (b"\x1b[?20044h", False),
        (b"\x1b[2004h", False),
        (b"?2004h", False),
        (b"\x1b\x1b[?2004h", True),
        (b"\x1b[?2004" + ON, True),  # the first was broken off
        (ON + b"\x1bc", False),
        (ON + b"\x1b[c", True),
        (ON + b"\x1b[?" + b"0;" * 40 + b"2004l", True),  # too long to be one
    ],
)
def test_the_last_switch_counts(printed: bytes, wanted: bool) -> None:
    assert after(printed) is wanted


def test_what_was_known_before_holds_until_a_switch() -> None:
    assert after(b"$ ", is_on=True)
    assert not after(OFF, is_on=True)


@pytest.mark.parametrize("cut", range(len(ON) + 1))
def test_a_switch_may_be_cut_anywhere(cut: int) -> None:
    assert after(b"x" + ON[:cut], ON[cut:] + b"y")


PARTS = st.sampled_from(
    [ON, OFF, b"\x1b", b"[", b"?", b"2004", b";", b"h", b"l", b"c", b"\x1b[?1;2004h", b"0;" * 28]
)


@given(st.lists(PARTS | st.binary(max_size=3), max_size=30).map(b"".join), st.data())
def test_it_does_not_matter_how_output_is_cut(printed: bytes, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(printed)), max_size=8).map(sorted))
    edges = [0, *cuts, len(printed)]
    pieces = [printed[a:b] for a, b in pairwise(edges)]
    single = [printed[n : n + 1] for n in range(len(printed))]

    assert after(*pieces) is after(*single) is after(printed)


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_what_is_kept_between_reads_is_bounded(pieces: list[bytes]) -> None:
    mode = PasteMode()
    for piece in pieces:
        mode.feed(b"\x1b[?" + piece)
        assert len(mode._cut) <= LONGEST


@pytest.mark.parametrize(
    ("text", "enter", "is_pasted", "wanted"),
    [
        ("ls", True, False, Sending(b"ls", b"\r")),
        ("ls", False, False, Sending(b"ls", b"")),
        ("ls", True, True, Sending(BEGIN + b"ls" + END, b"\r")),
        ("a\nb", False, True, Sending(BEGIN + b"a\nb" + END, b"")),
        ("", True, True, Sending(b"", b"\r")),
        ("a\x1b[201~rm", False, True, Sending(BEGIN + b"a^[[201~rm" + END, b"")),
        ("ü", False, False, Sending("ü".encode(), b"")),
        ("\udcff", False, False, Sending(b"\xff", b"")),  # bytes that were no UTF-8 come back
    ],
)
def test_text_is_sent_as_the_program_asked(
    text: str, enter: bool, is_pasted: bool, wanted: Sending
) -> None:
    assert sending(text, enter=enter, is_pasted=is_pasted) == wanted


@given(st.lists(st.sampled_from(["x", *"\x1b[20~", "\x1b[20", "0~", "1~", "\x1b[201~"])))
def test_no_text_ends_its_own_paste(parts: list[str]) -> None:
    sent = sending("".join(parts) + ".", enter=False, is_pasted=True).text

    assert sent.startswith(BEGIN)
    assert sent.find(END) == len(sent) - len(END)


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"\x03", True),
        (b"\x1b[A", True),
        (b"\x7f", True),
        (b"\x00", True),
        (b"", False),
        (b"ls", False),
        (b"\tindented", False),
        (b"\nsecond line", False),
        (b"\r", False),
        ("é".encode(), False),
        (b"ls\x03", False),
    ],
)
def test_keys_are_told_from_text_by_how_they_begin(data: bytes, keys: bool) -> None:
    assert is_keys(data) is keys


@pytest.mark.parametrize(
    ("data", "switched"),
    [
        (b"nothing", None),
        (b"\x1b[?2004h", True),
        (b"\x1b[?2004h then \x1b[?2004l", False),
        (b"\x1b[?2004h then \x1b[?25l", True),
        (b"\x1b[?2004h then \x1bc", False),
        (b"\x1b[?2004", None),
    ],
)
def test_the_last_switch_of_a_piece_counts(data: bytes, switched: bool | None) -> None:
    assert last_switch(data) is switched
