"""What each request does: one function a request, one table."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, get_args

from msgspec.structs import replace

from holdfast.daemon.events import Subscription
from holdfast.daemon.listing import page_of
from holdfast.daemon.measures import Measures
from holdfast.daemon.record import Record, brief
from holdfast.daemon.server import Reply
from holdfast.daemon.sessions import Sessions
from holdfast.daemon.showing import screen
from holdfast.daemon.verbs import LONGEST_WAIT, asker
from holdfast.daemon.viewing import Arriving
from holdfast.errors import InvalidArgument, Mirrored
from holdfast.protocol.codec import kind_of
from holdfast.protocol.daemon_end import DaemonEnd
from holdfast.protocol.messages import (
    Append,
    Attach,
    Claim,
    Clear,
    Commands,
    Create,
    Created,
    DiskUsed,
    Du,
    End,
    Erased,
    Forget,
    Get,
    GetContext,
    GetMetrics,
    GetScreen,
    GetStats,
    Input,
    InputTaken,
    Kill,
    KillAll,
    List,
    Listed,
    Message,
    Metrics,
    Output,
    OutputChunk,
    Ping,
    Pong,
    RecordCommand,
    Register,
    Release,
    Rename,
    Resize,
    Restore,
    Role,
    Screen,
    Send,
    Sent,
    SessionInfo,
    Signal,
    Skip,
    Stats,
    Subscribe,
    Takeover,
    Wait,
)
from holdfast.session.lifecycle import LIVE, OVER, State
from holdfast.store.log_reader import LogReader
from holdfast.types import LABEL_LIMIT, Size

OfTerminal = Input | Send | Resize | Signal | Kill | Claim | Takeover | Restore
OF_A_TERMINAL = get_args(OfTerminal)
OUT_OF_THE_JOURNAL = (Subscribe, Forget, Commands)
CHUNK = 256 * 1024  # bytes of one reply: a whole flood in steps that delay nobody
LOOKED_AT = 10.0  # seconds; who comes and goes all the time has it written down so often


class Requests:
    """Answer the requests of every client."""

    def __init__(self, sessions: Sessions, measures: Measures) -> None:
        self._sessions, verbs = sessions, sessions.verbs
        self._owners = sessions.owners
        self._measures = measures
        mirrors, commands = sessions.mirrors, sessions.commands
        self._table: dict[type[Message], Callable[[DaemonEnd, Any], Awaitable[Reply]]] = {
            Create: self._create,
            List: self._list,
            Get: self._get,
            Output: self._output,
            Attach: self._attach,
            GetScreen: self._screen,
            Input: self._typed,
            Send: self._send,
            Resize: self._resize,
            Kill: self._kill,
            Signal: verbs.signal,
            Rename: verbs.rename,
            KillAll: verbs.kill_all,
            Wait: verbs.wait,
            Restore: self._restore,
            Clear: self._clear,
            Forget: self._forget,
            Du: self._du,
            Claim: self._claim,
            Takeover: self._takeover,
            Release: self._release,
            Register: mirrors.register,
            Append: mirrors.append,
            Skip: mirrors.skip,
            End: mirrors.end,
            RecordCommand: commands.record,
            Commands: commands.commands,
            GetContext: commands.context,
            Subscribe: self._subscribe,
            GetStats: self._stats,
            GetMetrics: self._metrics,
            Ping: self._ping,
        }

    async def answer(self, client: DaemonEnd, asked: Message) -> Reply:
        """Return the reply to a request, or raise the error it fails with."""
        if not self._sessions.settled.is_set():
            await self._know_enough(asked)
        if isinstance(asked, OF_A_TERMINAL):
            self._refuse_mirrored(asked)
        return await self._table[type(asked)](client, asked)

    def _refuse_mirrored(self, asked: OfTerminal) -> None:
        """Raise Mirrored for what only the terminal of a mirrored session can do."""
        record = self._sessions.records.named(asked.session)
        if record is not None and record.mirrored:
            raise Mirrored(session=record.id, operation=kind_of(asked))

    def is_known(self, session: str) -> bool:
        """Whether it is handed over, or will not be."""
        return self._sessions.settled.is_set() or session in self._sessions.records.by_id

    async def _know_enough(self, asked: Message) -> None:
        """Wait until the journal is read, unless it is about a session that lives."""
        # How we are is most wanted when something keeps us from knowing everything.
        if isinstance(asked, Ping | GetStats | GetMetrics):
            return
        named, settled = getattr(asked, "session", None), self._sessions.settled
        if not named or isinstance(asked, OUT_OF_THE_JOURNAL):
            await settled.wait()
            return
        while not self.is_known(named):
            await settled.wait_for(named)

    async def _create(self, client: DaemonEnd, asked: Create) -> Created:
        made = await self._sessions.create(asked)
        record = self._sessions.records.find(made.session.id)
        if made.outcome == "created" and record.state in LIVE:
            self._owners.created(client, record)
        return Created(session=self._info(record, client), outcome=made.outcome)

    async def _list(self, client: DaemonEnd, asked: List) -> Listed:
        shown = [r for r in self._sessions.records.all() if asked.ended or r.state not in OVER]
        page, following = page_of(shown, asked)
        return Listed(sessions=[self._listed(r, client, asked) for r in page], next=following)

    def _listed(self, record: Record, client: DaemonEnd, asked: List) -> SessionInfo:
        info = brief(self._info(record, client))
        growing = self._sessions.following(record) if asked.lines else None
        return info if growing is None else replace(info, last_line=growing.printed.last_line())

    async def _get(self, client: DaemonEnd, asked: Get) -> SessionInfo:
        return self._info(self._sessions.records.find(asked.session), client)

    def _info(self, record: Record, client: DaemonEnd) -> SessionInfo:
        return self._sessions.info(record, client.client_id)

    async def _attach(self, client: DaemonEnd, asked: Attach) -> Arriving:
        record = self._sessions.records.find(asked.session)
        if record.state is State.DORMANT and client.role is Role.CONTROL:
            # Listed at once, started when somebody comes who could use it.
            await self._sessions.restore(record)
        now = time.time()
        if record.state in LIVE and now - (record.last_attached or 0) > LOOKED_AT:
            record.last_attached = now
            self._sessions.changed(record)
        if asked.terminal and client.role is not Role.CONTROL:
            asked = replace(asked, terminal=False)  # what it answers gets nowhere
        return await self._sessions.viewing.attach(client.client_id, record, asked)

    async def _screen(self, _client: DaemonEnd, asked: GetScreen) -> Screen:
        record = self._sessions.records.find(asked.session)
        return await screen(self._sessions.reading, record, asked)

    async def _output(self, _client: DaemonEnd, asked: Output) -> Callable[[], OutputChunk]:
        record = self._sessions.records.find(asked.session)
        session = self._sessions.following(record)
        if asked.since < 0:
            raise InvalidArgument(argument="since", value=str(asked.since), problem="is negative")
        if session is not None and asked.since == record.offset and asked.wait > 0:
            await session.printed.grown(min(asked.wait, LONGEST_WAIT))
        # Bytes are read only once they can be sent: a client may wait for many sessions.
        return partial(self._read, record, asked)

    def _read(self, record: Record, asked: Output) -> OutputChunk:
        session = self._sessions.following(record)
        if session is not None:
            return self._chunk(session.printed.reader, asked, final=False)
        with LogReader(self._sessions.directory(record)) as reader:
            return self._chunk(reader, asked, final=True)

    def _chunk(self, reader: LogReader, asked: Output, *, final: bool) -> OutputChunk:
        end = reader.end()
        if asked.since > end:
            # An empty reply would have a client that follows ask again and again.
            problem = f"beyond the end of the log, {end}"
            raise InvalidArgument(argument="since", value=str(asked.since), problem=problem)
        until = end if asked.until is None else min(asked.until, end)
        data = reader.read(asked.since, max(0, min(CHUNK, until - asked.since)))
        return OutputChunk(offset=asked.since, data=data, end=end, final=final)

    def type(self, client: DaemonEnd, asked: Input) -> "asyncio.Future[int]":
        """Type into a session that lives; the future has where this client's input ends."""
        session = self._sessions.living(asked.session)
        self._owners.change(client, session.record, takeover=asked.takeover)
        return session.input.put(client.client_id, asked.offset, asked.data)

    async def _typed(self, client: DaemonEnd, asked: Input) -> InputTaken:
        return InputTaken(end=await self.type(client, asked))

    async def _send(self, client: DaemonEnd, asked: Send) -> Sent:
        session = self._sessions.living(asked.session)
        if not session.sender.has_begun(client.client_id, asked):
            self._owners.change(client, session.record, takeover=asked.takeover)
        return await session.sender.send(client.client_id, asked)

    async def _resize(self, client: DaemonEnd, asked: Resize) -> SessionInfo:
        record = self._sessions.living(asked.session).record
        try:
            size = Size(asked.cols, asked.rows)
        except ValueError as error:
            value = f"{asked.cols}x{asked.rows}"
            raise InvalidArgument(argument="size", value=value, problem=str(error)) from error
        if asked.takeover:
            self._owners.change(client, record, takeover=True)
        if self._owners.may_size(client, record, size):
            self._sessions.sized(record, size)
        return self._info(record, client)

    async def _kill(self, client: DaemonEnd, asked: Kill) -> SessionInfo:
        record = self._sessions.records.find(asked.session)
        if record.state in LIVE:
            self._owners.change(client, record, takeover=asked.takeover)
        self._sessions.kill(asked.session, now=asked.now, by=asker(client))
        return self._info(record, client)

    async def _restore(self, client: DaemonEnd, asked: Restore) -> SessionInfo:
        record = self._sessions.records.find(asked.session)
        if asked.life in (0, record.life):
            await self._sessions.restore(record, asked=True)
        return self._info(record, client)

    async def _clear(self, client: DaemonEnd, asked: Clear) -> Erased:
        return await self._sessions.keeping.clear(self._changing(client, asked))

    async def _forget(self, client: DaemonEnd, asked: Forget) -> Erased:
        record = self._changing(client, asked)
        return await self._sessions.keeping.forget(record, asked.since, asked.until)

    def _changing(self, client: DaemonEnd, asked: Clear | Forget) -> Record:
        """Return a session that the client may change; one that is over nobody owns."""
        record = self._sessions.records.find(asked.session)
        if record.state in LIVE:
            self._owners.change(client, record, takeover=asked.takeover)
        return record

    async def _claim(self, client: DaemonEnd, asked: Claim) -> SessionInfo:
        record = self._sessions.living(asked.session).record
        self._owners.claim(client, record)
        return self._info(record, client)

    async def _takeover(self, client: DaemonEnd, asked: Takeover) -> SessionInfo:
        record = self._sessions.living(asked.session).record
        if len(asked.reason) > LABEL_LIMIT or not asked.reason.isprintable():
            problem = f"must be printable, {LABEL_LIMIT} characters at most"
            raise InvalidArgument(
                argument="reason", value=asked.reason[:LABEL_LIMIT], problem=problem
            )
        self._owners.takeover(client, record, asked.reason)
        return self._info(record, client)

    async def _release(self, client: DaemonEnd, asked: Release) -> SessionInfo:
        record = self._sessions.records.find(asked.session)
        if record.state in LIVE:
            self._owners.release(client, record)
        return self._info(record, client)

    async def _du(self, _client: DaemonEnd, asked: Du) -> DiskUsed:
        records = self._sessions.records
        wanted = [records.find(asked.session)] if asked.session else records.all()
        return await self._sessions.keeping.du(wanted)

    async def _subscribe(self, _client: DaemonEnd, asked: Subscribe) -> Subscription:
        session = self._sessions.records.find(asked.session).id if asked.session else None
        return self._sessions.events.subscribe(asked.since, session)

    async def _stats(self, _client: DaemonEnd, _asked: GetStats) -> Stats:
        return self._measures.stats()

    async def _metrics(self, _client: DaemonEnd, _asked: GetMetrics) -> Metrics:
        return Metrics(text=self._measures.text())

    async def _ping(self, _client: DaemonEnd, asked: Ping) -> Pong:
        return Pong(nonce=asked.nonce)
