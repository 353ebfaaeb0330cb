"""The door of the host, without a server: what is let by, what is refused, what the log says."""

import asyncio
import logging
from collections.abc import Callable

import msgpack
import pytest

from holdfast.errors import PermissionDenied
from holdfast.host.access import LOOPBACK, Access
from holdfast.host.asgi import App, Message, Receive, Scope, Send
from holdfast.host.complaints import LINES
from holdfast.host.guard import BODY_LIMIT, Guard
from holdfast.host.sockets import Sockets
from holdfast.host.tokens import Grant
from holdfast.host.tries import Tries
from tests.support.asgi import HERE, SocketPeer, ask

GRANTS = {
    "good-token": Grant(id="g", scope="full", session="", expires=0.0),
    "share-token": Grant(id="s", scope="share", session="abc123", expires=0.0),
}
GOOD = {"authorization": "Bearer good-token"}


class Inside:
    """The application behind the guard: remembers what got through."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.heard: list[str | bytes] = []
        self.ended = 0
        self.is_welcoming = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        if scope["type"] == "websocket":
            await self._socket(receive, send)
            return
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"datum"})

    async def _socket(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            content = message["text"] if message.get("text") is not None else message["bytes"]
            self.heard.append(content)
            if isinstance(content, bytes) and msgpack.unpackb(content)["type"] == 0:
                kind = 0 if self.is_welcoming else 4
                await send(_packet(kind, {"sid": "x"}))
            if content == "1":
                await send(_packet(1))
        self.ended += 1
        await send({"type": "websocket.close"})  # as engine.io does, whoever closed before


def _packet(kind: int, data: object = None) -> Message:
    return {
        "type": "websocket.send",
        "bytes": msgpack.packb({"type": kind, "data": data, "nsp": "/"}),
    }


@pytest.fixture
def inside() -> Inside:
    return Inside()


def guarded(
    app: App, *, check: Callable[[str], Grant | None] = GRANTS.get, base_path: str = "/"
) -> Guard:
    return Guard(
        app,
        rules=Access.at(LOOPBACK, 7717, base_path=base_path),
        check=check,
        tries=Tries(),
        clock=lambda: 0.0,
    )


# -- requests


@pytest.mark.parametrize("path", ["/", "/assets/index.js", "/licenses.txt"])
def test_the_shell_needs_no_token(inside: Inside, path: str) -> None:
    assert ask(guarded(inside), path).status == 200


@pytest.mark.parametrize(
    "path", ["/api/status", "/api/sessions/abc123/output", "/healthz", "/metrics", "/whatever"]
)
@pytest.mark.parametrize(
    "shown", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic good-token", "good-token"]
)
def test_without_a_token_there_is_no_datum(inside: Inside, path: str, shown: str) -> None:
    headers = {"authorization": shown} if shown else {}
    answer = ask(guarded(inside), path, headers=headers)

    assert (answer.status, answer.code, inside.scopes) == (401, "AUTH_FAILED", [])


def test_two_tokens_are_none(inside: Inside) -> None:
    """A proxy and we could each look at another one."""
    app = guarded(inside)

    async def twice(scope: Scope, receive: Receive, send: Send) -> None:
        scope["headers"].append((b"authorization", b"Bearer wrong"))
        await app(scope, receive, send)

    assert ask(twice, "/api/status", headers=GOOD).status == 401


def test_with_it_there_is_and_the_application_knows_the_grant(inside: Inside) -> None:
    answer = ask(guarded(inside), "/api/status", headers=GOOD)

    assert (answer.status, answer.body) == (200, b"datum")
    assert inside.scopes[0]["state"]["grant"] == GRANTS["good-token"]


def test_a_cookie_or_a_query_is_no_token(inside: Inside) -> None:
    answer = ask(guarded(inside), "/api/status", headers={"cookie": "token=good-token"})

    assert answer.status == 401
    assert "set-cookie" not in answer.headers


def test_the_token_of_a_share_sees_one_session(inside: Inside) -> None:
    shared = {"authorization": "Bearer share-token"}
    app = guarded(inside)

    assert ask(app, "/api/sessions/abc123/output", headers=shared).status == 200
    assert ask(app, "/api/sessions/other1/output", headers=shared).status == 404
    assert ask(app, "/metrics", headers=shared).status == 403


@pytest.mark.parametrize("headers", [{"host": "evil.example"}, {"origin": "null"}])
def test_a_foreign_page_gets_not_even_the_shell(inside: Inside, headers: dict[str, str]) -> None:
    answer = ask(guarded(inside), "/", headers={**GOOD, **headers})

    assert (answer.status, answer.code, inside.scopes) == (403, "PERMISSION_DENIED", [])


@pytest.mark.parametrize("path", ["/assets/../secret", "//", "/assets/\\..", "/a\nb"])
def test_an_address_that_leads_out_leads_nowhere(inside: Inside, path: str) -> None:
    answer = ask(guarded(inside), path, headers=GOOD)

    assert (answer.status, inside.scopes) == (404, [])


@pytest.mark.parametrize("path", ["/socket.io", "/socket.io/", "/socket.io/x"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_socket_is_not_reached_by_requests(inside: Inside, path: str, method: str) -> None:
    """Polling would be a second way in, without a grammar."""
    answer = ask(guarded(inside), path, method=method, headers=GOOD)

    assert (answer.status, inside.scopes) == (404, [])


def test_below_a_base_path_all_is_the_same(inside: Inside) -> None:
    app = guarded(inside, base_path="/x/")

    assert ask(app, "/x/").status == 200
    assert ask(app, "/x/api/status").status == 401
    assert ask(app, "/").status == 404


def test_a_body_has_a_bound_however_it_comes(inside: Inside) -> None:
    whole = ask(guarded(inside), "/api/login", method="POST", body=(bytes(BODY_LIMIT + 1),))
    pieces = (bytes(BODY_LIMIT // 4),) * 5
    in_pieces = ask(guarded(inside), "/api/login", method="POST", body=pieces)

    assert [(one.status, one.code) for one in (whole, in_pieces)] == [(400, "INVALID_ARGUMENT")] * 2


def test_every_answer_has_the_headers_that_bind_a_browser(inside: Inside) -> None:
    app = guarded(inside)
    for answer in (ask(app, "/"), ask(app, "/api/status"), ask(app, "/", headers={"host": "x"})):
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; ")
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] in ("no-cache", "no-store")
        assert "access-control-allow-origin" not in answer.headers


def test_wrong_tokens_are_counted_and_right_ones_are_not(inside: Inside) -> None:
    app = guarded(inside)
    statuses = [
        ask(app, "/api/status", headers={"authorization": "Bearer x"}).status for _ in range(12)
    ]

    assert statuses == [401] * 10 + [429] * 2
    assert ask(app, "/api/status", headers=GOOD).status == 200


def test_a_file_of_tokens_that_is_not_trusted_lets_nobody_in(inside: Inside) -> None:
    def distrusted(_: str) -> Grant | None:
        raise PermissionDenied(action="using the file")

    answer = ask(guarded(inside, check=distrusted), "/api/status", headers=GOOD)

    assert (answer.status, answer.code, inside.scopes) == (403, "PERMISSION_DENIED", [])


# -- the log


def test_each_refusal_is_one_line_and_a_flood_of_them_few(
    inside: Inside, caplog: pytest.LogCaptureFixture
) -> None:
    app = guarded(inside)
    for _ in range(LINES * 3):
        ask(app, "/", headers={"host": "evil.example\n"})

    assert len(caplog.records) == LINES
    assert caplog.records[0].message == (
        "refused 127.0.0.9: not allowed: reaching this host as 'evil.example\\n'"
    )


def test_an_answer_that_has_begun_is_followed_by_no_other() -> None:
    async def broken(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise PermissionDenied(action="the rest")

    answer = ask(guarded(broken), "/")

    assert (answer.status, answer.body) == (200, b"half")


def test_no_secret_gets_into_the_log(inside: Inside, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    app = guarded(inside)
    for path in ("/", "/api/status", "/SECRET", "/../SECRET"):
        for headers in ({"host": "evil"}, {"authorization": "Bearer SECRET"}, {"cookie": "SECRET"}):
            ask(app, path, headers=headers)

    assert caplog.records
    assert "SECRET" not in caplog.text


# -- sockets


def let_in(peer: SocketPeer) -> None:
    peer.pack(0, {"protocol": 1, "token": "t", "client_id": "c", "seat": "/"})


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for knows nothing of tests
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/socket.io/", {"host": "evil.example"}, 403),
        ("/socket.io/", {"origin": "http://evil.example"}, 403),
        ("/socket.io/", {"origin": "null"}, 403),
        ("/socket.io/", {"origin": "http://127.0.0.1:8000"}, 403),
        ("/socket.io", {}, 404),
        ("/socket.io/../socket.io/", {}, 404),
        ("/", {}, 404),
        ("/other", {}, 404),
    ],
)
def test_a_socket_from_elsewhere_is_refused_before_anything_is_made_for_it(
    inside: Inside, path: str, headers: dict[str, str], status: int
) -> None:
    async def run() -> Message:
        async with SocketPeer(guarded(inside), path, **headers) as peer:
            return await peer.next()

    answer = asyncio.run(run())

    assert (answer["type"], answer["status"]) == ("websocket.http.response.start", status)
    assert inside.scopes == []


def test_a_page_of_ours_is_heard(inside: Inside) -> None:
    async def run() -> None:
        async with SocketPeer(guarded(inside), origin=f"http://{HERE}") as peer:
            let_in(peer)
            peer.pack(2, ["ready", {}])
            peer.say("3")
            await until(lambda: len(inside.heard) == 3)

    asyncio.run(run())
    assert msgpack.unpackb(inside.heard[1]) == {"type": 2, "nsp": "/", "data": ["ready", {}]}


@pytest.mark.parametrize(
    "said",
    ["4", "2probe", b"\xc1", msgpack.packb({"type": 2, "nsp": "/", "data": ["disconnect", {}]})],
)
def test_what_breaks_the_rules_is_closed_with_one_line_and_not_handed_on(
    inside: Inside, caplog: pytest.LogCaptureFixture, said: str | bytes
) -> None:
    async def run() -> int:
        async with SocketPeer(guarded(inside)) as peer:
            let_in(peer)
            for _ in range(5):
                peer.say(said)
            return await peer.closed()

    assert asyncio.run(run()) == 1008
    assert (len(inside.heard), inside.ended) == (1, 1)
    assert [one.levelname for one in caplog.records if one.name.startswith("holdfast")] == [
        "WARNING"
    ]


def test_who_says_nothing_is_closed(inside: Inside) -> None:
    async def run() -> int:
        sockets = Sockets(complain=lambda *_: None, patience=0.05)
        async with SocketPeer(_served(sockets, inside)) as peer:
            return await peer.closed()

    assert asyncio.run(run()) == 1008


def test_who_was_let_in_has_all_the_time(inside: Inside) -> None:
    async def run() -> None:
        sockets = Sockets(complain=lambda *_: None, patience=0.2)
        app = _served(sockets, inside)
        async with SocketPeer(app) as first:
            let_in(first)
            await until(lambda: bool(inside.heard))
            async with SocketPeer(app) as silent:
                await silent.closed()  # 0.2 s later
            first.pack(2, ["ready", {}])
            await until(lambda: len(inside.heard) == 2)

    asyncio.run(run())


@pytest.mark.parametrize("word", ["1", ""], ids=["sent away", "refused"])
def test_who_was_refused_or_sent_away_does_not_stay(inside: Inside, word: str) -> None:
    async def run() -> int:
        inside.is_welcoming = bool(word)
        async with SocketPeer(_served(Sockets(complain=lambda *_: None), inside)) as peer:
            let_in(peer)
            if word:
                peer.say(word)
            return await peer.closed()

    assert asyncio.run(run()) == 1000


def test_a_thousand_silent_sockets_shut_nobody_out(inside: Inside) -> None:
    """The oldest makes room; who has been let in is not disturbed."""

    async def run() -> tuple[int, int, int]:
        sockets = Sockets(complain=lambda *_: None, waiting_limit=3, patience=60)
        app = _served(sockets, inside)
        async with SocketPeer(app) as member:
            let_in(member)
            await until(lambda: bool(inside.heard))
            silent = [await SocketPeer(app).__aenter__() for _ in range(20)]
            await until(lambda: inside.ended >= 17)
            async with SocketPeer(app) as page:
                let_in(page)
                await until(lambda: len(inside.heard) == 2)
                member.pack(2, ["ready", {}])
                await until(lambda: len(inside.heard) == 3)
                closed = [await one.closed() for one in silent[:17]]
                found = len(closed), set(closed).pop(), sockets.waiting
        for one in silent:
            await one.__aexit__(None, None, None)
        return found

    assert asyncio.run(run()) == (17, 1008, 2)  # of three that waited, one made room for the page


def test_all_sockets_together_have_a_bound(inside: Inside) -> None:
    async def run() -> Message:
        guard = guarded(inside)
        guard.sockets.limit = 1
        async with SocketPeer(guard) as first:
            let_in(first)
            await until(lambda: bool(inside.heard))
            async with SocketPeer(guard) as second:
                return await second.next()

    assert asyncio.run(run())["status"] == 429


def _served(sockets: Sockets, inside: Inside) -> App:
    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await sockets.serve(inside, scope, receive, send)

    return serve
