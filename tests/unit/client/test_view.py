"""What a viewer sees over several connections, and what it says of itself on each."""

import os
import zlib

from holdfast.client.view import Behind, Chunk, End, Gap, Snapshot, View
from holdfast.protocol import messages as m
from holdfast.protocol.connection import DataReceived
from tests.support.samples import SESSION

EPOCH = bytes(range(16))
BLOCK = 256 * 1024
ASKED = m.Attach(session="k3v9qd", window=64 << 10)


def answer(viewer: int, offset: int, outcome: str = "exact", **more: object) -> m.Attached:
    return m.Attached(
        viewer=viewer,
        session=SESSION,
        outcome=outcome,
        offset=offset,
        oldest=0,
        end=offset,
        epoch=EPOCH,
        owner="me",
        **more,  # type: ignore[arg-type]
    )


def data(offset: int, payload: bytes, viewer: int = 1) -> DataReceived:
    return DataReceived(viewer, offset, memoryview(payload))


def looking(offset: int = 0) -> View:
    """A view that holds nothing and is answered."""
    view = View(ASKED)
    view.attached(answer(1, offset, "snapshot"))
    return view


def test_who_holds_nothing_asks_plainly_and_sees_a_picture_first() -> None:
    view = View(ASKED)

    assert view.request() == ASKED
    items = view.attached(answer(1, 9, "snapshot", snapshot=b"$ ", fidelity="tail"))
    assert items == [Snapshot(9, b"$ ", "tail", "")]
    assert view.feed(data(9, b"make\r\n")) == [Chunk(9, b"make\r\n")]


def test_what_is_gone_is_the_end() -> None:
    view = View(ASKED)

    assert view.attached(answer(0, 9, "gone")) == [End(9, "gone")]
    assert view.is_over
    assert not view.owns(data(9, b"x", viewer=0))


def test_who_comes_back_says_what_it_holds_and_goes_on() -> None:
    view = looking(5)
    view.feed(data(5, b"hello"))
    view.lost()
    asked = view.request()

    assert (asked.since, asked.epoch, asked.length) == (10, EPOCH, 5)
    assert asked.crc == zlib.crc32(b"hello")
    assert view.attached(answer(2, 10)) == []
    assert view.feed(data(10, b"!", viewer=2)) == [Chunk(10, b"!")]


def test_what_is_about_another_viewer_is_not_its_own() -> None:
    view = looking()

    assert view.owns(data(0, b"x"))
    assert not view.owns(data(0, b"x", viewer=2))
    assert not view.owns(m.Gap(viewer=2, start=0, end=1, reason="pruned"))
    view.lost()
    assert not view.owns(data(0, b"x"))


def test_what_is_not_sent_is_said() -> None:
    view = looking()
    view.feed(data(0, b"abc"))

    assert view.feed(m.Gap(viewer=1, start=3, end=50, reason="skipped")) == [Gap(3, 50, "skipped")]
    picture = m.Snapshot(viewer=1, offset=50, data=b"$ ", fidelity="tail")
    assert view.feed(picture) == [Snapshot(50, b"$ ", "tail", "skipped")]
    assert view.feed(data(50, b"x")) == [Chunk(50, b"x")]
    assert view.feed(m.Lag(viewer=1, level="behind", bytes=7)) == [Behind("behind", 7)]
    assert view.feed(m.Finished(viewer=1, offset=51, reason="exited")) == [End(51, "exited")]
    assert view.is_over


def test_a_gap_before_the_picture_of_an_attachment_comes_first() -> None:
    view = looking()
    view.feed(data(0, b"abc"))
    view.lost()
    gap = m.Gap(viewer=2, start=3, end=90, reason="pruned")

    items = view.attached(answer(2, 90, "snapshot", gap=gap, reason="too old", snapshot=b"now"))

    assert items == [Gap(3, 90, "pruned"), Snapshot(90, b"now", "", "too old")]


def test_it_acknowledges_what_is_used_a_quarter_of_the_window_at_a_time() -> None:
    view = looking()

    assert view.used(16_383) is None
    assert view.used(16_384) == m.Ack(viewer=1, offset=16_384)
    assert view.used(30_000) is None
    assert view.used(32_768) == m.Ack(viewer=1, offset=32_768)
    view.lost()
    assert view.used(65_536) is None


def test_a_byte_that_was_changed_on_the_way_is_noticed_and_healed() -> None:
    view, block = looking(), os.urandom(BLOCK)
    view.feed(data(0, block))

    assert view.feed(m.Digest(viewer=1, offset=BLOCK, crc=zlib.crc32(block))) == []
    view.feed(data(BLOCK, block[:-1] + b"\0"))
    view.feed(m.Digest(viewer=1, offset=2 * BLOCK, crc=zlib.crc32(block[:-1] + b"\1")))
    assert view.has_to_begin_anew
    assert view.mismatches == 1
    assert view.feed(data(2 * BLOCK, b"more of what is wrong")) == []
    view.lost()
    assert view.request().since is None
    assert view.attached(answer(2, 9, "snapshot")) == [Snapshot(9, b"", "", "")]
    assert view.feed(data(9, b"right", viewer=2)) == [Chunk(9, b"right")]


def test_bytes_that_belong_elsewhere_are_not_shown() -> None:
    view = looking()

    assert view.feed(data(5, b"far away")) == []
    assert view.has_to_begin_anew


def test_a_block_of_which_the_beginning_is_not_held_is_not_compared() -> None:
    view = looking(100)
    view.feed(data(100, bytes(BLOCK - 100)))
    view.feed(m.Digest(viewer=1, offset=BLOCK, crc=1))

    assert not view.has_to_begin_anew


def test_bytes_whose_queries_are_answered_are_told_apart() -> None:
    view = View(ASKED)
    view.attached(answer(1, 5, "exact", answered=8))

    assert view.feed(data(5, b"ab")) == [Chunk(5, b"ab", is_answered=True)]
    assert view.feed(data(7, b"cde")) == [Chunk(7, b"c", is_answered=True), Chunk(8, b"de")]
    assert view.feed(data(10, b"f")) == [Chunk(10, b"f")]
