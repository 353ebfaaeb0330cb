"""`hold host` and `hold share` on the command line, and who is let in by what they print."""

import json
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.home import PATIENCE, ROOT, Home, until
from tests.support.hosting import HostProcess, Refused, Tab, open_tab, running_host
from tests.support.twins import run

pytestmark = pytest.mark.slow

LOGIN = "api/login"


def test_a_code_lets_one_page_in_and_no_second(home: Home) -> None:
    with running_host(home) as host:
        code = json.dumps({"code": host.code}).encode()
        status = host.get("api/status")
        assert (status["pid"], status["scope"]) == (host.pid, "full")
        assert host.refused(LOGIN, code) == (401, "AUTH_FAILED")
        host.token = "wrong"
        assert host.refused("api/status") == (401, "AUTH_FAILED")


def test_neither_code_nor_token_is_in_a_log_or_the_process_list(home: Home) -> None:
    """T28."""

    async def work() -> None:
        with running_host(home, HOLDFAST_DEBUG="1") as host:
            async with open_tab(host):
                pass
            for secret in (host.code, host.token):
                assert _found(secret.encode(), home, host) == []

    run(work())


def test_no_datum_comes_before_a_token(home: Home) -> None:
    with running_host(home, "--", "cat") as host:
        token, host.token = host.token, ""
        for path in ("api/status", "healthz", "metrics", "api/sessions/abcd/output"):
            assert host.refused(path) == (401, "AUTH_FAILED")
        host.token = token
        assert b"holdfast_host_tabs 0" in host.read("metrics")
        assert b"holdfast_sessions" in host.read("metrics")


def test_a_socket_without_a_token_is_refused_in_words(home: Home) -> None:
    async def work() -> None:
        with running_host(home) as host:
            for token, seat, client_id in (
                ("wrong", "/", "one"),
                (host.token, "nowhere", "one"),
                (host.token, "/", "no name!"),
            ):
                tab = Tab(host, client_id, seat, token)
                refusal = await tab.refusal()
                assert set(refusal["data"]) == {"code", "what", "fix"}

    run(work())


def test_the_port_of_the_last_host_is_taken_again(home: Home) -> None:
    with running_host(home) as host:
        port = host.port
        assert host.stop() == 0
    with running_host(home, any_port=False) as again:
        assert again.port == port


def test_a_busy_port_is_said_and_the_next_is_taken(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        host = HostProcess(home, "--port", str(port))
        try:
            assert port < host.port < port + 20
        finally:
            said = host.close()
    assert f"port {port} is busy" in said


def test_two_hosts_run_side_by_side_and_a_killed_one_is_forgotten(home: Home) -> None:
    session = home.hold("run", "-d", "--", "cat").strip()
    with running_host(home) as first, running_host(home) as second:
        assert second.url in home.hold("share", session)
        second.kill()
        assert first.url in home.hold("share", session)
        assert [file.stem for file in (home.paths.runtime / "hosts").iterdir()] == [str(first.pid)]


def test_a_share_link_shows_one_session_and_changes_nothing(home: Home) -> None:
    """It has no seat, so it supersedes nobody; it sees no other session, and starts nothing."""
    shown, hidden = (home.hold("run", "-d", "--", "cat").strip() for _ in range(2))

    async def work() -> None:
        with running_host(home) as host:
            link = json.loads(home.hold("share", shown, "--json", "--expires", "10m"))
            assert link["session"] == shown
            code = link["url"].partition("?code=")[2]
            assert link["url"].startswith(f"{host.url}#/share/{shown}?code=")
            owner_token = host.token
            granted = host.login(code)
            assert (granted["scope"], granted["session"]) == ("share", shown)
            shared, host.token = host.token, owner_token
            async with open_tab(host) as owner, open_tab(host, "guest", "", shared) as guest:
                await owner.type(shown, b"hello\n")
                await guest.attach(1, shown)
                await guest.shows(1, b"hello")
                assert {each["id"] for each in guest.told("session")} == {shown}
                assert guest.last("started")["scope"] == "share"
                for event, payload in (
                    ("input", {"session": shown, "data": b"x"}),
                    ("kill", {"session": shown}),
                    ("takeover", {"session": shown}),
                    ("create", {"argv": ["cat"], "cols": 80, "rows": 24}),
                ):
                    with pytest.raises(Refused) as refused:
                        await guest.ask(event, **payload)
                    assert refused.value.code == "ROLE_FORBIDDEN"
                with pytest.raises(Refused) as refused:
                    await guest.attach(2, hidden)
                assert refused.value.code == "NOT_FOUND"
                assert not owner.is_gone
            host.token = shared
            assert b"hello" in host.read(f"api/sessions/{shown}/output")
            assert host.refused(f"api/sessions/{hidden}/output") == (404, "NOT_FOUND")
            assert host.refused("healthz")[0] == 403

    run(work())


def test_a_host_that_only_shows_lets_nobody_type(home: Home) -> None:
    async def work() -> None:
        with running_host(home, "--read-only", "--", "cat") as host:
            async with open_tab(host) as tab:
                session = tab.last("layout")["chosen"]
                assert tab.last("started")["scope"] == "read"
                await tab.attach(1, session)
                with pytest.raises(Refused) as refused:
                    await tab.type(session, b"x")
                assert refused.value.code == "ROLE_FORBIDDEN"
                assert tab.last("init")["command"].endswith("--read-only")

    run(work())


def test_revoked_pages_are_sent_away(home: Home) -> None:
    async def work() -> None:
        with running_host(home) as host:
            tab = Tab(host)
            await tab.open()
            said = home.hold("host", "--revoke")
            await tab.until(lambda: tab.is_gone, "the end")
            await tab.close()
            assert said == ""
            assert host.refused("api/status") == (401, "AUTH_FAILED")

    run(work())


def test_everything_is_below_the_base_path(home: Home) -> None:
    async def work() -> None:
        with running_host(home, "--base-path", "/term/me", "--", "cat") as host:
            assert host.url.endswith("/term/me/")
            async with open_tab(host) as tab:
                assert "--base-path /term/me/" in tab.last("init")["command"]
            host.url = host.url.removesuffix("term/me/")
            assert host.refused("api/status")[0] == 404

    run(work())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--listen", "0.0.0.0"], "others on the network"),
        (["--port", "70000"], "--port 70000"),
        (["--tls-cert", "/nowhere"], "belong together"),
        (["--tls-cert", "/nowhere", "--tls-key", "/nowhere"], "cannot be used"),
        (["--base-path", "/../x"], "--base-path"),
        (["--url", "me.example/term"], "--url"),
        (["--url", "https://me:it@me.example"], "--url"),
        (["--url", "https://me.example:99999"], "--url"),
        (["--url", "https://me.example/x y"], "/x y"),
        (["--url", "https://me.example", "--base-path", "/x"], "has the path already"),
        (["--listen", "256.0.0.1"], "256.0.0.1"),
    ],
)
def test_what_makes_no_sense_is_refused_in_two_lines(
    home: Home, words: list[str], said: str
) -> None:
    complaint = home.failing("host", *words)

    assert said in complaint
    assert len(complaint.splitlines()) == 2


def test_sharing_needs_a_host_and_a_session(home: Home) -> None:
    assert "no session" in home.failing("share", "nothing")
    session = home.hold("run", "-d", "--", "cat").strip()
    assert "no host runs" in home.failing("share", session)
    assert "expire" in home.failing("share", session, "--expires", "never")


def test_without_json_the_address_is_the_last_line_and_ctrl_c_ends_it(home: Home) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "holdfast", "host", "--port", "0", "--", "cat"],
        env=home.environ,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith(b"http://127.0.0.1:")
    assert b"/#/?code=" in line
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (0, b"")
    assert b"sessions live on" in errors
    assert len(errors.splitlines()) == 1
    assert "cat" in home.hold("ls")


def test_a_browser_is_opened_by_a_file_that_only_its_user_can_read(home: Home) -> None:
    """The code is in no list of processes; the file goes with the host."""
    browser = home.paths.state.parent / "browser"
    seen = home.paths.state.parent / "seen"
    browser.write_text(f'#!/bin/sh\necho "$1" > {seen}.new; mv {seen}.new {seen}\n')
    browser.chmod(0o700)
    host = HostProcess(home, "--open", BROWSER=str(browser))
    try:
        until(seen.exists, "the browser")
        address = seen.read_text().strip()
        assert host.code not in address
        file = Path(address.removeprefix("file://"))
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert host.code in file.read_text()
    finally:
        host.close()
    assert not file.exists()


def test_what_is_downloaded_is_the_log_and_a_part_of_it(home: Home) -> None:
    with home.client() as client:
        session = home.create(client, "seq", "1", "100000").id
        home.ended(client, session)
        log = home.output(client, session)
    with running_host(home) as host:
        path = f"api/sessions/{session}/output"
        assert host.read(path) == log
        assert host.read(f"{path}?since=1000&until=5000") == log[1000:5000]
        assert host.refused(f"{path}?since=x") == (400, "INVALID_ARGUMENT")
        assert host.refused(f"{path}?since=99999999") == (400, "INVALID_ARGUMENT")
        assert host.refused("api/sessions/zzzz/output") == (404, "NOT_FOUND")


def test_how_it_is(home: Home) -> None:
    async def work() -> None:
        with running_host(home, "--idle-timeout", "1h") as host:
            begin = time.time()
            async with open_tab(host):
                health = host.get("healthz")
        assert health["status"] == "ok"
        assert health["tabs"] == 1
        assert begin <= health["last_attach"] <= health["last_activity"] <= time.time()
        assert health["idle_deadline"] == pytest.approx(health["last_activity"] + 3600, abs=1)

    run(work())


def _found(secret: bytes, home: Home, host: HostProcess) -> list[Path]:
    """Where a secret can be read: files, and what is known of the process."""
    places = [Path(f"/proc/{host.pid}/cmdline"), Path(f"/proc/{host.pid}/environ")]
    places += home.paths.state.rglob("*")
    places += (home.paths.runtime / "hosts").iterdir()
    return [each for each in places if each.is_file() and secret in each.read_bytes()]
