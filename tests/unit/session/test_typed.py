"""Exactly-once input: what a new daemon finds, what of a resend is new, and all of it together."""

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.session.typed import OFFSET_LIMIT, Found, Pending, Unit, found, fresh_part

PENDING = Pending(slot=3, end=40)


@pytest.mark.parametrize(
    ("pending", "done", "held", "wanted"),
    [
        (None, 0, 0, Found.NOTHING),  # nothing was ever typed
        (None, 0, 1, Found.NOTHING),  # a sentinel whose page is gone
        (None, 0, 5, Found.HALF),  # a piece whose page is gone: it must not stay in the way
        (PENDING, 36, 0, Found.NOT_APPLIED),
        (PENDING, 36, 1, Found.APPLIED),
        (PENDING, 36, 2, Found.HALF),
        (PENDING, 36, 4001, Found.HALF),
        (PENDING, 40, 0, Found.NOTHING),
        (PENDING, 40, 1, Found.NOTHING),  # done is stored, the sentinel is left
        (PENDING, 44, 0, Found.NOTHING),
        (PENDING, 44, 1, Found.NOTHING),
    ],
)
def test_the_pipe_and_two_numbers_say_how_far_a_piece_came(
    pending: Pending | None, done: int, held: int, wanted: Found
) -> None:
    assert found(pending, done, held) is wanted


@pytest.mark.parametrize(
    ("done", "offset", "data", "wanted"),
    [
        (0, 0, b"abc", (0, b"abc")),
        (3, 3, b"def", (3, b"def")),
        (3, 0, b"abc", None),
        (3, 1, b"bc", None),
        (3, 0, b"abcdef", (3, b"def")),
        (3, 2, b"cd", (3, b"d")),
        (3, 3, b"", None),
        (3, 0, b"", None),
    ],
)
def test_of_a_resend_only_what_is_new_counts(
    done: int, offset: int, data: bytes, wanted: tuple[int, bytes] | None
) -> None:
    assert fresh_part(done, offset, data) == wanted


def test_a_gap_is_an_error_that_names_both_numbers() -> None:
    with pytest.raises(ValueError, match=r"input at 7, but only 3 bytes"):
        fresh_part(3, 7, b"x")


@given(st.integers(0, 10_000), st.integers(0, OFFSET_LIMIT))
def test_slot_and_offset_fit_into_one_word(slot: int, end: int) -> None:
    pending = Pending(slot, end)

    assert pending.packed() < 1 << 64
    assert Pending.unpacked(pending.packed()) == pending


def test_a_word_of_zeros_is_no_piece() -> None:
    assert Pending.unpacked(0) is None


class Machine:
    """Page, pipe and PTY survive; the daemon that moves between them dies after any step."""

    def __init__(self) -> None:
        self.word = 0
        self.done = {0: 0, 1: 0}
        self.pipe = b""
        self.read = b""
        self.steps_left = 0

    def die_after(self, steps: int) -> None:
        self.steps_left = steps

    def step(self) -> None:
        if self.steps_left == 0:
            raise Died
        self.steps_left -= 1

    def recover(self) -> None:
        pending = Pending.unpacked(self.word)
        what = found(pending, self.done[pending.slot] if pending else 0, len(self.pipe))
        if what is Found.HALF:
            self.go_on()
        elif what is Found.APPLIED and pending is not None:
            self.step()
            self.done[pending.slot] = pending.end
        if self.pipe:
            self.step()
            self.pipe = b""

    def type(self, slot: int, offset: int, data: bytes) -> None:
        fresh = fresh_part(self.done[slot], offset, data)
        if fresh is None:
            return
        self.step()
        self.word = Pending(slot, fresh.offset + len(fresh.data)).packed()
        self.step()
        self.pipe = fresh.data + b"\0"
        self.go_on()

    def go_on(self) -> None:
        while len(self.pipe) > 1:  # byte by byte: the PTY may take as little as it likes
            self.step()
            self.read, self.pipe = self.read + self.pipe[:1], self.pipe[1:]
        self.step()
        pending = Pending.unpacked(self.word)
        assert pending is not None
        self.done[pending.slot] = pending.end
        self.step()
        self.pipe = b""


class Died(Exception):
    """SIGKILL."""


@settings(max_examples=300)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(1, 4)), min_size=1, max_size=6),
    st.lists(st.integers(0, 12), max_size=12),
)
def test_input_is_applied_once_and_in_order_wherever_the_daemon_dies(
    pieces: list[tuple[int, int]], lives: list[int]
) -> None:
    """T33: each client sends its pieces in order, and again until it hears that they are done."""
    machine, deaths = Machine(), deque(lives)
    sent = {0: b"", 1: b""}
    for slot, length in pieces:
        offset = len(sent[slot])
        data = bytes(97 + 13 * slot + (offset + n) % 13 for n in range(length))
        sent[slot] += data
        while True:
            machine.die_after(deaths.popleft() if deaths else 1_000)
            try:
                machine.recover()
                machine.type(slot, offset, data)
                break
            except Died:
                continue

    for slot, first in ((0, 97), (1, 110)):
        read = bytes(byte for byte in machine.read if first <= byte < first + 13)
        assert read == sent[slot]
    assert machine.pipe == b""


@pytest.mark.parametrize("is_pasted", [False, True])
@pytest.mark.parametrize("slot", [0, 167])
@pytest.mark.parametrize("end", [0, 1, OFFSET_LIMIT])
def test_a_unit_fits_into_one_word(slot: int, end: int, is_pasted: bool) -> None:
    unit = Unit(slot, end, is_pasted)

    assert unit.packed() < 1 << 64
    assert Unit.unpacked(unit.packed()) == unit
    assert Unit.unpacked(0) is None
