"""A word of ours lands between two sequences, never in one."""

import pytest

from holdfast.terminal.ground import LONGEST, Ground

WHOLE = [
    b"text\r\n", b"\x1b[31m", b"\x1b[31mred", b"\x1b[?1049h", b"\x1b]2;title\x07", b"\x1b7",
    b"\x1b]2;title\x1b\\", b"\x1bP1$r0m\x1b\\after", b"\x1b(B", b"\x1b%G", b"\xe2\x82\xac",
    b"\xf0\x9f\x98\x80", b"\x1b[31\x18x", b"\x1b]2;tit\x18", b"\xff\xfe", b"\x1b[ q",
]  # fmt: skip
CUT = [
    b"\x1b", b"\x1b[", b"\x1b[31", b"\x1b[?10", b"\x1b]2;tit", b"\x1b]2;title\x1b", b"\x1bP1$r",
    b"\x1b(", b"\xe2", b"\xe2\x82", b"\xf0\x9f\x98", b"text\x1b[1", b"\x1b[0m\xc3",
]  # fmt: skip


@pytest.mark.parametrize("data", WHOLE)
def test_what_is_whole(data: bytes) -> None:
    for size in range(1, len(data) + 1):
        ground = Ground()
        for at in range(0, len(data), size):
            ground.feed(data[at : at + size])
        assert ground.is_reached


@pytest.mark.parametrize("data", CUT)
def test_what_is_cut(data: bytes) -> None:
    ground = Ground()
    for at in range(len(data)):
        ground.feed(data[at : at + 1])
    assert not ground.is_reached


def test_a_long_string_costs_no_memory_and_still_ends() -> None:
    ground = Ground()
    ground.feed(b"\x1b]52;c;")
    for _ in range(100):
        ground.feed(b"A" * 1000)
    assert len(ground.tail) <= LONGEST
    assert not ground.is_reached

    ground.feed(b"A\x07")

    assert ground.is_reached
