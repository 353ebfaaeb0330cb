"""When a host ends itself: no page, silent pages, and whatever counts as somebody being there.

The rule is tested with a clock moved by hand (tests/unit/host); here are the process, its exit
code and its log. Times are short, and only ever a lower bound is short: the machine is busy.
"""

import asyncio
import time

import pytest

from tests.support.home import Home
from tests.support.hosting import HostProcess, Tab, open_tab, running_host
from tests.support.twins import run

pytestmark = pytest.mark.slow

SHORT = 1.0  # seconds
ON_TIME = 15.0  # seconds more, on a busy machine


def test_without_a_page_it_ends_in_time_and_says_why(home: Home) -> None:
    """No connection."""
    begin = time.monotonic()
    host = HostProcess(home, "--idle-timeout", f"{SHORT}s")

    assert host.ended(SHORT + ON_TIME) == 0
    assert time.monotonic() - begin >= SHORT
    assert "idle timeout reached (no connection)" in host.log()
    assert "sessions live on" in host.close()


def test_a_page_that_is_silent_keeps_it_no_longer(home: Home) -> None:
    """Connected and silent; pings of the transport are not activity, and the page is told."""

    async def work() -> None:
        with running_host(home, "--idle-timeout", f"{SHORT}s") as host:
            tab = Tab(host)
            await tab.open()
            await tab.until(lambda: tab.is_gone, "the end", SHORT + ON_TIME)
            notice = tab.last("notice")
            await tab.close()
            code = await asyncio.to_thread(host.ended)

        assert code == 0
        assert notice["kind"] == "idle-timeout"
        assert notice["reason"] == "no activity"
        assert notice["command"] == f"hold host --port {host.port}"
        assert "idle timeout reached (no activity)" in host.log()

    run(work())


def test_traffic_keeps_it(home: Home) -> None:
    """Any event does, also the one that says only that somebody is there."""

    async def work() -> None:
        with running_host(home, "--idle-timeout", f"{SHORT}s") as host:
            async with open_tab(host) as tab:
                until = time.monotonic() + 3 * SHORT
                while time.monotonic() < until:
                    await tab.say("__activity__")
                    await asyncio.sleep(SHORT / 10)
                assert host.process.poll() is None
                await tab.until(lambda: tab.is_gone, "the end", SHORT + ON_TIME)
            assert await asyncio.to_thread(host.ended) == 0

    run(work())


def test_output_that_is_acknowledged_keeps_it(home: Home) -> None:
    """A build that prints keeps its host, though nobody types."""
    ticking = "i=0; while [ $i -lt 30 ]; do i=$((i+1)); echo $i; sleep 0.1; done"

    async def work() -> None:
        with running_host(home, "--idle-timeout", f"{SHORT}s") as host:
            async with open_tab(host) as tab:
                session = await tab.create("sh", "-c", ticking)
                await tab.attach(1, session)
                await tab.until(lambda: tab.views[1].finished, "its end")
                assert host.process.poll() is None
                assert tab.views[1].data.endswith(b"30\r\n")

    run(work())


def test_a_page_that_comes_back_begins_the_time_anew(home: Home) -> None:
    """Reconnect resets: each detach and attach counts."""

    async def work() -> None:
        with running_host(home, "--idle-timeout", f"{SHORT}s") as host:
            until = time.monotonic() + 3 * SHORT
            while time.monotonic() < until:
                async with open_tab(host):
                    pass
                await asyncio.sleep(SHORT / 3)
            assert host.process.poll() is None
            assert await asyncio.to_thread(host.ended) == 0

    run(work())


def test_bursts_with_pauses_shorter_than_the_timeout_keep_it(home: Home) -> None:
    async def work() -> None:
        with running_host(home, "--idle-timeout", f"{SHORT}s") as host:
            async with open_tab(host) as tab:
                for _ in range(5):
                    for _ in range(200):
                        await tab.say("__activity__")
                    await asyncio.sleep(SHORT / 2)
                assert host.process.poll() is None

    run(work())


@pytest.mark.parametrize("word", ["0", "never", "off"])
def test_it_can_be_told_to_stay(home: Home, word: str) -> None:
    with running_host(home, "--idle-timeout", word, HOLDFAST_HOST_IDLE_TIMEOUT="1ms") as host:
        health = host.get("healthz")

        assert health["idle_timeout"] is None
        assert health["idle_deadline"] is None
        assert host.stop() == 0


def test_the_flag_counts_before_the_variable_and_that_before_the_file(home: Home) -> None:
    home.paths.config_file.write_text('[host]\nidle_timeout = "7h"\n')
    found = []
    for words, variable in (([], None), ([], "8h"), (["--idle-timeout", "9h"], "8h")):
        if variable is not None:
            home.environ["HOLDFAST_HOST_IDLE_TIMEOUT"] = variable
        with running_host(home, *words) as host:
            found.append(host.get("healthz")["idle_timeout"])

    assert found == [7 * 3600.0, 8 * 3600.0, 9 * 3600.0]


@pytest.mark.parametrize("text", ["soon", "-1", "1x", "", "1 h m"])
def test_junk_is_refused_and_names_the_flag(home: Home, text: str) -> None:
    complaint = home.failing("host", "--port", "0", f"--idle-timeout={text}")

    assert complaint.startswith("hold: --idle-timeout")
    assert len(complaint.splitlines()) == 2


def test_junk_in_the_variable_is_refused_with_2(home: Home) -> None:
    home.environ["HOLDFAST_HOST_IDLE_TIMEOUT"] = "soon"

    assert "HOLDFAST_HOST_IDLE_TIMEOUT" in home.failing("host", "--port", "0")


def test_a_download_outlives_a_short_timeout(home: Home) -> None:
    """A response that is still being sent is activity for as long as it lasts."""
    with home.client() as client:
        session = home.create(client, "sh", "-c", "yes abcdefg | head -c 30000000")
        home.ended(client, session.id)
        log = home.output(client, session.id)

    async def work() -> None:
        with running_host(home, "--idle-timeout", f"{SHORT}s") as host:
            head = f"GET /api/sessions/{session.id}/output HTTP/1.1\r\nHost: 127.0.0.1:{host.port}"
            words = f"{head}\r\nAuthorization: Bearer {host.token}\r\nConnection: close\r\n\r\n"
            reader, writer = await asyncio.open_connection("127.0.0.1", host.port, limit=1 << 16)
            writer.write(words.encode())
            begin, data = time.monotonic(), bytearray()
            while part := await reader.read(1 << 16):
                data += part
                if time.monotonic() - begin < 4 * SHORT:
                    await asyncio.sleep(0.02)  # slower than anybody's line
            writer.close()
            await writer.wait_closed()

        assert time.monotonic() - begin > 3 * SHORT
        assert _unchunked(bytes(data)) == log

    run(work())


def _unchunked(answer: bytes) -> bytes:
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    body = bytearray()
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        count = int(size, 16)
        body += rest[:count]
        rest = rest[count + 2 :]
    return bytes(body)
