"""What one page asks all at once: in order, side by side, and bounded."""

import asyncio
import json
import urllib.request

import pytest

from tests.support.home import Home
from tests.support.hosting import open_tab, running_host
from tests.support.intruder import EVENT, wire
from tests.support.twins import run

pytestmark = pytest.mark.slow

# It says that it is there, and then reads nothing for ever.
DEAF = ("sh", "-c", "stty raw -echo; echo deaf; exec sleep 1000")
PIECE = b"x" * (100 << 10)


def test_keys_that_nobody_waits_for_arrive_in_order(home: Home) -> None:
    """Also when the session has to be asked for first, and the daemon comes back meanwhile."""
    keys = [f"{number:04d}\n".encode() for number in range(300)]

    async def work() -> None:
        with running_host(home) as host:
            async with open_tab(host) as tab:
                session = await tab.create("sh", "-c", "stty raw -echo; exec cat")
                await tab.attach(1, session)
            async with open_tab(host) as tab:
                await tab.attach(1, session)
                for key in keys[:150]:
                    await tab.say("input", session=session, data=key)
                await tab.shows(1, keys[149])
                await asyncio.to_thread(home.kill_daemon)
                await tab.until(lambda: tab.last("daemon")["state"] != "online", "its end")
                for key in keys[150:]:
                    await tab.say("input", session=session, data=key)
                await tab.shows(1, keys[-1])
                assert bytes(tab.views[1].data) == b"".join(keys)

    run(work())


def test_a_program_that_does_not_read_holds_up_no_other_and_can_be_killed(home: Home) -> None:
    async def work() -> None:
        with running_host(home) as host:
            async with open_tab(host) as tab:
                deaf, other = await tab.create(*DEAF), await tab.create("cat")
                await tab.attach(1, deaf)
                await tab.attach(2, other)
                await tab.shows(1, b"deaf")
                pasting = asyncio.create_task(tab.ask("input", session=deaf, data=PIECE))
                for _ in range(3):
                    await tab.say("input", session=deaf, data=PIECE)
                await tab.type(other, b"heard\n")
                await tab.shows(2, b"heard", count=2)
                assert not pasting.done()
                await tab.ask("kill", session=deaf, now=True)
                await tab.until(lambda: tab.views[1].finished, "its end")
                await asyncio.wait([pasting])
                pasting.exception()

    run(work())


def test_who_asks_without_end_is_dropped_and_others_are_not(home: Home) -> None:
    async def work() -> None:
        with running_host(home) as host:
            async with open_tab(host) as tab:
                deaf = await tab.create(*DEAF)
                await tab.attach(1, deaf)
                await tab.shows(1, b"deaf")
                await tab.ask("release", session=deaf)
                async with wire(host) as greedy:
                    await greedy.introduce(host.token, "greedy", seat=f"s/{deaf}")
                    for _ in range(40):
                        await greedy.pack(EVENT, ["input", {"session": deaf, "data": PIECE}])
                    await greedy.closed()
                assert "whose calls do not end is dropped" in host.log()
                assert not tab.is_gone
                await tab.ask("takeover", session=deaf)
                await tab.ask("kill", session=deaf, now=True)

    run(work())


def test_two_tabs_with_one_share_link_and_one_client_id_both_look(home: Home) -> None:
    """A tab that was duplicated: each is somebody of its own to the daemon."""

    async def work() -> None:
        with running_host(home) as host:
            async with open_tab(host) as tab:
                session = await tab.create("cat")
                link = await asyncio.to_thread(home.hold, "share", session)
                token = (await asyncio.to_thread(_guest, host.url, link))["token"]
                async with (
                    open_tab(host, "same", "", token) as one,
                    open_tab(host, "same", "", token) as two,
                ):
                    await one.attach(1, session)
                    await two.attach(1, session)
                    for number in range(3):
                        await tab.type(session, b"line %d\n" % number)
                        for guest in (one, two):
                            await guest.shows(1, b"line %d" % number, count=2)
                    for guest in (one, two):
                        assert {told["state"] for told in guest.told("daemon")} <= {
                            "connecting",
                            "online",
                        }

    run(work())


def _guest(url: str, link: str) -> dict[str, str]:
    """Log in with a link, beside who is logged in already."""
    code = link.strip().rpartition("?code=")[2]
    body = json.dumps({"code": code}).encode()
    with urllib.request.urlopen(url + "api/login", data=body, timeout=20) as answer:
        found: dict[str, str] = json.loads(answer.read())
    return found
