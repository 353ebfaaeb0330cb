"""Who may ask at all: an ASGI application around another one.

Exact Host and Origin (DNS rebinding, pages elsewhere), also for WebSockets; and no other site
may load our files as its scripts or pictures.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

REFUSED = b"This address is for the browser of the person who started it, by its own name only.\n"
OURS_OR_TYPED = (None, b"same-origin", b"none")


class Guard:
    """Lets through what a page of this address, or the address line, may ask."""

    def __init__(self, app: App, port: int) -> None:
        self._app = app
        self.hosts = frozenset(f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost"))
        self.origins = frozenset(b"http://" + host for host in self.hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._is_welcome(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            head = [(b"content-type", b"text/plain"), (b"cache-control", b"no-store")]
            await send({"type": "http.response.start", "status": 403, "headers": head})
            await send({"type": "http.response.body", "body": REFUSED})

    def _is_welcome(self, scope: Scope) -> bool:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        hosts = [value for name, value in headers if name == b"host"]
        origins = [value for name, value in headers if name == b"origin"]
        if len(hosts) != 1 or hosts[0] not in self.hosts:
            return False
        if any(origin != b"http://" + hosts[0] for origin in origins) or len(origins) > 1:
            return False
        if scope["type"] == "websocket":
            return True  # browsers always say their origin; what is none of them may say nothing
        named = dict(headers)
        site, mode = named.get(b"sec-fetch-site"), named.get(b"sec-fetch-mode")
        # A link from elsewhere may lead here, as long as it shows the page and frames nothing.
        follows = mode == b"navigate" and named.get(b"sec-fetch-dest") == b"document"
        return site in OURS_OR_TYPED or (follows and scope["method"] in ("GET", "HEAD"))
