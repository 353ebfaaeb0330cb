"""Attacks on a real host process. docs/reference/security.md has them as a table."""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import msgpack
import pytest

from holdfast.host.complaints import LINES
from holdfast.host.packets import MESSAGE_LIMIT
from tests.support.home import Home, until
from tests.support.hosting import HostProcess, Refused, open_tab, running_host
from tests.support.intruder import (
    CONNECT,
    EVENT,
    crowd,
    let_in,
    login,
    refused,
    request,
    silent,
    wire,
)
from tests.support.twins import run

pytestmark = pytest.mark.slow

MIB = 1 << 20
SECRET = "only-for-those-who-may-see-it"
PRINT = ("sh", "-c", f"while :; do echo {SECRET}; sleep 0.1; done")
DATA = ("/api/status", "/healthz", "/metrics", "/api/sessions/abcd1234/output")


@pytest.fixture
def host(home: Home) -> Iterator[HostProcess]:
    with running_host(home) as host:
        yield host


def complaints(host: HostProcess) -> list[str]:
    return [line for line in host.log().splitlines() if " refused " in line]


def memory(host: HostProcess) -> int:
    """Return the bytes of memory that the process has to itself."""
    pages = Path(f"/proc/{host.pid}/statm").read_text().split()
    return (int(pages[1]) - int(pages[2])) * os.sysconf("SC_PAGE_SIZE")


# -- without a token


def test_without_a_token_no_route_gives_a_datum(host: HostProcess) -> None:
    for shown in ("", "wrong", host.token[:-1], host.token + "x", "\xff"):
        for path in DATA:
            answer = request(host, path, token=shown)
            assert (answer.status, answer.code) in [(401, "AUTH_FAILED"), (429, "LIMIT_REACHED")]
    assert request(host, f"/api/status?token={host.token}").status == 401
    assert request(host, "/api/status", cookie=f"token={host.token}").status == 401
    assert request(host, "/api/status", token=host.token).status == 200


def test_without_a_token_a_socket_is_told_why_and_hears_nothing_of_any_session(
    home: Home, host: HostProcess
) -> None:
    async def work() -> None:
        async with open_tab(host) as tab:
            session = await tab.create(*PRINT)
            await tab.attach(1, session)
            await tab.until(lambda: SECRET.encode() in tab.views[1].data, "some output")
            for token in ("", "wrong", host.token[:-1]):
                async with wire(host) as intruder:
                    answer = await intruder.introduce(token)
                    assert (answer["type"], answer["data"]["data"]["code"]) == (4, "AUTH_FAILED")
                    await intruder.pack(EVENT, ["ready", {}])
                    await intruder.pack(EVENT, ["attach", attaching(session)])
                    assert await intruder.packet() is None  # closed, without one byte more
            assert not tab.is_gone

    run(work())


def attaching(session: str) -> dict[str, object]:
    return {"view": 1, "session": session, "since": 0, "cols": 80, "rows": 24}


def test_who_has_said_nothing_for_five_seconds_is_closed(host: HostProcess) -> None:
    async def work() -> None:
        async with wire(host) as intruder:
            assert await intruder.closed() == 1008

    run(work())
    assert len(complaints(host)) == 1


def test_wrong_tokens_are_slowed_down_and_lock_nobody_out(host: HostProcess) -> None:
    async def work() -> None:
        codes = [await let_in(host, f"guess-{number}") for number in range(12)]
        assert codes == ["AUTH_FAILED"] * 10 + ["LIMIT_REACHED"] * 2
        assert await let_in(host, host.token) == ""

    run(work())


# -- login


def test_a_code_buys_one_token(host: HostProcess) -> None:
    answer = login(host, host.code)  # the fixture has used it

    assert (answer.status, answer.code) == (401, "AUTH_FAILED")


def test_codes_cannot_be_guessed(host: HostProcess) -> None:
    statuses = [login(host, f"aaaa-aaaa-{number:04}").status for number in range(14)]

    assert statuses == [401] * 10 + [429] * 4
    assert request(host, "/api/status", token=host.token).status == 200


def test_a_login_of_another_shape_is_refused(host: HostProcess) -> None:
    for body in (b"", b"{", b"[]", b'{"code": 1}', b"\xff", b'{"code": "' + b"[" * 3000):
        answer = request(host, "/api/login", method="POST", body=body)
        assert (answer.status, answer.code) == (400, "INVALID_ARGUMENT")
    answer = request(host, "/api/login", method="POST", body=b"x" * 100_000)
    assert (answer.status, answer.code) == (400, "INVALID_ARGUMENT")


# -- from elsewhere


def test_a_page_of_another_origin_is_refused(host: HostProcess) -> None:
    """Also one of another server on the same address, and one that has no origin to speak of."""
    foreign = [
        "http://evil.example",
        "null",
        "file://",
        f"https://127.0.0.1:{host.port}",
        f"http://127.0.0.1:{host.port + 1}",
        f"http://127.0.0.1:{host.port}.evil.example",
    ]

    async def work() -> None:
        for origin in foreign:
            assert await refused(host, origin=origin) == 403
        assert await refused(host, origin=host.url.rstrip("/")) == 101

    run(work())
    for origin in foreign:
        for path in ("/", *DATA):
            answer = request(host, path, token=host.token, origin=origin)
            assert (answer.status, answer.code) == (403, "PERMISSION_DENIED")
            assert "access-control" not in answer.head


def test_another_name_for_this_address_is_refused(host: HostProcess) -> None:
    """DNS rebinding: their name, our address."""
    names = [
        "evil.example",
        f"evil.example:{host.port}",
        "127.0.0.1",
        "",
        f"x@127.0.0.1:{host.port}",
    ]

    async def work() -> None:
        for name in names[:2]:
            assert await refused(host, host=name) == 403

    run(work())
    for name in names:
        assert request(host, "/", token=host.token, host=name).status in (400, 403)


def test_another_server_on_this_address_gets_no_credential(host: HostProcess) -> None:
    """T29: a browser sends cookies to every port, so there is none, and none counts."""
    answers = [
        request(host, "/"),
        request(host, "/api/login", method="POST", body=b'{"code": "x"}'),
        *(request(host, path, token=host.token) for path in DATA),
    ]
    assert not any("set-cookie" in answer.head for answer in answers)
    stolen = "; ".join(f"{name}={host.token}" for name in ("token", "holdfast", "holdfast.token"))
    assert request(host, "/api/status", cookie=stolen).status == 401

    async def work() -> None:
        async with wire(host, cookie=stolen) as intruder:
            answer = await intruder.introduce("")
            assert answer["data"]["data"]["code"] == "AUTH_FAILED"

    run(work())


def test_a_browser_is_told_to_keep_others_out(host: HostProcess) -> None:
    for answer in (request(host, "/"), request(host, "/api/status"), request(host, "/x")):
        assert "default-src 'none'" in answer.head
        assert "frame-ancestors 'none'" in answer.head
        assert "x-content-type-options: nosniff" in answer.head
        assert "referrer-policy: no-referrer" in answer.head
    assert "cache-control: no-store" in request(host, "/api/status", token=host.token).head


# -- addresses


def test_no_address_leads_to_other_files(host: HostProcess) -> None:
    ways = [
        "/../../../../etc/passwd", "/assets/../../../../../etc/passwd", "//etc/passwd",
        "/assets/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/assets/..%2f..%2f..%2fetc/passwd",
        "/assets/%2fetc/passwd", "/assets//etc/passwd", "/assets/..\\..\\etc\\passwd",
        "/assets/%00", "/assets/", "/assets/.", "/assets/index.html/../../guard.py",
        "/api/sessions/../../../etc/passwd/output", "/api/sessions/%2e%2e/output",
    ]  # fmt: skip
    for way in ways:
        for token in ("", host.token):
            answer = request(host, way, token=token)
            assert answer.status in (400, 401, 404), way
            assert b"root:" not in answer.body


def test_the_socket_has_one_door(host: HostProcess) -> None:
    """By polling there would be a second one, without a grammar."""
    for target in ("/socket.io/?EIO=4&transport=polling", "/socket.io?EIO=4&transport=polling"):
        for method in ("GET", "POST", "OPTIONS"):
            answer = request(host, target, method=method, token=host.token)
            assert (answer.status, answer.code) == (404, "NOT_FOUND")

    async def work() -> None:
        for path in ("", "api/status", "assets/", "socket.io/x"):
            assert await refused(host, path) == 404

    run(work())


# -- what a socket says

HEAD = b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data"
MALFORMED: list[str | bytes] = [
    "", "0", "2", "2probe", "4", '42["ready",{}]', "5", "6", "9", "bAAAA", "x" * 1000,
    b"", b"\xc1", b"\xff" * 100, b"\x80", HEAD, HEAD + b"\xc0", HEAD + b"\xdd\xff\xff\xff\xff",
    HEAD + b"\x92\xa5ready" + b"\x91" * 60_000 + b"\xc0",
    *(
        msgpack.packb(fields)
        for fields in list[object]([
            {}, [], {"type": 3, "nsp": "/", "id": 1, "data": []}, {"type": 4, "nsp": "/"},
            {"type": 5, "nsp": "/", "data": ["input", {"_placeholder": True, "num": 0}]},
            {"type": 2, "nsp": "/admin", "data": ["ready", {}]}, {"type": 2, "nsp": "/"},
            {"type": 2, "nsp": "/", "data": []}, {"type": 2, "nsp": "/", "data": ["ready"]},
            {"type": 2, "nsp": "/", "data": ["ready", {}, {}]},
            {"type": 2, "nsp": "/", "data": ["ack", {"view": "x", "offset": None}]},
            {"type": 2, "nsp": "/", "data": [{}, {}]}, {"type": "2", "nsp": "/"},
            {"type": 0, "nsp": "/", "data": {}},
        ])
    ),
]  # fmt: skip


@pytest.mark.parametrize("stage", ["before it is let in", "afterwards"])
def test_a_malformed_packet_closes_its_socket_with_one_line(host: HostProcess, stage: str) -> None:
    async def work() -> None:
        for number, said in enumerate(MALFORMED):
            async with wire(host) as intruder:
                if stage == "afterwards":
                    answer = await intruder.introduce(host.token, seat=f"s/abc{number}")
                    assert answer["type"] == CONNECT
                elif said == MALFORMED[-1]:
                    continue  # who introduces himself twice has done it once
                if isinstance(said, str):
                    await intruder.socket.send_str(said)
                else:
                    await intruder.socket.send_bytes(said)
                assert await intruder.closed() == 1008, said[:100]
        async with open_tab(host) as tab:
            assert await tab.create("true")

    run(work())
    assert len(complaints(host)) == LINES
    assert all(len(line) < 300 for line in complaints(host))


def test_events_of_connections_cannot_be_forged(host: HostProcess) -> None:
    """`disconnect`, said by a page, would run what is meant for a tab that has gone."""

    async def work() -> None:
        async with open_tab(host) as tab:
            for number, event in enumerate(("connect", "disconnect", "message", "*", "eval")):
                async with wire(host) as intruder:
                    await intruder.introduce(host.token, f"other-{number}", seat="s/abcd1234")
                    await intruder.pack(EVENT, [event, {}], id=1)
                    assert await intruder.closed() == 1008
            assert await tab.create("true")
            assert not tab.is_gone

    run(work())
    assert len(complaints(host)) == 5


def test_a_message_has_a_bound(host: HostProcess) -> None:
    async def work() -> None:
        before = memory(host)
        for size, code in ((MESSAGE_LIMIT + 1, 1009), (64 * MIB, 1009), (5000, 1008)):
            async with wire(host) as intruder:
                try:
                    await intruder.socket.send_bytes(bytes(size))
                except ConnectionError:
                    continue  # it was closed before it had said all
                assert await intruder.closed() in (code, 1006)
        assert memory(host) - before < 16 * MIB
        async with open_tab(host) as tab:
            with pytest.raises(Refused) as answer:
                await tab.type("abcd1234", bytes(100_000))  # below it, and no such session
            assert answer.value.code == "NOT_FOUND"

    run(work())


# -- too many, too slow


def test_a_thousand_sockets_shut_nobody_out(host: HostProcess) -> None:
    async def work() -> None:
        before = memory(host)
        asking = (
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:{host.port}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ).encode()
        async with open_tab(host) as tab:
            with crowd(host, 1000, lambda _: asking):
                assert await let_in(host, host.token, client_id="later", seat="s/abcd1234") == ""
                assert await tab.create("true")
                assert memory(host) - before < 32 * MIB
                until(lambda: descriptors(host) < 300, "the others to be gone")

    run(work())
    assert len(complaints(host)) <= LINES


def test_a_thousand_connections_that_say_nothing_shut_nobody_out(host: HostProcess) -> None:
    said = [b"", b"GET / HT", b"POST /api/login HTTP/1.1\r\n"]

    async def work() -> None:
        async with open_tab(host) as tab:
            with crowd(host, 1000, lambda number: said[number % 3]):
                answer = await asyncio.to_thread(request, host, "/api/status", token=host.token)
                assert answer.status == 200
                assert await tab.create("true")
                until(lambda: descriptors(host) < 300, "the others to be gone")

    run(work())


def descriptors(host: HostProcess) -> int:
    return len(list(Path(f"/proc/{host.pid}/fd").iterdir()))


def test_who_does_not_read_costs_a_bounded_memory_and_delays_nobody(host: HostProcess) -> None:
    """T1, P5: his view is full, and waits."""

    async def work() -> None:
        async with open_tab(host) as tab:
            session = await tab.create("sh", "-c", "yes 'a flood of output'")
            async with wire(host) as deaf:
                await deaf.introduce(host.token, "deaf", seat=f"s/{session}")
                for view in range(8):
                    await deaf.pack(EVENT, ["attach", {**attaching(session), "view": view}])
                before = memory(host)
                begin = time.monotonic()
                await tab.attach(1, session, None)
                await tab.until(lambda: tab.views[1].end > tab.views[1].start + 8 * MIB, "a flood")
                grown, took = memory(host) - before, time.monotonic() - begin
                print(f"grown by {grown / MIB:.1f} MiB in {took:.1f} s")
                assert grown < 16 * MIB
            await tab.ask("kill", session=session, now=True)

    run(work(), timeout=120)


# -- shares


def share(home: Home, session: str, *options: str) -> str:
    url = str(json.loads(home.hold("share", session, "--json", *options))["url"])
    return url.rpartition("?code=")[2]


def test_a_share_link_shows_one_session_and_changes_nothing(home: Home, host: HostProcess) -> None:
    async def work() -> None:
        async with open_tab(host) as tab:
            mine, other = await tab.create("cat"), await tab.create(*PRINT)
            code = await asyncio.to_thread(share, home, mine)
            shared = json.loads((await asyncio.to_thread(login, host, code)).body)
            assert (shared["scope"], shared["session"]) == ("share", mine)
            for path, status in ((mine, 200), (other, 404), ("../" + mine, 404)):
                target = f"/api/sessions/{path}/output"
                answer = await asyncio.to_thread(request, host, target, token=shared["token"])
                assert answer.status == status
            async with open_tab(host, "guest", "/", shared["token"]) as guest:
                assert await changes(guest, mine) == {"ROLE_FORBIDDEN"}
                assert await changes(guest, other) <= {"ROLE_FORBIDDEN", "NOT_FOUND"}
                with pytest.raises(Refused) as answered:
                    await guest.attach(1, other)
                assert answered.value.code == "NOT_FOUND"
                await guest.attach(2, mine)
                await tab.type(mine, b"hello\n")
                await guest.until(lambda: b"hello" in guest.views[2].data, "what is shared")
                assert {told["id"] for told in guest.told("session")} == {mine}
                assert SECRET not in str(guest.events)
            assert not tab.has("superseded")

    run(work())


async def changes(guest: object, session: str) -> set[str]:
    """Return the codes with which everything is refused that would change something."""
    codes = set()
    for event, more in (
        ("input", {"data": b"x"}),
        ("resize", {"cols": 10, "rows": 10}),
        ("rename", {"name": "theirs"}),
        ("kill", {"now": True}),
        ("claim", {}),
        ("takeover", {}),
        ("release", {}),
        ("restore", {}),
        ("forget", {}),
        ("create", {"argv": ["true"], "cols": 80, "rows": 24}),
    ):
        with pytest.raises(Refused) as answer:
            await guest.ask(event, **({} if event == "create" else {"session": session}), **more)  # type: ignore[attr-defined]
        codes.add(answer.value.code)
    return codes


def test_a_share_link_ends_when_it_expires(home: Home, host: HostProcess) -> None:
    async def work() -> None:
        async with open_tab(host) as tab:
            session = await tab.create("cat")
            code = await asyncio.to_thread(share, home, session, "--expires", "3s")
            token = json.loads((await asyncio.to_thread(login, host, code)).body)["token"]
            async with open_tab(host, "guest", "", token) as guest:
                await guest.until(lambda: guest.is_gone, "its end")
            assert await let_in(host, token) == "AUTH_FAILED"
            assert (await asyncio.to_thread(login, host, code)).status == 401
            assert not tab.is_gone

    run(work())


# -- what is left behind


def test_after_a_revocation_everybody_is_out(home: Home, host: HostProcess) -> None:
    async def work() -> None:
        async with open_tab(host) as tab:
            await asyncio.to_thread(home.hold, "host", "--revoke")
            answer = await asyncio.to_thread(request, host, "/api/status", token=host.token)
            assert answer.status == 401
            assert await let_in(host, host.token) == "AUTH_FAILED"
            await tab.until(lambda: tab.is_gone, "its end")

    run(work())


def test_no_secret_is_in_a_log_a_file_or_the_list_of_processes(
    home: Home, host: HostProcess
) -> None:
    """T28."""

    async def work() -> list[str]:
        async with open_tab(host) as tab:
            code = await asyncio.to_thread(share, home, await tab.create("cat"))
            shared = json.loads((await asyncio.to_thread(login, host, code)).body)["token"]
            request(host, f"/api/status?code={code}&token={host.token}", token=shared)
            request(host, f"/nothing/{host.token}?code={code}", origin="null")
            await refused(host, f"x?token={host.token}")
            async with wire(host) as intruder:
                await intruder.introduce(host.token + "-wrong")
            async with wire(host) as intruder:
                await intruder.pack(CONNECT, {"token": {"a": host.token}})
                await intruder.closed()
            plain = host.code.replace("-", "")
            return [host.code, plain, host.token, code, shared]

    secrets: list[str] = []

    async def kept() -> None:
        secrets.extend(await work())

    run(kept())
    lists = [*Path("/proc").glob("[0-9]*/cmdline")]
    files = [one for one in home.paths.state.rglob("*") if one.is_file()]
    files += [one for one in home.paths.runtime.rglob("*") if one.is_file()]
    for place in (*lists, *files, Path(f"/proc/{host.pid}/environ")):
        try:
            content = place.read_bytes()
        except OSError:
            continue  # a process that has ended
        assert [one for one in secrets if one.encode() in content] == [], place
    assert host.log()


def test_tokens_that_others_could_have_written_let_nobody_in(home: Home, host: HostProcess) -> None:
    file = home.paths.state / "host-tokens.json"
    file.chmod(0o666)

    answer = request(host, "/api/status", token=host.token)

    assert (answer.status, answer.code) == (403, "PERMISSION_DENIED")
    assert request(host, "/").status in (200, 503)
    file.chmod(0o600)
    assert request(host, "/api/status", token=host.token).status == 200


def test_while_the_tokens_are_not_to_be_trusted_who_is_here_stays_and_the_log_says_so_once(
    home: Home, host: HostProcess
) -> None:
    file = home.paths.state / "host-tokens.json"

    async def work() -> None:
        async with open_tab(host) as tab:
            file.chmod(0o666)
            deadline = asyncio.get_running_loop().time() + 12  # it looks every five seconds
            while asyncio.get_running_loop().time() < deadline:
                await tab.ask("__activity__")
                await asyncio.sleep(0.5)
            assert host.log().count("who may stay is not known") == 1
            assert not tab.is_gone
            file.chmod(0o600)
            await asyncio.to_thread(home.hold, "host", "--revoke")
            await tab.until(lambda: tab.is_gone, "its end")

    run(work())


def test_the_network_is_not_served_without_tls(home: Home) -> None:
    complaint = home.failing("host", "--listen", "0.0.0.0", "--port", "0")

    assert "--tls-cert" in complaint
    assert "Traceback" not in complaint


def test_rubbish_of_any_kind_leaves_the_host_as_it_was(host: HostProcess) -> None:
    """Requests that are none: no traceback (the fixture looks), and the next one is served."""
    rubbish = [b"\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"]
    rubbish += [b"GET / HTTP/1.1\r\nHost: " + b"x" * 100_000, b"\0" * 70_000]

    async def work() -> None:
        for data in rubbish:
            reader, writer = await silent(host)
            writer.write(data)
            writer.write_eof()
            try:
                await asyncio.wait_for(reader.read(), 20)
            except ConnectionError:
                pass
            writer.close()
        assert await let_in(host, host.token) == ""

    run(work())
