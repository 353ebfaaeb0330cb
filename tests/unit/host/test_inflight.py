"""The calls of one socket: side by side, begun in order, and never too many."""

import asyncio

from holdfast.host.inflight import Calls
from tests.support.twins import run


class Work:
    """Calls that end when they are told to."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.may_end = [asyncio.Event() for _ in range(10)]

    async def call(self, number: int) -> None:
        self.begun.append(number)
        await self.may_end[number].wait()

    def end(self) -> None:
        for each in self.may_end:
            each.set()


async def turns() -> None:
    """Let everything happen that can."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_calls_begin_in_order_and_end_in_any() -> None:
    async def work() -> None:
        calls, it = Calls(), Work()
        for number in range(3):
            assert await calls.begin(it.call(number), 1)
        await asyncio.sleep(0)
        assert it.begun == [0, 1, 2]
        it.may_end[1].set()
        await turns()
        assert len(calls) == 2
        it.end()

    run(work())


def test_beyond_the_bound_the_next_waits_until_one_has_ended() -> None:
    async def work() -> None:
        calls, it = Calls(most=2), Work()
        for number in range(2):
            await calls.begin(it.call(number), 1)
        third = asyncio.create_task(calls.begin(it.call(2), 1))
        await turns()
        assert it.begun == [0, 1]
        it.may_end[0].set()
        assert await third
        await asyncio.sleep(0)
        assert it.begun == [0, 1, 2]
        it.end()

    run(work())


def test_bytes_are_bounded_too_but_a_large_message_alone_is_let_in() -> None:
    async def work() -> None:
        calls, it = Calls(most_bytes=10, patience=0.01), Work()
        assert await calls.begin(it.call(0), 100)
        assert not await calls.begin(it.call(1), 1)
        it.may_end[0].set()
        await turns()
        assert await calls.begin(it.call(2), 9)
        assert await calls.begin(it.call(3), 1)
        assert not await calls.begin(it.call(4), 1)
        it.end()

    run(work())


def test_if_nothing_ends_in_time_it_says_so_and_begins_nothing() -> None:
    async def work() -> None:
        calls, it = Calls(most=1, patience=0.01), Work()
        await calls.begin(it.call(0), 1)
        assert not await calls.begin(it.call(1), 1)
        await asyncio.sleep(0)
        assert it.begun == [0]
        it.may_end[0].set()

    run(work())
