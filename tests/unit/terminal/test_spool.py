"""What is kept for a daemon that is not there: all of it, or the newest and a gap in front."""

import os
import random
import tempfile

import pytest

from holdfast.terminal.spool import BLOCK, Spool

TEXT = random.Random(7).randbytes(64 * BLOCK)


def opened() -> int:
    fd, name = tempfile.mkstemp()
    os.unlink(name)  # noqa: PTH108 - as the product does
    return fd


def refused() -> int:
    raise OSError("no place")


def everything(spool: Spool) -> bytes:
    found = bytearray()
    while piece := spool.read(spool.begin + len(found), 50_000):
        found += piece
    return bytes(found)


def filled(spool: Spool, size: int, piece: int) -> Spool:
    for at in range(0, size, piece):
        spool.add(TEXT[at : min(at + piece, size)])
    return spool


@pytest.mark.parametrize("piece", [1, 13, 4095, BLOCK, 3 * BLOCK + 1])
def test_what_was_added_is_read(piece: int) -> None:
    size = 2 * BLOCK + 77
    spool = filled(Spool(4 * BLOCK, 0, refused), size, piece)

    assert everything(spool) == TEXT[:size]
    assert (spool.begin, spool.end, spool.waiting) == (0, size, size)


@pytest.mark.parametrize("piece", [1000, 4095, BLOCK, 2 * BLOCK + 5])
def test_memory_and_file_together_are_one(piece: int) -> None:
    size = 30 * BLOCK
    spool = filled(Spool(2 * BLOCK, 40 * BLOCK, opened), size, piece)

    assert everything(spool) == TEXT[:size]
    spool.close()


@pytest.mark.parametrize("piece", [1000, 4095, BLOCK])
def test_beyond_both_the_oldest_goes(piece: int) -> None:
    size = 60 * BLOCK
    spool = filled(Spool(2 * BLOCK, 8 * BLOCK, opened), size, piece)

    kept = everything(spool)

    assert kept == TEXT[spool.begin : size]
    assert 8 * BLOCK <= len(kept) <= 10 * BLOCK + piece
    assert (spool.taken, spool.lost) == (0, spool.begin)
    spool.close()


def test_without_a_file_memory_is_all() -> None:
    for spool in (Spool(2 * BLOCK, 0, refused), Spool(2 * BLOCK, 9 * BLOCK, refused)):
        filled(spool, 20 * BLOCK, 4095)

        assert everything(spool) == TEXT[spool.begin : 20 * BLOCK]
        assert BLOCK <= spool.end - spool.begin <= 2 * BLOCK


def test_what_was_taken_makes_room() -> None:
    spool = Spool(2 * BLOCK, 4 * BLOCK, opened)
    for at in range(0, len(TEXT), 5000):
        spool.add(TEXT[at : at + 5000])
        spool.take(max(0, spool.end - 3 * BLOCK))

    assert spool.lost == 0
    assert everything(spool) == TEXT[spool.taken :]
    spool.take(spool.end)
    assert (spool.waiting, everything(spool)) == (0, b"")
    spool.add(b"more")
    assert everything(spool) == b"more"
    spool.close()


def test_a_file_that_is_used_up_is_closed() -> None:
    files: list[int] = []

    def noted() -> int:
        files.append(opened())
        return files[-1]

    spool = filled(Spool(2 * BLOCK, 30 * BLOCK, noted), 20 * BLOCK, BLOCK)
    spool.take(spool.end)

    assert len(files) == 1
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(files[0])


def test_a_full_disk_is_a_limit_that_is_reached() -> None:
    """/dev/full takes nothing: there is one gap, in front, and the newest is in memory."""
    spool = Spool(2 * BLOCK, 30 * BLOCK, lambda: os.open("/dev/full", os.O_RDWR))
    filled(spool, 20 * BLOCK, 4095)

    assert everything(spool) == TEXT[spool.begin : 20 * BLOCK]
    assert spool.lost > 0


def test_any_order_of_events() -> None:
    """As in a model that keeps everything."""
    for seed in range(200):
        rng = random.Random(seed)
        spool = Spool(2 * BLOCK, rng.choice([0, 3, 7]) * BLOCK, opened)
        at = 0
        while at < 40 * BLOCK:
            size = rng.choice([1, 100, 4095, BLOCK, 100_000])
            spool.add(TEXT[at : at + size])
            at += size
            if rng.random() < 0.2:
                spool.take(rng.randint(spool.taken, spool.end))
            offset = rng.randint(spool.begin, spool.end)
            piece = spool.read(offset, rng.choice([1, 5000, 200_000]))
            assert piece == TEXT[offset : offset + len(piece)]
            assert bool(piece) == (offset < spool.end)
        spool.close()
