"""The door of the host: every request and every socket comes by here before anything is done.

One ASGI application around all others. `access.py` says who may ask for what, `sockets.py`
what a socket may do, `tokens.py` who has a token; here it is carried out. Each refusal has a
code for the peer and at most one line in the log - never with a query, a token or a code.
"""

import json
import logging
from collections.abc import Callable

from holdfast.errors import HoldfastError, Internal, InvalidArgument, LimitReached, NotFound
from holdfast.host import access
from holdfast.host.asgi import App, Message, Receive, Scope, Send, headers_of, peer_of
from holdfast.host.complaints import Complaints
from holdfast.host.sockets import Sockets
from holdfast.host.tokens import Grant
from holdfast.host.tries import Tries

logger = logging.getLogger(__name__)

BODY_LIMIT = 4 << 10  # bytes; a login is all that has a body
SOCKET_PATH = "socket.io/"
_REFUSE_SOCKET = "websocket.http.response"  # an extension of ASGI, that uvicorn has

Check = Callable[[str], Grant | None]


class Guard:
    """The application behind the rules; `scope["state"]["grant"]` has what was shown."""

    def __init__(
        self,
        app: App,
        *,
        rules: access.Access,
        check: Check,
        tries: Tries,
        clock: Callable[[], float],
    ) -> None:
        self._app = app
        self._rules = rules
        self._check = check
        self._tries = tries
        self._clock = clock
        self._complaints = Complaints(clock())
        self.sockets = Sockets(complain=self.complain)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        # There is no lifespan: the host starts and ends its parts itself.

    def complain(self, peer: str, problem: str) -> None:
        """Write down what was refused, as far as the log is to have it."""
        is_said, unsaid = self._complaints.count(self._clock())
        if unsaid:
            logger.warning("%d more were refused in the minute before", unsaid)
        if is_said:
            logger.warning("refused %s: %s", peer, problem)

    # -- requests

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        inner = self._rules.inner_path(scope["path"])
        answer = _Answer(send, inner)
        error = self._refuse_source(scope) or self._refuse_request(scope, inner)
        if error is not None:
            self.complain(peer_of(scope), error.what)
            await answer.refuse(error)
            return
        try:
            await self._app(scope, _bounded(receive), answer.send)
        except HoldfastError as said:
            await answer.refuse(said)
        except Exception as bug:
            # The server beneath would name the whole request, with its query.
            logger.exception("a request failed")
            await answer.refuse(a_bug(bug))

    def _refuse_source(self, scope: Scope) -> HoldfastError | None:
        address = scope["server"][0] if scope.get("server") else ""
        rules = self._rules.reached_at(address)
        return rules.check_source(headers_of(scope, b"host"), headers_of(scope, b"origin"))

    def _refuse_request(self, scope: Scope, inner: str | None) -> HoldfastError | None:
        method = scope["method"]
        # The socket has one door, that for sockets: by polling it would have no grammar.
        if inner is None or f"{inner}/".startswith(SOCKET_PATH):
            return _nothing_here()
        if access.is_public(method, inner):
            return None
        grant, error = self._grant(scope)
        if error is None:
            error = access.refusal(grant, method, inner)
        scope.setdefault("state", {})["grant"] = grant
        return error

    def _grant(self, scope: Scope) -> tuple[Grant | None, HoldfastError | None]:
        """Return what the token allows, or why it is not even looked at any more."""
        token = _bearer(headers_of(scope, b"authorization"))
        try:
            grant = self._check(token) if token else None
        except HoldfastError as error:  # the file of tokens is not to be trusted
            return None, error
        if grant is not None or not token:
            return grant, None
        peer, now = peer_of(scope), self._clock()
        wait = self._tries.wait(peer, now)
        self._tries.failed(peer, now)
        return None, too_many_tries(wait) if wait else None

    # -- sockets

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = self._refuse_source(scope)
        if error is None and self._rules.inner_path(scope["path"]) != SOCKET_PATH:
            error = _nothing_here()
        if error is None and self.sockets.is_full:
            error = LimitReached(
                resource="sockets", limit=self.sockets.limit, remedy="close some tabs"
            )
        if error is None:
            await self.sockets.serve(self._app, scope, receive, send)
            return
        self.complain(peer_of(scope), error.what)
        await receive()  # the request to connect, which is what is answered
        if _REFUSE_SOCKET in scope.get("extensions", {}):
            await _Answer(send, None, prefix="websocket.").refuse(error)
        else:
            await send({"type": "websocket.close", "code": 1008})


def _bounded(receive: Receive) -> Receive:
    """Return a `receive` that raises InvalidArgument instead of gathering a large body."""
    size = 0

    async def bounded() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > BODY_LIMIT:
            raise _too_large()
        return message

    return bounded


class _Answer:
    """The answer to a request, with the headers that each of ours has."""

    def __init__(self, send: Send, inner: str | None, *, prefix: str = "") -> None:
        self._send = send
        self._inner = inner
        self._prefix = prefix
        self._has_begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == f"{self._prefix}http.response.start":
            self._has_begun = True
            message["headers"] = [*message.get("headers", []), *self._headers(message["status"])]
        await self._send(message)

    async def refuse(self, error: HoldfastError) -> None:
        """Answer with an error, unless there is an answer already."""
        if self._has_begun:
            return
        body = json.dumps({"error": error_map(error)}).encode()
        kind = f"{self._prefix}http.response"
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        if error.status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        await self.send({"type": f"{kind}.start", "status": error.status, "headers": headers})
        await self.send({"type": f"{kind}.body", "body": body})

    def _headers(self, status: int) -> list[tuple[bytes, bytes]]:
        kept = "no-store" if self._inner is None else access.cache_control(self._inner, status)
        all_ = {**access.SECURITY_HEADERS, "cache-control": kept}
        return [(name.encode(), value.encode()) for name, value in all_.items()]


def error_map(error: HoldfastError) -> dict[str, str]:
    """Return an error as pages are told it."""
    return {"code": error.code, "what": error.what, "fix": error.fix}


def a_bug(error: Exception) -> HoldfastError:
    """Return what a peer is told of a bug of ours; the log of this process has the rest."""
    bug = Internal(summary=type(error).__name__)
    return bug.said(
        bug.what, "please report it with the end of host.log, which is in the state directory"
    )


def too_many_tries(wait: float) -> HoldfastError:
    """Return the refusal of one more try."""
    return LimitReached(resource="tries", limit=0).said(
        "too many codes or tokens were wrong", f"try again in {wait:.0f} s"
    )


def _nothing_here() -> HoldfastError:
    return NotFound(session="").said(
        "there is nothing at this address", "open the address that `hold host` has printed"
    )


def _too_large() -> HoldfastError:
    return InvalidArgument(
        argument="the body",
        value="more",
        problem=f"must be at most {BODY_LIMIT} bytes",
        remedy="send less",
    )


def _bearer(values: list[str]) -> str:
    """Return the token of an Authorization header; two of them are none."""
    scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    return token.strip() if scheme.lower() == "bearer" else ""
