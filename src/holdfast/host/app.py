"""What the host answers over HTTP: the page, the login, how the host is, and logs as downloads.

Whoever gets here has been let in by `guard.py`, which also has put the grant of the token
into `request.state`.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from holdfast.client.aio import Client
from holdfast.errors import (
    AuthFailed,
    HoldfastError,
    InvalidArgument,
)
from holdfast.host.asgi import App, Receive, Scope, Send, peer_of
from holdfast.host.download import Log, log_of
from holdfast.host.guard import a_bug, error_map, too_many_tries
from holdfast.host.host import Host
from holdfast.host.measures import measures
from holdfast.host.tokens import Grant, Tokens
from holdfast.host.tries import Tries
from holdfast.host.watchdog import Watchdog
from holdfast.protocol.messages import GetMetrics, Metrics

logger = logging.getLogger(__name__)

NOT_BUILT = "The page is not built.\nRun `make run` in the source tree; a wheel has it.\n"


class _Login(msgspec.Struct):
    code: str


class Pages:
    """The routes of one host."""

    def __init__(self, host: Host, client: Client, *, tokens: Tokens, tries: Tries) -> None:
        self._host = host
        self._client = client
        self._tokens = tokens
        self._tries = tries
        self._page = page_directory()

    def app(self, base: str) -> App:
        """Return the application below *base*, which begins and ends with a slash."""
        routes: list[BaseRoute] = [
            Route("/api/login", self._login, methods=["POST"]),
            Route("/api/status", self._status),
            Route("/api/sessions/{session}/output", self._output),
            Route("/healthz", self._health),
            Route("/metrics", self._metrics),
            Mount("/socket.io", app=self._host.wire),
            *self._static(),
        ]
        mounted = [Mount(base.rstrip("/"), routes=routes)] if base != "/" else routes
        handlers: Any = {HoldfastError: _refused, Exception: _failed}
        return Starlette(routes=mounted, exception_handlers=handlers)

    def _static(self) -> list[BaseRoute]:
        if self._page is None:
            return [Route("/", _not_built)]
        page = self._page
        found: list[BaseRoute] = [Route("/", lambda _request: FileResponse(page / "index.html"))]
        if (page / "assets").is_dir():
            found.append(Mount("/assets", app=StaticFiles(directory=page / "assets")))
        if (page / "licenses.txt").is_file():
            found.append(Route("/licenses.txt", lambda _: FileResponse(page / "licenses.txt")))
        return found

    # -- who may come in

    async def _login(self, request: Request) -> Response:
        try:
            said = msgspec.json.decode(await request.body(), type=_Login)
        except msgspec.MsgspecError as error:
            raise InvalidArgument(argument="body", value="?", problem=str(error)) from error
        peer, now = peer_of(request.scope), time.monotonic()
        wait = self._tries.wait(peer, now)
        if wait:
            raise too_many_tries(wait)
        try:
            # It waits for the disk, and for the lock of whoever else changes the file.
            login = await asyncio.to_thread(self._tokens.redeem, said.code, time.time())
        except AuthFailed:
            self._tries.failed(peer, now)
            raise
        grant = login.grant
        return JSONResponse(
            {
                "token": login.token,
                "scope": self._host.scope_of(grant),
                "session": grant.session,
                "expires": grant.expires,
            }
        )

    # -- how the host is

    async def _status(self, request: Request) -> Response:
        facts = self._host.facts
        grant: Grant = request.state.grant
        return JSONResponse(
            {
                "version": facts.version,
                "pid": facts.pid,
                "started": facts.started,
                "scope": self._host.scope_of(grant),
            }
        )

    async def _health(self, _request: Request) -> Response:
        watchdog = self._host.watchdog
        to_clock = time.time() - time.monotonic()

        def moment(at: float | None) -> float | None:
            return None if at is None else round(at + to_clock, 3)

        return JSONResponse(
            {
                "status": "ok",
                "tabs": self._host.tabs,
                "daemon": self._client.state.kind.value,
                "last_attach": moment(watchdog.last_attach),
                "last_activity": moment(watchdog.last_event),
                "idle_timeout": watchdog.timeout,
                "idle_deadline": moment(watchdog.idle_at),
            }
        )

    async def _metrics(self, _request: Request) -> Response:
        text = measures(self._host)
        try:
            text += (await self._client.call(GetMetrics(), Metrics)).text
        except HoldfastError:
            pass  # it is away: what the host knows is still true
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    # -- logs

    async def _output(self, request: Request) -> Response:
        since, until = _offset(request, "since"), _offset(request, "until")
        session = request.path_params["session"]
        return Download(self._host.watchdog, await log_of(self._client, session, since, until))


class Download(StreamingResponse):
    """A response that is activity for as long as it is sent."""

    def __init__(self, watchdog: Watchdog, log: Log) -> None:
        self._watchdog = watchdog
        self._rest = log.rest
        kind = "application/octet-stream"
        super().__init__(_after(log.first, log.rest), media_type=kind, headers=log.headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._watchdog.sending()
        try:
            await super().__call__(scope, receive, send)
        except HoldfastError as error:
            # There is a status already; that it stays unfinished is all that can be said.
            logger.info("a download is broken off: %s", error.what)
        finally:
            self._watchdog.sent(time.monotonic())
            await self._rest.aclose()


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in rest:
        yield part


def page_directory() -> Path | None:
    """Return where the page was built to, None if it was not."""
    directory = Path(str(resources.files("holdfast.host"))) / "page"
    return directory if (directory / "index.html").is_file() else None


def _offset(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        problem = "must be a whole number of bytes"
        raise InvalidArgument(argument=name, value=text[:32], problem=problem)
    return int(text)


async def _not_built(_request: Request) -> Response:
    return PlainTextResponse(NOT_BUILT, status_code=503)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HoldfastError)
    return JSONResponse({"error": error_map(error)}, status_code=error.status)


async def _failed(_request: Request, error: Exception) -> Response:
    bug = a_bug(error)
    return JSONResponse({"error": error_map(bug)}, status_code=bug.status)
