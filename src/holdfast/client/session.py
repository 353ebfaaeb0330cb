"""One session, as asyncio code uses it: typed into, changed, looked at."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol, Self, TypeVar, Unpack

from holdfast.client.looking import Looking
from holdfast.client.requests import Patience
from holdfast.client.typing import Typing, Written
from holdfast.client.view import Chunk, End, Gap, Item, Snapshot, Tail
from holdfast.client.wire import Wire
from holdfast.errors import HoldfastError, TimedOut
from holdfast.protocol import messages as m
from holdfast.protocol.messages import Message, SessionInfo

R = TypeVar("R", bound=Message)
LONGEST_WAIT = 60.0  # seconds of one question; the daemon answers no later
LEAST_WAIT = 1.0  # seconds for its answer, and for a connection on which to ask


class Caller(Protocol):
    """Who makes calls for a session."""

    wire: Wire

    async def call(
        self, message: Message, reply: type[R], *, wait: bool = False, timeout: float | None = None
    ) -> R:
        """Return the reply, or raise the error it failed with."""

    def typing(self, session: str) -> Typing:
        """Return what this client types there."""


class Session:
    """A session of this client's daemon."""

    def __init__(self, caller: Caller, info: SessionInfo, outcome: str = "") -> None:
        self._caller = caller
        self.info = info
        """What was known of it when it was asked for last."""
        self.outcome = outcome
        """What `create` did: created, attached or restored."""

    @property
    def id(self) -> str:
        return self.info.id

    def __repr__(self) -> str:
        return f"<Session {self.id} {self.info.name!r} {self.info.state}>"

    # -- looking

    def output(
        self,
        since: int | None = 0,
        *,
        policy: str = "lossless",
        window: int = 1 << 20,
        pause: str = "",
        held: Tail | None = None,
        scrollback: int | None = 10_000,
        terminal: bool = False,
    ) -> "Output":
        """Return what it prints, from an offset on, or (None) from a snapshot on.

        Who holds bytes from another run gives their tail as *held* instead of *since*: if it
        is not that of the log, a snapshot comes first. A snapshot has so many lines of
        *scrollback*. Who shows all of it in a *terminal* that answers the queries of programs
        says so, or they are answered twice.
        """
        epoch, since, length, crc = (b"", since, 0, 0) if held is None else held
        asked = m.Attach(
            session=self.id,
            since=since,
            epoch=epoch,
            length=length,
            crc=crc,
            policy=policy,
            window=window,
            pause=pause,
            scrollback=scrollback,
            terminal=terminal,
        )
        return Output(self._caller.wire, asked)

    async def snapshot(self) -> Snapshot:
        """Return what shows the session now."""
        async with self.output(None) as output:
            async for item in output:
                if isinstance(item, Snapshot):
                    return item
        raise TimedOut(action="the snapshot", seconds=0)

    async def screen(
        self, form: str = "text", *, scrollback: int | None = 0, **patience: Unpack[Patience]
    ) -> m.Screen:
        """Return what it shows: text, vt or json, with so many lines above (None: all)."""
        asked = m.GetScreen(session=self.id, form=form, scrollback=scrollback)
        return await self._caller.call(asked, m.Screen, **patience)

    async def refresh(self, **patience: Unpack[Patience]) -> SessionInfo:
        """Return what is known of it now."""
        return await self._changed(m.Get(session=self.id), **patience)

    async def wait(self, timeout: float | None = None) -> SessionInfo:
        """Return what is known of it once it has ended, across every outage."""
        loop = asyncio.get_running_loop()
        give_up = None if timeout is None else loop.time() + timeout
        while True:
            left = LONGEST_WAIT if give_up is None else max(0.0, give_up - loop.time())
            asked = m.Wait(session=self.id, timeout=min(left, LONGEST_WAIT))
            try:
                # An outage counts, too; but who does not want to wait still wants an answer.
                limit = None if give_up is None else max(left, LEAST_WAIT)
                self.info = await self._caller.call(asked, SessionInfo, wait=True, timeout=limit)
            except TimedOut:
                if give_up is not None and loop.time() >= give_up:
                    raise TimedOut(action=f"session {self.id!r}", seconds=timeout or 0.0) from None
            else:
                return self.info

    # -- typing

    async def write(self, data: bytes, *, takeover: bool = False) -> None:
        """Type bytes; return when the program's terminal has them, each once.

        Raises HandedBack with what was not typed when the connection was away for so long
        that the screen it was meant for is gone; what was typed behind it comes back, too.
        A `write` that is cancelled types no more than what the daemon was offered already.
        """
        self._caller.wire.refuse_while_preparing()
        typing = self._caller.typing(self.id)
        await self._typed(typing, typing.add(data, takeover=takeover))

    async def send(
        self, text: str | bytes, *, enter: bool = True, settle: bool = True, takeover: bool = False
    ) -> m.Sent:
        """Type a text, and Enter, as one unit between which nobody else types."""
        data = text.encode() if isinstance(text, str) else text
        unit = m.Send(
            session=self.id, offset=0, text=data, enter=enter, settle=settle, takeover=takeover
        )
        self._caller.wire.refuse_while_preparing()
        typing = self._caller.typing(self.id)
        result = await self._typed(typing, typing.add(unit=unit))
        assert isinstance(result, m.Sent)
        return result

    async def _typed(self, typing: Typing, written: Written) -> Message:
        done = asyncio.get_running_loop().create_future()
        written.done = lambda: None if done.done() else done.set_result(None)
        self._caller.wire.settle()
        if written.result is None:
            try:
                await done
            except asyncio.CancelledError:
                typing.withdraw(written)
                raise
        if isinstance(written.result, HoldfastError):
            raise written.result
        assert written.result is not None
        return written.result

    # -- what ran in it

    async def commands(self, *, last: int = 0) -> list[m.CommandRecord]:
        """Return what is known of its commands, oldest first; only the newest *last*, if given."""
        asked = m.Commands(session=self.id, last=last)
        return (await self._caller.call(asked, m.CommandsListed)).records

    async def context(self, *, last: int = 10, budget: int = 16_000) -> str:
        """Return its newest commands as text for a person or a language model."""
        asked = m.GetContext(session=self.id, last=last, budget=budget)
        return (await self._caller.call(asked, m.Context)).text

    # -- changing

    async def resize(
        self, cols: int, rows: int, *, takeover: bool = False, **patience: Unpack[Patience]
    ) -> SessionInfo:
        """Give its terminal another size, as its owner."""
        return await self._changed(
            m.Resize(session=self.id, cols=cols, rows=rows, takeover=takeover), **patience
        )

    async def signal(
        self, name: str, *, takeover: bool = False, **patience: Unpack[Patience]
    ) -> SessionInfo:
        """Send a signal to the program and what it runs in the foreground."""
        return await self._changed(
            m.Signal(session=self.id, signal=name, takeover=takeover), **patience
        )

    async def kill(
        self, *, now: bool = False, takeover: bool = False, **patience: Unpack[Patience]
    ) -> SessionInfo:
        """End the program: TERM, some seconds of grace, KILL; or KILL at once."""
        return await self._changed(m.Kill(session=self.id, now=now, takeover=takeover), **patience)

    async def rename(
        self, name: str, *, takeover: bool = False, **patience: Unpack[Patience]
    ) -> SessionInfo:
        """Call it something else; nothing takes the name away."""
        return await self._changed(
            m.Rename(session=self.id, name=name, takeover=takeover), **patience
        )

    async def restore(self, **patience: Unpack[Patience]) -> SessionInfo:
        """Start the program again that ended with the machine."""
        return await self._changed(m.Restore(session=self.id, life=self.info.life), **patience)

    async def claim(self, **patience: Unpack[Patience]) -> SessionInfo:
        """Own it, if nobody does."""
        return await self._changed(m.Claim(session=self.id), **patience)

    async def takeover(self, reason: str = "", **patience: Unpack[Patience]) -> SessionInfo:
        """Own it, whoever does; that client is told and looks on."""
        return await self._changed(m.Takeover(session=self.id, reason=reason), **patience)

    async def release(self, **patience: Unpack[Patience]) -> SessionInfo:
        """Leave it to whoever claims it next."""
        return await self._changed(m.Release(session=self.id), **patience)

    async def clear(self, *, takeover: bool = False, **patience: Unpack[Patience]) -> m.Erased:
        """Drop what it printed but for the screen."""
        return await self._caller.call(
            m.Clear(session=self.id, takeover=takeover), m.Erased, **patience
        )

    async def forget(
        self,
        since: int = 0,
        until: int | None = None,
        *,
        takeover: bool = False,
        **patience: Unpack[Patience],
    ) -> m.Erased:
        """Destroy what it printed, or a part of it."""
        asked = m.Forget(session=self.id, since=since, until=until, takeover=takeover)
        return await self._caller.call(asked, m.Erased, **patience)

    async def _changed(self, asked: Message, **patience: Unpack[Patience]) -> SessionInfo:
        self.info = await self._caller.call(asked, SessionInfo, **patience)
        return self.info


class Output:
    """What a session prints: iterate over it. It ends when nothing follows; `end` says why."""

    def __init__(self, wire: Wire, asked: m.Attach) -> None:
        self._wire = wire
        self._looking = Looking(wire.core, asked)
        self._looking.changed = self._wake
        self._news = asyncio.Event()
        self.end: End | None = None
        self.on_news: Callable[[], None] = lambda: None
        wire.settle()

    @property
    def attached(self) -> m.Attached | None:
        """What the daemon answered when this viewer came last; None until it has."""
        return self._looking.attached

    @property
    def mismatches(self) -> int:
        """How often bytes were not those of the log; a snapshot has replaced them."""
        return self._looking.mismatches

    def take(self) -> Item | None:
        """Return what comes next without waiting, None if nothing has come.

        For who has a loop of its own: `on_news` is called when there may be something. Raises
        the error for which nothing will come. An `End` is the last item.
        """
        item = self._looking.take()
        if item is None and self._looking.error is not None:
            raise self._looking.error
        if isinstance(item, End):
            self.end = item
        if self._looking.has_said:  # a key's echo is not worth it
            self._looking.has_said = False
            self._wire.settle()
        return item

    def _wake(self) -> None:
        self._news.set()
        self.on_news()

    def __aiter__(self) -> AsyncIterator[Chunk | Gap | Snapshot]:
        return self

    async def __anext__(self) -> Chunk | Gap | Snapshot:
        self._wire.refuse_while_preparing()
        while True:
            self._news.clear()
            item = self._looking.take()
            if isinstance(item, Chunk | Gap | Snapshot):
                self._wire.settle()
                return item
            if isinstance(item, End):
                self.end = item
            elif item is None:
                if self._looking.error is not None:
                    raise self._looking.error
                if self._looking.is_over:
                    raise StopAsyncIteration
                await self._news.wait()

    async def aclose(self) -> None:
        """Look no longer."""
        self._looking.close()
        self._wire.settle()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
