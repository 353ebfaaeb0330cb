"""Input on a real PTY and a real pipe: what a new daemon finds there, and what clients resend."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from holdfast.daemon.input_page import SLOTS, Page
from holdfast.daemon.keystrokes import Input
from holdfast.errors import InputQueueFull, InvalidArgument, SessionGone
from holdfast.session.typed import QUEUE_LIMIT, Pending
from tests.support.desk import Desk, desk

BUSY: set[int] = set()  # nobody


def with_input(
    on: Desk,
    page: Path,
    scene: Callable[[Input], Awaitable[None]],
    *,
    can_splice: bool = True,
) -> None:
    """Play a scene with one daemon's input; its end is that daemon's death or better."""

    async def play() -> None:
        loop = asyncio.get_running_loop()
        typed = Input(loop, "abc", on.master, on.pipe, lambda: Page(page), can_splice=can_splice)
        try:
            await scene(typed)
        finally:
            typed.close(lambda: SessionGone(session="abc"))

    asyncio.run(play())


def torn(page: Path, on: Desk, *, done: int, end: int, left: bytes) -> None:
    """Leave the page and the pipe as a daemon that died may have left them."""
    numbers = Page(page)
    slot = numbers.slot_of("ann", 0, BUSY)
    assert slot is not None
    numbers.set_done(slot, done)
    numbers.pending = Pending(slot, end)
    numbers.close()
    if left:
        os.write(on.pipe, left)


@pytest.mark.parametrize("can_splice", [True, False])
@pytest.mark.parametrize(
    ("done", "left", "already"),
    [
        (0, b"", b""),  # noted, never written
        (0, b"hello\0", b""),  # written, not moved
        (0, b"lo\0", b"hel"),  # half moved
        (0, b"\0", b"hello"),  # moved, not noted as done
        (5, b"\0", b"hello"),  # done, the sentinel is left
        (5, b"", b"hello"),  # wholly applied
    ],
)
def test_a_piece_is_applied_once_wherever_the_daemon_before_died(
    tmp_path: Path, done: int, left: bytes, already: bytes, can_splice: bool
) -> None:
    """T33: the client sends it again in any case."""
    with desk() as on:
        torn(tmp_path / "page", on, done=done, end=5, left=left)
        os.write(on.master, already)

        async def resend(typed: Input) -> None:
            assert await typed.put("ann", 0, b"hello") == 5
            assert await typed.put("ann", 5, b" you") == 9

        with_input(on, tmp_path / "page", resend, can_splice=can_splice)

        assert on.read(9) == b"hello you"
        assert not on.has_more()


def test_a_half_applied_piece_is_known_also_when_others_type_before_its_resend(
    tmp_path: Path,
) -> None:
    """T33: with the resend behind somebody else's input, the piece was applied twice."""
    with desk() as on:
        torn(tmp_path / "page", on, done=0, end=5, left=b"lo\0")
        os.write(on.master, b"hel")

        async def scene(typed: Input) -> None:
            bob = typed.put("bob", 0, b"[bob]")
            again = typed.put("ann", 0, b"hello you")
            assert list(await asyncio.gather(bob, again)) == [5, 9]

        with_input(on, tmp_path / "page", scene)

        assert on.read(14) == b"hello[bob] you"
        assert not on.has_more()


def test_a_sentinel_is_left_to_nobody(tmp_path: Path) -> None:
    """A page that was lost with the runtime directory: what is in the pipe is typed first."""
    with desk() as on:
        os.write(on.pipe, b"tail\0")

        async def scene(typed: Input) -> None:
            await typed.put("ann", 70, b"!")

        with_input(on, tmp_path / "page", scene)

        assert on.read(5) == b"tail!"


def test_duplicates_and_overlaps_are_applied_once(tmp_path: Path) -> None:
    with desk() as on:

        async def scene(typed: Input) -> None:
            assert await typed.put("ann", 0, b"abc") == 3
            assert await typed.put("ann", 0, b"abc") == 3
            assert await typed.put("ann", 1, b"bcde") == 5
            assert await typed.put("ann", 2, b"c") == 5
            assert await typed.put("ann", 5, b"") == 5

        with_input(on, tmp_path / "page", scene)

        assert on.read(5) == b"abcde"
        assert not on.has_more()


def test_a_gap_is_refused_with_the_number_to_resend_from(tmp_path: Path) -> None:
    with desk() as on:

        async def scene(typed: Input) -> None:
            await typed.put("ann", 0, b"abc")
            with pytest.raises(InvalidArgument, match="resend from 3"):
                typed.put("ann", 5, b"x")
            with pytest.raises(InvalidArgument):
                typed.put("ann", -1, b"x")
            with pytest.raises(InvalidArgument):
                typed.put("bob", 1 << 60, b"x")

        with_input(on, tmp_path / "page", scene)

        assert on.read(3) == b"abc"


def test_a_resend_waits_for_the_first_copy_that_is_still_queued(tmp_path: Path) -> None:
    data = os.urandom(100_000)
    with desk() as on:

        async def scene(typed: Input) -> None:
            first = typed.put("ann", 0, data)
            first.cancel()  # its client has gone, and comes again
            again = typed.put("ann", 0, data)
            part = typed.put("ann", 0, data[:10])
            assert 10 <= await part < len(data)
            assert not again.done()
            got = await asyncio.to_thread(on.read, len(data))
            assert await again == len(data)
            assert got == data

        with_input(on, tmp_path / "page", scene)
        assert not on.has_more()


def test_the_queue_is_full_at_two_megabytes_and_takes_nothing_of_what_it_refuses(
    tmp_path: Path,
) -> None:
    data = os.urandom(QUEUE_LIMIT)
    with desk() as on:

        async def scene(typed: Input) -> None:
            taken = typed.put("ann", 0, data)
            # The PTY has some of it; that much is free, and not a byte more.
            typed.put("ann", len(data), b"x")
            with pytest.raises(InputQueueFull) as full:
                typed.put("bob", 0, data)
            assert 0 < full.value.queued <= QUEUE_LIMIT
            again = typed.put("ann", 0, data)  # nothing of it is new, so it needs no room
            got = await asyncio.to_thread(on.read, len(data) + 1)
            assert await taken == await again
            assert got == data + b"x"
            assert await typed.put("bob", 0, b"small") == 5

        with_input(on, tmp_path / "page", scene)
        assert on.read(5) == b"small"
        assert not on.has_more()


def test_what_waits_fails_by_name_when_the_session_ends(tmp_path: Path) -> None:
    async def scene(typed: Input) -> None:
        waiting = typed.put("ann", 0, bytes(100_000))
        typed.close(lambda: SessionGone(session="abc"))
        with pytest.raises(SessionGone):
            await waiting

    with desk() as on:
        with_input(on, tmp_path / "page", scene)


def test_input_to_a_terminal_that_nobody_has_open_waits_without_spinning(tmp_path: Path) -> None:
    """A hung-up terminal says without end that something is up with it."""
    data = os.urandom(50_000)
    with desk() as on:
        name = os.ttyname(on.slave)
        on.close_slave()

        async def scene(typed: Input) -> None:
            waiting = typed.put("ann", 0, data)
            before = time.process_time()
            await asyncio.sleep(0.5)  # the time in which it would spin is the experiment
            assert time.process_time() - before < 0.1
            assert not waiting.done()
            on.reopen_slave(name)
            await asyncio.to_thread(on.read, len(data), 0.5)
            assert await asyncio.wait_for(waiting, 5) == len(data)

        with_input(on, tmp_path / "page", scene)


def test_a_page_keeps_what_it_is_told(tmp_path: Path) -> None:
    page = Page(tmp_path / "page")
    slot = page.slot_of("ann", 70, BUSY)
    assert slot is not None
    assert page.done(slot) == 70
    page.set_done(slot, 71)
    page.pending = Pending(slot, 99)
    page.close()

    again = Page(tmp_path / "page")

    assert again.slot_of("ann", 0, BUSY) == slot
    assert (again.done(slot), again.pending) == (71, Pending(slot, 99))
    again.close()


def test_the_client_unheard_of_for_longest_makes_room_also_after_a_restart(tmp_path: Path) -> None:
    """Else the one whose input was just cut off may be forgotten, and typed twice."""
    page = Page(tmp_path / "page")
    slots = [page.slot_of(f"client-{n}", 0, BUSY) for n in range(SLOTS)]
    assert len(set(slots)) == SLOTS
    page.slot_of("client-0", 0, BUSY)
    page.close()

    page = Page(tmp_path / "page")
    new = page.slot_of("new", 5, BUSY)

    assert new == slots[1]
    assert page.done(slots[1] or 0) == 5
    assert page.slot_of("client-0", 9, BUSY) == slots[0]
    assert page.done(slots[0] or 0) == 0
    page.close()


def test_a_client_whose_input_is_on_its_way_keeps_its_place(tmp_path: Path) -> None:
    page = Page(tmp_path / "page")
    slots = {page.slot_of(f"client-{n}", 0, BUSY) or 0 for n in range(SLOTS)}

    assert page.slot_of("new", 0, busy={0, 1, 2}) == 3
    assert page.slot_of("other", 0, busy=slots) is None
    page.close()


def test_more_clients_than_a_page_has_places_lose_nothing(tmp_path: Path) -> None:
    """Each `hold send` is a client of its own; while a program reads nothing they add up."""
    with desk() as on:

        async def scene(typed: Input) -> None:
            stuffing = typed.put("ann", 0, bytes(100_000))
            waiting = [typed.put(f"c{n}", 0, b"%4d" % n) for n in range(SLOTS - 1)]
            with pytest.raises(InputQueueFull):
                typed.put("one-more", 0, b"none of it")
            got = await asyncio.to_thread(on.read, 100_000 + 4 * len(waiting))
            assert await stuffing == 100_000
            assert await asyncio.gather(*waiting) == [4] * len(waiting)
            assert got[100_000:] == b"".join(b"%4d" % n for n in range(SLOTS - 1))
            assert await typed.put("one-more", 0, b"all of it") == 9

        with_input(on, tmp_path / "page", scene)
        assert on.read(9) == b"all of it"
