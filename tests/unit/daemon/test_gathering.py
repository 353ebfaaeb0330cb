"""When output is sent: a little at once, a flood gathered, and never forgotten."""

from pathlib import Path

import pytest

from holdfast.daemon.deliveries import Deliveries
from holdfast.daemon.viewers import GATHER_SECONDS, Viewers
from holdfast.metrics.counters import Counters
from holdfast.session.cursor import Cursor, Policy
from holdfast.store import LogWriter
from tests.support.hand_loop import HandLoop
from tests.support.onlooker import Onlooker


@pytest.mark.parametrize(
    ("prints", "at_once"),
    [
        ([1], 1),
        ([16_384], 16_384),
        ([16_385], 0),
        ([10_000, 6000, 1000], 16_000),
        ([10_000, 60_000], 10_000),
        ([65_536], 65_536),
        ([30_000, 30_000, 30_000], 90_000),
    ],
)
def test_what_is_not_sent_at_once_is_sent_a_moment_later(
    tmp_path: Path, prints: list[int], at_once: int
) -> None:
    loop, log = HandLoop(), bytearray()
    one = Onlooker(log, 1, Policy.LATEST, 1 << 20, is_gone=lambda *_: False, left=lambda _: None)
    viewers = Viewers(
        loop.as_loop,
        Deliveries(loop.as_loop),
        tmp_path,
        0,
        finish="",
        newest=lambda _: None,
        counters=Counters(),
        look_up=lambda *_: None,
        emptied=lambda viewers: viewers.close(),
        pause=lambda _: None,
    )
    one.begin(viewers.add(1, one, Cursor(0, policy=Policy.LATEST)), b"", 0)
    with LogWriter(tmp_path) as writer:
        for count in prints:
            log += bytes(count)
            writer.write(bytes(count))
            viewers.grew(writer.end)
    loop.rest()
    assert one.in_flight == at_once

    loop.advance(GATHER_SECONDS)

    assert one.in_flight == sum(prints)
    viewers.close()
