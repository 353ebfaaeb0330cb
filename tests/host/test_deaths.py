"""Daemon and host are killed while programs flood: what a page holds equals the log."""

import asyncio
import signal
import subprocess
import sys
import time

import pytest

from tests.support.flood import Flood
from tests.support.home import ROOT, Home
from tests.support.hosting import HostProcess, Tab, open_tab, running_host
from tests.support.processes import resident_kib
from tests.support.twins import run

pytestmark = pytest.mark.slow

KILLS = 5


def test_the_daemon_is_killed_during_a_flood_and_the_page_misses_nothing(home: Home) -> None:
    """T14: the library comes back by itself, and each view goes on exactly."""

    async def work() -> None:
        with running_host(home) as host, home.client() as client:
            flood = Flood(home, client)
            async with open_tab(host) as tab:
                await tab.attach(1, flood.id)
                for _ in range(KILLS):
                    await tab.grows(1)
                    old = await asyncio.to_thread(home.kill_daemon)
                    await asyncio.to_thread(home.next_daemon, old)
                await asyncio.to_thread(_finished, home, flood)
                await tab.until(lambda: tab.views[1].finished, "its end")
                states = [told["state"] for told in tab.told("daemon")]
                with home.client() as again:
                    log = home.output(again, flood.id)

        assert bytes(tab.views[1].data) == log
        assert tab.views[1].gaps == []
        assert tab.views[1].snapshots == 0
        assert states[-1] == "online"
        assert "lost" in states

    run(work(), timeout=120)


def test_the_host_is_killed_during_a_flood_and_comes_back_on_its_port(home: Home) -> None:
    """The token still holds, and the page goes on from the byte that it has."""

    async def work() -> None:
        with home.client() as client:
            flood = Flood(home, client)
        with running_host(home) as host:
            token, port = host.token, host.port
            tab = Tab(host)
            await tab.open()
            epoch = (await tab.attach(1, flood.id))["epoch"]
            await tab.until(lambda: tab.views[1].frames > 20, "some output")
            host.kill()
            await tab.until(lambda: tab.is_gone, "the end of the socket")
            await tab.close()
            held = bytes(tab.views[1].data)
        with running_host(home, token=token, any_port=False) as host:
            assert host.port == port
            async with open_tab(host) as again:
                answer = await again.resume(1, flood.id, held, 0, epoch)
                assert answer["outcome"] == "exact"
                assert answer["offset"] == len(held)
                await asyncio.to_thread(_finished, home, flood)
                await again.until(lambda: again.views[1].finished, "its end")
                with home.client() as client:
                    log = home.output(client, flood.id)
        assert held + bytes(again.views[1].data) == log

    run(work(), timeout=120)


def test_who_holds_other_bytes_gets_a_picture_and_is_told_why(home: Home) -> None:
    """Never bytes behind others that were not there."""

    async def work() -> None:
        with running_host(home, "--", "sh", "-c", "echo hello; exec cat") as host:
            async with open_tab(host) as tab:
                session = tab.last("layout")["chosen"]
                epoch = (await tab.attach(1, session))["epoch"]
                await tab.shows(1, b"hello")
                wrong = await tab.resume(1, session, b"jello", 0, epoch)
                older = await tab.resume(2, session, b"hello", 0, "00" * 16)
                right = await tab.resume(3, session, b"hello", 0, epoch)

        assert (wrong["outcome"], older["outcome"]) == ("snapshot", "snapshot")
        assert wrong["reason"]
        assert older["reason"] != wrong["reason"]
        assert (right["outcome"], right["offset"]) == ("exact", 5)

    run(work())


# A page in a process of its own, so that it can be stopped like a laptop that sleeps.
SLEEPER = """
import asyncio, sys
from tests.support.hosting import Tab

class Host:
    url, token = sys.argv[1:3]

async def main():
    tab = Tab(Host, "sleeper", "s/" + sys.argv[3])
    await tab.open()
    await tab.attach(1, sys.argv[3], None)
    await tab.until(lambda: tab.views[1].frames > 20, "some output")
    print("attached", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""
FLOOD = "while :; do cat /usr/share/common-licenses/GPL-3; done"
GROWTH = 16 << 10  # KiB
LONG_ENOUGH = 5.0  # seconds; without a bound it would be 100 MB and more


def test_a_page_that_does_not_read_costs_little_and_holds_up_no_end(home: Home) -> None:
    """T1, T5: nothing is queued for it; another page reads on, and SIGTERM ends the host."""

    async def work() -> None:
        with running_host(home, "--", "sh", "-c", FLOOD) as host:
            async with open_tab(host) as tab:
                session = tab.last("layout")["chosen"]
                sleeper = _sleeper(home, host, session)
                try:
                    assert sleeper.stdout is not None
                    assert await asyncio.to_thread(sleeper.stdout.readline) == b"attached\n"
                    await tab.attach(1, session, None)
                    sleeper.send_signal(signal.SIGSTOP)
                    before = await asyncio.to_thread(resident_kib, host.pid)
                    begin = time.monotonic()
                    while time.monotonic() - begin < LONG_ENOUGH:
                        await tab.grows(1)
                        tab.views[1].restart(tab.views[1].end)  # or this test would grow
                    grown = await asyncio.to_thread(resident_kib, host.pid) - before
                    begin = time.monotonic()
                    code = await asyncio.to_thread(host.stop)
                    took = time.monotonic() - begin
                finally:
                    sleeper.kill()
                    sleeper.communicate()
            print(f"grown by {grown} KiB, ended in {took:.1f} s")
        assert grown < GROWTH
        assert code == 0
        assert took < 3

    run(work(), timeout=120)


def _finished(home: Home, flood: Flood) -> None:
    with home.client() as client:
        flood.finish(client)


def _sleeper(home: Home, host: HostProcess, session: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", SLEEPER, host.url, host.token, session],
        env=home.environ | {"PYTHONPATH": f"{ROOT}:{ROOT}/src"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
