"""No question gets through to a terminal that is only shown a log; all else does."""

import pytest

from holdfast.terminal.queries import HOLD_LIMIT, QueryFilter

QUESTIONS = [
    b"\x1b[c", b"\x1b[0c", b"\x1b[>c", b"\x1b[>0c", b"\x1b[=c",  # who are you
    b"\x1bZ", b"\x05", b"\x1b[>q", b"\x1b[>0q",
    b"\x1b[5n", b"\x1b[6n", b"\x1b[?6n", b"\x1b[?996n",  # how and where
    b"\x1b[?2026$p", b"\x1b[4$p", b"\x1b[?u", b"\x1b[?4m",  # which modes
    b"\x1b[14t", b"\x1b[18t", b"\x1b[21t", b"\x1b[14;2t", b"\x1b[?2;1;0S",
    b"\x1b]10;?\x07", b"\x1b]11;?\x1b\\", b"\x1b]4;1;?\x07", b"\x1b]12;?\xc2\x9c",
    b"\x1b]52;c;?\x07", b"\x1b]21;foreground=?\x1b\\", b"\x1b]1337;ReportCellSize\x07",
    b"\x1bP$qm\x1b\\", b"\x1bP+q544e\x1b\\", b"\x1bPtmux;x\x1b\\",
    b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\", b"\x1b_Gi=1,a=T;AAAA\x1b\\",
    b"\x1b[1;1;1;1;1;1*y", b"\x1b[1$w", b"\x1b[x",
    b"\xc2\x9b6n", b"\xc2\x9d10;?\x07", b"\xc2\x90$qm\xc2\x9c", b"\xc2\x9a",  # as C1
]  # fmt: skip
HARMLESS = [
    b"plain text, 100 % of it?\r\n",
    "Grüße, 日本語, © µ".encode(),
    b"\x1b[31mred\x1b[0m\x1b[2J\x1b[H\x1b[?1049h\x1b[?25l\x1b[4:3m",
    b"\x1b]0;what?\x07", b"\x1b]8;;https://x/?q=1\x1b\\link\x1b]8;;\x1b\\", b"\x1b]7;file:///?\x07",
    b"\x1b]10;#ff0000\x07", b"\x1b]52;c;aGk=\x07", b"\x1b]133;A\x07",
    b"\x1bP0;1|17/ab\x1b\\", b"\x1bPq#0;2;0;0;0#0~~\x1b\\",  # sixels
    b"\x1b_Gi=1,q=2,a=T,m=1;AAAA\x1b\\\x1b_Gm=0;AAAA\x1b\\",
    b"\x1b7\x1b8\x1b(B\x1b=\x1bM", b"\x1b[22;0t\x1b[23;0t\x1b[8;24;80t", b"\x1b[2 q", b"\x1b[>1u",
    b"\x1b[>4;2m", b"\xff\xfe\x80\x9b",
]  # fmt: skip


def shown(output: bytes, size: int) -> bytes:
    questions = QueryFilter()
    return b"".join(questions.feed(output[at : at + size]) for at in range(0, len(output), size))


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_left_out_however_it_is_cut(question: bytes) -> None:
    output = b"before" + question + b"after"

    assert {shown(output, size) for size in range(1, len(output) + 1)} == {b"beforeafter"}


@pytest.mark.parametrize("output", HARMLESS)
def test_everything_else_is_untouched_however_it_is_cut(output: bytes) -> None:
    assert {shown(output, size) for size in range(1, len(output) + 1)} == {output}


@pytest.mark.parametrize(
    ("output", "left"),
    [
        (b"\x1b[6\r\nn", b"\r\n"),  # controls inside a sequence are obeyed and hide nothing
        (b"\x1b[6\x00n", b"\x00"),
        (b"\x1b[6\x1b[6n", b""),
        (b"\x1b[6\x80n", b"\x80n"),
        (b"\x1b]0;x\x1b[6nend", b"end"),  # a string cut off by the next sequence
        (b"\x1bP\x07$qm\x1b\\", b""),  # BEL does not end a DCS
        (b"\x1b\x1b[6n", b"\x1b"),
        (b"\x1b[c\x1b[c\x1b[31m", b"\x1b[31m"),
    ],
)
def test_questions_do_not_hide(output: bytes, left: bytes) -> None:
    assert {shown(output, size) for size in range(1, len(output) + 1)} == {left}


def test_an_endless_sequence_is_not_held_for_ever() -> None:
    picture = b"\x1b]1337;File=:" + b"A" * (2 * HOLD_LIMIT)

    assert shown(picture, 4096)[: HOLD_LIMIT // 2] == picture[: HOLD_LIMIT // 2]
    assert len(QueryFilter().feed(b"\x1b]52;c;" + b"A" * 100)) == 0
