"""Tabs come, go, reload and take each other's seats: nobody is told a thing twice, or too late."""

import asyncio

import pytest

from tests.support.home import Home, until
from tests.support.hosting import HostProcess, Refused, Tab, open_tab, running_host
from tests.support.twins import run

pytestmark = pytest.mark.slow

ORDER = ["started", "init", "welcome", "layout", "daemon", "session"]
# Its terminal fills up: it takes what is typed as it comes, and nobody reads it.
DEAF = "stty raw -echo; echo deaf; exec sleep 600"
LINES = "for i in 1 2 3 4 5; do echo line $i; done; exec cat"


def keyed(tab: Tab) -> list[tuple[str, str]]:
    """What a tab was told of what holds, as (event, key)."""
    return [(name, payload.get("id", "")) for name, payload in tab.events if name in ORDER]


async def reloads(host: HostProcess, tab: Tab, session: str, home: Home) -> None:
    """Reload four times; each time the same is told, once and in order, and no byte differs."""
    answer = await tab.attach(1, session)
    await tab.type(session, b"typed\n")
    await tab.shows(1, b"typed", 2)
    before, epoch = tab.views[1], answer["epoch"]
    for number in range(4):
        await tab.cut()
        tab = Tab(host)
        await tab.open()
        await tab.knows(session)
        told = keyed(tab)
        assert [name for name, _ in told] == sorted((name for name, _ in told), key=ORDER.index)
        assert len(told) == len(set(told)), told
        assert tab.last("started")["epoch"] > number
        assert tab.session(session)["owner"] == "me"
        if number % 2:
            answer = await tab.attach(1, session)
            assert answer["outcome"] == "exact"
        else:
            held = bytes(before.data)
            answer = await tab.resume(1, session, held, before.start, epoch)
            assert answer["outcome"] == "exact"
            tab.views[1].data[:0] = held
            tab.views[1].start = before.start
        word = b"word%d" % number
        await tab.type(session, word + b"\n")
        await tab.shows(1, word, 2)
        before = tab.views[1]
        with home.client() as client:
            assert bytes(before.data) == home.output(client, session)
    await tab.close()


def test_four_reloads_of_a_host_that_began_with_nothing(home: Home) -> None:
    """First there is a welcome, and once there is a session a layout instead."""

    async def work() -> None:
        with running_host(home) as host:
            tab = Tab(host)
            await tab.open()
            assert [name for name, _ in keyed(tab)] == ["started", "init", "welcome", "daemon"]
            session = await tab.create("sh", "-c", LINES)
            await tab.until(lambda: tab.last("layout"), "the layout")
            assert tab.last("layout") == {"sessions": [session], "chosen": session}
            await reloads(host, tab, session, home)

    run(work(), timeout=120)


def test_four_reloads_of_a_host_with_a_command(home: Home) -> None:
    async def work() -> None:
        with running_host(home, "--", "sh", "-c", LINES) as host:
            tab = Tab(host)
            await tab.open()
            session = tab.last("layout")["chosen"]
            assert not tab.has("welcome")
            await tab.ask("claim", session=session)
            await reloads(host, tab, session, home)

    run(work(), timeout=120)


def test_four_reloads_of_a_host_with_sessions_that_were_there_before(home: Home) -> None:
    with home.client() as client:
        others = [home.create(client, "cat").id for _ in range(3)]
        session = home.create(client, "sh", "-c", LINES).id

    async def work() -> None:
        with running_host(home) as host:
            tab = Tab(host)
            await tab.open()
            layout = tab.last("layout")
            assert layout["sessions"] == [*others, session]
            await tab.ask("claim", session=session)
            await reloads(host, tab, session, home)

    run(work(), timeout=120)


def test_a_page_that_begins_anew_on_its_connection_is_told_all_again(home: Home) -> None:
    """A second `ready`: each latest payload exactly once more."""

    async def work() -> None:
        with running_host(home, "--", "cat") as host:
            async with open_tab(host) as tab:
                session = tab.last("layout")["chosen"]
                await tab.ask("rename", session=session, name="one")
                await tab.ask("rename", session=session, name="two")
                await tab.knows(session, name="two")
                tab.events.clear()
                await tab.say("ready")
                await tab.knows(session)

                assert [name for name, _ in keyed(tab)] == [*ORDER[:2], *ORDER[3:]]
                assert tab.session(session)["name"] == "two"

    run(work())


def test_the_newer_tab_of_a_seat_takes_it_and_the_older_is_told_last_of_all(home: Home) -> None:
    """The reason arrives before anything else could be said, and nothing follows it."""

    async def work() -> None:
        with running_host(home, "--", "sh", "-c", "while :; do echo x; sleep 0.02; done") as host:
            first = Tab(host, "first")
            await first.open()
            session = first.last("layout")["chosen"]
            await first.attach(1, session)
            async with open_tab(host, "second") as second:
                await first.until(lambda: first.is_gone, "the end of the first")
                assert first.names()[-1] == "superseded"
                assert "another tab" in first.last("superseded")["reason"]
                await second.attach(1, session)
                await second.until(lambda: second.views[1].frames > 3, "output")
                # What the first one says now, or its late end, changes nothing.
                await first.close()
                seen = second.views[1].frames
                await second.until(lambda: second.views[1].frames > seen + 3, "more output")
                assert not second.is_gone
                again = Tab(host, "first")
                await again.open()
                await second.until(lambda: second.is_gone, "the end of the second")
                await again.close()

    run(work())


def test_who_is_superseded_leaves_its_sessions_to_the_next(home: Home) -> None:
    async def work() -> None:
        with running_host(home) as host:
            first = Tab(host, "first")
            await first.open()
            session = await first.create("cat")
            async with open_tab(host, "second") as second:
                await first.until(lambda: first.is_gone, "the end of the first")
                await second.knows(session, owner="none")
                await second.type(session, b"hello\n")
            await first.close()

    run(work())


def test_tabs_on_two_seats_live_side_by_side(home: Home) -> None:
    async def work() -> None:
        with running_host(home, "--", "cat") as host:
            async with open_tab(host, "first") as first:
                session = first.last("layout")["chosen"]
                async with open_tab(host, "second", f"s/{session}") as second:
                    await first.attach(1, session)
                    await second.attach(1, session)
                    await first.type(session, b"hello\n")
                    for tab in (first, second):
                        await tab.shows(1, b"hello")
                    with pytest.raises(Refused) as refused:
                        await second.type(session, b"me too\n")
                    assert refused.value.code == "OWNER_REQUIRED"
                    await second.ask("takeover", session=session)
                    await first.knows(session, owner="other")
                    await second.type(session, b"now\n")
                    assert not first.is_gone
                    assert not second.is_gone

    run(work())


def test_a_duplicated_tab_wins_over_the_one_it_was_copied_from(home: Home) -> None:
    """T37: it brings the same client id, also on another seat."""

    async def work() -> None:
        with running_host(home, "--", "cat") as host:
            first = Tab(host, "same")
            await first.open()
            session = first.last("layout")["chosen"]
            await first.ask("claim", session=session)
            async with open_tab(host, "same", f"s/{session}") as second:
                await first.until(lambda: first.is_gone, "the end of the first")
                assert first.names()[-1] == "superseded"
                await second.attach(1, session)
                await second.type(session, b"mine\n")
                await second.shows(1, b"mine")
                assert second.session(session)["owner"] == "me"
            await first.close()

    run(work())


def test_who_vanishes_keeps_its_sessions_for_a_while(home: Home) -> None:
    """No goodbye is said for a page that reloads: nobody gets in between."""

    async def work() -> None:
        with running_host(home) as host:
            first = Tab(host, "first")
            await first.open()
            session = await first.create("cat")
            await first.cut()
            async with open_tab(host, "other") as other:
                with pytest.raises(Refused) as refused:
                    await other.type(session, b"mine now\n")
                assert refused.value.code == "OWNER_REQUIRED"
            async with open_tab(host, "first") as again:
                await again.type(session, b"still mine\n")
                assert again.session(session)["owner"] == "me"

    run(work())


def test_the_reply_to_who_has_gone_is_dropped_and_the_next_is_handled_once(home: Home) -> None:
    """A request is under way when its tab vanishes: one line, and nothing is doubled."""

    async def work() -> None:
        with running_host(home, "--", "sh", "-c", DEAF, HOLDFAST_DEBUG="1") as host:
            first = Tab(host)
            await first.open()
            deaf = first.last("layout")["chosen"]
            await first.attach(1, deaf)
            await first.shows(1, b"deaf")
            session = await first.create("cat")
            # Nobody reads this, so its answer does not come.
            await first.say("input", session=deaf, data=b"x" * 100_000)
            asking = asyncio.create_task(first.ask("input", session=deaf, data=b"y" * 100_000))
            await first.ask("rename", session=session, name="behind it")
            await first.cut()
            asking.cancel()
            async with open_tab(host) as tab:
                await tab.attach(1, session)
                await tab.type(session, b"once\n")
                await tab.shows(1, b"once", 2)
            dropped = until(lambda: "reply to input is dropped" in host.log(), "the line")
        assert dropped
        with home.client() as client:
            assert home.output(client, session) == b"once\r\nonce\r\n"

    run(work())


def test_several_sessions_change_at_once_and_none_hides_another(home: Home) -> None:
    """Payloads of one event are kept by key."""

    async def work() -> None:
        with running_host(home) as host:
            async with open_tab(host) as tab:
                made = [await tab.create("cat", name=f"n{number}") for number in range(12)]
                await asyncio.gather(
                    *(tab.ask("rename", session=each, name=f"{each} new") for each in made)
                )
                await tab.cut()
            async with open_tab(host) as tab:

                def known() -> list[str]:
                    return list(dict.fromkeys(each["id"] for each in tab.told("session")))

                await tab.until(lambda: len(known()) == len(made), "all of them")
                assert known() == made
                assert all(each["name"] == f"{each['id']} new" for each in tab.told("session"))

    run(work())


def test_what_others_do_is_pushed(home: Home) -> None:
    """Created, renamed, ended and forgotten by somebody else: nobody asks on a timer."""

    async def work() -> None:
        with running_host(home) as host:
            async with open_tab(host) as tab:
                session = (await asyncio.to_thread(home.hold, "run", "-d", "--", "cat")).strip()
                await tab.knows(session)
                await asyncio.to_thread(home.hold, "rename", session, "other")
                await tab.knows(session, name="other")
                await asyncio.to_thread(home.hold, "kill", session)
                await tab.knows(session, state="exited")
                await asyncio.to_thread(home.hold, "forget", session, "--yes")
                await tab.until(lambda: tab.last("gone") == {"id": session}, "that it is forgotten")

    run(work())
