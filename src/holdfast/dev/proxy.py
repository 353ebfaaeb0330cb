"""The app under our address: pages get our script, everything else passes as it is.

Whatever is behind may end and come back, also on another port: the address stays.
"""

import asyncio
from collections.abc import AsyncIterator

from holdfast.dev.changes import History
from holdfast.dev.clients import Clients
from holdfast.dev.guard import Receive, Scope, Send
from holdfast.dev.injecting import LOOK_AT, has_head, injected, tag, wants_script
from holdfast.dev.site import error_page
from holdfast.dev.tunnel import tunnel
from holdfast.dev.upstream import Address, Headers, Response, asked, without

OF_THE_LINE = (
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"te", b"trailer",
    b"upgrade", b"transfer-encoding",
)  # fmt: skip
BODY_PIECES = 4  # of a request, each at most 64 KiB; then the page waits for the app
# A page that is kept by the browser would have the token of an earlier start.
KEPT = (b"etag", b"last-modified", b"content-length", b"cache-control", b"expires")
CONDITIONS = (b"if-none-match", b"if-modified-since")


class Proxy:
    """Hands requests on to an app, while there is one."""

    def __init__(self, history: History, clients: Clients) -> None:
        self._history = history
        self._clients = clients
        self.address: Address | None = None
        self.reason = "The app has not started yet"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = self.address
        if scope["type"] == "websocket":
            if address is None:
                await receive()
                await send({"type": "websocket.close", "code": 1013})
            else:
                await tunnel(scope, receive, send, address)
            return
        if address is None:
            await self._fail(scope, send, self.reason)
            return
        answer = _Started(send)
        pieces: asyncio.Queue[bytes] = asyncio.Queue(BODY_PIECES)
        work = asyncio.create_task(self._hand_on(scope, pieces, answer, address))
        listening = asyncio.create_task(_listen(receive, pieces))
        try:
            # A stream of events never ends by itself: only the page knows when it has gone.
            await asyncio.wait([work, listening], return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        except OSError as error:
            if answer.has_begun:
                raise  # half an answer: the browser has to see that it is none
            await self._fail(scope, send, str(error) or type(error).__name__)
        finally:
            for task in (work, listening):
                task.cancel()
            await asyncio.gather(work, listening, return_exceptions=True)

    async def _hand_on(
        self, scope: Scope, pieces: "asyncio.Queue[bytes]", send: "_Started", address: Address
    ) -> None:
        headers = self._outward(scope, address)
        target = scope["raw_path"]
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        head = (scope["method"], target, headers)
        async with asked(address, head, _body(pieces, scope)) as response:
            kind = _value(response.headers, b"content-type").lower()
            dest = _value(scope["headers"], b"sec-fetch-dest").decode("latin-1")
            is_page = kind.startswith(b"text/html") and wants_script(dest)
            is_page = is_page and response.status not in (204, 304)
            given = self._inward(response.headers, address)
            # An app that compresses although nobody asked for it is left as it is.
            if is_page and scope["method"] == "GET" and not _value(given, b"content-encoding"):
                await self._send_page(response, given, send)
            else:
                await send.begin(response.status, given)
                async for piece in response.body:
                    await send.more(piece)
        await send.end()

    async def _send_page(self, response: Response, headers: Headers, send: "_Started") -> None:
        policy = _value(headers, b"content-security-policy").decode("latin-1")
        element = tag(self._clients.token, self._history.state, policy)
        fresh = [*without(headers, KEPT), (b"cache-control", b"no-store")]
        await send.begin(response.status, fresh)
        begun = bytearray()
        is_in = False
        async for piece in response.body:
            if is_in:
                await send.more(piece)
                continue
            begun += piece
            if has_head(begun) or len(begun) >= LOOK_AT:
                await send.more(injected(bytes(begun), element))
                is_in = True
        if not is_in:
            await send.more(injected(bytes(begun), element))

    def _outward(self, scope: Scope, address: Address) -> Headers:
        """Return the headers for the app: it is asked under its own name."""
        is_page = (b"sec-fetch-dest", b"document") in scope["headers"]
        gone = (b"host", b"accept-encoding", *OF_THE_LINE, *(CONDITIONS if is_page else ()))
        own_host = _value(scope["headers"], b"host")
        own = b"http://" + own_host
        headers = [
            (name, value.replace(own, address.origin, 1) if name in _OF_ORIGIN else value)
            for name, value in without(scope["headers"], gone)
        ]
        return [
            (b"Host", address.authority),
            *headers,
            (b"X-Forwarded-Host", own_host),
            (b"X-Forwarded-Proto", b"http"),
            (b"Connection", b"close"),
            *_framing(scope["headers"]),
        ]

    def _inward(self, headers: Headers, address: Address) -> Headers:
        """Return the headers for the page: what leads to the app leads to our address."""
        names = {address.origin, *(_with_host(address, name) for name in _ALIASES)}
        found = []
        for name, value in without(headers, OF_THE_LINE):
            given = value
            if name.lower() == b"location":
                origin = next((each for each in names if _is_below(value, each)), None)
                given = value if origin is None else value[len(origin) :] or b"/"
            found.append((name.lower(), given))
        return found

    async def _fail(self, scope: Scope, send: Send, reason: str) -> None:
        element = tag(self._clients.token, self._history.state)
        body = f"{reason}\n".encode(errors="replace")
        kind = b"text/plain; charset=utf-8"
        if b"text/html" in _value(scope["headers"], b"accept"):
            body = error_page("The app does not answer", reason, element)
            kind = b"text/html; charset=utf-8"
        headers = [(b"content-type", kind), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 502, "headers": headers})
        await send({"type": "http.response.body", "body": body})


_OF_ORIGIN = (b"origin", b"referer")
_ALIASES = (b"localhost", b"127.0.0.1")


class _Started:
    """Sends an answer, and knows whether it has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_begun = False

    async def begin(self, status: int, headers: Headers) -> None:
        self.has_begun = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def more(self, piece: bytes) -> None:
        await self._send({"type": "http.response.body", "body": piece, "more_body": True})

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b""})


async def _listen(receive: Receive, pieces: "asyncio.Queue[bytes]") -> None:
    """Pass on what the page sends; return when it has gone."""
    while (said := await receive())["type"] == "http.request":
        if said.get("body"):
            await pieces.put(said["body"])
        if not said.get("more_body"):
            await pieces.put(b"")


async def _body(pieces: "asyncio.Queue[bytes]", scope: Scope) -> AsyncIterator[bytes]:
    if _framing(scope["headers"]) or _value(scope["headers"], b"content-length"):
        while piece := await pieces.get():
            yield piece


def _framing(headers: Headers) -> Headers:
    """Return how the app is told that a body of unknown length follows, if one does."""
    if b"chunked" in _value(headers, b"transfer-encoding").lower():
        return [(b"Transfer-Encoding", b"chunked")]
    return []


def _value(headers: Headers, name: bytes) -> bytes:
    return next((value for each, value in headers if each.lower() == name), b"")


def _with_host(address: Address, name: bytes) -> bytes:
    scheme = b"https://" if address.is_tls else b"http://"
    return scheme + name + f":{address.port}".encode()


def _is_below(url: bytes, origin: bytes) -> bool:
    return url == origin or url.startswith(origin + b"/")
