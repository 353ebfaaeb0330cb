"""Ctrl-\\ twice within 400 ms leaves; a lone one goes through after that."""

import pytest

from holdfast.terminal.detach import Detach

K = b"\x1c"


@pytest.mark.parametrize(
    ("typed", "sent", "leaves"),
    [
        # each key with the time of its arrival in ms; what has been sent 1 s after the last
        ([(0, b"ls\r")], b"ls\r", False),
        ([(0, K)], K, False),
        ([(0, K), (399, K)], b"", True),
        ([(0, K), (400, K)], K + K, False),  # two lone ones
        ([(0, K), (400, K), (700, K)], K, True),
        ([(0, K + K)], b"", True),
        ([(0, b"a" + K), (100, K + b"b")], b"a", True),  # what follows is for nobody
        ([(0, K + b"x"), (100, K)], K + b"x" + K, False),
        ([(0, b"a" + K + b"ib")], b"a" + K + K + b"b", False),  # for a `hold` inside
        ([(0, K), (399, b"\x1b[105u")], K + K, False),
        ([(0, K), (100, b"x"), (200, K)], K + b"x" + K, False),
        ([(0, K), (100, b"x" + K), (300, K)], K + b"x", True),
        ([(0, K), (1000, b"x")], K + b"x", False),
        ([(0, b"")], b"", False),
    ],
)
def test_what_is_sent_and_who_leaves(
    typed: list[tuple[int, bytes]], sent: bytes, leaves: bool
) -> None:
    keys = Detach(within=0.4)
    found = b""
    for at, data in typed:
        found += keys.feed(data, at / 1000)
    found += keys.expire(typed[-1][0] / 1000 + 1)

    assert keys.requested is leaves
    if not leaves:
        assert keys.deadline() is None
    assert found == sent


def test_a_lone_press_is_held_back_until_its_time_is_over() -> None:
    keys = Detach(within=0.4)

    assert keys.feed(K, 10.0) == b""
    assert keys.deadline() == pytest.approx(10.4)
    assert keys.expire(10.3) == b""
    assert keys.expire(10.4) == K
    assert keys.deadline() is None


def test_nothing_is_timed_without_a_press() -> None:
    keys = Detach()
    keys.feed(b"ls\r", 0.0)

    assert keys.deadline() is None
