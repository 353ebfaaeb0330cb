"""The part of a larger screen that is shown in a smaller terminal is that around its cursor."""

import pytest

from holdfast.protocol.messages import Screen
from holdfast.terminal.cropping import cropped


def screen(lines: list[str], cursor: tuple[int, int] | None) -> Screen:
    return Screen(
        session="s", offset=0, end=0, form="text", data="\n".join(lines).encode(), cols=20,
        rows=6, lines=0, fidelity="exact", cursor=cursor,
    )  # fmt: skip


LINES = ["0123456789", "one", "two\x1b[31m", "three", "four", "last line"]


@pytest.mark.parametrize(
    ("cursor", "shown", "place"),
    [
        ((0, 0), [b"01234", b"one", b"two[3"], b"1;1"),
        ((7, 0), [b"34567", b"", b"[31m"], b"1;5"),
        ((2, 5), [b"three", b"four", b"last "], b"3;3"),
        (None, [b"01234", b"one", b"two[3"], b"1;1"),
    ],
)
def test_the_part_around_the_cursor(
    cursor: tuple[int, int] | None, shown: list[bytes], place: bytes
) -> None:
    drawn = cropped(screen(LINES, cursor), (5, 3))

    assert drawn.startswith(b"\x1b[m\x1b[?7l\x1b[H" + b"\x1b[K\r\n".join(shown) + b"\x1b[K\x1b[J")
    assert drawn.endswith(b"\x1b[" + place + b"H")
