"""The host: lets tabs in, gives each a client of the daemon, and ends when nobody needs it."""

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import msgspec

from holdfast.errors import (
    AuthFailed,
    HoldfastError,
    InvalidArgument,
    InvalidClientId,
    ProtocolMismatch,
)
from holdfast.host.calls import Payload
from holdfast.host.flow import WINDOW
from holdfast.host.guard import too_many_tries
from holdfast.host.listing import Change
from holdfast.host.load import Load
from holdfast.host.packets import Auth
from holdfast.host.page import TabPage
from holdfast.host.registry import Registry, Tab
from holdfast.host.tokens import Grant, Tokens
from holdfast.host.tries import Tries
from holdfast.host.visit import CALLS, Place, Visit, Who
from holdfast.host.watchdog import Watchdog
from holdfast.host.wire import Wire

logger = logging.getLogger(__name__)

PROTOCOL = 1
CLIENT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
SEAT = re.compile(r"/|s/[A-Za-z0-9]{1,64}")
# Messages that wait in a socket's queue: from then on no output is added, and past the second
# number the tab is dropped. It comes back by itself and misses nothing.
BLOCKED, DROPPED = 64, 2000
LOOK_AT_GRANTS = 5.0  # seconds until who is connected by a revoked token is sent away


class Facts(NamedTuple):
    """What pages are told of this host."""

    version: str
    pid: int
    started: float
    command: str
    """What starts it again."""
    read_only: bool


class Present(NamedTuple):
    """A tab that is here."""

    tab: Tab
    grant: Grant
    page: TabPage
    visit: Visit


class Host:
    """All tabs of this process."""

    def __init__(
        self,
        facts: Facts,
        place: Place,
        *,
        tokens: Tokens,
        tries: Tries,
        idle_timeout: float | None,
        ended: Callable[[str], None],
    ) -> None:
        self.facts = facts
        self.tokens = tokens
        self.load = Load()
        self.watchdog = Watchdog(idle_timeout, time.monotonic())
        self.wire = Wire(self)
        self.registry = Registry(emit=self._emit, watchdog=self.watchdog)
        self._place = place
        self._tries = tries
        self._ended = ended
        self._present: dict[int, Present] = {}  # by epoch
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self.registry.on("ready", self._ready)
        self.registry.on("__activity__", self._nothing)
        self.registry.on("ack", self._acknowledged)
        for event in CALLS:
            self.registry.on(event, partial(self._call, event))

    # -- its life

    def begin(self) -> None:
        """Watch whether anybody needs it."""
        self._watch()
        self._do(self._look_at_grants())

    def tell_end(self, kind: str, reason: str) -> None:
        """Tell every tab that the sockets are about to be closed, and why."""
        notice = {"kind": kind, "reason": reason, "command": self.facts.command}
        self.registry.tell_all("notice", notice)

    async def close(self) -> None:
        """Let go of everybody; what they own waits for them half a minute."""
        if self._timer is not None:
            self._timer.cancel()
        visits = [present.visit for present in self._present.values()]
        self._present.clear()
        await asyncio.gather(*(visit.close(goodbye=False) for visit in visits))
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _watch(self) -> None:
        now = time.monotonic()
        reason = self.watchdog.expire(now)
        if reason:
            logger.info("idle timeout reached (%s)", reason)
            self._ended(reason)
        elif (deadline := self.watchdog.deadline()) is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, deadline - now), self._watch)

    async def _look_at_grants(self) -> None:
        """Send away who is connected by what was revoked, or has expired."""
        complaint = ""
        while True:
            await asyncio.sleep(LOOK_AT_GRANTS)
            try:
                await self._send_strangers_away()
                complaint = ""
            except HoldfastError as error:
                # The file is not to be trusted, or not to be read: nobody comes in by it, and
                # who is here stays until it says again who may.
                if error.what != complaint:
                    complaint = error.what
                    logger.warning("who may stay is not known: %s; %s", error.what, error.fix)

    async def _send_strangers_away(self) -> None:
        present = [*self._present.values()]
        if not present:
            return
        living = self.tokens.living({each.grant.id for each in present}, time.time())
        for each in present:
            if each.grant.id not in living:
                logger.info("tab %d sent away: its token holds no longer", each.tab.epoch)
                await self.wire.close(each.tab.connection)

    @property
    def tabs(self) -> int:
        """How many tabs are told things."""
        return len(self.registry.tabs())

    @property
    def views(self) -> int:
        """How many terminals they show."""
        return sum(present.visit.views for present in self._present.values())

    def scope_of(self, grant: Grant) -> str:
        """Return what a token allows here."""
        return "read" if self.facts.read_only and grant.scope == "full" else grant.scope

    # -- for the wire

    async def connected(self, socket: str, auth: object, peer: str) -> None:
        """Let a tab in, or raise why not."""
        said = _introduced(auth)
        grant = self._granted(said.token, peer)
        scope = self.scope_of(grant)
        seat = _seat(said.seat, scope)
        if not CLIENT_ID.fullmatch(said.client_id):
            problem = "it is no name" if said.client_id else "it is empty"
            raise InvalidClientId(value=said.client_id[:64], problem=problem)
        now = time.monotonic()
        tab, superseded = self.registry.attach(socket, seat=seat, client_id=said.client_id, now=now)
        for other in superseded:
            self._do(self._send_away(other, goodbye=other.client_id != tab.client_id))
        try:
            await self._seat(tab, grant)
        except BaseException:
            # A socket that was never let in is not told to be lost: its seat would stay taken.
            await self.lost(socket, "it could not be let in")
            raise

    async def _seat(self, tab: Tab, grant: Grant) -> None:
        """Give a tab its client of the daemon, and its page what holds."""
        page = TabPage(
            self.registry,
            tab,
            is_blocked=lambda connection: self.wire.backlog(connection) > BLOCKED,
            is_busy=lambda: self.load.is_busy,
        )
        scope = self.scope_of(grant)
        # Links are copied with the tab that they are in. Nobody is superseded by one, so each
        # is somebody of its own to the daemon, which lets in one of a name.
        client_id = tab.client_id if tab.seat else secrets.token_hex(12)
        visit = Visit(Who(client_id, scope, grant.session), self._place_of(tab.seat), page)
        self._present[tab.epoch] = Present(tab, grant, page, visit)
        self._introduce(page, tab, scope, grant)
        await visit.open()

    async def heard(self, socket: str, event: str, payload: object) -> object:
        """Do what a page asks."""
        found = await self.registry.receive(socket, event, payload, time.monotonic())
        return {"ok": found}

    async def lost(self, socket: str, reason: str) -> None:
        """The socket of a tab is gone; it may come back as another."""
        tab = self.registry.tab_of(socket)
        if tab is None:
            return
        self.registry.detach(tab.epoch, reason=reason, now=time.monotonic())
        present = self._present.pop(tab.epoch, None)
        if present is not None:
            await present.visit.close(goodbye=False)

    # -- what pages ask

    async def _ready(self, tab: Tab, _payload: object) -> None:
        present = self._present.get(tab.epoch)
        if present is not None:
            present.visit.retry()
            present.page.ready()

    async def _nothing(self, _tab: Tab, _payload: object) -> None:
        """Somebody is there; that they said something is all."""

    async def _acknowledged(self, tab: Tab, payload: object) -> None:
        present = self._present.get(tab.epoch)
        if present is not None:
            present.visit.acknowledged(payload)

    async def _call(self, event: str, tab: Tab, payload: object) -> object:
        present = self._present.get(tab.epoch)
        return None if present is None else await present.visit.call(event, payload)

    # -- inside

    def _emit(self, connection: str, event: str, payload: object) -> None:
        self.load.sent(time.monotonic())
        if self.wire.backlog(connection) > DROPPED:
            logger.info("a tab that does not read is dropped")
            self._do(self.wire.drop(connection))
        elif not self.wire.send(connection, event, payload):
            logger.debug("%s is dropped: the socket is gone", event)

    def _introduce(self, page: TabPage, tab: Tab, scope: str, grant: Grant) -> None:
        facts = self.facts
        host = {"version": facts.version, "pid": facts.pid, "started": facts.started}
        started: Payload = {
            "epoch": tab.epoch,
            "seat": tab.seat,
            "scope": scope,
            "session": grant.session,
        }
        page.keep(Change("started", "", {**started, "host": host}))
        timeout = self.watchdog.timeout
        init: Payload = {"idle_timeout": timeout, "window": WINDOW, "command": facts.command}
        page.keep(Change("init", "", init))

    def _place_of(self, seat: str) -> Place:
        return self._place if seat in ("", "/") else self._place._replace(chosen=seat[2:])

    async def _send_away(self, tab: Tab, *, goodbye: bool) -> None:
        """End what a superseded tab does: it is told why already, and nothing after that."""
        present = self._present.pop(tab.epoch, None)
        if present is not None:
            await present.visit.close(goodbye=goodbye)
        await self.wire.close(tab.connection)

    def _granted(self, token: str, peer: str) -> Grant:
        now = time.monotonic()
        grant = self.tokens.check(token, time.time()) if token else None
        if grant is not None:
            return grant
        wait = self._tries.wait(peer, now)
        self._tries.failed(peer, now)
        if wait:
            raise too_many_tries(wait)
        raise AuthFailed(reason="no token, or one that is not valid (any more)").said(
            "access refused: no token, or one that is not valid (any more)",
            "log in with the address that `hold host` has printed",
        )

    def _do(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("work behind the pages failed", exc_info=error)


def _introduced(auth: object) -> Auth:
    try:
        said = msgspec.convert(auth if isinstance(auth, dict) else {}, Auth)
    except msgspec.ValidationError as error:
        raise InvalidArgument(argument="auth", value="?", problem=str(error)) from error
    if said.protocol != PROTOCOL:
        older = "page: reload it" if said.protocol < PROTOCOL else "host"
        raise ProtocolMismatch(client=str(said.protocol), daemon=str(PROTOCOL), older=older).said(
            f"the page speaks protocol {said.protocol}, this host {PROTOCOL}",
            "reload the page; if that does not help, upgrade the host",
        )
    return said


def _seat(seat: str, scope: str) -> str:
    if scope == "share":
        return ""  # it takes nobody's place
    if not SEAT.fullmatch(seat):
        remedy = "open the page by the address that `hold host` has printed"
        raise InvalidArgument(argument="seat", value=seat, problem="no such place", remedy=remedy)
    return seat
