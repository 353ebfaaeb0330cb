"""A shorter timeline says of the bytes that are kept what the long one said."""

from zlib import crc32

from hypothesis import given
from hypothesis import strategies as st

from holdfast.formats.crc import joined_crc
from holdfast.formats.kept import Holes
from holdfast.formats.shorter import RUN_BYTES, shorter
from holdfast.formats.timeline import (
    RECORD_SIZE,
    Epoch,
    Hole,
    HoleReason,
    Inserted,
    Life,
    Record,
    Resize,
    Tick,
    decode_each,
    encode,
)

NOW = 1_700_000_000_000_000_000
PRUNED, CLEARED = HoleReason.PRUNED, HoleReason.CLEARED
LATER = b"L" * 16


def written(*records: Record) -> bytes:
    return b"".join(map(encode, records))


def spun(count: int, data: bytes, start: int = 0) -> list[Tick]:
    """The ticks of a program that prints *data* again and again."""
    step, crc = len(data), crc32(data)
    return [Tick(start + step * (at + 1), NOW + at, crc) for at in range(count)]


def vouched(records: bytes) -> dict[tuple[int, int], int]:
    """Which runs the ticks vouch for, with what."""
    runs, start = {}, 0
    for record in decode_each(records):
        if isinstance(record, Tick):
            runs[start, record.offset] = record.crc
            start = record.offset
    return runs


@given(st.binary(max_size=300), st.binary(max_size=300), st.integers(0, 5000))
def test_the_checksum_of_two_runs_is_that_of_all_their_bytes(
    first: bytes, second: bytes, more: int
) -> None:
    second += bytes(more)
    assert joined_crc(crc32(first), crc32(second), len(second)) == crc32(first + second)


def test_older_ticks_are_joined_and_vouch_for_the_same_bytes() -> None:
    short = shorter(written(*spun(1000, b"spin")), 200 * RECORD_SIZE, fine=100)

    assert len(short) <= 200 * RECORD_SIZE
    runs = vouched(short)
    assert [end for _, end in runs][-1] == 4000
    assert all(crc == crc32(b"spin" * ((end - at) // 4)) for (at, end), crc in runs.items())
    newest = [(at, end) for at, end in runs if at >= 3600]
    assert newest == [(at, at + 4) for at in range(3600, 4000, 4)]


def test_it_gets_no_longer_however_often_it_is_made_shorter() -> None:
    records, at = b"", 0
    for _ in range(50):
        records = shorter(records + written(*spun(500, b"x", at)), 400 * RECORD_SIZE, fine=100)
        at += 500
        assert len(records) <= 400 * RECORD_SIZE
    assert list(vouched(records))[-1][1] == at


def test_no_run_is_joined_beyond_what_is_read_again() -> None:
    ticks = [Tick(RUN_BYTES // 2 * (at + 1), NOW, at) for at in range(99)]
    runs = vouched(shorter(written(*ticks), RECORD_SIZE, fine=0))
    assert {end - at for at, end in runs} == {RUN_BYTES, RUN_BYTES // 2}


def test_ticks_of_what_is_missing_become_one_beside_those_of_what_is_kept() -> None:
    ticks = spun(100, b"0123456789")
    holes = [Hole(0, 505, PRUNED), Hole(800, 100, CLEARED)]
    runs = vouched(shorter(written(*ticks, *holes), 1 << 20))

    # A run that is partly missing stays alone: nothing vouches for more than before.
    assert list(runs)[:3] == [(0, 500), (500, 510), (510, 520)]
    assert [run for run in runs if 790 <= run[0] < 920] == [
        (790, 800), (800, 900), (900, 910), (910, 920),
    ]  # fmt: skip
    assert all(crc in (0, crc32(b"0123456789")) for crc in runs.values())


def test_sizes_lives_and_insertions_of_what_is_gone_go_but_for_the_ones_that_count() -> None:
    gone: list[Record] = [Resize(1, NOW, 1, 1), Life(2, NOW, 1), Inserted(3, 5, NOW)]
    counts: list[Record] = [Resize(50, NOW, 80, 24), Life(60, NOW, 2), Inserted(90, 20, NOW)]
    stays: list[Record] = [Resize(150, NOW, 90, 30), Life(160, NOW, 3), Inserted(170, 5, NOW)]
    hole = Hole(0, 100, PRUNED)
    short = decode_each(shorter(written(*gone, *counts, hole, *stays), 1 << 20))

    assert short == [*counts, *stays, hole]


def test_neighbouring_holes_become_one_and_the_newer_reason_counts() -> None:
    holes = [Hole(at, 10, PRUNED) for at in range(0, 1000, 10)]
    holes += [Hole(0, 500, CLEARED), *(Hole(at, 10, PRUNED) for at in range(1000, 1100, 10))]
    short = shorter(written(*holes), 1 << 20)
    read = [one for one in decode_each(short) if isinstance(one, Hole)]

    assert len(read) == 3
    assert list(Holes(read)) == list(Holes(holes))


def test_the_epoch_that_counts_is_said_last_and_none_is_said_twice_before() -> None:
    ticks = spun(10, b"x")
    again = [Epoch(5, LATER) for _ in range(20)]
    short = decode_each(shorter(written(*again[:10], *ticks, *again[10:]), 1 << 20))

    assert short == [Epoch(5, LATER), *ticks, Epoch(5, LATER)]


def test_what_is_damaged_or_of_a_later_version_stays_and_hides_nothing() -> None:
    ticks = spun(300, b"spin")
    damaged = encode(ticks[100])[:-1] + b"?"
    later = b"\x7f" + bytes(27)
    later += crc32(later).to_bytes(4, "big")
    records = written(*ticks[:100]) + damaged + written(*ticks[101:200]) + later
    short = shorter(records + written(*ticks[200:]), 30 * RECORD_SIZE, fine=0)

    pieces = [short[at : at + RECORD_SIZE] for at in range(0, len(short), RECORD_SIZE)]
    assert damaged in pieces
    assert later in pieces
    # The run behind the damage is not what its checksum says, and is joined with none.
    assert vouched(short)[400, 408] == crc32(b"spin")
    assert len(pieces) < 100


lengths = st.lists(st.integers(1, 9), max_size=60)
gaps = st.lists(
    st.builds(Hole, st.integers(0, 300), st.integers(0, 60), st.sampled_from([PRUNED, CLEARED])),
    max_size=6,
)


@given(lengths, gaps, st.integers(1, 40), st.integers(0, 20))
def test_whatever_was_printed_and_dropped_nothing_is_said_that_was_not(
    sizes: list[int], holes: list[Hole], aim: int, fine: int
) -> None:
    data = bytes(at % 251 for at in range(sum(sizes)))
    ends = [sum(sizes[: at + 1]) for at in range(len(sizes))]
    ticks = [Tick(e, NOW, crc32(data[e - n : e])) for n, e in zip(sizes, ends, strict=True)]
    short = shorter(written(*ticks, *holes), aim * RECORD_SIZE, fine=fine)

    missing = Holes(holes)
    assert list(Holes(o for o in decode_each(short) if isinstance(o, Hole))) == list(missing)
    before, after = vouched(written(*ticks)), vouched(short)
    whole = {run: crc for run, crc in after.items() if not missing.between(*run)}
    assert all(crc == crc32(data[start:end]) for (start, end), crc in whole.items())
    # Every byte that somebody vouched for still has somebody who does.
    witnessed = {at for run in before if not missing.between(*run) for at in range(*run)}
    assert witnessed == {at for run in whole for at in range(*run)}
