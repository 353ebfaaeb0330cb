"""Signal, rename, kill, wait: what a client asks of sessions beside their bytes.

A signal is not the same when it is sent twice, and a daemon may die between sending one and
answering. So the client gives each a token, and the tokens of the last few lie in the blob that
the keeper keeps, which it replaces in the same step in which it sends the signal: a request that
comes again to another daemon finds its token there, or was never carried out. A keeper that is
killed takes that knowledge with it: what it has not confirmed is sent by its successor, even if
that were the second time.
"""

import asyncio
import signal
import time
from typing import TYPE_CHECKING

from holdfast.daemon.keeper_link import KeeperLink
from holdfast.daemon.record import Record, brief
from holdfast.daemon.scribe import Scribe
from holdfast.errors import (
    HoldfastError,
    InvalidArgument,
    Mirrored,
    SessionTerminating,
    TimedOut,
)
from holdfast.protocol.daemon_end import DaemonEnd
from holdfast.protocol.messages import (
    KillAll,
    KilledAll,
    Rename,
    SessionInfo,
    Signal,
    Spared,
    Wait,
)
from holdfast.session.lifecycle import LIVE, OVER, Event, State, advance
from holdfast.session.signals import parse_signal
from holdfast.types import LABEL_LIMIT

if TYPE_CHECKING:
    from holdfast.daemon.sessions import Sessions

LONGEST_WAIT = 60.0  # seconds a request may wait for something; the client asks again
TOKENS_KEPT = 8  # more clients than that do not signal one session while a daemon restarts
TOKEN_LIMIT = 64  # characters; they are kept with the session
NUMBERS = {member.name: int(member) for member in signal.Signals}


class Verbs:
    """What can be asked of sessions; who waits for the end of one."""

    def __init__(
        self, sessions: "Sessions", link: KeeperLink, scribe: Scribe, grace: float | None
    ) -> None:
        self._sessions = sessions
        self._link = link
        self._scribe = scribe
        self._grace = grace or 0.0
        self._waiters: dict[str, set[asyncio.Future[None]]] = {}

    # -- signal

    async def signal(self, client: DaemonEnd, asked: Signal) -> SessionInfo:
        """Send a signal to the program's process group, once."""
        number = parse_signal(asked.signal, NUMBERS)
        if len(asked.token) > TOKEN_LIMIT:
            problem = f"longer than {TOKEN_LIMIT} characters"
            raise InvalidArgument(argument="token", value=asked.token[:20], problem=problem)
        record = self._sessions.records.find(asked.session)
        if record.state in LIVE:
            self._sessions.owners.change(client, record, takeover=asked.takeover)
        while not (asked.token and asked.token in record.signals):
            # What already ends can only be made to end sooner.
            self._sessions.living(record.id, ending=number == signal.SIGKILL)
            if await self._send(record, number, asked.token, asker(client)):
                break
        return self._sessions.info(record, client.client_id)

    async def _send(self, record: Record, number: int, token: str, by: str) -> bool:
        record.signals = [*record.signals, token][-TOKENS_KEPT:] if token else record.signals
        record.signalled = number, by
        body = {"id": record.id, "signal": number, "blob": record.blob()}
        if await self._link.signal(body):
            return True
        record.signals = [other for other in record.signals if other != token]
        return False

    # -- rename

    async def rename(self, client: DaemonEnd, asked: Rename) -> SessionInfo:
        """Call a session by another name, an ended one too: what it printed is still there."""
        record = self._sessions.records.find(asked.session)
        if len(asked.name) > LABEL_LIMIT or not asked.name.isprintable():
            problem = f"must be printable, {LABEL_LIMIT} characters at most"
            value = asked.name[:LABEL_LIMIT]
            raise InvalidArgument(argument="name", value=value, problem=problem)
        if record.state is State.TERMINATING:
            raise SessionTerminating(session=record.id)
        if record.state in LIVE:
            self._sessions.owners.change(client, record, takeover=asked.takeover)
        if record.name != asked.name:
            record.name = asked.name
            self._sessions.changed(record)
            self._scribe.event(record, "renamed", time.time(), name=record.name)
            await self._scribe.commit(record)  # nothing but the journal knows ended sessions
        return self._sessions.info(record, client.client_id)

    # -- kill

    def kill(self, wanted: str, *, now: bool, by: str) -> Record:
        """Ask the keeper to end a session; the KILL deadline is kept there."""
        record = self._sessions.records.find(wanted)
        if record.state is State.DORMANT:
            record.state, record.recovery = advance(record.state, Event.KILL_ASKED), "lost:killed"
            record.killed_by = by
            self._scribe.put(record)
            return record
        session = self._sessions.living(wanted, ending=True)
        grace = 0.0 if now else self._grace
        session.ask_end(time.monotonic() + grace)
        record.killed, record.killed_by = True, record.killed_by or by
        self._link.tell({"op": "kill", "id": record.id, "grace": grace})
        self._sessions.changed(record)
        return record

    async def kill_all(self, client: DaemonEnd, asked: KillAll) -> KilledAll:
        """End what lives and may be ended; what was ended when this was asked first counts too."""
        killed, spared = [], []
        for record in self._sessions.records.all():
            if asked.asked and record.created > asked.asked:
                continue
            if record.state in OVER:
                if asked.asked and record.killed and (record.ended or 0.0) >= asked.asked:
                    killed.append(record)
                continue
            try:
                if record.mirrored:
                    raise Mirrored(session=record.id, operation="kill")
                if record.state in LIVE:
                    self._sessions.owners.change(client, record, takeover=asked.takeover)
                self.kill(record.id, now=asked.now, by=asker(client))
            except HoldfastError as error:
                spared.append(
                    Spared(session=record.id, name=record.name, code=error.code, what=error.what)
                )
            else:
                killed.append(record)
        infos = [brief(self._sessions.info(record)) for record in killed]
        return KilledAll(killed=infos, spared=spared)

    # -- wait

    async def wait(self, client: DaemonEnd, asked: Wait) -> SessionInfo:
        """Return a session when it has ended; raise TimedOut when that takes too long."""
        record = self._sessions.records.find(asked.session)
        patience = min(max(0.0, asked.timeout), LONGEST_WAIT)
        if record.state is State.DORMANT:
            self._sessions.living(record.id)  # says that its program is gone, and the way back
        if record.state in LIVE:
            await self._end_of(record, patience)
        if record.state in LIVE:
            raise TimedOut(action=f"the end of session {record.id}", seconds=patience)
        return self._sessions.info(record, client.client_id)

    async def _end_of(self, record: Record, patience: float) -> None:
        waiters = self._waiters.setdefault(record.id, set())
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiters.add(waiter)
        try:
            await asyncio.wait_for(waiter, patience)
        except TimeoutError:
            pass
        finally:
            waiters.discard(waiter)
            if not waiters and self._waiters.get(record.id) is waiters:
                del self._waiters[record.id]

    def ended(self, record: Record) -> None:
        """A session is over: say who ended it, and tell those who wait."""
        number, by = record.signalled
        if by and record.exit.signal == number:
            record.killed_by = record.killed_by or by
        for waiter in self._waiters.pop(record.id, ()):
            if not waiter.done():
                waiter.set_result(None)


def asker(client: DaemonEnd) -> str:
    """Return what others see a client by."""
    return client.label or client.client_id
