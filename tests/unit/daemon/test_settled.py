"""Who waits until everything is known goes on in turn, and hears why when it takes longer."""

import asyncio

import pytest

from holdfast.daemon.settled import Settled
from holdfast.errors import HoldfastError, IoFailed

TROUBLE = IoFailed(action="opening the journal", reason="it is locked")


async def answer(settled: Settled, name: str, heard: list[str]) -> None:
    await settled.wait()
    heard.append(name)


async def refused(settled: Settled) -> HoldfastError:
    with pytest.raises(HoldfastError) as raised:
        await settled.wait()
    return raised.value


def test_who_has_waited_goes_before_who_comes_at_that_moment() -> None:
    """Two creates of one key must not change places."""

    async def scene() -> list[str]:
        settled, heard = Settled(), list[str]()
        async with asyncio.TaskGroup() as tasks:
            for name in ("first", "second"):
                tasks.create_task(answer(settled, name, heard))
            await asyncio.sleep(0)
            settled.set()
            tasks.create_task(answer(settled, "late", heard))
        return heard

    assert asyncio.run(scene()) == ["first", "second", "late"]


def test_who_asks_for_one_session_waits_for_that_one() -> None:
    async def scene() -> list[str]:
        settled, heard = Settled(), list[str]()

        async def ask(session: str) -> None:
            await settled.wait_for(session)
            heard.append(session)

        async with asyncio.TaskGroup() as tasks:
            for session in ("one", "other", "none"):
                tasks.create_task(ask(session))
            await asyncio.sleep(0)
            settled.handed("other")
            settled.handed("nobody-asks-for")
            await asyncio.sleep(0)
            heard.append("|")
            settled.handed("one")
            await asyncio.sleep(0)
            heard.append("|")
            settled.set()
        return heard

    assert asyncio.run(scene()) == ["other", "|", "one", "|", "none"]


def test_who_asks_for_one_session_hears_of_trouble() -> None:
    async def scene() -> None:
        settled = Settled()
        waiting = asyncio.ensure_future(settled.wait_for("one"))
        await asyncio.sleep(0)
        settled.fail(TROUBLE)
        await waiting  # asked again, as who asks does
        with pytest.raises(IoFailed):
            await settled.wait_for("one")

    asyncio.run(scene())


def test_trouble_is_heard_at_once_and_until_it_is_over() -> None:
    async def scene() -> tuple[HoldfastError, HoldfastError]:
        settled = Settled()
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(refused(settled))
            await asyncio.sleep(0)
            settled.fail(TROUBLE)
            later = await refused(settled)
        settled.set()
        await settled.wait()
        assert settled.is_set()
        return waiting.result(), later

    assert asyncio.run(scene()) == (TROUBLE, TROUBLE)


def test_who_gave_up_keeps_nobody_from_going_on() -> None:
    async def scene() -> list[str]:
        settled, heard = Settled(), list[str]()
        given_up = asyncio.ensure_future(answer(settled, "given up", heard))
        waiting = asyncio.ensure_future(answer(settled, "waiting", heard))
        await asyncio.sleep(0)
        given_up.cancel()
        settled.set()
        await waiting
        return heard

    assert asyncio.run(scene()) == ["waiting"]
