"""`async with connect() as client`: a client that comes back by itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import TracebackType
from typing import Self, TypeVar, Unpack

from msgspec.structs import replace

from holdfast.client import requests
from holdfast.client.attempts import FOR_EVER, ONCE, Kind, Policy, State
from holdfast.client.follow import Follow
from holdfast.client.hearing import Events
from holdfast.client.mirroring import Mirror
from holdfast.client.reach import Reach
from holdfast.client.requests import Patience, Place, Word
from holdfast.client.session import Session
from holdfast.client.typing import Typing, Typings
from holdfast.client.wire import Wire
from holdfast.errors import HoldfastError, NotConnected, TimedOut
from holdfast.protocol import messages as m
from holdfast.protocol.messages import Message, SessionInfo

READY_WITHIN = 5.0  # seconds for a daemon to be there, started by us if need be
R = TypeVar("R", bound=Message)
OnReconnect = Callable[["Caller"], Awaitable[None]]


def connect(
    *,
    role: str = "control",
    label: str = "",
    kind: str = "script",
    client_id: str = "",
    reconnect: bool = True,
    autostart: bool = True,
    ready: bool = True,
    on_reconnect: OnReconnect | None = None,
    environ: Mapping[str, str] | None = None,
) -> "Client":
    """Return a client, to be used with `async with`.

    With *autostart* a daemon is started if there is none, and an error is raised if none is
    there after 5 s; without, the client begins disconnected and keeps trying. With `ready=False`
    it does not wait for its first connection in either case. *on_reconnect* runs on each
    connection, the first included, before anybody else may use it.
    """
    reach = requests.reach(
        role=role,
        label=label,
        kind=kind,
        client_id=client_id,
        autostart=autostart,
        environ=environ,
    )
    return Client(reach, FOR_EVER if reconnect else ONCE, on_reconnect, ready=ready)


class Caller:
    """Who makes calls: a client, or who prepares one of its connections."""

    def __init__(self, *, early: bool) -> None:
        self.wire: Wire
        self.typings: Typings
        self._early = early

    async def call(
        self, message: Message, reply: type[R], *, wait: bool = False, timeout: float | None = None
    ) -> R:
        """Return the reply, or raise the error it failed with.

        Without a connection it fails at once with NotConnected, and so it does when the
        connection is lost meanwhile. With *wait*, or a *timeout*, it waits for the next one.
        """
        call = requests.call_of(message, wait=wait, timeout=timeout, now=self.wire.now())
        result = await self.wire.call(call, early=self._early)
        if isinstance(result, HoldfastError):
            raise result
        assert isinstance(result, reply)
        return result

    def typing(self, session: str) -> Typing:
        """Return what this client types into a session."""
        return self.typings.of(session)

    async def create(
        self,
        *argv: Word,
        name: str = "",
        key: str = "",
        cwd: Place | None = None,
        env: Mapping[Word, Word] | None = None,
        size: tuple[int, int] = (80, 24),
        restore: str = "",
        ephemeral: bool = False,
        **patience: Unpack[Patience],
    ) -> Session:
        """Start a program in a new session; sent twice, it is started once."""
        asked = requests.create(
            argv,
            cwd=cwd,
            env=env,
            size=size,
            name=name,
            key=key,
            restore=restore,
            ephemeral=ephemeral,
        )
        created = await self.call(asked, m.Created, **patience)
        return Session(self, created.session, created.outcome)

    async def create_or_attach(
        self, key: str, *argv: Word, name: str = "", **patience: Unpack[Patience]
    ) -> Session:
        """Return the session with this key; its program is started if it does not run."""
        return await self.create(*argv, key=key, name=name, **patience)

    async def attach(self, session: str, **patience: Unpack[Patience]) -> Session:
        """Return a session by id, unique prefix of an id, name or key."""
        return Session(self, await self.call(m.Get(session=session), SessionInfo, **patience))

    async def register(
        self,
        session: str,
        *argv: Word,
        cwd: Word | None = None,
        size: tuple[int, int] | None = None,
        name: str = "",
        started: float = 0.0,
        attributes: Mapping[str, str] | None = None,
        **patience: Unpack[Patience],
    ) -> Mirror:
        """Make a mirrored session known, or known again on this connection.

        Its program runs here, and what it prints is sent. The id is of your choice, 4 to 32
        lower case letters and digits.
        """
        asked = requests.register(
            session,
            argv,
            cwd=cwd,
            size=size,
            name=name,
            started=started,
            attributes=attributes,
        )
        return Mirror(self, await self.call(asked, m.Registered, **patience))

    async def list(self, *, ended: bool = False, **patience: Unpack[Patience]) -> list[SessionInfo]:
        """Return what is known of all sessions, oldest first."""
        asked = m.List(ended=ended, limit=requests.LISTED)
        page = await self.call(asked, m.Listed, **patience)
        found = [*page.sessions]
        while page.next:
            page = await self.call(replace(asked, after=page.next), m.Listed, **patience)
            found += page.sessions
        return found


class Client(Caller):
    """A client of the daemon, over as many connections as it takes."""

    def __init__(
        self, reach: Reach, policy: Policy, on_reconnect: OnReconnect | None, *, ready: bool = True
    ) -> None:
        self._reach = reach
        self._policy = policy
        self._on_reconnect = on_reconnect
        self._waits_until_ready = ready
        super().__init__(early=False)

    async def __aenter__(self) -> Self:
        prepare = None if self._on_reconnect is None else self._prepare
        self.wire = Wire(self._reach, policy=self._policy, prepare=prepare)
        self._follow = Follow(self.wire.core)
        self.typings = Typings(self.wire.core, self.wire.now)
        self.wire.settle()
        try:
            if self._waits_until_ready:
                await self._ready()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self, *, goodbye: bool = True) -> None:
        """Say goodbye: what this client owns is free at once.

        Without *goodbye* it stays owned for half a minute, by who comes back with the same
        `client_id`.
        """
        await self.wire.close(goodbye=goodbye)

    # -- where it is

    @property
    def state(self) -> State:
        return self.wire.core.state

    @property
    def client_id(self) -> str:
        return self.wire.core.client_id

    async def states(self) -> AsyncIterator[State]:
        """Yield the state as it is, and every change; the last one is closed."""
        watcher = self.wire.watch()
        try:
            while True:
                state = await watcher.get()
                yield state
                if state.kind is Kind.CLOSED:
                    return
        finally:
            self.wire.unwatch(watcher)

    async def online(self, timeout: float | None = None) -> None:
        """Return when there is a connection; raise the error for which none will come."""
        try:
            async with asyncio.timeout(timeout):
                state = await self.wire.until(lambda s: s.kind is Kind.ONLINE or s.is_over)
        except TimeoutError:
            raise TimedOut(action="the connection to the daemon", seconds=timeout or 0.0) from None
        if state.is_over:
            raise state.error or NotConnected(reason=state.reason)

    def retry_now(self) -> None:
        """Try to connect at once, also after giving up."""
        self.wire.retry_now()

    async def _ready(self) -> None:
        """Wait for the first connection, or for the first attempt without one."""

        def is_enough(state: State) -> bool:
            return state.kind is Kind.ONLINE or state.is_over or state.attempt > 0

        try:
            async with asyncio.timeout(READY_WITHIN):
                state = await self.wire.until(is_enough)
                if self._reach.autostart and not state.is_over:
                    state = await self.wire.until(lambda s: s.kind is Kind.ONLINE or s.is_over)
        except TimeoutError:
            state = self.state
        if state.kind is not Kind.ONLINE and (self._reach.autostart or state.is_over):
            raise state.error or self._reach.unreachable("it is not there yet")

    async def _prepare(self) -> None:
        early = Caller(early=True)
        early.typings = self.typings
        early.wire = self.wire
        assert self._on_reconnect is not None
        await self._on_reconnect(early)

    # -- events

    def events(self, since: int | None = None, session: str = "") -> Events:
        """Return what happens, each event once and in order, across every outage.

        It listens from the first item on.
        """
        return Events(self.wire, self._follow, since, session)
